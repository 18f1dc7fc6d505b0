"""Scenes: a state of a screen, and the keys that lead to it; on a stage without folders, disks, clocks or databases."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Input

from bizy_migrate_tui import env_file, remembered
from bizy_migrate_tui.env_file import EnvChange
from bizy_migrate_tui.migration.events import Cancellation, ignore
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.settings import Flags, resolve
from bizy_migrate_tui.wizard import target_form, theme
from bizy_migrate_tui.wizard.app import WizardApp
from bizy_migrate_tui.wizard.flow import Step, StepState
from bizy_migrate_tui.wizard.run_meter import RunMeter
from bizy_migrate_tui.wizard.screens import backup, finish, migration, preview, rollback, verification, welcome
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets import password_dialog
from tests.wizard.fake_results import EndCore
from tests.wizard.fake_run import RunningCore
from tests.wizard.walking import URL, Walk

HOME = Path("/home/ann")
SOURCE = HOME / ".business-agent" / "tasks.db"
ENV = HOME / "web" / "backend" / ".env"
HOPS = 30
"""Turns of the loop that messages get to pass from widget to widget; on a busy machine a pause alone may be one turn."""


@dataclass
class WholeCore(RunningCore, EndCore):
    """Answers at every step of every way."""


@dataclass
class Clock:
    """The time that a run takes, as the scene wants it."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Stage(Walk):
    """A walk, with the core and the clock in reach."""

    app: WizardApp
    pilot: Any
    core: WholeCore
    clock: Clock

    async def come_to(self, step: Step) -> None:
        """Show that step as if Enter had led there."""
        prepare(self.app.state, self.core, step)
        await self.show(step)
        await self.idle()

    async def see(self, text: str) -> None:
        """Wait until the screen shows that text, wherever its lines break."""
        await self.until(lambda: text in " ".join(self.text().split()) or text in self.said)

    async def wear(self, size: tuple[int, int], look: str) -> str:
        """The picture at that size and in that dress, once nothing moves."""
        app = self.app
        in_sight = (app.screen, *app._background_screens)  # a dialog, and what lies below it
        if app.theme != look:
            app.theme = look
            await self.until(lambda: all(shown._css_update_count == app._css_update_count for shown in in_sight))
        if app.screen.size != size:
            await self.pilot.resize_terminal(*size)
            await self.until(lambda: all(shown._compositor.size == size for shown in in_sight))
        app.screen.refresh()  # a dialog draws what lies below it
        before = None
        for _ in range(50):
            await self.pilot.pause(0.02)
            for _ in range(HOPS):
                await asyncio.sleep(0)
            picture = app.export_screenshot(title="bizy-migrate-tui")
            if picture == before:
                return picture
            before = picture
        raise AssertionError("The picture never comes to rest.")


def prepare(state: WizardState, core: WholeCore, step: Step) -> None:
    """Do what the steps before that one do."""
    done = state.path[: state.path.index(step)]
    state.steps.update(dict.fromkeys(done, StepState.DONE))
    cancel = Cancellation()
    if Step.CONNECTION in done:
        state.target_state = core.state
    if Step.BACKUP in done:
        state.work = work = core.open_work(state.sqlite_path)
        state.snapshot = work.take_snapshot(backup=True, on_event=ignore, cancel=cancel)
        state.inventory = work.take_inventory(state.snapshot, state.zone, on_event=ignore, cancel=cancel)
    if Step.PREVIEW in done:
        assert state.target is not None
        assert state.inventory is not None
        state.plan = plan = work.make_plan(state.inventory, state.target, state.choices, on_event=ignore, cancel=cancel)
        state.preview = work.preview(plan)
    if Step.MIGRATION in done:
        state.run_ended(work.run(plan, dry_run=False, on_event=ignore, cancel=cancel))


Act = Callable[[Stage], Awaitable[None]]


@dataclass(frozen=True)
class Scene:
    """`core` are the fields of its core."""

    act: Act
    url: str | None = URL
    core: dict[str, Any] = field(default_factory=dict)


SCENES: dict[str, Scene] = {}


def scene(*, url: str | None = URL, **core: Any) -> Callable[[Act], Act]:
    """Names a scene after the function that plays it."""

    def register(act: Act) -> Act:
        SCENES[act.__name__] = Scene(act, url, core)
        return act

    return register


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    """No picture shows this machine's folders, disk, zone or time, nor a cursor that blinks."""
    if sys.platform == "win32":
        pytest.skip("paths look different there")
    stopped = Clock()
    for module in (backup, migration, preview, verification, rollback):
        monkeypatch.setattr(module, "RunMeter", lambda weights: RunMeter(weights, stopped))
    monkeypatch.setattr(preview, "monotonic", stopped)
    monkeypatch.setattr(welcome, "_file_at", lambda _path: welcome.SourceFile(4_812_000, datetime(2025, 11, 22, 8, 26)))
    monkeypatch.setattr(backup, "_look_for_room", lambda _path: backup.Room(4_812_000, 10**12))
    monkeypatch.setattr(env_file, "point_at", env_change)
    monkeypatch.setattr(env_file, "apply", lambda change, **_now: change.path.with_name(".env.before-postgresql-20251122_215000"))
    monkeypatch.setattr(finish, "save_report", lambda *_what: SOURCE.with_name("bizy_migration_20251122_215000.md"))
    monkeypatch.setattr(
        password_dialog, "save_secret", lambda folder, *_who, **_now: folder / "bizy_password_20251122_215000.txt"
    )
    monkeypatch.setattr(remembered, "save", lambda _values: None)
    monkeypatch.setattr(target_form, "path_complaint", lambda _path: None)
    monkeypatch.setattr(Input, "cursor_blink", False)
    monkeypatch.setenv("HOME", str(HOME))
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield stopped
    monkeypatch.undo()
    time.tzset()


def env_change(path: Path, target: Target) -> EnvChange:
    """What `.env` becomes, on a disk that has one."""
    return EnvChange(path, "DATABASE_URL=sqlite:///./bizy.db\n", f"DATABASE_URL={target.url().reveal()}\n", ENV)


@asynccontextmanager
async def staged(
    played: Scene, clock: Clock, *, size: tuple[int, int] = (80, 24), look: str = theme.DARK.name
) -> AsyncIterator[Stage]:
    """The app in the state of that scene."""
    flags = Flags(sqlite_path=str(SOURCE), postgres_url=played.url, timezone="America/New_York")
    state = WizardState.from_settings(resolve(flags, {}, HOME, HOME))
    state.env_file = ENV
    core = WholeCore(**played.core)
    app = WizardApp(state, core, look=look)
    app.animation_level = "none"
    async with app.run_test(size=size, notifications=True) as pilot:
        stage = Stage(app, pilot, core, clock)
        await pilot.pause()
        await stage.idle()
        try:
            await played.act(stage)
            await pilot.pause()
            yield stage
        finally:
            core.gate.set()
