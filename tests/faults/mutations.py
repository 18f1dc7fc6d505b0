"""Mutates SQLite files: their bytes, their schema, what is in them."""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

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


def mutate_values(path: Path, dice: random.Random) -> None:
    """Change, add or take away bytes within cells, which stay texts (or numbers, or become BLOBs)."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for _ in range(dice.randrange(1, 9)):
            table = dice.choice(("tasks", "goals"))
            column = dice.choice(_columns(database, table))
            cells = database.execute(f"SELECT rowid, CAST(coalesce({column}, '0') AS BLOB) FROM {table}").fetchall()
            key, cell = dice.choice(cells or [(0, b"0")])
            place = dice.randrange(len(cell) + 1)
            byte = bytes((dice.choice((*b'\0\x1d\x1e\x1f \\"{}[],:.-0159eT\x80\xc3\xff', dice.randrange(256))),))
            changed = cell[:place] + dice.choice((byte, byte, b"", byte * 9)) + cell[place + dice.randrange(2) :]
            kind = dice.choice(("TEXT", "TEXT", "TEXT", "TEXT", "BLOB", "NUMERIC"))
            with suppress(sqlite3.Error):
                database.execute(f"UPDATE {table} SET {column} = CAST(? AS {kind}) WHERE rowid = ?", (changed, key))


def mutate_schema(path: Path, dice: random.Random) -> None:
    """Rename, drop, add, retype and rebuild tables and columns; fill them with odd values."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.create_collation("UNKNOWN", lambda one, other: (one > other) - (one < other))
        database.create_function("unknown", 1, lambda value: value, deterministic=True)
        for _ in range(dice.randrange(1, 6)):
            statements = dice.choice((_statements, _rebuilds))(database, dice)
            with suppress(sqlite3.Error):  # not every change is possible
                for statement, values in statements:
                    database.execute(statement, values)


Statements = Iterator[tuple[str, tuple[object, ...]]]


def _columns(database: sqlite3.Connection, table: str) -> list[str]:
    return [quoted(row[1]) for row in database.execute(f"PRAGMA table_info({table})")] or ["none"]


def _any_table(database: sqlite3.Connection, dice: random.Random) -> str:
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")] or ["none"]
    return quoted(dice.choice((*names, "tasks", "goals")))


def _statements(database: sqlite3.Connection, dice: random.Random) -> Statements:
    """One statement."""
    table, name, other, kind = _any_table(database, dice), *map(quoted, dice.choices(NAMES, k=2)), dice.choice(TYPES)
    column = dice.choice(_columns(database, table))
    value = dice.choice((*VALUES, "x" * 10 ** dice.randrange(7)))
    yield dice.choice(
        (
            (f"ALTER TABLE {table} RENAME TO {name}", ()),
            (f"ALTER TABLE {table} RENAME COLUMN {column} TO {name}", ()),
            (f"ALTER TABLE {table} DROP COLUMN {column}", ()),
            (f"ALTER TABLE {table} ADD COLUMN {name} {kind}", ()),
            (f"ALTER TABLE {table} ADD COLUMN {name} {kind} AS ({column} || 'x')", ()),
            (f"ALTER TABLE {table} ADD COLUMN {name} {kind} COLLATE UNKNOWN DEFAULT 'x'", ()),
            (f"ALTER TABLE {table} ADD COLUMN {name} CHECK (unknown({name}) IS NOT 1)", ()),
            (f"CREATE TABLE {name} ({name} {kind}, {other} {kind})", ()),
            (f"CREATE TABLE {name} (k PRIMARY KEY, v) WITHOUT ROWID", ()),
            (f"CREATE VIEW {name} AS SELECT * FROM {table}", ()),
            (f"CREATE INDEX {name} ON {table} (lower({column}), {column} COLLATE UNKNOWN)", ()),
            (f"CREATE INDEX {name} ON {table} (unknown({column})) WHERE {column} IS NOT NULL", ()),
            (f"CREATE UNIQUE INDEX {name} ON {table} ({column} DESC)", ()),
            (f"UPDATE {table} SET {column} = ?", (value,)),
            (f"UPDATE {table} SET {column} = ? WHERE rowid % 2", (value,)),
            (f"INSERT INTO {table} ({column}) VALUES (?)", (value,)),
            (f"INSERT INTO {table} SELECT * FROM {table}", ()),
            (f"CREATE TRIGGER {name} AFTER INSERT ON {table} BEGIN SELECT 1; END", ()),
            (f"CREATE TRIGGER {name} INSTEAD OF INSERT ON {table} BEGIN SELECT unknown(1); END", ()),
            (f"CREATE VIRTUAL TABLE {name} USING fts5(x)", ()),
            (f"CREATE VIRTUAL TABLE {name} USING rtree(id, low, high)", ()),
            (f"DROP TABLE {table}", ()),
            ("PRAGMA journal_mode = WAL", ()),
            (f"PRAGMA user_version = {dice.randrange(2**31)}", ()),
        )
    )


def _rebuilds(database: sqlite3.Connection, dice: random.Random) -> Statements:
    """A table made anew with the same rows: of other types, without rowids, strict, generated, or behind a view."""
    table, columns = _any_table(database, dice), list[str]()
    for column in _columns(database, table):
        more = dice.choice(("", "", "", " NOT NULL", " COLLATE NOCASE", " COLLATE UNKNOWN", " UNIQUE", " DEFAULT 7"))
        columns.append(f"{column} {dice.choice(TYPES)}{more}")
    key = dice.choice(("", ", PRIMARY KEY (id)", ", PRIMARY KEY (id, title)", ", UNIQUE (id)"))
    options = dice.choice(("", " WITHOUT ROWID", " STRICT"))
    if dice.random() < 0.3:
        yield f"CREATE TABLE rebuilt AS SELECT * FROM {table} ORDER BY random()", ()
    else:
        if dice.random() < 0.3:
            columns.append(f"made {dice.choice(TYPES)} AS (id || title) {dice.choice(('STORED', 'VIRTUAL'))}")
        if options == " STRICT":
            columns = [f"{column} ANY" for column in _columns(database, table)]
        yield f"CREATE TABLE rebuilt ({', '.join(columns)}{key}){options}", ()
        names = ", ".join(_columns(database, table))
        yield f"INSERT OR IGNORE INTO rebuilt ({names}) SELECT {names} FROM {table}", ()
    if dice.random() < 0.2:
        yield f"ALTER TABLE {table} RENAME TO {quoted(dice.choice(NAMES))}", ()
        yield f"CREATE VIEW {table} AS SELECT * FROM rebuilt", ()
    else:
        yield f"DROP TABLE {table}", ()
        yield f"ALTER TABLE rebuilt RENAME TO {table}", ()


def tables_of(path: Path) -> dict[str, int]:
    """Every table with rows of its own, and their number."""
    with closing(sqlite3.connect(path)) as database:
        database.create_collation("UNKNOWN", lambda one, other: (one > other) - (one < other))
        database.text_factory = lambda data: data.decode(errors="replace")
        names = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND NOT name GLOB 'sqlite_*' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        )
        return {
            name: database.execute(f"SELECT count(*) FROM {quoted(name)} NOT INDEXED").fetchone()[0]
            for (name,) in names.fetchall()
        }
