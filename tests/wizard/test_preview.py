from pathlib import Path

import pytest
from textual.containers import VerticalScroll
from textual.widgets import Input, TabbedContent

from bizy_migrate_tui.migration.errors import RunFailed, TargetError
from bizy_migrate_tui.migration.findings import Choice, Severity
from bizy_migrate_tui.migration.plan.plan import TablePlan
from bizy_migrate_tui.wizard.flow import Step, StepState
from bizy_migrate_tui.wizard.widgets.choice_dialog import ChoiceDialog
from bizy_migrate_tui.wizard.widgets.diff_pane import DiffPane
from bizy_migrate_tui.wizard.widgets.paged_table import PagedTable
from bizy_migrate_tui.wizard.widgets.zone_dialog import ZoneDialog
from tests.wizard.fake_core import UPGRADED
from tests.wizard.fake_run import TABLES, RunningCore, a_finding
from tests.wizard.walking import Walk, walking

GONE = TargetError("server-unreachable", "No server answers at localhost:5432.", "Start it.")


def tab(walk: Walk) -> str:
    return walk.screen.query_one(TabbedContent).active


def rows(walk: Walk, table: str = "tasks") -> PagedTable:
    return walk.screen.query_one(f"#diff-{table}", DiffPane).query_one(PagedTable)


async def confirm(walk: Walk) -> None:
    """Press the only button that says yes."""
    await walk.pilot.click("#use")
    await walk.pilot.pause()


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 20)])
async def test_what_will_happen_is_said_in_plain_words(tmp_path: Path, size: tuple[int, int]) -> None:
    async with walking(RunningCore(), tmp_path, size=size) as walk:
        await walk.go_on(Step.PREVIEW)
        shown = " ".join(walk.text().split())
        assert "67 tasks and 4 goals will be added for a new user, admin@bizy.local." in shown
        assert "Nothing is written yet" in walk.said
        await walk.until(lambda: rows(walk).current)
        assert walk.app.focused is rows(walk)
        await walk.press("enter")
        assert walk.at(Step.MIGRATION)


async def test_what_the_data_says_about_its_clock_is_taken_and_said(tmp_path: Path) -> None:
    core = RunningCore(evidence=UPGRADED)
    async with walking(core, tmp_path, size=(120, 40)) as walk:
        await walk.go_on(Step.PREVIEW)
        assert core.planned[-1].created_at_utc_until == 41
        assert "The data shows: UTC until task 41, then America/New_York." in " ".join(walk.text().split())


async def test_a_clock_that_was_decided_against_is_not_proposed_again(tmp_path: Path) -> None:
    core = RunningCore(evidence=UPGRADED)
    async with walking(core, tmp_path, size=(120, 40)) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.press("z")
        assert isinstance(walk.app.screen, ZoneDialog)
        walk.app.screen.query_one("#until", Input).value = ""
        await confirm(walk)
        await walk.idle()
        assert core.planned[-1].created_at_utc_until is None
        assert "The data shows" not in walk.text()
        await walk.press("escape")
        await walk.go_on(Step.PREVIEW)
        assert core.planned[-1].created_at_utc_until is None


