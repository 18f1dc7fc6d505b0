"""The census of columns: what is really in every column of every table of the source, known to the web interface or not.

It is taken only where somebody asks for it; a migration needs to know less (`census`), and sooner.
"""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, LargeBinary, and_, case, cast, func, literal_column, not_, select

from bizy_migrate_tui.migration.errors import UsageError
from bizy_migrate_tui.migration.events import Cancellation, Meter, OnEvent, Phase, PhaseFinished, PhaseStarted, ignore
from bizy_migrate_tui.migration.plan.planning import choose_careful_rows
from bizy_migrate_tui.migration.postgresql.web_schema import METADATA
from bizy_migrate_tui.migration.rules import clean
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, WebTable
from bizy_migrate_tui.migration.rules.values import Raw, RawText, as_json, as_moment, as_text, has_broken_text, is_sound
from bizy_migrate_tui.migration.source.inventory import Inventory
from bizy_migrate_tui.migration.source.reading import CarefulReader, Reading
from bizy_migrate_tui.migration.source.workbook import PLACEHOLDER, SourceTable, even_chunks, open_workbook, source_tables, to_sql

IDS_NAMED: Final = 10
"""A trouble names so many rows; its count is always exact."""

LENGTH_SHOWN: Final = 60
"""The lowest and highest values are cut at so many characters or bytes."""

STORAGE_CLASSES: Final = ("null", "integer", "real", "text", "blob")

_COLUMNS_AT_ONCE: Final = 40
"""SQLite returns no more than 2,000 values a row, and a column needs ten."""


@dataclass(slots=True)
class Trouble:
    """Cells that want attention: how many, and the ids of the first rows (their row keys where there is no id).

    `code` is that of a finding (`rules.catalogue`) or, for any text, "not-utf8" or "holds-nul"; in a column that the web
    interface does not have "date-unreadable" or "json-invalid", by the type that it was declared with.
    """

    code: str
    count: int = 0
    ids: list[str] = field(default_factory=list)

    def add(self, row: str) -> None:
        """Count a cell of that row."""
        self.count += 1
        if self.count <= IDS_NAMED:
            self.ids.append(row)


@dataclass(slots=True)
class ColumnCensus:
    """What is in a column: cells of each storage class, the lowest and the highest value in SQLite's own order.

    `longest` is the length of the longest text in characters; `limit` that of the web interface's column, where it has one,
    and `beyond` the number of texts that are longer.
    """

    name: str
    declared: str
    limit: int | None
    classes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STORAGE_CLASSES, 0))
    low: Raw = None
    high: Raw = None
    longest: int | None = None
    beyond: int = 0
    troubles: dict[str, Trouble] = field(default_factory=dict)

    def note(self, code: str, row: str) -> None:
        """Add a cell to its trouble."""
        self.troubles.setdefault(code, Trouble(code)).add(row)


@dataclass(frozen=True, slots=True)
class TableCensus:
    """A table of the source: its number of rows and its columns; `has_home` where the web interface has it too."""

    name: str
    rows: int
    has_home: bool
    columns: tuple[ColumnCensus, ...]


def take_column_census(
    inventory: Inventory,
    reading: Reading,
    *,
    table: str | None = None,
    on_event: OnEvent = ignore,
    cancel: Cancellation | None = None,
) -> tuple[TableCensus, ...]:
    """Look at every cell, of one table or of all. Raises UsageError (no-such-table) and Cancelled."""
    cancel = cancel or Cancellation()
    started = time.perf_counter()
    with (
        closing(open_workbook(inventory.workbook, inventory.snapshot.path)) as workbook,
        cancel.interrupting(workbook.interrupt),
    ):
        tables = source_tables(workbook)
        if table is not None and table not in tables:
            raise UsageError("no-such-table", f"The source has no table “{table}”.", f"It has: {', '.join(tables)}.")
        chosen = [one for name, one in tables.items() if table in (None, name)]
        on_event(PhaseStarted(Phase.COLUMNS, sum(inventory.tables[one.name].rows for one in chosen)))
        workbook.create_function("is_sound_json", 1, _is_sound_json, deterministic=True)
        choose_careful_rows(workbook, tables, inventory, reading)
        meter = Meter(Phase.COLUMNS, on_event, cancel)
        found = tuple(_take(workbook, one, inventory, meter) for one in chosen)
        _add_findings(workbook, tables, inventory, reading, found)
    on_event(PhaseFinished(Phase.COLUMNS, time.perf_counter() - started))
    return found


