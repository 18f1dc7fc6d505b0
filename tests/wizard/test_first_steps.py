from pathlib import Path

import pytest

from bizy_migrate_tui.migration.errors import TargetError
from bizy_migrate_tui.migration.prerequisites.prerequisites import CheckState, PrerequisiteResult
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.wizard.flow import Step, StepState, Way
from bizy_migrate_tui.wizard.widgets.confirm import ConfirmModal
from bizy_migrate_tui.wizard.widgets.setup_dialog import SetupDialog
from bizy_migrate_tui.wizard.widgets.user_dialog import UserDialog
from tests.wizard.fake_core import UPGRADED, FakeCore, a_target_state
from tests.wizard.fake_preview import HOSTILE
from tests.wizard.walking import walking

REFUSED = TargetError("server-unreachable", "No server answers at localhost:5432.", "Start it.")


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (60, 18)])
async def test_enter_alone_leads_to_a_backup(tmp_path: Path, size: tuple[int, int]) -> None:
    core = FakeCore()
    async with walking(core, tmp_path, size=size) as walk:
        await walk.go_on(Step.BACKUP)
        await walk.press("enter")
        await walk.idle()
        assert core.backups == 1
        assert walk.app.state.snapshot is not None
        assert walk.app.state.inventory is not None
        assert "Enter" in walk.said
        behind = (Step.WELCOME, Step.PREREQUISITES, Step.CONNECTION)
        assert {walk.app.state.state_of(step) for step in behind} == {StepState.DONE}


