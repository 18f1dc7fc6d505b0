"""The workbook: a private scratch database of the tool's own, with the snapshot attached read-only beside it.

What must be remembered per row (which rows need care, which are in the target already) is kept here and not in memory,
so that ten million rows cost no more of it than one.
"""

import os
import sqlite3
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Executable,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Select,
    Table,
    Text,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import sqlite as sqlite_dialect
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.expression import ColumnElement

from bizy_migrate_tui.migration.rules.clean import FUNCTIONS
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES
from bizy_migrate_tui.migration.rules.values import RawText

SNAPSHOT = "snapshot"
"""The schema name under which the snapshot is attached."""

CHUNK = 2_500
"""Rows of a table that are worked on together, unless they are long."""

CHUNK_BYTES = 3 * 2**20
"""About as much is worked on together: a chunk is in memory several times over."""

PLACEHOLDER: ColumnElement[Any] = literal_column("?")
"""Stands in a statement for a value that is given when it is executed."""

_DIALECT = sqlite_dialect.dialect(paramstyle="qmark")


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table of the source: `table` to select from, `key` its internal row key (the rowid), its column names."""

    name: str
    table: Table
    key: ColumnElement[int]
    columns: tuple[str, ...]
    id_is_key: bool
    """Whether `id` is the key itself, and so given and unique."""

    def column(self, name: str) -> ColumnElement[Any]:
        """The column, or NULL where this file's version of the table lacks it."""
        return self.table.c[name] if name in self.columns else literal_column("NULL")


COLUMNS = {home.name: ("id", *(column.name for column in home.columns)) for home in WEB_TABLES}
"""The tables of the source that the web interface has a table for, with their columns that it knows."""

_notes = MetaData()


def _row_set(name: str) -> dict[str, Table]:
    return {table: Table(f"{name}_{table}", _notes, Column("key", Integer, primary_key=True)) for table in ("goals", "tasks")}


TROUBLED = _row_set("troubled")
"""Row keys that the inventory sends to the careful path."""
CAREFUL = _row_set("careful")
"""Row keys that the plan sends to the careful path: the troubled, and those whose troubles come from the choices."""
ADJUSTED = _row_set("adjusted")
"""Row keys whose rows are changed in at least one cell."""
LEFT_OUT = _row_set("left_out")
"""Row keys that are preserved whole and not loaded."""
CHUNKS = {
    table: Table(f"chunks_{table}", _notes, Column("first", Integer, primary_key=True), Column("last", Integer))
    for table in ("goals", "tasks")
}
"""The first and the last key of rows that are worked on together."""
GONE = {table: Table(f"gone_{table}", _notes, Column("id", Integer, primary_key=True)) for table in ("goals", "tasks")}
"""Ids that a run has brought and that the target has no more."""
CUT = Table("cut_goals", _notes, Column("key", Integer, primary_key=True))
"""Goals whose parent link closes a circle."""


class Standing(StrEnum):
    """What an id that is in the source and in the target means: how the target's row stands to the source's.

    KEPT was changed on the web, and the source is the file that was moved; if it was not, the choices were others then, as a
    time zone (READ_OTHERWISE). Where it is another file by now, the source's row may hold what was never moved:
    KEPT_PRESERVED (changed on the web), EDITED (not changed there) are preserved whole.
    """

    SAME = "same"
    KEPT = "kept"
    READ_OTHERWISE = "read otherwise"
    KEPT_PRESERVED = "kept, preserved"
    EDITED = "edited"
    TAKEN = "taken"


PRESERVED_WHOLE = (Standing.KEPT_PRESERVED, Standing.EDITED)
"""The rows of the source that the web tables do not show and that no run has moved as they are now."""

PRESENT = {
    table: Table(f"present_{table}", _notes, Column("id", Integer, primary_key=True), Column("standing", Text, nullable=False))
    for table in ("goals", "tasks")
}
"""Ids that the target has already, with how they stand to the source's rows."""


def to_sql(statement: Executable) -> str:
    """The statement as SQLite text, its values in it as literals, its names quoted."""
    return str(statement.compile(dialect=_DIALECT, compile_kwargs={"literal_binds": True}))  # type: ignore[attr-defined]


def open_workbook(path: Path, snapshot: Path) -> sqlite3.Connection:
    """Open the workbook at `path` (made where it is missing) with the snapshot beside it.

    Text comes back as RawText, so that bytes that are no UTF-8 survive. Each thread opens its own.
    """
    connection = sqlite3.connect(f"{path.as_uri()}", uri=True, timeout=60, check_same_thread=False, isolation_level=None)
    connection.text_factory = RawText
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("ATTACH DATABASE ? AS snapshot", (f"{snapshot.as_uri()}?mode=ro&immutable=1",))
    for name, function in FUNCTIONS.items():
        connection.create_function(name, 1, function, deterministic=True)
    for table in _notes.sorted_tables:
        connection.execute(str(CreateTable(table, if_not_exists=True).compile(dialect=_DIALECT)))
    return connection