def _take(workbook: sqlite3.Connection, source: SourceTable, inventory: Inventory, meter: Meter) -> TableCensus:
    home = next((home for home in WEB_TABLES if home.name == source.name), None)
    columns = _columns(workbook, source, home)
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        part = [_Look(source, column, _suspects(source, column, home)) for column in columns[start : start + _COLUMNS_AT_ONCE]]
        question = to_sql(
            select(func.count(), *(value for look in part for value in look.values()))
            .select_from(source.table)
            .where(source.key.between(PLACEHOLDER, PLACEHOLDER))
        )
        for first, last in even_chunks(workbook, source, inventory.tables[source.name].rows):
            rows, *values = workbook.execute(question, (first, last)).fetchone()
            for place, look in enumerate(part):
                look.add(workbook, rows, values[place * _VALUES : (place + 1) * _VALUES], (first, last))
            if not start:
                meter.advance(source.name, rows)
    for column in columns:
        column.low, column.high = _cut(column.low), _cut(column.high)
    return TableCensus(source.name, inventory.tables[source.name].rows, home is not None, tuple(columns))


def _columns(workbook: sqlite3.Connection, source: SourceTable, home: WebTable | None) -> list[ColumnCensus]:
    declared = workbook.execute("SELECT type FROM pragma_table_xinfo(?, 'snapshot') WHERE hidden <> 1", (source.name,)).fetchall()
    web = {column.name: column.type for column in METADATA.tables[home.name].columns} if home else {}
    return [
        ColumnCensus(name, as_text(kind) or "", getattr(web.get(name), "length", None))
        for name, (kind,) in zip(source.columns, declared, strict=True)
    ]


def _suspects(source: SourceTable, column: ColumnCensus, home: WebTable | None) -> ColumnElement[bool] | None:
    """Which cells of a column without rules of its own look wrong for its declared type; None where that says nothing."""
    if home and column.name in {"id", *(one.name for one in home.columns if one.is_clean)}:
        return None
    cell, declared = source.column(column.name), column.declared.upper()
    if "JSON" in declared:
        sound = func.is_sound_json(cast(cell, LargeBinary))
        return and_(cell.is_not(None), case((func.typeof(cell) == "text", not_(sound)), else_=literal_column("1")))
    return not_(clean.is_time(cell)) if "DATE" in declared or "TIME" in declared else None


_VALUES: Final = 10


