"""The inventory: one pass over the snapshot that says what is really in it, and which rows need care.

A row is troubled where any of its cells is not fine as it is (`rules.clean`), where its text holds what PostgreSQL or
the load's own separators cannot take, or where its goal does not exist. All other rows go to PostgreSQL without ever
becoming Python objects.
"""

import sqlite3
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, insert, literal_column, not_, or_, select

from bizy_migrate_tui.migration import evidence
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase, PhaseFinished, PhaseStarted, Progress, ignore
from bizy_migrate_tui.migration.evidence import ClockEvidence
from bizy_migrate_tui.migration.rules.clean import INT4_MAX, INT4_MIN
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, WebTable
from bizy_migrate_tui.migration.snapshot import Snapshot
from bizy_migrate_tui.migration.workbook import (
    CHUNK,
    PLACEHOLDER,
    TROUBLED,
    SourceTable,
    count,
    key_ranges,
    open_workbook,
    source_tables,
    to_sql,
)

FIELD_END, ROW_END, NULL_MARK = "\x1f", "\x1e", "\x1d"
"""The load writes these between cells and rows, and for NULL; text that holds one of them takes the careful path."""

_UNWELCOME = ("\0", FIELD_END, ROW_END, NULL_MARK)


@dataclass(frozen=True, slots=True)
class TableInventory:
    """A table of the source: its rows, its columns, and those of its rows that need care.

    `extra_columns` are those the web interface does not have; `first` and `last` are its creation times, as text.
    """

    name: str
    rows: int
    columns: tuple[str, ...]
    extra_columns: tuple[str, ...]
    troubled: int
    has_home: bool
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is in the snapshot; the keys of troubled rows are in the workbook."""

    snapshot: Snapshot
    workbook: Path
    tables: Mapping[str, TableInventory]
    evidence: ClockEvidence


def take_inventory(
    snapshot: Snapshot, workbook: Path, zone: ZoneInfo, *, on_event: OnEvent = ignore, cancel: Cancellation | None = None
) -> Inventory:
    """Look at every row. The zone only decides which times lie after the snapshot."""
    cancel = cancel or Cancellation()
    started = time.perf_counter()
    with closing(open_workbook(workbook, snapshot.path)) as connection, closing(open_workbook(workbook, snapshot.path)) as second:
        tables = dict(source_tables(connection))
        rows = {name: count(connection, table.table) for name, table in tables.items()}
        homes = {table.name: table for table in WEB_TABLES}
        on_event(PhaseStarted(Phase.INVENTORY, sum(rows[name] for name in homes if name in rows)))
        with cancel.interrupting(connection.interrupt), cancel.interrupting(second.interrupt), ThreadPoolExecutor(1) as side:
            clocks = side.submit(evidence.gather, second, tables, zone, snapshot.taken_at)
            meter = _Meter(on_event, cancel)
            found = {
                name: _look_at(connection, homes.get(name), table, rows[name], tables, meter) for name, table in tables.items()
            }
            result = Inventory(snapshot, workbook, found, clocks.result())
    on_event(PhaseFinished(Phase.INVENTORY, time.perf_counter() - started))
    return result


@dataclass(slots=True)
class _Meter:
    on_event: OnEvent
    cancel: Cancellation
    done: int = 0

    def advance(self, table: str, rows: int) -> None:
        self.cancel.check()
        self.done += rows
        self.on_event(Progress(Phase.INVENTORY, self.done, table))


def _look_at(
    connection: sqlite3.Connection,
    home: WebTable | None,
    source: SourceTable,
    rows: int,
    tables: Mapping[str, SourceTable],
    meter: _Meter,
) -> TableInventory:
    if home is None:
        return TableInventory(source.name, rows, source.columns, (), 0, has_home=False, first=None, last=None)
    first, last = _find_troubled(connection, home, source, tables.get("goals"), meter)
    known = {"id", *(column.name for column in home.columns if column.is_clean is not None)}
    extra = tuple(column for column in source.columns if column not in known)
    troubled = count(connection, TROUBLED[home.name])
    return TableInventory(source.name, rows, source.columns, extra, troubled, has_home=True, first=first, last=last)


def _find_troubled(
    connection: sqlite3.Connection, home: WebTable, source: SourceTable, goals: SourceTable | None, meter: _Meter
) -> tuple[str | None, str | None]:
    """Fill TROUBLED; the earliest and the latest creation time among the other rows."""
    troubled = TROUBLED[home.name]
    connection.execute(to_sql(troubled.delete()))
    is_clean = _is_clean(home, source, goals)
    created = source.column("created_at")
    rows_of = select(is_clean.label("clean"), created.label("created"), _texts(home, source).label("texts"))
    times: list[bytes] = []
    for first, last in key_ranges(connection, source):
        chunk = source.key.between(first, last)
        # The LIMIT keeps SQLite from merging the two selects, which would work out `clean` anew for each use of it.
        each = rows_of.select_from(source.table).where(chunk).limit(CHUNK).subquery().c
        look = select(
            func.count(),
            func.sum(each.clean),
            func.group_concat(case((each.clean, each.texts), else_=""), ""),
            func.min(case((each.clean, each.created))),
            func.max(case((each.clean, each.created))),
        )
        rows, clean_rows, text, earliest, latest = connection.execute(to_sql(look)).fetchone()
        if clean_rows < rows:
            keys = select(source.key).select_from(source.table).where(chunk, not_(is_clean))
            connection.execute(to_sql(insert(troubled).from_select(["key"], keys)))
        if not _is_welcome(text):
            _add_unwelcome(connection, home, source, chunk, is_clean)
        times += [value for value in (earliest, latest) if value is not None]
        meter.advance(home.name, rows)
    _add_duplicates(connection, source, home.name)
    return (min(times).decode(), max(times).decode()) if times else (None, None)


def _is_clean(home: WebTable, source: SourceTable, goals: SourceTable | None) -> ColumnElement[Any]:
    """1 where every cell of the row is fine as it is, else 0."""
    id_ = source.column("id")
    conditions = [func.typeof(id_) == "integer", id_.between(INT4_MIN, INT4_MAX)]
    conditions += [column.is_clean(source.column(column.name)) for column in home.columns if column.is_clean]
    parent = source.column("parent_goal_id")
    if goals is None or "id" not in goals.columns:
        conditions.append(parent.is_(None))
    else:
        conditions.append(or_(parent.is_(None), parent.in_(select(goals.table.c.id))))
    return func.coalesce(and_(*conditions), literal_column("0"))


def _texts(home: WebTable, source: SourceTable) -> ColumnElement[Any]:
    """All cells of the row that hold free text, one after the other."""
    joined: ColumnElement[Any] = literal_column("''")
    for column in home.columns:
        if column.is_free_text:
            joined = joined.op("||")(func.coalesce(source.column(column.name), ""))
    return joined


def _is_welcome(text: bytes | None) -> bool:
    try:
        decoded = (text or b"").decode()
    except UnicodeDecodeError:
        return False
    return not any(mark in decoded for mark in _UNWELCOME)


def _add_unwelcome(
    connection: sqlite3.Connection, home: WebTable, source: SourceTable, chunk: ColumnElement[bool], is_clean: ColumnElement[Any]
) -> None:
    rows = select(source.key, _texts(home, source)).select_from(source.table).where(chunk, is_clean)
    keys = [(key,) for key, text in connection.execute(to_sql(rows)).fetchall() if not _is_welcome(text)]
    connection.executemany(to_sql(insert(TROUBLED[home.name]).prefix_with("OR IGNORE").values(key=PLACEHOLDER)), keys)


def _add_duplicates(connection: sqlite3.Connection, source: SourceTable, name: str) -> None:
    """Rows whose id another row has too; only possible where the id is not the table's primary key."""
    id_ = source.column("id")
    differs = select(source.key).select_from(source.table).where(id_.is_distinct_from(source.key)).limit(1)
    if connection.execute(to_sql(differs)).fetchone():
        twice = select(id_).group_by(id_).having(func.count() > 1)
        keys = select(source.key).select_from(source.table).where(id_.in_(twice))
        statement = insert(TROUBLED[name]).prefix_with("OR IGNORE").from_select(["key"], keys)
        connection.execute(to_sql(statement))
