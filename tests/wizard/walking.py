"""What the tests of the wizard's screens share: an app on a fake core, and ways to see and to wait."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from textual._context import visible_screen_stack
from textual.pilot import Pilot

from bizy_migrate_tui.settings import Flags, resolve
from bizy_migrate_tui.wizard.app import WizardApp
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.field import Field
from bizy_migrate_tui.wizard.widgets.status_line import StatusLine
from tests.wizard.fake_core import FakeCore

URL = "postgresql://bizy:s3cret@localhost:5432/bizy_dev"


def a_state(folder: Path, url: str | None = URL) -> WizardState:
    source = folder / "tasks.db"
    source.write_bytes(b"SQLite format 3\0" + bytes(4080))
    flags = Flags(sqlite_path=str(source), postgres_url=url, timezone="America/New_York")
    state = WizardState.from_settings(resolve(flags, {}, folder, folder))
    state.demo = True  # remembers nothing on this machine
    return state


@asynccontextmanager
async def walking(
    core: FakeCore, folder: Path, *, url: str | None = URL, size: tuple[int, int] = (80, 24)
) -> AsyncIterator["Walk"]:
    app = WizardApp(a_state(folder, url), core)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        walk = Walk(app, pilot)
        yield walk
        core.gate.set()


class Walk:
    def __init__(self, app: WizardApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def screen(self) -> StepScreen:
        return self.app.step_screen

    def at(self, step: Step) -> bool:
        """Whether that step is in sight."""
        return self.screen.STEP is step

    @property
    def said(self) -> str:
        return self.screen.query_one(StatusLine).said

    def field(self, name: str) -> Field:
        return self.app.screen.query_one(f"#{name}", Field)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait for what a thread does."""
        for _ in range(500):
            if holds():
                return
            await self.pilot.pause(0.01)
        raise AssertionError(f"It never came to that; at {self.screen.STEP} the wizard says: {self.said}")

    async def show(self, step: Step) -> None:
        """Go to a step directly."""
        self.app.go_to(step)
        await self.pilot.pause()

    async def idle(self) -> None:
        await self.until(lambda: not self.screen.jobs)
        await self.pilot.pause()

    async def go_on(self, step: Step) -> None:
        """Press Enter until that step is in sight, and its first work is done."""
        for _ in range(30):  # on a busy machine a key may come before the next screen listens
            await self.idle()
            if self.screen.STEP is step:
                return
            await self.press("enter")
        raise AssertionError(f"Enter does not lead beyond {self.screen.STEP}: {self.said}")

    async def type_into(self, name: str, text: str) -> None:
        """Replace what stands in that field: all but the last character at once, as a paste does."""
        self.field(name).focus_input()
        entered = self.field(name).input
        entered.value = ""
        await self.pilot.pause()
        entered.value = text[:-1]
        entered.action_end()
        await self.pilot.pause()
        await self.pilot.press(*text[-1:])
        await self.pilot.pause()

    def text(self) -> str:
        """The screen as text."""
        visible_screen_stack.set(self.app._background_screens)  # else a dialog draws, and keeps, nothing below it
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines)