async def test_a_clock_chosen_here_survives_a_visit_to_the_connection(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.press("z")
        walk.app.screen.query_one("#zone", Input).value = "Europe/Paris"
        walk.app.screen.query_one("#until", Input).value = "12"
        await confirm(walk)
        await walk.idle()
        assert (core.planned[-1].zone, core.planned[-1].created_at_utc_until) == ("Europe/Paris", 12)
        walk.app.visit(Step.CONNECTION)
        await walk.idle()
        assert (walk.field("zone").value, walk.field("until").value) == ("Europe/Paris", "12")
        await walk.go_on(Step.PREVIEW)
        assert len(core.planned) == 2


async def test_a_choice_about_a_finding_changes_the_plan_at_once(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.press("5")
        await walk.press("space")
        assert isinstance(walk.app.screen, ChoiceDialog)
        await walk.press("down", "enter")
        await walk.idle()
        assert core.planned[-1].on == {"priority-range": Choice.LEAVE_OUT}
        assert tab(walk) == "tab-findings"


async def test_a_blocked_plan_does_not_go_on_and_says_why(tmp_path: Path) -> None:
    core = RunningCore(findings=(a_finding(), a_finding(Severity.BLOCKS, code="id-taken", table="goals", choices=())))
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.press("enter")
        assert walk.at(Step.PREVIEW)
        assert "What stops the run: goals" in walk.said
        assert tab(walk) == "tab-findings"
        await walk.press("d")
        assert core.ran == []


async def test_a_dry_run_stands_beside_the_prediction(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path, size=(120, 40)) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.press("d")
        await walk.idle()
        assert core.ran == ["dry"]
        assert core.committed == 0
        assert "went as predicted" in walk.said
        assert tab(walk) == "tab-trial"
        assert "predicted     dry run" in walk.text()


async def test_a_dry_run_that_differs_says_so(tmp_path: Path) -> None:
    core = RunningCore(happens={**TABLES, "tasks": TablePlan(67, 66, 0, 3, 0, 0)})
    async with walking(core, tmp_path, size=(120, 40)) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.press("d")
        await walk.idle()
        assert "did not go as predicted" in walk.said
        assert "≠" in walk.text()


async def test_escape_stops_a_dry_run(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.PREVIEW)
        core.gate.clear()
        await walk.press("d", "enter")
        assert "Escape stops it" in walk.said
        await walk.press("escape")
        await walk.idle()
        assert walk.at(Step.PREVIEW)
        assert "was stopped. Nothing was changed" in walk.said


async def test_a_dry_run_that_fails_is_explained_and_tried_again(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.PREVIEW)
        core.problems = [RunFailed("disk-full-target", "The server's disk is full.", "Make room.")]
        await walk.press("d")
        await walk.until(lambda: walk.at(Step.FAILURE))
        assert "Nothing was changed" in walk.text()
        await walk.press("enter")
        await walk.idle()
        assert core.ran == ["dry", "dry"]
        assert "went as predicted" in walk.said


async def test_a_plan_that_fails_is_made_again(tmp_path: Path) -> None:
    core = RunningCore(problems=[GONE])
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.BACKUP)
        await walk.press("enter")
        await walk.idle()
        await walk.press("enter")
        await walk.until(lambda: walk.at(Step.FAILURE))
        await walk.press("enter")
        await walk.idle()
        assert walk.at(Step.PREVIEW)
        assert walk.app.state.plan is not None


async def test_a_plan_is_kept_until_an_answer_changes(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.MIGRATION)
        await walk.press("escape")
        await walk.idle()
        assert len(core.planned) == 1
        walk.app.visit(Step.CONNECTION)
        await walk.idle()
        await walk.type_into("email", "me@example.org")
        await walk.press("enter")
        await walk.idle()
        assert walk.app.state.state_of(Step.PREVIEW) is StepState.STALE
        await walk.go_on(Step.PREVIEW)
        assert core.planned[-1].email == "me@example.org"


async def test_the_command_can_be_copied_and_holds_no_password(tmp_path: Path) -> None:
    async with walking(RunningCore(), tmp_path) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.press("c")
        assert walk.app.clipboard.startswith("bizy-migrate-tui migrate")
        assert "s3cret" not in walk.app.clipboard


async def test_search_filter_and_jump_find_rows(tmp_path: Path) -> None:
    core = RunningCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.until(lambda: rows(walk).current)
        await walk.press("slash", *"part 66", "enter")
        await walk.until(lambda: (row := rows(walk).current) and row.id == "66")
        await walk.press("slash", "ctrl+u", *"#12", "enter")
        await walk.until(lambda: (row := rows(walk).current) and row.id == "12")
        await walk.press("slash", "ctrl+u", *"#999", "enter")
        await walk.until(lambda: "no row with the id 999" in walk.said)
        assert walk.at(Step.PREVIEW)


async def test_escape_closes_a_row_before_it_goes_back(tmp_path: Path) -> None:
    async with walking(RunningCore(), tmp_path) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.until(lambda: rows(walk).current)
        await walk.press("space")
        await walk.until(lambda: "nearest of 1 to 5" in walk.text())
        await walk.press("escape")
        assert walk.at(Step.PREVIEW)
        await walk.press("escape")
        assert walk.at(Step.BACKUP)


async def test_without_a_copy_the_way_back_is_shown(tmp_path: Path) -> None:
    async with walking(RunningCore(), tmp_path) as walk:
        await walk.go_on(Step.MIGRATION)
        walk.app.state.source_changed()
        walk.app.visit(Step.PREVIEW)
        await walk.idle()
        assert "no copy of the data" in walk.said
        await walk.press("enter")
        assert walk.at(Step.PREVIEW)


async def test_a_problem_of_a_search_is_said_until_the_next_one_finds(tmp_path: Path) -> None:
    async with walking(RunningCore(), tmp_path) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.until(lambda: rows(walk).current)
        await walk.press("slash", *"nothing like it", "enter")
        await walk.until(lambda: "No row of this table matches." in walk.said)
        await walk.press("slash", "ctrl+u", *"part 66", "enter")
        await walk.until(lambda: "Press Enter to go on" in walk.said)


async def test_above_a_row_that_was_jumped_to_lie_the_others(tmp_path: Path) -> None:
    async with walking(RunningCore(), tmp_path) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.until(lambda: rows(walk).current)
        await walk.press("slash", *"#50", "enter")
        await walk.until(lambda: (row := rows(walk).current) and row.id == "50")
        await walk.press("up")
        await walk.until(lambda: (row := rows(walk).current) and rows(walk).row_count == 67 and row.id == "50")
        await walk.press("up")
        await walk.until(lambda: (row := rows(walk).current) and row.id == "49")


@pytest.mark.parametrize("part", ["6", "7"])
async def test_parts_without_rows_scroll_with_the_arrow_keys(tmp_path: Path, part: str) -> None:
    async with walking(RunningCore(), tmp_path) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.until(lambda: rows(walk).current)
        await walk.press(part)
        await walk.until(lambda: isinstance(walk.app.focused, VerticalScroll))


@pytest.mark.parametrize("size", [(60, 20), (100, 16)])
async def test_findings_are_listed_in_the_smallest_window_too(tmp_path: Path, size: tuple[int, int]) -> None:
    async with walking(RunningCore(), tmp_path, size=size) as walk:
        await walk.go_on(Step.PREVIEW)
        await walk.press("5")
        await walk.until(lambda: "tasks.priority" in walk.text())
        assert walk.app.screen.query_one("#findings").size.height >= 2
