"""The snapshot: a proven copy of the source, made while `bizy` keeps working. Everything after reads only this copy.

The source is opened read-only and never written to; not even a `-wal` or `-shm` file is left beside it.
"""

import contextlib
import hashlib
import itertools
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import SourceError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase, PhaseFinished, PhaseStarted, Progress, ignore

LOCK_PATIENCE = 5.0
"""Seconds to wait for a program that holds the source."""

_HEADER = b"SQLite format 3\0"
_PAGES_A_STEP = 4096
_RESTARTS = 3
"""A source that changes while it is copied makes SQLite begin again; after so many times the copy takes the lock."""

_ABANDONED_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of `source` as it was at `taken_at` (aware UTC): where it lies, its size in bytes and its SHA-256."""

    source: Path
    path: Path
    sha256: str
    size: int
    taken_at: datetime
    is_backup: bool


def backup_name(moment: datetime) -> str:
    """The guide's name for a backup made at that local time."""
    return f"tasks_backup_{moment:%Y%m%d_%H%M%S}.db"


def take_snapshot(
    source: Path, *, backup: bool, directory: Path, on_event: OnEvent = ignore, cancel: Cancellation | None = None
) -> Snapshot:
    """Copy the source beside itself (`backup`) or into the private `directory`, check the copy, and hash it.

    The copy is called `….partial` until it is whole, checked and on the disk. Raises SourceError (missing, no SQLite file,
    damaged, locked, no room), MigrationError and Cancelled; then no file is left.
    """
    cancel = cancel or Cancellation()
    refuse_unreadable(source)
    place = source.parent if backup else directory
    _sweep(place)
    name, partial = _claim(place, datetime.now())
    try:
        refuse_lack_of_room(source, place)
        taken_at = datetime.now(UTC)
        with _readable(source, directory) as readable:
            _copy(readable, partial, on_event, cancel)
        with ThreadPoolExecutor(1) as side:
            digest = side.submit(digest_of, partial)
            _check(partial, on_event, cancel)
        _settle(partial, name, stays=backup)
    except BaseException as error:
        for leftover in (partial, partial.with_name(partial.name + "-journal")):
            leftover.unlink(missing_ok=True)
        if not isinstance(error, Exception):
            raise
        cancel.check()
        raise explain(error) from error
    return Snapshot(source, name, digest.result(), name.stat().st_size, taken_at, is_backup=backup)


def reuse_copy(copy: Path, sha256: str, *, on_event: OnEvent = ignore) -> Snapshot | None:
    """A copy made and checked earlier, as it lies; None where it is not there, or not that one to the byte any more."""
    started = time.perf_counter()
    try:
        state = copy.stat()
        if digest_of(copy) != sha256:
            return None
    except OSError:
        return None
    on_event(PhaseStarted(Phase.SNAPSHOT, None, "bytes"))
    on_event(PhaseFinished(Phase.SNAPSHOT, time.perf_counter() - started, "The backup is as it was made."))
    on_event(PhaseStarted(Phase.INTEGRITY))
    on_event(PhaseFinished(Phase.INTEGRITY, 0.0, "It was checked then."))
    return Snapshot(copy, copy, sha256, state.st_size, datetime.fromtimestamp(state.st_mtime, UTC), is_backup=True)


def refuse_unreadable(source: Path) -> None:
    """Raise SourceError unless the path is a file that begins as a SQLite database does. Writes nothing."""
    if source.is_dir():
        raise SourceError(
            "source-is-directory", f"{source} is a folder, not a database.", "Name the file itself, usually tasks.db inside it."
        )
    try:
        with source.open("rb") as file:
            header = file.read(len(_HEADER))
    except OSError as error:
        raise explain(error) from error
    if not header:
        raise SourceError("source-empty", f"{source} is empty (0 bytes).", "Look for a backup, tasks_backup_*.db beside it.")
    if header != _HEADER:
        raise SourceError(
            "source-not-sqlite",
            f"{source} is not a SQLite database, or it is encrypted.",
            "Name the file that `bizy` writes: ~/.business-agent/tasks.db, unless BUSINESS_AGENT_DB says otherwise.",
        )


