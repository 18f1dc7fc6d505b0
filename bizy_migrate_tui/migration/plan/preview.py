"""The preview: the plan row by row, a page at a time, so that a million rows open as fast as ten."""

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from psycopg2 import sql
from sqlalchemy import ColumnElement, Select, case, func, select

from bizy_migrate_tui.migration.events import Cancellation
from bizy_migrate_tui.migration.load.preserving import cell_as_json
from bizy_migrate_tui.migration.plan.plan import Plan
from bizy_migrate_tui.migration.postgresql.target import connect
from bizy_migrate_tui.migration.rules.catalogue import KINDS
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, Form
from bizy_migrate_tui.migration.rules.repairs import Value
from bizy_migrate_tui.migration.rules.values import Raw, as_text
from bizy_migrate_tui.migration.source.clock_sql import is_usual, utc_of
from bizy_migrate_tui.migration.source.reading import CarefulReader, CarefulRow
from bizy_migrate_tui.migration.source.whole_rows import WholeRows
from bizy_migrate_tui.migration.source.workbook import (
    ADJUSTED,
    LEFT_OUT,
    PRESENT,
    SourceTable,
    Standing,
    open_workbook,
    source_tables,
    to_sql,
)

_NUMBER = re.compile(r"-?\d{1,18}", re.ASCII)
_HOMES = {home.name: home for home in WEB_TABLES}
_SHOWN_COLUMNS = {"tasks": ("status", "category"), "goals": ("status", "horizon")}


