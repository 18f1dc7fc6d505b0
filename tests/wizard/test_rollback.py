from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from textual.widgets import Input

from bizy_migrate_tui.migration.errors import RunFailed
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.wizard.flow import Step, Way
from bizy_migrate_tui.wizard.widgets.confirm import TypedConfirmModal
from tests.wizard.fake_results import HOSTILE, EndCore, an_outcome
from tests.wizard.walking import URL, Walk, walking


@asynccontextmanager
async def rolling_back(core: EndCore, folder: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Walk]:
    async with walking(core, folder, size=size) as walk:
        walk.app.state.way = Way.ROLL_BACK
        walk.app.state.env_file = folder / ".env"
        await walk.show(Step.ROLLBACK)
        await walk.until(lambda: "Looking" not in walk.said and "Reading" not in walk.said and walk.said)
        await walk.idle()
        yield walk


async def confirm(walk: Walk, word: str = "roll back") -> None:
    await walk.press("enter")
    assert isinstance(walk.app.screen, TypedConfirmModal)
    walk.app.screen.query_one(Input).value = word
    await walk.press("enter")


async def test_it_lists_the_runs_and_says_what_goes_and_what_stays_and_why(tmp_path: Path) -> None:
    async with rolling_back(EndCore(), tmp_path) as walk:
        shown = walk.text()
        assert "Run 3" in shown
        assert "⏎ Roll back" in shown
        assert "Run 2" in shown
        assert "− 65 tasks" in shown
        assert "● 2 tasks" in shown
        assert "changed on the web on 2025-11-23" in shown
        assert "65 tasks, 4 goals and 12 preserved rows will be removed." in walk.said


async def test_a_run_that_was_rolled_back_already_says_so(tmp_path: Path) -> None:
    core = EndCore()
    async with rolling_back(core, tmp_path) as walk:
        await walk.press("down")
        await walk.until(lambda: "already" in walk.said)
        await walk.idle()
        await walk.press("enter")
        assert "nothing to roll back here" in walk.said


async def test_the_word_has_to_be_typed(tmp_path: Path) -> None:
    core = EndCore()
    async with rolling_back(core, tmp_path) as walk:
        await confirm(walk, "yes")
        assert isinstance(walk.app.screen, TypedConfirmModal)
        await walk.press("escape")
        await walk.idle()
        assert core.taken_back == []
        assert "Nothing was changed." in walk.said


async def test_the_rollback_is_proven_and_enter_leaves(tmp_path: Path) -> None:
    core = EndCore()
    async with rolling_back(core, tmp_path) as walk:
        await confirm(walk)
        await walk.until(lambda: walk.app.state.rolled_back)
        await walk.idle()
        assert core.taken_back == [(3, False)]
        assert "✓ the rows of the run are gone" in walk.text()
        assert "⏎ Leave" in walk.text()
        await walk.press("enter")
        await walk.until(lambda: walk.app.return_code is not None)
    assert walk.app.return_code == 0


async def test_i_takes_changed_rows_along(tmp_path: Path) -> None:
    core = EndCore()
    async with rolling_back(core, tmp_path) as walk:
        await walk.press("i")
        await walk.idle()
        assert "67 tasks" in walk.said
        shown = walk.text()
        assert shown.index("The account goes") < shown.index("Stays")
        await confirm(walk)
        await walk.until(lambda: walk.app.state.rolled_back)
        assert core.taken_back == [(3, True)]


async def test_the_env_is_shown_and_taken_back(tmp_path: Path) -> None:
    url = Target.from_url(URL).url().reveal()
    (tmp_path / ".env").write_text(f"A=1\nDATABASE_URL={url}\n")
    (tmp_path / ".env.before-postgresql-20251122_214501").write_text("A=1\nDATABASE_URL=sqlite:///old.db\n")
    async with rolling_back(EndCore(), tmp_path, (120, 40)) as walk:
        assert "+DATABASE_URL=sqlite:///old.db" in walk.text()
        assert "s3cret" not in walk.text()
        await confirm(walk)
        await walk.until(lambda: walk.app.state.rolled_back)
        await walk.idle()
        assert "is as it was" in " ".join(walk.text().split())
    assert (tmp_path / ".env").read_text() == "A=1\nDATABASE_URL=sqlite:///old.db\n"


async def test_a_rollback_under_way_is_cancelled_by_x(tmp_path: Path) -> None:
    core = EndCore()
    async with rolling_back(core, tmp_path) as walk:
        core.gate.clear()
        await confirm(walk)
        await walk.until(lambda: "x stops it" in walk.said)
        await walk.press("escape")
        assert walk.at(Step.ROLLBACK)
        await walk.press("x")
        await walk.idle()
        assert "Cancelled. Nothing was changed." in walk.said
        assert core.taken_back == []
        assert "− 65 tasks" in walk.text()


async def test_a_failure_is_explained_and_the_retry_asks_again(tmp_path: Path) -> None:
    core = EndCore(problem=RunFailed("commit-in-doubt", "The connection was lost during COMMIT.", "See `runs`."))
    async with rolling_back(core, tmp_path) as walk:
        await confirm(walk)
        await walk.until(lambda: walk.at(Step.FAILURE))
        await walk.idle()
        assert "not known" in walk.text()
        await walk.press("enter")
        await walk.until(lambda: walk.at(Step.ROLLBACK) and "Press Enter" in walk.said)
        assert core.taken_back == []


async def test_an_empty_ledger_says_that_there_is_nothing(tmp_path: Path) -> None:
    async with rolling_back(EndCore(runs=()), tmp_path) as walk:
        assert "No run was ever made" in walk.said
        await walk.press("enter")
        assert walk.at(Step.ROLLBACK)


async def test_titles_are_data(tmp_path: Path) -> None:
    async with rolling_back(EndCore(title=HOSTILE), tmp_path, (120, 40)) as walk:
        assert "[/x] [red]a='x :smile:" in walk.text()
        assert "\x1b[31m" not in walk.text()


async def test_after_a_finish_there_is_no_way_back_into_a_run_that_is_gone(tmp_path: Path) -> None:
    async with walking(EndCore(), tmp_path) as walk:
        walk.app.state.outcome = an_outcome(tmp_path)
        await walk.show(Step.ROLLBACK)
        await walk.until(lambda: "Press Enter" in walk.said)
        await confirm(walk)
        await walk.until(lambda: walk.app.state.rolled_back)
        await walk.idle()
        assert walk.app.state.outcome is None
        await walk.press("escape")
        assert walk.at(Step.ROLLBACK)