def open_again(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Another connection to the same workbook and snapshot, for another thread.

    Two threads must not share one: SQLite's lock and Python's would wait for each other where a function is called.
    """
    files = {bytes(name).decode(): Path(os.fsdecode(bytes(file))) for _, name, file in connection.execute("PRAGMA database_list")}
    return open_workbook(files["main"], files[SNAPSHOT])


def source_tables(connection: sqlite3.Connection) -> Mapping[str, SourceTable]:
    """Every table of the snapshot, read from the file itself (`PRAGMA table_xinfo`); SQLite's own tables are not listed.

    Names that the web interface knows are spelled as it spells them.
    """
    names = connection.execute(
        "SELECT CAST(name AS BLOB) FROM snapshot.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        " AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
    )
    own = [_spelled(row[0].decode(errors="replace"), COLUMNS) for row in names.fetchall()]
    return {name: _source_table(connection, name) for name in own}


def _spelled(name: str, known: Container[str]) -> str:
    """The known spelling of a name: to SQLite, A to Z and a to z are the same in names, and only these."""
    small = name.lower() if name.isascii() else name
    return small if small in known else name


def _source_table(connection: sqlite3.Connection, name: str) -> SourceTable:
    info = connection.execute(
        "SELECT name, type, pk FROM pragma_table_xinfo(?, 'snapshot') WHERE hidden <> 1", (name,)
    ).fetchall()
    columns = tuple(_spelled(bytes(row[0]).decode(), COLUMNS.get(name, ())) for row in info)
    table = Table(name, MetaData(), *(Column(column) for column in columns), schema=SNAPSHOT)
    # SQLite makes the id the row's key only where it is declared as INTEGER PRIMARY KEY, as in every table of bizy's.
    keys = [(column, bytes(row[1]).upper()) for column, row in zip(columns, info, strict=True) if row[2]]
    id_is_key = keys == [("id", b"INTEGER")]
    key = _row_key(connection, table)
    if key is None or (name in TROUBLED and "id" in columns and not id_is_key):
        table, key = _copy(connection, table)
    return SourceTable(name, table, key, columns, id_is_key)


def _row_key(connection: sqlite3.Connection, table: Table) -> ColumnElement[int] | None:
    """The table's internal row key; None where it has none, or where columns have taken all of its names."""
    taken = {column.name.lower() for column in table.columns}
    for name in ("rowid", "_rowid_", "oid"):
        if name not in taken:
            key: ColumnElement[int] = literal_column(name)
            try:
                connection.execute(to_sql(select(key).select_from(table).limit(1)))
            except sqlite3.OperationalError:
                return None
            return key
    return None


def _copy(connection: sqlite3.Connection, table: Table) -> tuple[Table, ColumnElement[int]]:
    """A copy in the workbook, and its row key, of a table that has none, or whose ids a search would read it all for.

    Columns of type BLOB keep every value as it is; they have names of their own, so that those of the row key are free.
    """
    name, names = f"copy of {table.name}", {column.name: f"column {number}" for number, column in enumerate(table.columns)}
    copy = Table(name, MetaData(), *(Column(own, key=known) for known, own in names.items()), schema="main")
    if not connection.execute("SELECT 1 FROM main.sqlite_master WHERE name = ?", (name,)).fetchone():
        made = Table(name, MetaData(), *(Column(own, LargeBinary, key=known) for known, own in names.items()), schema="main")
        connection.execute(str(CreateTable(made).compile(dialect=_DIALECT)))
        connection.execute(to_sql(copy.insert().from_select(list(names), select(table))))
        if "id" in names:
            connection.execute(str(CreateIndex(Index(f"ids of {table.name}", made.c.id)).compile(dialect=_DIALECT)))
    return copy, literal_column("rowid")


def chunks(connection: sqlite3.Connection, home: str) -> list[tuple[int, int]]:
    """A web table's rows in key order, as the census has parted them: first and last key, of CHUNK rows at most, less if long."""
    table = CHUNKS[home]
    found: list[tuple[int, int]] = connection.execute(
        to_sql(select(table.c.first, table.c.last).order_by(table.c.first))
    ).fetchall()
    return found


def even_chunks(connection: sqlite3.Connection, source: SourceTable, rows: int) -> Iterator[tuple[int, int]]:
    """The `rows` rows of a table in key order, parted evenly: CHUNK of them, or fewer where they are long on average."""
    pages, size = (connection.execute(f"PRAGMA {SNAPSHOT}.{name}").fetchone()[0] for name in ("page_count", "page_size"))
    most = max(1, min(CHUNK, CHUNK_BYTES * rows // (pages * size)))
    keys = select(source.key.label("key")).select_from(source.table).order_by(source.key).limit(most)
    begin, go_on = (_ends(page) for page in (keys, keys.where(source.key > PLACEHOLDER)))
    ends = connection.execute(begin).fetchone()
    while ends[0] is not None:
        yield ends
        ends = connection.execute(go_on, (ends[1],)).fetchone()


def _ends(page: Select[int]) -> str:
    keys = page.subquery()
    return to_sql(select(func.min(keys.c.key), func.max(keys.c.key)))


def unbroken_ids(connection: sqlite3.Connection, source: SourceTable) -> tuple[int, int] | None:
    """The lowest and the highest id where no id between them is missing: then these two say which ids there are."""
    if not source.id_is_key:
        return None
    id_ = source.column("id")
    statement = to_sql(select(func.count(), func.min(id_), func.max(id_)).select_from(source.table))
    rows, low, high = connection.execute(statement).fetchone()
    return (low, high) if rows and high - low + 1 == rows else None


def count(connection: sqlite3.Connection, table: Table) -> int:
    """The number of its rows."""
    result: int = connection.execute(to_sql(select(func.count()).select_from(table))).fetchone()[0]
    return result
