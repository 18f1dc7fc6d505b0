from pathlib import Path

import pytest

from bizy_migrate_tui.migration.errors import PlanBlocked, RunFailed
from bizy_migrate_tui.wizard.flow import Step, StepState
from bizy_migrate_tui.wizard.widgets.confirm import ConfirmModal
from tests.wizard.fake_core import a_target_state
from tests.wizard.fake_preview import HOSTILE
from tests.wizard.fake_run import RunningCore
from tests.wizard.walking import Walk, walking

FULL = RunFailed("disk-full-target", "The server's disk is full. Everything was rolled back.", "Make room.")


async def start(walk: Walk, core: RunningCore) -> None:
    """Begin a run that stops in the midst of the tasks until the gate opens."""
    await walk.go_on(Step.MIGRATION)
    core.gate.clear()
    await walk.press("enter")
    await walk.until(lambda: "Loading tasks" in walk.text())


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20)])
async def test_enter_starts_only_after_saying_what_is_written_where(tmp_path: Path, size: tuple[int, int]) -> None:
    core = RunningCore()
    async with walking(core, tmp_path, size=size) as walk:
        await walk.go_on(Step.MIGRATION)
        shown = " ".join(walk.text().split())
        assert core.ran == []
        assert "localhost:5432/bizy_dev" in shown
        assert "67 tasks and 4 goals" in shown
        assert "s3cret" not in shown
        await walk.press("enter")
        await walk.idle()
        assert core.committed == 1
        assert walk.app.state.outcome is not None
        assert "arrived" in walk.said
        await walk.press("enter")
        assert walk.at(Step.VERIFICATION)


async def test_a_run_shows_phases_bars_and_what_is_going_on(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await start(walk, core)
        shown = walk.text()
        assert "✓ Load goals" in shown
        assert "33 of 67" in shown
        assert "○ Commit" in shown
        await walk.press("enter")
        assert "under way" in walk.said
        await walk.press("escape")
        assert walk.at(Step.MIGRATION)
        core.gate.set()
        await walk.idle()
        assert "✓ Final checks" in walk.text()


async def test_the_log_opens_and_closes(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await start(walk, core)
        await walk.press("l")
        assert "Load goals: done" in walk.text()
        await walk.press("l")
        assert "Load goals: done" not in walk.text()


async def test_stopping_asks_and_the_safe_answer_goes_on(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await start(walk, core)
        await walk.press("x")
        assert isinstance(walk.app.screen, ConfirmModal)
        await walk.press("enter")
        core.gate.set()
        await walk.idle()
        assert core.committed == 1


async def test_a_stopped_run_shows_that_nothing_changed_and_can_be_started_again(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await start(walk, core)
        looks = len(core.surveyed)
        await walk.press("x", "right", "enter")
        await walk.until(lambda: "database is as before" in walk.said)
        assert len(core.surveyed) == looks + 1
        assert core.committed == 0
        assert walk.text().count("1 user, 0 goals and 0 tasks") == 2
        assert walk.app.state.state_of(Step.MIGRATION) is not StepState.DONE
        await walk.press("enter")
        await walk.idle()
        assert core.committed == 1


async def test_what_others_wrote_meanwhile_is_not_taken_for_ours(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await start(walk, core)
        core.state = a_target_state(tables={"users": 2, "goals": 0, "tasks": 0})
        await walk.press("x", "right", "enter")
        await walk.until(lambda: "Somebody else" in walk.said)
        assert "Nothing was changed" in walk.said


async def test_a_run_that_fails_is_explained_and_tried_again(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.MIGRATION)
        core.problems = [FULL]
        await walk.press("enter")
        await walk.until(lambda: walk.at(Step.FAILURE))
        assert "disk is full" in walk.text()
        assert "Nothing was changed" in walk.text()
        await walk.press("enter")
        await walk.until(lambda: walk.at(Step.MIGRATION))
        await walk.idle()
        assert core.committed == 1


async def test_a_commit_in_doubt_does_not_claim_that_nothing_changed(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.MIGRATION)
        core.problems = [RunFailed("commit-in-doubt", "The connection was lost during COMMIT.", "Look at the runs.")]
        await walk.press("enter")
        await walk.until(lambda: walk.at(Step.FAILURE))
        assert "Nothing was changed" not in walk.text()


async def test_a_target_that_changed_leads_back_to_the_plan(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.MIGRATION)
        core.problems = [PlanBlocked("target-changed", "The target has changed since the plan was made.", "Look again.")]
        await walk.press("enter")
        await walk.until(lambda: walk.at(Step.FAILURE))
        await walk.press("enter")
        await walk.until(lambda: walk.at(Step.MIGRATION))
        assert "plan has to be made first" in walk.said
        await walk.press("enter")
        await walk.idle()
        assert walk.at(Step.PREVIEW)
        assert len(core.planned) == 2


async def test_a_finished_run_is_not_made_twice(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.MIGRATION)
        await walk.press("enter")
        await walk.idle()
        await walk.press("escape")
        await walk.go_on(Step.MIGRATION)
        await walk.press("enter")
        assert walk.at(Step.VERIFICATION)
        assert core.committed == 1


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_what_comes_from_outside_is_shown_as_text(tmp_path: Path, hostile: str) -> None:
    core = RunningCore(state=a_target_state(tables={"users": 1, hostile: 3}))
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        await walk.type_into("username", "x")
        walk.app.state.email = hostile
        await start(walk, core)
        await walk.press("x", "right", "enter")
        await walk.until(lambda: "Stopped" in walk.said and not walk.screen.jobs)
        assert not any(character in walk.text() for character in "\x1b\x00\x07\u202e")