async def test_back_keeps_everything_that_was_typed(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        await walk.type_into("email", "me@example.org")
        await walk.type_into("new-password", "tr0mbone")
        await walk.go_on(Step.BACKUP)
        await walk.press("escape")
        await walk.idle()
        assert walk.screen.STEP is Step.CONNECTION
        assert walk.field("email").value == "me@example.org"
        assert walk.app.state.password == Secret("tr0mbone")
        assert walk.app.state.email == "me@example.org"


async def test_what_other_settings_would_mend_leads_to_the_settings(tmp_path: Path) -> None:
    core = FakeCore(refusal=REFUSED)
    core.results["server"] = PrerequisiteResult("server", "Server", CheckState.FAILED, "No server answers.", "Start it.")
    async with walking(core, tmp_path) as walk:
        await walk.press("enter")
        await walk.idle()
        assert "1 thing is missing" in walk.said
        assert "Start it." in walk.text()
        await walk.press("enter")
        await walk.idle()
        assert walk.screen.STEP is Step.CONNECTION
        await walk.press("enter")
        await walk.idle()
        assert walk.screen.STEP is Step.CONNECTION
        assert REFUSED.cause in walk.said


async def test_what_no_setting_mends_blocks_enter_and_says_why(tmp_path: Path) -> None:
    core = FakeCore()
    core.results["sqlite"] = PrerequisiteResult("sqlite", "SQLite library", CheckState.FAILED, "This is SQLite 3.6.", "Newer.")
    async with walking(core, tmp_path) as walk:
        await walk.press("enter")
        await walk.idle()
        await walk.press("enter")
        assert walk.screen.STEP is Step.PREREQUISITES
        assert "SQLite 3.6" in walk.said


async def test_a_server_that_comes_up_is_found_by_looking_again(tmp_path: Path) -> None:
    core = FakeCore(refusal=REFUSED)
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        assert REFUSED.cause in walk.said
        core.refusal = None
        await walk.press("enter")
        await walk.idle()
        assert "PostgreSQL 18.1" in walk.said
        await walk.press("enter")
        await walk.idle()
        assert walk.screen.STEP is Step.BACKUP


async def test_a_missing_role_is_made_after_asking(tmp_path: Path) -> None:
    core = FakeCore()
    core.results["login"] = PrerequisiteResult("login", "Login", CheckState.FAILED, "No user bizy.", "Create it.", fix="setup")
    async with walking(core, tmp_path) as walk:
        await walk.press("enter")
        await walk.idle()
        await walk.press("x")
        assert isinstance(walk.app.screen, SetupDialog)
        await walk.press(*"adm1n", "enter")
        await walk.idle()
        assert core.set_up_as == ("postgres", Secret("adm1n"))
        assert "Everything is there." in walk.said


async def test_missing_tables_are_made_after_asking(tmp_path: Path) -> None:
    core = FakeCore()
    core.results["tables"] = PrerequisiteResult("tables", "Tables", CheckState.WARNING, "None yet.", "", fix="schema")
    async with walking(core, tmp_path) as walk:
        await walk.press("enter")
        await walk.idle()
        await walk.press("x")
        assert isinstance(walk.app.screen, ConfirmModal)
        assert not core.tables_made
        await walk.press("tab", "enter")
        await walk.idle()
        assert core.tables_made


async def test_a_password_that_bcrypt_would_cut_is_told_at_once(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        await walk.type_into("new-password", "é" * 37)
        await walk.press("enter")
        assert walk.at(Step.CONNECTION)
        assert "At most 72 bytes" in walk.text()


async def test_a_connection_has_to_pass_the_prerequisites_that_failed(tmp_path: Path) -> None:
    core = FakeCore()
    core.results["tables"] = PrerequisiteResult("tables", "Tables", CheckState.FAILED, "tasks has no user_id.", "Mend it.")
    async with walking(core, tmp_path) as walk:
        await walk.press("enter")
        await walk.idle()
        await walk.press("enter")
        await walk.idle()
        assert walk.screen.STEP is Step.CONNECTION
        assert "tasks has no user_id." in walk.said


async def test_url_and_fields_follow_each_other(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        await walk.type_into("url", "postgresql://ann:pw@db.example.org/web")
        names = ("host", "port", "dbname", "user", "password")
        assert [walk.field(name).value for name in names] == ["db.example.org", "", "web", "ann", "pw"]
        await walk.type_into("port", "6000")
        assert walk.field("url").value == "postgresql://ann@db.example.org:6000/web"


async def test_a_password_never_stays_in_sight(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path, size=(120, 40)) as walk:
        await walk.go_on(Step.CONNECTION)
        await walk.type_into("url", "postgresql://ann:h1dden@localhost/web")
        await walk.press("tab")
        assert "h1dden" not in walk.text()
        assert walk.field("password").value == "h1dden"


async def test_a_password_is_not_copied(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        walk.field("password").focus_input()
        await walk.press("ctrl+a", "ctrl+c", "ctrl+x")
        assert "s3cret" not in walk.app.clipboard
        assert walk.field("password").value == "s3cret"


async def test_another_target_has_to_be_tested_and_makes_the_plan_stale(tmp_path: Path) -> None:
    core = FakeCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        state = walk.app.state
        state.complete(Step.BACKUP)
        state.complete(Step.PREVIEW)
        await walk.type_into("host", "elsewhere")
        await walk.press("enter")
        await walk.idle()
        assert core.surveyed[-1].host == "elsewhere"
        assert walk.screen.STEP is Step.CONNECTION
        assert state.state_of(Step.PREVIEW) is StepState.STALE
        assert state.state_of(Step.BACKUP) is StepState.DONE


async def test_a_clock_chosen_in_a_later_step_survives_a_visit_to_the_connection(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.BACKUP)
        walk.app.state.zone, walk.app.state.utc_until = "Asia/Kolkata", 41
        await walk.press("escape")
        await walk.idle()
        assert (walk.field("zone").value, walk.field("until").value) == ("Asia/Kolkata", "41")
        await walk.go_on(Step.BACKUP)
        assert (walk.app.state.zone, walk.app.state.utc_until) == ("Asia/Kolkata", 41)


async def test_what_was_typed_counts_however_the_user_leaves(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.BACKUP)
        await walk.press("f4")
        await walk.idle()
        await walk.type_into("zone", "Asia/Kolkata")
        await walk.press("f5")
        assert walk.at(Step.BACKUP)
        assert walk.app.state.zone == "Asia/Kolkata"


async def test_a_bad_answer_gets_the_cursor_and_says_why(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        await walk.type_into("zone", "Mars/Olympus")
        walk.field("url").focus_input()
        await walk.press("enter")
        assert walk.screen.STEP is Step.CONNECTION
        assert "Mars/Olympus" in walk.said
        assert walk.app.focused is walk.field("zone").input


async def test_the_evidence_proposes_and_the_user_decides(tmp_path: Path) -> None:
    async with walking(FakeCore(evidence=UPGRADED), tmp_path, size=(120, 40)) as walk:
        await walk.go_on(Step.CONNECTION)
        assert "UTC until task 41" in walk.text()
        assert walk.app.state.utc_until is None
        await walk.press("ctrl+o")
        assert walk.app.state.utc_until == 41


async def test_the_rows_may_go_to_a_user_who_is_there(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        await walk.press("ctrl+l")
        assert isinstance(walk.app.screen, UserDialog)
        await walk.press("enter")
        assert (walk.app.state.email, walk.app.state.username) == ("ann@example.org", "ann")
        assert walk.field("new-password").input.disabled


async def test_without_a_target_the_form_asks_for_one(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path, url=None) as walk:
        await walk.go_on(Step.CONNECTION)
        await walk.press("enter")
        assert "Say where the data should go" in walk.said


async def test_a_backup_that_is_left_is_stopped_and_can_be_begun_again(tmp_path: Path) -> None:
    core = FakeCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.BACKUP)
        core.gate.clear()
        await walk.press("enter")
        await walk.until(lambda: "Copy the source" in walk.said)
        await walk.press("enter")
        assert walk.screen.STEP is Step.BACKUP
        await walk.press("escape")
        await walk.until(core.gate.is_set)
        await walk.idle()
        assert walk.app.state.snapshot is None
        await walk.go_on(Step.BACKUP)
        await walk.press("enter")
        await walk.idle()
        assert core.backups == 1


async def test_a_backup_can_be_done_without(tmp_path: Path) -> None:
    core = FakeCore()
    async with walking(core, tmp_path) as walk:
        await walk.go_on(Step.BACKUP)
        await walk.press("b", "enter")
        await walk.idle()
        assert core.backups == 0
        assert walk.app.state.snapshot is not None
        assert not walk.app.state.snapshot.is_backup


async def test_the_backups_path_can_be_copied(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.BACKUP)
        await walk.press("enter")
        await walk.idle()
        await walk.press("c")
        assert walk.app.clipboard == str(tmp_path / "tasks_backup_20251122_214501.db")


@pytest.mark.parametrize("hostile", HOSTILE)
async def test_what_comes_from_outside_is_shown_as_text(tmp_path: Path, hostile: str) -> None:
    core = FakeCore(state=a_target_state(server_version=hostile, user=hostile, dbname=hostile, timezone=hostile))
    core.results["env-file"] = PrerequisiteResult("env-file", ".env file", CheckState.WARNING, hostile, hostile)
    core.rows[hostile] = 3
    async with walking(core, tmp_path, size=(120, 40)) as walk:
        await walk.press("enter")
        await walk.idle()
        texts = [walk.text()]
        await walk.go_on(Step.CONNECTION)
        texts.append(walk.text())
        await walk.go_on(Step.BACKUP)
        await walk.press("enter")
        await walk.idle()
        texts.append(walk.text())
        assert all(hostile[:4] in text or "\\u202e" in text or "␛" in text or "␀" in text for text in texts)
        assert not any(character in text for text in texts for character in "\x1b\x00\x07\u202e")


@pytest.mark.parametrize("way", [Way.VERIFY, Way.ROLL_BACK])
async def test_the_other_ways_ask_for_the_connection_alone(tmp_path: Path, way: Way) -> None:
    core = FakeCore()
    async with walking(core, tmp_path) as walk:
        walk.app.state.way = way
        walk.app.go_to(Step.CONNECTION)
        await walk.idle()
        assert not core.works
        assert "PostgreSQL 18.1" in walk.said
        assert not walk.field("email").region


async def test_without_colours_the_cursor_is_turned_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with walking(FakeCore(), tmp_path) as walk:
        strips = walk.app.screen._compositor.render_strips()
        (turned,) = [strip for strip in strips if any(segment.style and segment.style.reverse for segment in strip)]
        assert "Bring tasks and goals" in turned.text


async def test_leaving_before_the_end_says_cancelled(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.press("ctrl+q")
        await walk.until(lambda: walk.app.return_code is not None)
        assert walk.app.return_code == 130


async def test_a_step_that_is_stale_says_why_in_the_list_and_beside_its_title(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path, size=(120, 40)) as walk:
        await walk.go_on(Step.CONNECTION)
        walk.app.state.complete(Step.BACKUP)
        walk.app.state.complete(Step.PREVIEW)
        await walk.type_into("zone", "Asia/Kolkata")
        await walk.press("f5")
        assert walk.at(Step.BACKUP)
        await walk.until(lambda: "time zone changed" in walk.text())  # below Preview
        assert "look again" not in walk.text()
        await walk.press("f6")
        await walk.until(lambda: "Preview  ↻ look again: time zone changed" in walk.text())
        walk.app.state.complete(Step.PREVIEW)
        await walk.pilot.pause()
        assert "time zone changed" not in walk.text()


async def test_another_connection_makes_later_steps_stale_and_says_so(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path, size=(120, 40)) as walk:
        await walk.go_on(Step.CONNECTION)
        walk.app.state.complete(Step.BACKUP)
        walk.app.state.complete(Step.PREVIEW)
        await walk.type_into("host", "elsewhere")
        await walk.press("enter")
        await walk.idle()
        rail = walk.text()
        assert rail.index("Preview") < rail.index("connection changed") < rail.index("Migration")
