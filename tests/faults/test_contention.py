"""Others at work in the same target, and a target whose disk is full."""

import random
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
from psycopg2 import sql

from bizy_migrate_tui.embedded import SERVANT, EmbeddedServer
from bizy_migrate_tui.migration.events import Event, Phase, PhaseFinished
from bizy_migrate_tui.migration.ledger.ledger import LOCK_KEY
from bizy_migrate_tui.migration.postgresql import target as targets
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import make_source
from tests.cli.conftest import Command
from tests.cli.test_signals import wait_for_lock
from tests.conftest import fresh_database
from tests.core.moving import target_rows
from tests.faults.harness import Bench, attempt, move, standing, target_in_use
from tests.faults.matrix import BEFORE, COMPLETE, Matrix
from tests.faults.test_sources import mounted

TITLE = "Others in the same target, and its disk"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_SETTINGS", {**targets._SETTINGS, "lock_timeout": "200ms"})


@pytest.fixture
def used(server: EmbeddedServer, tmp_path: Path, scratch: Path) -> Iterator[Target]:
    with target_in_use(server, tmp_path, is_empty=False) as target:
        yield target


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("mode", ["ACCESS EXCLUSIVE", "ROW EXCLUSIVE"])
def test_a_lock_that_another_session_holds_ends_the_run(
    mode: str, used: Target, source: Path, scratch: Path, matrix: Matrix
) -> None:
    bench = Bench(source, used, scratch, matrix.section(TITLE))
    with closing(connect(used, application_name="other")) as other, other.cursor() as rows:
        rows.execute(f"LOCK TABLE public.tasks IN {mode} MODE")
        error = attempt(lambda: move(source, used))
        other.rollback()
    assert bench.judge(f"another session holds a table ({mode})", "state", error, codes=frozenset({"lock-timeout"})) == BEFORE


@pytest.mark.usefixtures("impatient")
def test_another_run_that_holds_the_advisory_lock_ends_the_run(used: Target, source: Path, scratch: Path, matrix: Matrix) -> None:
    bench = Bench(source, used, scratch, matrix.section(TITLE))
    with closing(connect(used, application_name="other")) as other, other.cursor() as rows:
        rows.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
        error = attempt(lambda: move(source, used))
        other.rollback()
    assert bench.judge("another run is at work for long", "state", error, codes=frozenset({"lock-timeout"})) == BEFORE


def test_a_real_deadlock_ends_one_of_the_two(used: Target, source: Path, scratch: Path, matrix: Matrix) -> None:
    bench = Bench(source, used, scratch, matrix.section(TITLE))
    with (
        closing(connect(used, application_name="other")) as other,
        other.cursor() as rows,
        ThreadPoolExecutor(1) as side,
    ):
        rows.execute("SET deadlock_timeout = '1h'; LOCK TABLE public.tasks IN ROW EXCLUSIVE MODE")
        running = side.submit(attempt, lambda: move(source, used))
        wait_for_lock(used)
        rows.execute("LOCK TABLE public.users IN SHARE ROW EXCLUSIVE MODE")  # which the run has; it has to give way
        error = running.result(timeout=30)
        other.rollback()
    assert bench.judge("a deadlock with the web back end", "state", error, codes=frozenset({"deadlock"})) == BEFORE


@pytest.mark.parametrize("same", [True, False])
def test_two_runs_at_the_same_moment_follow_each_other_or_one_is_told_to_look_again(
    same: bool, server: EmbeddedServer, source: Path, scratch: Path, tmp_path: Path, matrix: Matrix
) -> None:
    second = source if same else make_source(tmp_path / "second.db", tasks=[{"id": 900}], goals=[{"id": 900}])
    together = threading.Barrier(2, timeout=30)

    def on_event(event: Event) -> None:
        if isinstance(event, PhaseFinished) and event.phase is Phase.PLAN:
            together.wait()

    with target_in_use(server, tmp_path, is_empty=True) as target:
        with ThreadPoolExecutor(2) as crowd:
            errors = list(crowd.map(lambda one: attempt(lambda: move(one, target, on_event=on_event)), (source, second)))
        failed = [error for error in errors if error is not None]
        assert [getattr(error, "code", error) for error in failed] == ["target-changed"]
        loser = (source, second)[errors.index(failed[0])]
        move(loser, target)
        assert verify(loser, target).passed
        assert len(target_rows(target, "tasks")) == (8 if same else 9)
        assert len(target_rows(target, "users")) == 1
    step = f"two runs at the same moment, {'one source' if same else 'two sources'}"
    matrix.section(TITLE).note(step, "state", f"{COMPLETE} and {BEFORE} (target-changed); then both")


def test_a_full_disk_on_the_server_takes_everything_back(
    server: EmbeddedServer, scratch: Path, source: Path, tmp_path: Path, matrix: Matrix
) -> None:
    place = server.folder / "small"
    noise = random.Random(0)
    big = make_source(
        source.parent / "big.db", tasks=({"title": "long", "notes": noise.randbytes(4000).hex()} for _ in range(3000))
    )
    source.unlink()
    big.rename(source)
    with mounted(place, 16):
        shutil.chown(place, SERVANT)
        name = f"small_{tmp_path.name[-8:]}"
        with closing(connect(server.target())) as admin, admin.cursor() as rows:
            admin.autocommit = True
            rows.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(place))))
            rows.execute(sql.SQL("CREATE DATABASE {} TABLESPACE small").format(sql.Identifier(name)))
            try:
                target = server.target(name)
                bench = Bench(source, target, scratch, matrix.section(TITLE))
                error = attempt(lambda: move(source, target))
                assert getattr(error, "code", None) == "disk-full-target", error
                assert bench.before == standing(target)
            finally:
                rows.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
                rows.execute("DROP TABLESPACE small")
    matrix.section(TITLE).note("the server's disk is full", "state", BEFORE)


def test_a_log_on_a_full_disk_does_not_stop_a_run(
    command: Command, home: Path, server: EmbeddedServer, source: Path, matrix: Matrix
) -> None:
    with mounted(home.parent / "small", 1) as place, fresh_database(server) as target:
        with suppress(OSError):
            (place / "filler").write_bytes(bytes(2**21))
        assert shutil.disk_usage(place).free == 0
        done = command(
            *("migrate", "--yes", "--json", "--no-backup", "--sqlite-path", str(source), "--log-level", "debug"),
            *("--postgres-url", target.url().reveal()),
            XDG_STATE_HOME=str(place),
        )
        assert (done.code, done.report["status"]) == (0, "migrated"), done.err
        assert "Traceback" not in done.err
        assert verify(source, target).passed
    matrix.section(TITLE).note("the log's disk is full", "state", COMPLETE)
