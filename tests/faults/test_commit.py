"""COMMIT in doubt: the wire cut at it, the server stopped around it."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import psycopg2.extensions
import pytest

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Event, Phase, PhaseFinished, PhaseStarted
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.rollback.rollback import roll_back
from bizy_migrate_tui.migration.run import commit
from bizy_migrate_tui.migration.verification.verification import verify
from tests.conftest import fresh_database
from tests.core.moving import ask
from tests.faults.harness import Bench, attempt, move, standing
from tests.faults.matrix import BEFORE, COMPLETE, Matrix
from tests.faults.proxy import Cut, proxied
from tests.faults.servers import Mortal

CODES = {Cut.BEFORE: "connection-lost", Cut.AFTER: None, Cut.LATE: None, Cut.FOR_NOW: None, Cut.FOR_GOOD: "commit-in-doubt"}


def through(target: Target, port: int) -> Target:
    """The same database over another port, unencrypted, so that the proxy can read COMMIT."""
    parts = target.parts()
    return Target.from_fields(
        host="127.0.0.1", port=port, dbname=parts["dbname"], user=parts["user"], password=target.password, sslmode="disable"
    )


@pytest.fixture
def tcp_database(tcp_server: EmbeddedServer) -> Iterator[Target]:
    with fresh_database(tcp_server) as target:
        yield target


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "PATIENCE", (0.0, 0.1, 0.1))


@pytest.mark.parametrize("cut", Cut)
def test_a_run_whose_commit_is_cut_says_which_it_was(
    cut: Cut, tcp_database: Target, source: Path, scratch: Path, matrix: Matrix
) -> None:
    section = matrix.section("COMMIT in doubt, over a wire that is cut")
    bench = Bench(source, tcp_database, scratch, matrix.section("none"))
    with proxied(int(tcp_database.port or 0), cut) as proxy:
        error = attempt(lambda: move(source, through(tcp_database, proxy.port)))
        assert proxy.is_cut.is_set()
    assert getattr(error, "code", None) == CODES[cut], error
    assert isinstance(error, MigrationError | None)
    state = bench.judge(str(cut), "state", None if cut is Cut.FOR_GOOD else error)
    matrix.sections.pop("none")
    section.note(str(cut), "run", f"{state}; {CODES[cut] or 'told as migrated'}")


@pytest.mark.parametrize("cut", Cut)
def test_a_rollback_whose_commit_is_cut_says_which_it_was(
    cut: Cut, tcp_database: Target, source: Path, scratch: Path, matrix: Matrix
) -> None:
    empty = standing(tcp_database)
    run = move(source, tcp_database).run_id
    full = standing(tcp_database)
    with proxied(int(tcp_database.port or 0), cut) as proxy:
        error = attempt(lambda: roll_back(through(tcp_database, proxy.port), run))
        assert proxy.is_cut.is_set()
    assert getattr(error, "code", None) == CODES[cut], error
    state = BEFORE if cut is Cut.BEFORE else COMPLETE
    assert standing(tcp_database) == (full if cut is Cut.BEFORE else empty)
    section = matrix.section("COMMIT in doubt, over a wire that is cut")
    section.note(str(cut), "rollback", f"{state}; {CODES[cut] or 'told as rolled back'}")


class StoppedAtCommit(psycopg2.extensions.connection):
    """A connection whose COMMIT meets a server that is going down at that moment."""

    at_commit: Callable[[], None]

    def commit(self) -> None:
        going_down = threading.Thread(target=self.at_commit)
        going_down.start()
        try:
            super().commit()
        finally:
            going_down.join()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
@pytest.mark.parametrize("moment", ["before COMMIT", "during COMMIT", "after COMMIT"])
def test_a_server_that_stops_around_commit_leaves_all_or_nothing(
    moment: str,
    mode: str,
    mortal: Mortal,
    mortal_database: Target,
    source: Path,
    scratch: Path,
    matrix: Matrix,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = Bench(source, mortal_database, scratch, matrix.section("The server stopped around COMMIT"))

    def on_event(event: Event) -> None:
        is_before = isinstance(event, PhaseStarted) and moment == "before COMMIT"
        is_after = isinstance(event, PhaseFinished) and moment == "after COMMIT"
        if event.phase is Phase.COMMIT and (is_before or is_after):
            mortal.stop(mode)

    with monkeypatch.context() as patch:
        if moment == "during COMMIT":
            patch.setattr(StoppedAtCommit, "at_commit", lambda _self: mortal.stop(mode), raising=False)
            connect = psycopg2.connect

            def made(*arguments: object, **named: object) -> object:
                ours = named.get("application_name") == "bizy-migrate-tui"
                return connect(*arguments, **named, **({"connection_factory": StoppedAtCommit} if ours else {}))  # type: ignore[call-overload]

            patch.setattr(psycopg2, "connect", made)
        results: list[object] = []
        error = attempt(lambda: results.append(move(source, mortal_database, on_event=on_event)))
    mortal.start()
    code = getattr(error, "code", None)
    assert code in {None, "connection-lost", "commit-in-doubt"}, error
    if code == "commit-in-doubt":  # the ledger, asked now, says which it was
        is_there = ask(mortal_database, "SELECT to_regclass('bizy_migrate.runs') IS NOT NULL AS there")[0]["there"]
        error = None if is_there else error
    if moment == "before COMMIT":
        assert code in {"connection-lost", "commit-in-doubt"}
    if moment == "after COMMIT":
        assert code is None
    bench.judge(f"{moment}, {mode}", "state", error)
    if error is None and code is None:
        assert verify(source, mortal_database).passed