class Kind(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    ADJUSTED = "adjusted"
    SAME = "same"
    KEPT = "kept on the web"
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row in the list: `key` for paging and detail; `columns` are status, category or horizon, and when it was made (UTC)."""

    key: int
    id: str
    kind: Kind
    title: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CellChange:
    """A column of a row before and after (None for NULL), and why it changes."""

    column: str
    before: str | None
    after: str | None
    changed: bool
    reason: str


OnFound = Callable[[tuple[PreviewRow, ...]], None]

_STEPS = 100_000
"""Of SQLite's machine, between two looks at the clock: some milliseconds."""
_TELL_AFTER = 0.1
"""Seconds."""


class _Found:
    """The rows that a search has found; tells of them while it goes on."""

    def __init__(self, on_found: OnFound | None, row: Callable[[int, Kind], PreviewRow]) -> None:
        self._on_found, self._row = on_found, row
        self._untold: list[tuple[int, Kind]] = []
        self._last = time.monotonic()

    def add(self, key: int, kind: Kind) -> None:
        """One more."""
        self._untold.append((key, kind))

    def tell(self) -> int:
        """SQLite's progress handler; 0 lets it go on."""
        if self._on_found is not None and time.monotonic() - self._last >= _TELL_AFTER:
            self._on_found(self.rest())
            self._last = time.monotonic()
        return 0

    def rest(self) -> tuple[PreviewRow, ...]:
        """The rows that were not told of."""
        untold, self._untold = self._untold, []
        return tuple(self._row(key, kind) for key, kind in untold)


_NOTED = {Kind.ADJUSTED: ADJUSTED, Kind.LEFT_OUT: LEFT_OUT}


class Preview:
    """Reads the rows of a plan. Every call may be made from any thread."""

    TABLES = ("tasks", "goals")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._reading = plan.choices.reading(plan.inventory.snapshot.taken_at)

    def counts(self, table: str) -> Mapping[Kind, int]:
        """Rows of each kind that there is."""
        found = self.plan.tables[table]
        counts = {
            Kind.NEW: found.inserted - found.adjusted,
            Kind.ADJUSTED: found.adjusted,
            Kind.SAME: found.unchanged,
            Kind.KEPT: found.kept,
            Kind.LEFT_OUT: found.skipped,
        }
        return {kind: rows for kind, rows in counts.items() if rows}

    def page(
        self,
        table: str,
        *,
        after: int | None = None,
        limit: int = 100,
        kind: Kind | None = None,
        search: str = "",
        cancel: Cancellation | None = None,
        on_found: OnFound | None = None,
    ) -> tuple[PreviewRow, ...]:
        """At most `limit` rows after a key, in key order, of a kind, with the text in their title (in any case).

        `on_found` is told how far a long search is: in the same thread, ten times a second, the rows found since the last
        time, which may be none. The rows that it was told of are not returned again.

        Raises Cancelled: nobody waits for what somebody who types on has asked before.
        """
        cancel = cancel or Cancellation()
        with self._open() as (workbook, tables), self._open() as (beside, _), cancel.interrupting(workbook.interrupt):
            if table not in tables or (kind is not None and kind not in self.counts(table)):
                return ()
            statement = _page(tables[table], table, after, limit, kind, search)
            reader = CarefulReader(beside, tables, self._reading)
            found = _Found(on_found, lambda key, kind: self._row(reader.row(_HOMES[table], key), table, kind))
            workbook.set_progress_handler(found.tell, _STEPS)
            try:
                for key, name in workbook.execute(to_sql(statement)):
                    found.add(key, Kind(bytes(name).decode()))
            except sqlite3.OperationalError:
                cancel.check()
                raise
            return found.rest()

    def locate(self, table: str, id: str) -> int | None:  # noqa: A002
        """The key of the first row with that id."""
        with self._open() as (workbook, tables):
            if table not in tables:
                return None
            source = tables[table]
            is_it = source.column("id") == (int(id) if _NUMBER.fullmatch(id) else id)
            found = workbook.execute(to_sql(select(func.min(source.key)).select_from(source.table).where(is_it))).fetchone()
            return None if found is None else found[0]

    def detail(self, table: str, key: int) -> tuple[CellChange, ...]:
        """Every column of a row, before and after; of a row that is kept, as the target has it."""
        with self._open() as (workbook, tables):
            source = tables[table]
            row = CarefulReader(workbook, tables, self._reading).row(_HOMES[table], key)
            kinds = select(_kind(source, table)).select_from(source.table).where(source.key == key)
            kind = Kind(bytes(workbook.execute(to_sql(kinds)).fetchone()[0]).decode())
        kept = self._in_target(table, row.id) if kind is Kind.KEPT else None
        return (*self._changes(table, row, kind, kept), *_preserved_columns(self.plan, table, row))

    def homeless_tables(self) -> Mapping[str, int]:
        """The tables that the web interface has no place for, with their rows."""
        return {name: table.rows for name, table in self.plan.inventory.tables.items() if not table.has_home and table.rows}

    def homeless(self, table: str, *, after: int | None = None, limit: int = 100) -> tuple[tuple[int, dict[str, Any]], ...]:
        """At most `limit` rows of such a table after a key, as they will be preserved."""
        with self._open() as (workbook, tables):
            source = tables[table]
            beyond = () if after is None else (source.key > after,)
            rows = list(WholeRows(source, None, *beyond, limit=limit).read(workbook))
        return tuple((key, {name: cell_as_json(cell) for name, cell in cells.items()}) for key, cells in rows)

    def timeline(self, table: str) -> tuple[tuple[str, int, int], ...]:
        """Months ("YYYY-MM") with the rows created in them, by the source's clock and by UTC as the target will have it."""
        return self._timelines.get(table, ())

    @cached_property
    def _timelines(self) -> Mapping[str, tuple[tuple[str, int, int], ...]]:
        with self._open() as (workbook, tables):
            return {name: self._timeline(workbook, tables[name]) for name in _HOMES if name in tables}

    def _timeline(self, workbook: sqlite3.Connection, source: SourceTable) -> tuple[tuple[str, int, int], ...]:
        created = source.column("created_at")
        moved = utc_of(source, _HOMES[source.name], self._reading)
        months: dict[str, list[int]] = {}
        for place, moment in enumerate((created, moved)):
            month = func.substr(moment, 1, 7)
            counted = select(month, func.count()).select_from(source.table).where(is_usual(created)).group_by(month)
            counted = counted.having(month.is_not(None))
            for name, rows in workbook.execute(to_sql(counted)).fetchall():
                months.setdefault(bytes(name).decode(), [0, 0])[place] = rows
        return tuple((month, *months[month]) for month in sorted(months))  # type: ignore[misc]

    def _row(self, row: CarefulRow, table: str, kind: Kind) -> PreviewRow:
        values = dict(zip((column.name for column in _HOMES[table].columns), row.values, strict=True))
        created = values["created_at"]
        shown = f"{created:%Y-%m-%d %H:%M}" if isinstance(created, datetime) else ""
        columns = (*(_text(values[name]) or "" for name in _SHOWN_COLUMNS[table]), shown)
        return PreviewRow(row.key, row.source_key, kind, _text(values["title"]) or "", columns)

    def _changes(self, table: str, row: CarefulRow, kind: Kind, kept: Mapping[str, str | None] | None) -> Iterator[CellChange]:
        gone = kind is Kind.LEFT_OUT
        yield CellChange("id", as_text(row.cells.get("id")), None if gone else row.source_key, gone, _left_out_reason(row))
        user = str(self.plan.user.id) if self.plan.user.id is not None else f"{self.plan.user.username} (new)"
        yield CellChange("user_id", None, None if gone else user, not gone, "the account the rows go to")
        for column, value in zip(_HOMES[table].columns, row.values, strict=True):
            before, after = _before(row.cells.get(column.name)), None if gone else _text(value)
            reason = KINDS[row.codes[column.name]].action if column.name in row.codes else ""
            if column.name == "updated_at" and column.form is Form.MADE:
                after, reason = None if gone else "the time of the move", "the source has no such column"
            elif not reason and column.form is Form.LOCAL_TIME and before != after:
                reason = f"{self._reading.zone.key} → UTC"
            if kept is not None:
                after, reason = kept[column.name], "kept as it is in the target" if kept[column.name] != after else ""
            yield CellChange(column.name, before, after, before != after, reason)

    def _in_target(self, table: str, id_: int | None) -> Mapping[str, str | None]:
        names = [column.name for column in _HOMES[table].columns]
        texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
        with closing(connect(self.plan.target, readonly=True)) as server, server.cursor() as rows:
            rows.execute(sql.SQL("SELECT {} FROM {} WHERE id = %s").format(texts, sql.Identifier("public", table)), (id_,))
            found = rows.fetchone() or [None] * len(names)
        return dict(zip(names, found, strict=True))

    @contextmanager
    def _open(self) -> Iterator[tuple[sqlite3.Connection, Mapping[str, SourceTable]]]:
        inventory = self.plan.inventory
        with closing(open_workbook(inventory.workbook, inventory.snapshot.path)) as workbook:
            yield workbook, source_tables(workbook)


def _page(source: SourceTable, table: str, after: int | None, limit: int, kind: Kind | None, search: str) -> Select[int, str]:
    """The keys and kinds of the rows of a page."""
    kinds = _kind(source, table)
    statement = select(source.key, kinds).select_from(source.table).order_by(source.key).limit(limit)
    if after is not None:
        statement = statement.where(source.key > after)
    if kind is not None:
        statement = statement.where(kinds == kind.value)
        if kind in _NOTED:  # named outright, so that SQLite goes through the noted rows and not through all
            statement = statement.where(source.key.in_(select(_NOTED[kind][table].c.key)))
    if search:
        statement = statement.where(source.column("title").contains(search, autoescape=True))
    return statement


def _kind(source: SourceTable, table: str) -> ColumnElement[str]:
    present = PRESENT[table]
    # Looked up for the rows of the page alone: as a set it would be made of a million ids for each question.
    standing = select(present.c.standing).where(present.c.id == source.column("id")).scalar_subquery()
    return case(
        (source.key.in_(select(LEFT_OUT[table].c.key)), Kind.LEFT_OUT.value),
        (standing == Standing.SAME.value, Kind.SAME.value),
        (standing.is_not(None), Kind.KEPT.value),
        (source.key.in_(select(ADJUSTED[table].c.key)), Kind.ADJUSTED.value),
        else_=Kind.NEW.value,
    )


def _left_out_reason(row: CarefulRow) -> str:
    return "" if row.left_out is None else f"preserved whole: {KINDS[row.left_out].action}"


def _preserved_columns(plan: Plan, table: str, row: CarefulRow) -> Iterator[CellChange]:
    for name in plan.inventory.tables[table].extra_columns:
        before = as_text(row.cells.get(name))
        yield CellChange(name, before, None, before is not None, "preserved" if before is not None else "")


def _before(raw: Raw) -> str | None:
    """What the source holds, a time without the zeros that both databases leave out."""
    text = as_text(raw)
    return text.removesuffix(".000000") if text is not None else None


def _text(value: Value) -> str | None:
    if value is None:
        return None
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)
