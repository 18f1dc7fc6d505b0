"""A mutation fuzzer over SQLite files: bytes and schema. Only typed errors come out, in bounded time, and nothing is lost."""

import random
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.session import Session
from tests.core.moving import ask
from tests.faults.harness import attempt, digests, move, small_source, standing, target_in_use
from tests.faults.matrix import BEFORE, COMPLETE, Matrix

SECONDS = 20.0
"""More than any of these small files may take."""

NAMES = (
    "tasks", "goals", "id", "title", "parent_goal_id", "created_at", "select", 'a"b', "a b", "a'b", "a;--", "%s", "%(user)s",
    "{x}", "Ünïcode🌱", "x" * 500, "[bold]", "\x1b[31m", "sqlite", "user_id", "updated_at", "rowid", "key", "../../etc",
)  # fmt: skip
TYPES = ("", "INTEGER", "TEXT", "BLOB", "REAL", "JSON", "BOOLEAN", "DATETIME", "VARCHAR(3)", "NUMERIC", 'weird "type"')
VALUES = (
    None,
    "",
    0,
    -1,
    2**63 - 1,
    1e308,
    float("inf"),
    b"\xff\0",
    "\0",
    "NULL",
    "\\N",
    "{",
    '["a"]',
    "2025-02-30",
    "\x1b]0;x\a",
    "🌱",
)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def mutate_bytes(path: Path, dice: random.Random) -> None:
    """Overwrite, cut, double or swap pieces of the file, the first page more often than the others."""
    data = bytearray(path.read_bytes())
    for _ in range(dice.choice((1, 1, 2, 8, 40))):
        place = dice.randrange(min(len(data), dice.choice((100, 4096, len(data)))) or 1)
        what = dice.randrange(4)
        if what == 0:
            data[place : place + 1] = bytes((dice.choice((0, 1, 127, 128, 255, dice.randrange(256))),))
        elif what == 1:
            size = dice.randrange(1, 64)
            data[place : place + size] = dice.randbytes(size)
        elif what == 2:
            start = dice.randrange(len(data))
            data[place : place + 32] = data[start : start + 32]
        elif dice.random() < 0.2:
            del data[max(place, 16) :]
    path.write_bytes(data)


def mutate_schema(path: Path, dice: random.Random) -> None:
    """Rename, drop, add and retype tables and columns; fill them with odd values."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for _ in range(dice.randrange(1, 6)):
            _mutate_once(database, dice)


def _mutate_once(database: sqlite3.Connection, dice: random.Random) -> None:
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")] or ["none"]
    table, name, kind = quoted(dice.choice(tables)), quoted(dice.choice(NAMES)), dice.choice(TYPES)
    columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")] or ["none"]
    column = quoted(dice.choice(columns))
    statement, values = dice.choice(
        (
            (f"ALTER TABLE {table} RENAME TO {name}", ()),
            (f"ALTER TABLE {table} RENAME COLUMN {column} TO {name}", ()),
            (f"ALTER TABLE {table} DROP COLUMN {column}", ()),
            (f"ALTER TABLE {table} ADD COLUMN {name} {kind}", ()),
            (f"CREATE TABLE {name} ({name} {kind}, {quoted(dice.choice(NAMES))} {kind})", ()),
            (f"CREATE TABLE {name} (k PRIMARY KEY, v) WITHOUT ROWID", ()),
            (f"CREATE VIEW {name} AS SELECT * FROM {table}", ()),
            (f"CREATE TABLE copied AS SELECT * FROM {table}; DROP TABLE {table}; ALTER TABLE copied RENAME TO {table}", None),
            (f"UPDATE {table} SET {column} = ?", (dice.choice(VALUES),)),
            (f"UPDATE {table} SET {column} = ? WHERE rowid % 2", (dice.choice(VALUES),)),
            (f"INSERT INTO {table} ({column}) VALUES (?)", (dice.choice(VALUES),)),
            (f"INSERT INTO {table} SELECT * FROM {table}", ()),
            (f"CREATE TRIGGER {name} AFTER INSERT ON {table} BEGIN SELECT 1; END", ()),
            (f"CREATE VIRTUAL TABLE {name} USING fts5(x)", ()),
            (f"DROP TABLE {table}", ()),
        )
    )
    try:
        if values is None:
            database.executescript(statement)
        else:
            database.execute(statement, values)
    except sqlite3.Error:
        return  # not every change is possible


@pytest.mark.parametrize("mutate", [mutate_bytes, mutate_schema])
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
        before = standing(target)
        for seed in range(200 if whole else 12):
            broken.write_bytes(original)
            mutate(broken, random.Random(seed))
            files, began = digests(broken.parent), time.monotonic()
            error = attempt(lambda: move(broken, target, dry_run=True))
            where = f"{mutate.__name__} {seed}: {error!r}"
            assert time.monotonic() - began < SECONDS, where
            assert digests(broken.parent) == files, where
            assert list(scratch.iterdir()) == [], where
            assert error is None or isinstance(error, MigrationError), where
            code = error.code if isinstance(error, MigrationError) else COMPLETE
            assert code not in {"unexpected", "row-refused", "proof-failed"}, where
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
