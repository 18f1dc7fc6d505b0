"""A mutation fuzzer over SQLite files: bytes and schema. Only typed errors come out, in bounded time, and nothing is lost."""

import random
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.run.outcome import Outcome
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import make_source
from tests.conftest import fresh_database
from tests.core.moving import ask
from tests.faults.harness import attempt, digests, move, small_source, standing, target_in_use
from tests.faults.matrix import BEFORE, COMPLETE, Matrix
from tests.faults.mutations import mutate_bytes, mutate_schema, mutate_values, tables_of

SECONDS = 20.0
"""More than any of these small files may take."""

MEBIBYTES = 100
"""More memory than that, beyond what a whole run has taken before, no file may cost."""


def forget_peak() -> None:
    """Let `peak` begin anew, where the system can do that: tests that ran before do not count."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak() -> float:
    """The most memory that this process has had since, in MiB."""
    if sys.platform == "win32":
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def is_all_accounted_for(outcome: Outcome, path: Path) -> bool:
    """Whether each row of each table was loaded or preserved, by this test's own count."""
    for table, rows in tables_of(path).items():
        home, preserved = outcome.tables.get(table), outcome.preserved.get(table, 0)
        if home is None and preserved != rows:
            return False
        if home is not None and (home.source != rows or home.inserted + home.skipped != rows or preserved < home.skipped):
            return False
    return True


@pytest.mark.parametrize("mutate", [mutate_bytes, mutate_schema, mutate_values])
def test_whatever_the_file_only_typed_errors_come_out(
    mutate: Callable[[Path, random.Random], None],
    server: EmbeddedServer,
    scratch: Path,
    tmp_path: Path,
    whole: bool,
    matrix: Matrix,
) -> None:
    original = small_source(tmp_path / "original.db").read_bytes()
    broken = tmp_path / "fuzzed" / "tasks.db"
    broken.parent.mkdir()
    found: Counter[str] = Counter()
    with target_in_use(server, tmp_path, is_empty=True) as target:
        before, outcomes = standing(target), list[Outcome]()
        forget_peak()
        move(small_source(tmp_path / "first.db"), target, dry_run=True)
        allowed = peak() + MEBIBYTES
        for seed in range(250 if whole else 7):
            broken.write_bytes(original)
            mutate(broken, random.Random(seed))
            files, began = digests(broken.parent), time.monotonic()
            error = attempt(lambda: outcomes.append(move(broken, target, dry_run=True)))
            where = f"{mutate.__name__} {seed}: {error!r}"
            assert time.monotonic() - began < SECONDS, where
            assert peak() < allowed, where
            assert digests(broken.parent) == files, where
            assert list(scratch.iterdir()) == [], where
            assert error is None or isinstance(error, MigrationError), where
            code = error.code if isinstance(error, MigrationError) else COMPLETE
            assert code not in {"unexpected", "row-refused", "proof-failed"}, where
            assert error or is_all_accounted_for(outcomes.pop(), broken), where
            found[code] += 1
        assert standing(target) == before
        assert not ask(target, "SELECT FROM pg_class WHERE relname = 'tasks'")
    section = matrix.section("Fuzzed files")
    for code, number in found.most_common():
        section.note(
            f"{mutate.__name__.replace('_', 's ', 1)}: {number} × {code}", "state", COMPLETE if code == COMPLETE else BEFORE
        )


@pytest.mark.parametrize("found", [b"key_partnerships", b"sqlite_autoindex_daily_logs_1"])
def test_names_that_are_no_text_are_told_as_damage(found: bytes, scratch: Path, tmp_path: Path) -> None:
    broken = small_source(tmp_path / "tasks.db")
    broken.write_bytes(broken.read_bytes().replace(found, b"\xff" + found[1:]))
    with pytest.raises(MigrationError) as refused, Session(broken) as session:
        session.take_snapshot(backup=False)
    assert refused.value.code == "source-damaged"


def test_long_rows_cost_no_more_memory_than_short_ones(scratch: Path, tmp_path: Path, server: EmbeddedServer) -> None:
    fine, careful = {"notes": "y" * 200_000}, {"notes": "y" * 200_000 + "\x1e"}
    long = make_source(tmp_path / "tasks.db", tasks=[careful if number % 2 else fine for number in range(500)])
    with closing(sqlite3.connect(long)) as database:
        database.execute("CREATE TABLE strange (body)")
        database.executemany("INSERT INTO strange VALUES (?)", ((b"\xff" * 200_000,) for _ in range(250)))
        database.commit()
    with fresh_database(server) as target:
        forget_peak()
        move(small_source(tmp_path / "first.db"), target, dry_run=True)
        allowed = peak() + MEBIBYTES
        move(long, target, dry_run=True)
        assert peak() < allowed


def test_times_that_are_almost_such_are_read_with_care(scratch: Path, tmp_path: Path, server: EmbeddedServer) -> None:
    almost = [
        b"2025-03-01 09:00:00.0000\x800",
        b"2025-03-01 09:00:00.12x456",
        b"2025-03-01 09:00:00\0",
        b"2025-03-01 09:00:00.123456\0 ",
    ]
    source = make_source(tmp_path / "tasks.db", goals=[{"id": number} for number in range(1, 9)], tasks=[{"id": 1}])
    with closing(sqlite3.connect(source)) as database:
        for number, text in enumerate(almost, 1):
            database.execute("UPDATE goals SET updated_at = CAST(? AS TEXT) WHERE id = ?", (text, number))
            database.execute("UPDATE goals SET created_at = CAST(? AS TEXT) WHERE id = ?", (text, number + 4))
        database.commit()
    with fresh_database(server) as target:
        move(source, target)
        kept = ask(target, "SELECT source_key FROM bizy_migrate.preserved WHERE source_table = 'goals' ORDER BY 1")
        assert [row["source_key"] for row in kept] == list("12345678")
        assert verify(source, target).passed