@dataclass(slots=True)
class _Look:
    """The questions about one column, and where the answers go."""

    source: SourceTable
    column: ColumnCensus
    suspects: ColumnElement[bool] | None

    def values(self) -> Iterator[ColumnElement[Any]]:
        """What is asked of each range of rows: _VALUES aggregates."""
        cell = self.source.column(self.column.name)
        kind = func.typeof(cell)
        yield from (func.count().filter(kind == name) for name in STORAGE_CLASSES[1:])
        yield func.min(cell)
        yield func.max(cell)
        yield func.max(func.length(cell)).filter(kind == "text")
        too_long = literal_column("0") if self.column.limit is None else func.length(cell) > self.column.limit
        yield func.count().filter(and_(kind == "text", too_long))
        yield func.group_concat(cell, "\n").filter(kind == "text")
        yield literal_column("0") if self.suspects is None else func.count().filter(self.suspects)

    def add(self, workbook: sqlite3.Connection, rows: int, values: list[Any], keys: tuple[int, int]) -> None:
        """Add the answers for the rows between two keys; what they leave open is looked at cell by cell."""
        *counts, low, high, longest, beyond, texts, suspects = values
        column = self.column
        for name, count in zip(STORAGE_CLASSES, (rows - sum(counts), *counts), strict=True):
            column.classes[name] += count
        column.low = min((cell for cell in (column.low, low) if cell is not None), key=_order, default=None)
        column.high = max((cell for cell in (column.high, high) if cell is not None), key=_order, default=None)
        column.longest = max((length for length in (column.longest, longest) if length is not None), default=None)
        column.beyond += beyond
        if texts and not is_sound(texts):
            self._look_at_texts(workbook, keys)
        if suspects and self.suspects is not None:
            self._look_at_suspects(workbook, self.suspects, keys)

    def _look_at_texts(self, workbook: sqlite3.Connection, keys: tuple[int, int]) -> None:
        """Find the texts that are broken; SQLite's own length of one ends at its first NUL."""
        column, cell = self.column, self.source.column(self.column.name)
        for row, raw, length in self._cells(workbook, func.typeof(cell) == "text", keys, func.length(cell)):
            if not is_sound(raw):
                column.note("holds-nul" if b"\0" in raw else "not-utf8", row)
                whole = len(as_text(raw) or "")
                column.longest = max(column.longest or 0, whole)
                column.beyond += column.limit is not None and length <= column.limit < whole

    def _look_at_suspects(self, workbook: sqlite3.Connection, suspects: ColumnElement[bool], keys: tuple[int, int]) -> None:
        for row, raw in self._cells(workbook, suspects, keys):
            if "JSON" in self.column.declared.upper():
                self.column.note("json-invalid", row)
            elif as_moment(raw) is None:
                self.column.note("date-unreadable", row)

    def _cells(
        self, workbook: sqlite3.Connection, condition: ColumnElement[bool], keys: tuple[int, int], *more: ColumnElement[Any]
    ) -> Iterator[tuple[Any, ...]]:
        source = self.source
        found = select(source.key, source.column("id"), source.column(self.column.name), *more).select_from(source.table)
        found = found.where(source.key.between(PLACEHOLDER, PLACEHOLDER), condition).order_by(source.key)
        for key, id_, *cells in workbook.execute(to_sql(found), keys):
            yield as_text(id_) or str(key), *cells


def _add_findings(
    workbook: sqlite3.Connection,
    tables: Mapping[str, SourceTable],
    inventory: Inventory,
    reading: Reading,
    found: tuple[TableCensus, ...],
) -> None:
    """What the rules say about the web interface's columns, as in the plan's findings."""
    reader = CarefulReader(workbook, tables, reading)
    for home in WEB_TABLES:
        columns = next(({column.name: column for column in one.columns} for one in found if one.name == home.name), None)
        if columns is None:
            continue
        for row in reader.rows(home):
            for name, code in row.codes.items():
                if name in columns:
                    columns[name].note(str(code), row.source_key)
            if row.left_out is not None and row.left_out not in row.codes.values() and "id" in columns:
                columns["id"].note(row.left_out, row.source_key)
        dangling = inventory.evidence.dangling_dependencies
        if home.name == "tasks" and dangling.count and "dependencies" in columns:
            ids = [str(id_) for id_ in dangling.ids[:IDS_NAMED]]
            columns["dependencies"].troubles["dependency-missing"] = Trouble("dependency-missing", dangling.count, ids)


def _is_sound_json(text: bytes) -> bool:
    try:
        return not has_broken_text(as_json(text))
    except ValueError:
        return False


def _order(cell: Raw) -> tuple[int, Any]:
    """SQLite's own order: numbers, then text, then bytes."""
    return (1 + (not isinstance(cell, RawText)), cell) if isinstance(cell, bytes) else (0, cell)


def _cut(cell: Raw) -> Raw:
    if not isinstance(cell, bytes) or len(cell) <= LENGTH_SHOWN:
        return cell
    if not isinstance(cell, RawText):
        return cell[:LENGTH_SHOWN]
    text = cell.decode(errors="replace")
    return cell if len(text) <= LENGTH_SHOWN else RawText((text[: LENGTH_SHOWN - 1] + "…").encode())
