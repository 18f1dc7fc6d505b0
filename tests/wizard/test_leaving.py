from pathlib import Path

import pytest

from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.widgets.confirm import ConfirmModal
from tests.wizard.fake_core import FakeCore
from tests.wizard.fake_results import EndCore, an_outcome
from tests.wizard.walking import Walk, walking


def write_until_cancelled(walk: Walk, core: FakeCore) -> list[str]:
    """Begin what stands for a run: it writes to the target until it is told to stop. Its notes."""
    notes: list[str] = []
    core.gate.clear()

    def write(_on_event: OnEvent, cancel: Cancellation) -> None:
        try:
            core.pass_gate(cancel)
        finally:
            notes.append("rolled back" if cancel.requested else "committed")

    def failed(error: MigrationError) -> None:
        notes.append(error.code)

    walk.screen.work_on(write, then=lambda _nothing: notes.append("done"), failed=failed, critical=True)
    return notes


async def test_leaving_during_a_run_asks_and_the_safe_answer_goes_on(tmp_path: Path) -> None:
    core = FakeCore()
    async with walking(core, tmp_path) as walk:
        notes = write_until_cancelled(walk, core)
        await walk.press("ctrl+q")
        assert isinstance(walk.app.screen, ConfirmModal)
        await walk.press("enter")
        assert walk.app.return_code is None
        core.gate.set()
        await walk.idle()
        assert notes == ["committed", "done"]


async def test_leaving_during_a_run_waits_until_it_is_taken_back(tmp_path: Path) -> None:
    core = FakeCore()
    async with walking(core, tmp_path) as walk:
        notes = write_until_cancelled(walk, core)
        await walk.press("ctrl+c", "tab", "enter")
        await walk.until(lambda: walk.app.return_code is not None)
        assert walk.app.return_code == 130
        assert notes[0] == "rolled back"


@pytest.mark.parametrize(
    ("step", "what"),
    [(Step.MIGRATION, "The migration"), (Step.PREVIEW, "The dry run"), (Step.ROLLBACK, "The rollback")],
)
async def test_the_question_says_what_is_under_way(tmp_path: Path, step: Step, what: str) -> None:
    core = EndCore()
    async with walking(core, tmp_path) as walk:
        await walk.show(step)
        await walk.idle()
        write_until_cancelled(walk, core)
        await walk.press("ctrl+q")
        assert f"{what} is under way." in " ".join(walk.text().split())
        await walk.press("escape")


async def test_no_step_is_left_while_the_target_is_written_to(tmp_path: Path) -> None:
    core = FakeCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        write_until_cancelled(walk, core)
        await walk.press("escape", "f2")
        assert walk.at(Step.CONNECTION)
        assert "Cancel first" in walk.said


async def test_only_what_can_be_done_now_is_offered(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        offered = [command.title for command in walk.app.get_system_commands(walk.app.screen)]
        assert "Next" in offered
        assert "Back" not in offered
        assert not any(title.startswith("Go to Backup") for title in offered)
        await walk.go_on(Step.BACKUP)
        offered = [command.title for command in walk.app.get_system_commands(walk.app.screen)]
        assert {"Make copy", "Back", "Backup on/off", "Go to Connection"} <= set(offered)
        assert "Copy path" not in offered


async def test_the_palette_offers_what_the_footer_has_no_room_for(tmp_path: Path) -> None:
    async with walking(EndCore(), tmp_path) as walk:
        walk.app.state.run_ended(an_outcome(tmp_path))
        await walk.show(Step.FINISH)
        await walk.idle()
        offered = [command.title for command in walk.app.get_system_commands(walk.app.screen)]
        assert {"Undo", "Back", "Password"} <= set(offered)
        assert "Focus Next" not in offered


async def test_finished_steps_can_be_gone_to_and_later_ones_say_why_not(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.press("f5")
        assert "Backup comes later" in walk.said
        await walk.go_on(Step.BACKUP)
        await walk.press("f3")
        await walk.idle()
        assert walk.at(Step.PREREQUISITES)
        await walk.press("f5")
        assert walk.at(Step.BACKUP)


@pytest.mark.parametrize(("size", "place"), [((80, 24), (15, 1)), ((120, 40), (6, 3))])
async def test_a_click_on_a_finished_step_goes_there(tmp_path: Path, size: tuple[int, int], place: tuple[int, int]) -> None:
    async with walking(FakeCore(), tmp_path, size=size) as walk:
        await walk.go_on(Step.BACKUP)
        await walk.pilot.click(offset=place)
        await walk.until(lambda: walk.at(Step.PREREQUISITES))


async def test_help_tells_the_step_and_its_keys(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.BACKUP)
        await walk.press("f1")
        assert "SQLite's own backup" in walk.text()
        assert "Backup on/off" in walk.text()
        await walk.press("escape")
        assert walk.app.screen is walk.screen
