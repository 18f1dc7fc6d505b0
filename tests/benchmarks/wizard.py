"""How the wizard answers: `python -m tests.benchmarks.wizard [TASKS] [SOURCE]` (a million, unless said otherwise).

Gaps between the ticks of a 5 ms clock in the wizard's own event loop, in each part of a whole migration; beside them those
of the same clock in a process that does nothing, which are the machine's own. Then how long the preview's questions take,
and the first paint beside that of an empty Textual app.
"""

import asyncio
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path

from textual.pilot import Pilot

from bizy_migrate_tui.embedded import embedded_server
from bizy_migrate_tui.migration.errors import Cancelled
from bizy_migrate_tui.migration.events import Cancellation
from bizy_migrate_tui.migration.plan.preview import Kind, Preview
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.settings import Flags, resolve
from bizy_migrate_tui.wizard.app import WizardApp
from bizy_migrate_tui.wizard.core_adapter import RealCore
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.readiness import calm_collector
from bizy_migrate_tui.wizard.screens.preview import PreviewScreen
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.paged_table import PagedTable
from tests.benchmarks.first_paint import first_paints
from tests.benchmarks.source import write_source

TICK = 0.005
ZONE = "America/New_York"

Gaps = dict[str, list[float]]


class Clock:
    """Ticks in an event loop and notes each gap under the name of what goes on."""

    def __init__(self) -> None:
        self.part = "start"
        self.gaps: Gaps = defaultdict(list)

    async def tick(self) -> None:
        """Until it is cancelled."""
        last = time.perf_counter()
        while True:
            await asyncio.sleep(TICK)
            now = time.perf_counter()
            self.gaps[self.part].append(now - last)
            last = now


def main(tasks: int = 1_000_000, source: str = "") -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, embedded_server(18) as server:
        path = Path(source or Path(folder) / "source.db")
        if not source:
            write_source(path, tasks)
        idle, beside = multiprocessing.Pipe()
        other = multiprocessing.Process(target=_idle, args=(beside,), daemon=True)
        other.start()
        asyncio.run(_walk(path, server.target(), idle))
        other.join()
    print("\n| first paint | seconds |\n| --- | --- |")  # noqa: T201
    for name, seconds in first_paints().items():
        print(f"| {name} | {seconds:.2f} |")  # noqa: T201


def _idle(wizard: Connection) -> None:
    """The same clock where nothing else goes on; it is told the parts."""

    async def tick() -> None:
        clock = Clock()
        ticking = asyncio.create_task(clock.tick())
        while (part := await asyncio.to_thread(wizard.recv)) is not None:
            clock.part = part
        ticking.cancel()
        wizard.send(dict(clock.gaps))

    asyncio.run(tick())


class _Walk:
    """Enter all the way; `part` names what the clocks measure from here on."""

    def __init__(self, app: WizardApp, pilot: Pilot[None], clock: Clock, idle: Connection) -> None:
        self.app, self.pilot, self._clock, self._idle = app, pilot, clock, idle

    def part(self, name: str) -> None:
        self._clock.part = name
        self._idle.send(name)

    async def until(self, holds: Callable[[], object]) -> float:
        """Wait; the seconds it took."""
        began = time.perf_counter()
        while not holds():
            await asyncio.sleep(TICK)
        return time.perf_counter() - began

    async def to(self, step: Step) -> None:
        """Press Enter once, and wait for the step and the end of its work."""
        await self.pilot.press("enter")
        await self.until(lambda: self.app.step_screen.STEP is step)
        await self.until(lambda: not self.app.step_screen.jobs)

    async def key(self, key: str) -> None:
        """Press a key and wait for the end of what it sets going."""
        await self.pilot.press(key)
        await self.until(lambda: not self.app.step_screen.jobs)


