import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bizy_migrate_tui.migration.postgresql.accounts import Account
from bizy_migrate_tui.migration.run.outcome import Status
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.widgets.password_dialog import PasswordDialog
from bizy_migrate_tui.wizard.widgets.status_line import StatusLine
from tests.wizard.fake_results import HOSTILE, PASSWORD, EndCore, an_outcome
from tests.wizard.walking import Walk, walking

ENV = "# the back end\nDATABASE_URL=sqlite:///old.db\nSECRET_KEY=k\n"


def flat(walk: Walk) -> str:
    """The screen without the breaks that a long path brings."""
    return "".join(walk.text().split())


@asynccontextmanager
async def finished(folder: Path, size: tuple[int, int] = (120, 40), **changes: object) -> AsyncIterator[Walk]:
    async with walking(EndCore(), folder, size=size) as walk:
        outcome = an_outcome(folder, **changes)
        walk.app.state.run_ended(outcome)
        walk.app.state.plan = outcome.plan
        walk.app.state.snapshot = outcome.plan.inventory.snapshot
        walk.app.state.env_file = folder / "web.env"
        await walk.show(Step.FINISH)
        await walk.idle()
        yield walk


async def test_it_says_what_was_done_and_hides_the_password(tmp_path: Path) -> None:
    async with finished(tmp_path) as walk:
        assert "67 tasks and 4 goals arrived" in walk.text()
        assert "tasks_backup_20251122_214501.db" in flat(walk)
        assert PASSWORD not in walk.text()
        assert "••••" in walk.text()


async def test_p_shows_the_password_and_escape_hides_it(tmp_path: Path) -> None:
    async with finished(tmp_path) as walk:
        await walk.press("p")
        assert isinstance(walk.app.screen, PasswordDialog)
        assert PASSWORD in walk.text()
        await walk.press("escape")
        assert PASSWORD not in walk.text()


async def test_the_password_is_copied_or_saved_for_its_owner_alone(tmp_path: Path) -> None:
    async with finished(tmp_path) as walk:
        await walk.press("p", "c")
        assert walk.app.clipboard == PASSWORD
        await walk.press("s", "escape")
        assert "Only you can read" in walk.said
    (saved,) = tmp_path.glob("bizy_password_*.txt")
    assert saved.stat().st_mode & 0o777 == 0o600
    assert PASSWORD in saved.read_text()


async def test_leaving_without_having_seen_the_password_is_asked_about_once(tmp_path: Path) -> None:
    async with finished(tmp_path) as walk:
        await walk.press("enter")
        assert "gone when you leave" in walk.said
        assert walk.app.return_code is None
        await walk.press("enter")
        await walk.until(lambda: walk.app.return_code is not None)
        assert walk.app.state.committed is not None
        assert walk.app.state.committed.password is None
    assert walk.app.return_code == 0


async def test_what_is_said_of_the_password_is_true_while_it_is_seen(tmp_path: Path) -> None:
    async with finished(tmp_path) as walk:
        finish = walk.screen
        await walk.press("enter")
        assert "Nobody has looked at the password yet" in walk.said
        await walk.press("p")
        assert "Nobody" not in finish.query_one(StatusLine).said
        await walk.press("escape")
        assert "Nobody" not in walk.said


async def test_e_writes_the_env_whose_diff_is_shown_and_keeps_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "web.env").write_text(ENV)
    async with finished(tmp_path) as walk:
        assert "-DATABASE_URL=sqlite:///old.db" in walk.text()
        assert "+DATABASE_URL=postgresql://bizy:***@localhost:5432/bizy_dev" in walk.text()
        assert "s3cret" not in walk.text()
        await walk.press("e")
        await walk.idle()
        assert "were written" in walk.said
        assert "pointsatthisdatabase.Theoldfileiskeptasweb.env.before-postgresql-" in flat(walk)
        assert "press e" not in walk.text()
    assert "bizy:s3cret@localhost" in (tmp_path / "web.env").read_text()
    (kept,) = tmp_path.glob("web.env.before-postgresql-*")
    assert kept.read_text() == ENV


async def test_an_env_that_cannot_be_read_is_told_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "web.env").write_bytes(b"\xff\xfe")
    async with finished(tmp_path) as walk:
        assert "cannot be read" in " ".join(walk.text().split())
        await walk.press("e")
        assert walk.at(Step.FINISH)


async def test_the_report_is_saved_without_secrets(tmp_path: Path) -> None:
    async with finished(tmp_path) as walk:
        await walk.press("s")
        await walk.idle()
        assert "The report is in" in walk.said
    (saved,) = tmp_path.glob("bizy_migration_*.json")
    assert json.loads(saved.read_text())["run_id"] == 3
    texts = saved.read_text() + saved.with_suffix(".md").read_text()
    assert PASSWORD not in texts
    assert "s3cret" not in texts


async def test_a_run_without_a_new_account_has_no_password_to_show(tmp_path: Path) -> None:
    async with finished(tmp_path, password=None, user=Account(7, HOSTILE, HOSTILE, False)) as walk:
        await walk.press("p")
        assert not isinstance(walk.app.screen, PasswordDialog)
        assert "\x1b[31m" not in walk.text()
        await walk.press("enter")
        await walk.until(lambda: walk.app.return_code is not None)


async def test_nothing_to_do_is_told_as_such(tmp_path: Path) -> None:
    async with finished(tmp_path, status=Status.NOTHING_TO_DO, run_id=None, password=None) as walk:
        assert "nothing was written" in walk.text()


async def test_u_leads_to_the_rollback_and_escape_back(tmp_path: Path) -> None:
    async with finished(tmp_path) as walk:
        await walk.press("u")
        await walk.until(lambda: walk.at(Step.ROLLBACK))
        await walk.idle()
        await walk.press("escape")
        await walk.until(lambda: walk.at(Step.FINISH))


async def test_a_run_that_was_taken_back_is_not_told_as_done(tmp_path: Path) -> None:
    async with finished(tmp_path) as walk:
        walk.app.state.run_taken_back(3)
        walk.screen.arrive()
        await walk.idle()
        assert "taken back" in walk.text()
        assert "arrived" not in walk.text()


async def test_the_password_outlives_a_change_of_the_answers(tmp_path: Path) -> None:
    async with finished(tmp_path) as walk:
        walk.app.state.choices_changed("time zone changed")
        walk.app.state.run_ended(an_outcome(tmp_path, status=Status.NOTHING_TO_DO, run_id=None, password=None))
        walk.screen.arrive()
        await walk.idle()
        await walk.press("p")
        assert PASSWORD in walk.text()
        assert walk.app.state.exit_code == 0


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
async def test_quitting_anywhere_asks_about_a_password_that_nobody_has_seen(tmp_path: Path, key: str) -> None:
    async with finished(tmp_path) as walk:
        await walk.press(key)
        assert "Leave without the password?" in walk.text()
        await walk.press(key, "escape")
        assert walk.app.return_code is None
        await walk.press("p", "escape", key)
        await walk.until(lambda: walk.app.return_code is not None)
    assert walk.app.return_code == 0