def open_read_only(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    """A connection that cannot write. `immutable` promises that nobody else writes either, and takes no locks."""
    uri = f"{path.resolve().as_uri()}?mode=ro" + ("&immutable=1" if immutable else "")
    connection = sqlite3.connect(uri, uri=True, timeout=LOCK_PATIENCE, check_same_thread=False, isolation_level=None)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _claim(directory: Path, moment: datetime) -> tuple[Path, Path]:
    """A free name, and its `.partial`, made for its owner alone; who has that has the name. Raises MigrationError."""
    plain = directory / backup_name(moment)
    for number in itertools.count(1):
        name = plain if number == 1 else plain.with_stem(f"{plain.stem}-{number}")
        partial = name.with_name(f"{name.name}.partial")
        try:
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        except OSError as error:
            raise explain(error) from error
        if not name.exists():
            return name, partial
        partial.unlink()
    raise AssertionError("there is always another number")


def _sweep(directory: Path) -> None:
    """Remove the unfinished copies of killed processes: a copy that grows is written to every second."""
    for left in directory.glob("tasks_backup_*.db.partial"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > _ABANDONED_SECONDS:
                left.unlink()


def refuse_lack_of_room(source: Path, directory: Path) -> None:
    """Raise SourceError where a copy of the source does not fit."""
    needed, free = source.stat().st_size, shutil.disk_usage(directory).free
    if needed > free:
        raise SourceError(
            "disk-full",
            f"The copy needs {needed:,} bytes, and {directory} has {free:,} left.",
            "Make room there, or migrate with --no-backup, which copies into the temporary folder (TMPDIR).",
        )


@contextlib.contextmanager
def _readable(source: Path, directory: Path) -> Iterator[sqlite3.Connection]:
    """The source, open for reading in a way that leaves nothing beside it.

    A database with a write-ahead log or an unfinished transaction cannot be read without writing beside it; it is read
    from a copy of all its files, unless another program is busy with it just now (then that program keeps those files).
    """
    path = source.resolve()
    if _is_plain(path):
        with contextlib.closing(open_read_only(path)) as connection:
            _refuse_cut_off(connection, path)
            yield connection
        return
    with tempfile.TemporaryDirectory(dir=directory) as scratch:
        copy = _copy_with_logs(path, Path(scratch))
        connection = open_read_only(path) if copy is None else sqlite3.connect(copy, timeout=LOCK_PATIENCE)
        with contextlib.closing(connection):
            _refuse_cut_off(connection, copy or path)
            yield connection


def _refuse_cut_off(connection: sqlite3.Connection, path: Path) -> None:
    """Raise SourceError where the file ends within a page.

    SQLite takes zeros for what is missing, and its integrity check finds nothing wrong with a text that ends in zeros.
    """
    connection.execute("BEGIN")
    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the lock: nobody lets the file grow meanwhile
    (page_size,) = connection.execute("PRAGMA page_size").fetchone()
    is_cut_off = path.stat().st_size % page_size and not _has_log(path)  # a log holds what the file lacks
    connection.execute("COMMIT")
    if is_cut_off:
        raise _damaged("the file ends within a page; it was cut off")


def _has_log(path: Path) -> bool:
    log = Path(f"{path}-wal")
    return log.exists() and log.stat().st_size > 0


def _damaged(problem: str) -> SourceError:
    return SourceError(
        "source-damaged",
        f"The database is damaged: {problem}.",
        "Nothing was changed. Use a backup (tasks_backup_*.db), or rescue it:\nsqlite3 tasks.db .recover | sqlite3 rescued.db",
    )


def _is_plain(path: Path) -> bool:
    with path.open("rb") as file:
        in_wal_mode = 2 in file.read(20)[18:20]
    return not in_wal_mode and not Path(f"{path}-journal").exists()


def _copy_with_logs(path: Path, directory: Path) -> Path | None:
    """Copy the database and its logs; None where they keep changing meanwhile."""
    names = [Path(f"{path}{suffix}") for suffix in ("", "-wal", "-journal")]
    for _ in range(_RESTARTS):
        before = [_state(name) for name in names]
        for name in names:
            (directory / name.name).unlink(missing_ok=True)
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(name, directory / name.name)
        if before == [_state(name) for name in names]:
            return directory / path.name
    return None


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns


class _BeganAgain(Exception):
    """The source changed too often while it was copied."""


def _copy(source: sqlite3.Connection, path: Path, on_event: OnEvent, cancel: Cancellation) -> None:
    started = time.perf_counter()
    page_size = source.execute("PRAGMA page_size").fetchone()[0]
    total = source.execute("PRAGMA page_count").fetchone()[0] * page_size
    on_event(PhaseStarted(Phase.SNAPSHOT, total, "bytes"))
    least, restarts = None, 0

    def step(_status: int, remaining: int, pages: int) -> None:
        nonlocal least, restarts
        cancel.check()
        if least is not None and remaining > least:
            restarts += 1
            if restarts > _RESTARTS:
                raise _BeganAgain
        least = remaining
        on_event(Progress(Phase.SNAPSHOT, (pages - remaining) * page_size))

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as copy:
        # Without a journal of its own the copy is written once; until it is whole it has another name anyway.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")
        try:
            source.backup(copy, pages=_PAGES_A_STEP, progress=step)
        except _BeganAgain:
            source.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode = DELETE")
    on_event(PhaseFinished(Phase.SNAPSHOT, time.perf_counter() - started))


def _check(path: Path, on_event: OnEvent, cancel: Cancellation) -> None:
    started = time.perf_counter()
    on_event(PhaseStarted(Phase.INTEGRITY))
    with contextlib.closing(open_read_only(path, immutable=True)) as copy, cancel.interrupting(copy.interrupt):
        try:
            problems = [row[0] for row in copy.execute("PRAGMA integrity_check(3)")]
            tables = {name for name, _with_its_columns in copy.execute("SELECT lower(name), sql FROM sqlite_master")}
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter: names that are no text
            cancel.check()
            problems, tables = [str(error)], set()
    if problems != ["ok"]:
        raise _damaged(problems[0].splitlines()[-1])
    if not {"tasks", "goals"} & tables:
        raise SourceError(
            "source-not-bizy",
            "The file is a SQLite database, but it has no table of tasks or goals.",
            "Name the file that `bizy` writes: ~/.business-agent/tasks.db, unless BUSINESS_AGENT_DB says otherwise.",
        )
    on_event(PhaseFinished(Phase.INTEGRITY, time.perf_counter() - started, "The copy is sound."))


def digest_of(path: Path) -> str:
    """The file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _settle(partial: Path, name: Path, *, stays: bool) -> None:
    """Give the copy its name; one that stays is put on the disk first."""
    if stays:
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
    partial.replace(name)
    if stays and os.name == "posix":
        folder = os.open(name.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
