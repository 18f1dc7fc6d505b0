import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bizy_migrate_tui.migration.errors import MigrationError, PlanBlocked, ProofFailed, TargetError
from bizy_migrate_tui.migration.findings import Check, Difference
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.screens.step import StepScreen
from tests.wizard.fake_results import HOSTILE, EndCore, an_outcome
from tests.wizard.walking import Walk, walking

DOWN = TargetError("server-unreachable", "No server answers at localhost.", "Start it:\n  sudo systemctl start postgresql")
DIFFERS = ProofFailed(
    "proof-failed",
    "2 cells are not what they should be; everything was rolled back.",
    "Please report it.",
    (Difference("tasks", "7", "title", HOSTILE, "Water the cat"), Difference("tasks", "7", "notes", "a", None)),
    (Check("every cell", False, "2 differ"), Check("counts", True, "67 of 67")),
)


@asynccontextmanager
async def failed(
    folder: Path, error: MigrationError, at: Step = Step.BACKUP, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Walk]:
    async with walking(EndCore(), folder, size=size) as walk:
        walk.app.post_message(StepScreen.Failed(at, error))
        await walk.until(lambda: walk.at(Step.FAILURE))
        await walk.idle()
        yield walk


async def test_it_says_what_happened_what_of_the_data_and_what_to_do(tmp_path: Path) -> None:
    async with failed(tmp_path, DOWN) as walk:
        shown = walk.text()
        assert "Backup: this did not work" in shown
        assert "· Connect ✗ Backup" in shown
        assert "✗ No server answers at localhost." in shown
        assert "✓ Your data: Nothing was changed." in shown
        assert "sudo systemctl start postgresql" in shown


async def test_enter_does_the_failed_step_again(tmp_path: Path) -> None:
    async with failed(tmp_path, DOWN) as walk:
        await walk.press("enter")
        await walk.until(lambda: walk.at(Step.BACKUP))
        await walk.until(lambda: walk.app.state.snapshot is not None)


async def test_escape_goes_back_to_the_step_and_does_nothing(tmp_path: Path) -> None:
    async with failed(tmp_path, DOWN) as walk:
        await walk.press("escape")
        await walk.until(lambda: walk.at(Step.BACKUP))
        await walk.idle()
        assert walk.app.state.snapshot is None


async def test_c_leads_to_the_settings_unless_they_are_what_failed(tmp_path: Path) -> None:
    async with failed(tmp_path, DOWN) as walk:
        await walk.press("c")
        await walk.until(lambda: walk.at(Step.CONNECTION))
    async with failed(tmp_path, DOWN, at=Step.CONNECTION) as walk:
        await walk.press("c")
        assert walk.at(Step.FAILURE)


async def test_leaving_tells_by_the_exit_code(tmp_path: Path) -> None:
    async with failed(tmp_path, DOWN) as walk:
        await walk.press("l")
        await walk.until(lambda: walk.app.return_code is not None)
    assert walk.app.return_code == 3


async def test_the_report_names_the_cells_and_holds_no_password(tmp_path: Path) -> None:
    async with failed(tmp_path, DIFFERS) as walk:
        await walk.press("s")
        await walk.idle()
        assert "The report is in" in walk.said
    (saved,) = tmp_path.glob("bizy_migration_*.json")
    told = json.loads(saved.read_text())
    assert told["status"] == "failed"
    assert [one["column"] for one in told["differences"]] == ["title", "notes"]
    texts = saved.read_text() + saved.with_suffix(".md").read_text()
    assert "s3cret" not in texts


async def test_a_report_that_cannot_be_saved_is_told(tmp_path: Path) -> None:
    async with failed(tmp_path, DOWN) as walk:
        walk.app.state.sqlite_path = tmp_path / "gone" / "tasks.db"
        await walk.press("s")
        await walk.idle()
        assert "could not be saved" in walk.said
        assert walk.at(Step.FAILURE)


async def test_the_failing_rows_are_named_and_opened(tmp_path: Path) -> None:
    async with failed(tmp_path, DIFFERS, size=(120, 40)) as walk:
        shown = walk.text()
        assert "✗ every cell" in shown
        assert "counts" not in shown
        assert "tasks 7" in shown
        assert "+ Water the cat" in shown
        assert "\x1b[31m" not in shown
        await walk.press("down")
        assert "+ NULL" in walk.text()


async def test_a_later_failure_shows_nothing_of_the_one_before(tmp_path: Path) -> None:
    async with failed(tmp_path, DIFFERS) as walk:
        await walk.press("escape")
        await walk.until(lambda: walk.at(Step.BACKUP))
        walk.app.post_message(StepScreen.Failed(Step.BACKUP, PlanBlocked("x", HOSTILE, HOSTILE), "It is not known."))
        await walk.until(lambda: walk.at(Step.FAILURE))
        await walk.pilot.pause()
        assert "every cell" not in walk.text()
        assert "! Your data: It is not known." in walk.text()


async def test_the_report_of_a_failure_after_the_commit_still_tells_of_the_run(tmp_path: Path) -> None:
    async with failed(tmp_path, DOWN, at=Step.VERIFICATION) as walk:
        walk.app.state.outcome = an_outcome(tmp_path)
        await walk.press("s")
        await walk.idle()
    (saved,) = tmp_path.glob("bizy_migration_*.json")
    told = json.loads(saved.read_text())
    assert told["status"] == "migrated"
    assert told["error"]["code"] == "server-unreachable"