async def _walk(source: Path, target: Target, idle: Connection) -> None:
    clock = Clock()
    ticking = asyncio.create_task(clock.tick())
    async with _wizard(source, target) as (app, pilot):
        walk = _Walk(app, pilot, clock, idle)
        await walk.to(Step.PREREQUISITES)
        walk.part("looking at the clocks")
        await walk.to(Step.CONNECTION)
        walk.part("backup: copy, integrity, every row")
        await walk.to(Step.BACKUP)
        await walk.key("enter")
        walk.part("planning")
        await walk.to(Step.PREVIEW)
        walk.part("preview: the first page")
        screen = app.step_screen
        assert isinstance(screen, PreviewScreen)
        table = screen.query_one("#diff-tasks PagedTable", PagedTable)
        first = await walk.until(lambda: table.current)
        walk.part("preview: 40 pages down")
        for _ in range(40):
            await pilot.press("pagedown")
        preview = app.state.preview
        assert preview is not None
        walk.part("preview: questions")
        asked = await asyncio.to_thread(_ask, preview)
        walk.part("migration")
        await walk.to(Step.MIGRATION)
        await walk.key("enter")
        assert app.state.outcome is not None
        for phase, seconds in app.state.outcome.phases:
            print(f"{phase}: {seconds:.2f} s")  # noqa: T201
        walk.part("verification")
        await walk.to(Step.VERIFICATION)
        await walk.key("v")
        walk.part("end")
    ticking.cancel()
    idle.send(None)
    beside: Gaps = await asyncio.to_thread(idle.recv)
    _print(clock.gaps, beside, {"first page in sight after the plan": first, **asked})


@asynccontextmanager
async def _wizard(source: Path, target: Target) -> AsyncIterator[tuple[WizardApp, Pilot[None]]]:
    flags = Flags(sqlite_path=str(source), postgres_url=target.url().reveal(), timezone=ZONE)
    state = WizardState.from_settings(resolve(flags, {}, source.parent, source.parent), backup=False)
    state.demo = True  # remembers nothing on this machine
    calm_collector()
    app = WizardApp(state, RealCore())
    async with app.run_test(size=(120, 40)) as pilot:
        yield app, pilot


def _ask(preview: Preview) -> dict[str, float]:
    """The preview's questions as the screens put them, in seconds."""
    rows = preview.counts("tasks")
    middle = sum(rows.values()) // 2
    questions: dict[str, Callable[[], object]] = {
        "a page in the middle": lambda: preview.page("tasks", after=middle),
        "filter: new": lambda: preview.page("tasks", kind=Kind.NEW),
        "filter: adjusted": lambda: preview.page("tasks", kind=Kind.ADJUSTED),
        "filter: kept (there are none)": lambda: preview.page("tasks", kind=Kind.KEPT),
        "search: a common word": lambda: preview.page("tasks", search="pricing"),
        "search: one row at the end": lambda: preview.page("tasks", search=f"#{sum(rows.values()) - 1}"),
        "search: nothing": lambda: preview.page("tasks", search="no such words"),
        "search: nothing, the first sign": lambda: _first_sign(preview),
        "jump to an id": lambda: preview.locate("tasks", str(middle)),
        "a row in full": lambda: preview.detail("tasks", middle),
        "timeline": lambda: preview.timeline("tasks"),
    }
    return {name: _seconds(question) for name, question in questions.items()}


def _first_sign(preview: Preview) -> None:
    """Ask for what is not there, until the first word of how far the search is; or its end, where that comes sooner."""
    cancel = Cancellation()
    with suppress(Cancelled):
        preview.page("tasks", search="no such words", cancel=cancel, on_found=lambda _rows: cancel.request())


def _seconds(question: Callable[[], object]) -> float:
    began = time.perf_counter()
    question()
    return time.perf_counter() - began


def _print(gaps: Gaps, beside: Gaps, asked: dict[str, float]) -> None:
    print("| gaps between ticks, ms | seconds | median | 99 % | longest | idle process: 99 % | longest |")  # noqa: T201
    print("| --- | --- | --- | --- | --- | --- | --- |")  # noqa: T201
    for part, found in gaps.items():
        ours, idle = sorted(found), sorted(beside.get(part, [0.0]))
        figures = (statistics.median(ours), _most(ours), ours[-1], _most(idle), idle[-1])
        print(f"| {part} | {sum(ours):.1f} | {' | '.join(f'{figure * 1000:.0f}' for figure in figures)} |")  # noqa: T201
    print("\n| the preview's questions | ms |\n| --- | --- |")  # noqa: T201
    for name, seconds in asked.items():
        print(f"| {name} | {seconds * 1000:.0f} |")  # noqa: T201


def _most(ordered: list[float]) -> float:
    """The 99th percentile."""
    return ordered[int(len(ordered) * 0.99)]


if __name__ == "__main__":
    main(*(int(word) if number == 0 else word for number, word in enumerate(sys.argv[1:])))  # type: ignore[arg-type]
