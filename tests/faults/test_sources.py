"""Sources that are locked, busy, unmerged, damaged, on a full disk or in a place that cannot be written."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.errors import MigrationError, SourceError
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.source import snapshot as snapshots
from bizy_migrate_tui.migration.source.snapshot import Snapshot
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import make_source
from tests.core.moving import source_rows, target_rows
from tests.faults.harness import Bench, attempt, digests, move, target_in_use
from tests.faults.matrix import BEFORE, COMPLETE, Matrix


def take(source: Path, *, backup: bool = True) -> Snapshot:
    with Session(source) as session:
        return session.take_snapshot(backup=backup)


@contextmanager
def mounted(folder: Path, megabytes: int) -> Iterator[Path]:
    """A small file system of its own."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a small file system")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_source_that_another_program_locks_is_named_as_such(
    source: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch, matrix: Matrix
) -> None:
    monkeypatch.setattr(snapshots, "LOCK_PATIENCE", 0.2)
    with closing(sqlite3.connect(source, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        before = digests(source.parent)
        with pytest.raises(SourceError) as refused:
            take(source)
        assert refused.value.code == "source-locked"
        assert digests(source.parent) == before
        other.execute("ROLLBACK")
    assert take(source).path.exists()
    matrix.section("Sources").note("locked by another program", "state", BEFORE)


def test_an_unmerged_log_comes_along_and_stays_unmerged(
    source: Path, scratch: Path, server: EmbeddedServer, tmp_path: Path, matrix: Matrix
) -> None:
    with closing(sqlite3.connect(source)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("INSERT INTO tasks (id, title, status) VALUES (500, 'only in the log', 'pending')")
        other.commit()
        left = tmp_path / "left"
        shutil.copytree(source.parent, left)  # as a killed program leaves it
    before = digests(left)
    assert "tasks.db-wal" in before
    with target_in_use(server, tmp_path, is_empty=True) as target:
        move(left / "tasks.db", target)
        assert 500 in {row["id"] for row in target_rows(target, "tasks")}
    assert digests(left) == before
    matrix.section("Sources").note("WAL mode, log not merged", "state", COMPLETE)


_WRITER = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], timeout=10) as database:
    for number in range(1000, 1000 + int(sys.argv[2])):
        database.execute("INSERT INTO tasks (id, title, status) VALUES (?, 'written meanwhile', 'pending')", (number,))
        database.execute("INSERT INTO goals (id, title, status) VALUES (?, 'written meanwhile', 'active')", (number,))
        database.commit()
        if number == 1000:
            print("writing", flush=True)
"""


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_a_source_that_is_written_all_the_while_comes_over_as_it_was_at_one_moment(
    mode: str, source: Path, scratch: Path, server: EmbeddedServer, tmp_path: Path, matrix: Matrix, whole: bool
) -> None:
    with closing(sqlite3.connect(source)) as database:
        database.execute(f"PRAGMA journal_mode = {mode}")
    with subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(source), "4000" if whole else "1000"], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline() == "writing\n"
        with target_in_use(server, tmp_path, is_empty=True) as target:
            outcome = move(source, target, backup=True)
            copy = outcome.plan.inventory.snapshot.path
            tasks = {row["id"] for row in source_rows(copy, "tasks") if row["id"] >= 1000}
            goals = {row["id"] for row in source_rows(copy, "goals") if row["id"] >= 1000}
            assert tasks == goals == set(range(1000, 1000 + len(tasks)))
            assert tasks <= {row["id"] for row in target_rows(target, "tasks")}
            assert verify(copy, target).passed
        assert writer.wait(timeout=60) == 0
    matrix.section("Sources").note(f"written all the while ({mode})", "state", COMPLETE)


def test_two_backups_at_the_same_moment_are_two_files(source: Path, scratch: Path) -> None:
    with ThreadPoolExecutor(4) as crowd:
        taken = list(crowd.map(lambda _turn: take(source), range(8)))
    assert len({one.path for one in taken}) == 8
    assert all(one.path.exists() for one in taken)
    assert not list(source.parent.glob("*.partial"))


def test_a_place_that_cannot_be_written_refuses_the_backup_and_leaves_the_way_without(
    source: Path, scratch: Path, server: EmbeddedServer, tmp_path: Path, matrix: Matrix
) -> None:
    with mounted(tmp_path / "small", 4) as place, target_in_use(server, tmp_path, is_empty=True) as target:
        there = Path(shutil.copy(source, place / "tasks.db"))
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        before = digests(place)
        with pytest.raises(SourceError) as refused:
            take(there)
        assert refused.value.code == "source-unreadable"
        assert str(place) in refused.value.cause
        move(there, target)
        assert verify(there, target).passed
        assert digests(place) == before
    matrix.section("Sources").note("a read-only place, with a backup", "state", BEFORE)
    matrix.section("Sources").note("a read-only place, without one", "state", COMPLETE)


def test_a_disk_that_fills_up_during_the_backup(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, matrix: Matrix
) -> None:
    with mounted(tmp_path / "small", 3) as place:
        notes = ({"title": "long", "notes": "x" * 10_000} for _ in range(200))
        there = make_source(place / "tasks.db", tasks=notes)
        before = digests(place)
        for foreseen in (True, False):
            if not foreseen:
                full = shutil.disk_usage(place)._replace(free=10**9)
                monkeypatch.setattr(shutil, "disk_usage", lambda _folder: full)  # noqa: B023
            with pytest.raises(SourceError) as refused:
                take(there)
            assert refused.value.code == "disk-full"
            assert digests(place) == before
        assert list(scratch.iterdir()) == []
        assert take(there, backup=False).size
    matrix.section("Sources").note("backup on a full disk, foreseen", "state", BEFORE)
    matrix.section("Sources").note("backup on a full disk, met on the way", "state", BEFORE)


def test_a_truncated_source_is_refused_or_comes_over_whole(
    source: Path, scratch: Path, server: EmbeddedServer, tmp_path: Path, matrix: Matrix, whole: bool
) -> None:
    whole_file = source.read_bytes()
    page = 4096
    cuts = sorted({size for edge in range(0, len(whole_file), page) for size in (edge, edge + 1, edge + 100, edge + page - 1)})
    with target_in_use(server, tmp_path, is_empty=True) as target:
        bench = Bench(source, target, scratch, matrix.section("Truncated sources"))
        for size in cuts if whole else cuts[::17]:
            broken = tmp_path / "broken"
            broken.mkdir(exist_ok=True)
            (broken / "tasks.db").write_bytes(whole_file[:size])
            before = digests(broken)
            error = attempt(lambda: move(broken / "tasks.db", target))  # noqa: B023
            assert isinstance(error, SourceError), (size, error)
            assert error.remedy
            assert digests(broken) == before
            bench.judge(f"the first {size:,} bytes", "state", error)


def test_a_text_whose_end_is_cut_off_with_the_file_is_not_taken_for_one_of_zeros(source: Path, scratch: Path) -> None:
    """SQLite's own check finds nothing wrong with it."""
    source.unlink()
    make_source(source, tasks=[{"title": "long", "notes": "x" * 40_000}])
    os.truncate(source, source.stat().st_size - 4000)
    with closing(sqlite3.connect(source)) as other:
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert "\0" in other.execute("SELECT substr(CAST(notes AS BLOB), -100) FROM tasks").fetchone()[0].decode()
    for mode in (b"\1\1", b"\2\2"):  # a journal, a write-ahead log that is merged
        with source.open("rb+") as file:
            file.seek(18)
            file.write(mode)
        before = digests(source.parent)
        with pytest.raises(SourceError) as refused:
            take(source)
        assert refused.value.code == "source-damaged"
        assert digests(source.parent) == before


def test_a_flipped_bit_is_refused_or_proven_to_be_only_data(
    source: Path, scratch: Path, server: EmbeddedServer, tmp_path: Path, matrix: Matrix, whole: bool
) -> None:
    whole_file = source.read_bytes()
    broken = tmp_path / "broken" / "tasks.db"
    broken.parent.mkdir()
    section, counts = matrix.section("Sources with one flipped bit"), {BEFORE: 0, COMPLETE: 0}
    with target_in_use(server, tmp_path, is_empty=True) as target:
        bench = Bench(source, target, scratch, matrix.section("none"))
        for place in range(0, len(whole_file), 199 if whole else 5003):
            flipped = bytearray(whole_file)
            flipped[place] ^= 1 << place % 8
            broken.write_bytes(flipped)
            before = digests(broken.parent)
            error = attempt(lambda: move(broken, target, dry_run=True))  # the run proves itself before it takes back
            assert digests(broken.parent) == before
            assert error is None or isinstance(error, MigrationError), (place, error)
            assert error is None or error.code != "unexpected", (place, error)
            counts[BEFORE if error else COMPLETE] += 1
        bench.judge("every flipped bit", "state", MigrationError("source-damaged", "Damaged.", "Use a backup."))
    matrix.sections.pop("none")
    section.note(f"{counts[BEFORE]} bits that SQLite's check or the plan refuses", "state", BEFORE)
    section.note(f"{counts[COMPLETE]} bits within a value or in empty space", "state", COMPLETE)
