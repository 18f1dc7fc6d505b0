"""Compares the target with the source, cell by cell, by a path of its own (not the loader's reading or converting).

Chunks of rows that need no care are written out by both databases as the same lines and compared by their digests. Where a
chunk differs, its rows are compared; where a row differs, its cells are, as typed values.
"""

import hashlib
import io
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from enum import Enum
from typing import Self

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import ColumnElement, DateTime, Float, Integer, and_, func, literal, select, union

from bizy_migrate_tui.migration.comparison.adjusted import Adjusted, is_right
from bizy_migrate_tui.migration.comparison.lines import LINE_END, SHORTEST_NUMBER, Lines, shortest_number
from bizy_migrate_tui.migration.comparison.wall_clock import instant_of, read_time
from bizy_migrate_tui.migration.findings import Difference
from bizy_migrate_tui.migration.load.ahead import ahead
from bizy_migrate_tui.migration.load.batches import in_batches, size_of
from bizy_migrate_tui.migration.postgresql.web_schema import METADATA
from bizy_migrate_tui.migration.rules import repairs
from bizy_migrate_tui.migration.rules.columns import Column, Form, WebTable
from bizy_migrate_tui.migration.rules.repairs import Value
from bizy_migrate_tui.migration.rules.values import Raw
from bizy_migrate_tui.migration.source.reading import CarefulReader, CarefulRow, Reading
from bizy_migrate_tui.migration.source.workbook import CAREFUL, PLACEHOLDER, PRESENT, SourceTable, chunks, open_again, to_sql

_CHUNKS_AHEAD = 500
"""A digest takes no room, so SQLite need not wait for PostgreSQL."""

_ROWS_OPENED = 1000
"""So many differing rows are opened to their cells; of the others only the row is named."""


class Scope(Enum):
    """Which rows are compared: those the plan loads, or those that PRESENT lists (in the target before)."""

    LOADED = "loaded"
    PRESENT = "present"


@dataclass(frozen=True, slots=True)
class _Expected:
    """A chunk of the source: its first and last key, its rows, their lowest and highest id, the digest of their lines.

    `others` are the ids between these two whose rows are not compared as lines.
    """

    first: int
    last: int
    rows: int
    low: int
    high: int
    others: list[int]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Side:
    """The source's side of a comparison."""

    workbook: sqlite3.Connection
    tables: Mapping[str, SourceTable]
    reading: Reading


class Comparison:
    """Compares the rows of one table that belong to one user.

    Entered (`with`), it begins to write down what is expected, in a thread of its own that ends with it. `made` says whether
    the columns that the load itself fills (tasks.updated_at) are compared too; a difference that `is_consequence` of
    something else is none.
    """

    def __init__(
        self,
        side: Side,
        server: Cursor,
        home: WebTable,
        user_id: int,
        *,
        scope: Scope,
        made: bool = True,
        is_consequence: Callable[[Difference], bool] = lambda _difference: False,
    ) -> None:
        self._side, self._server, self._home, self._user_id, self._scope = side, server, home, user_id, scope
        self._source = side.tables[home.name]
        self._columns = [column for column in home.columns if made or column.form is not Form.MADE]
        self._reader = CarefulReader(side.workbook, side.tables, side.reading)
        self._opened, self._is_consequence = 0, is_consequence
        ids = PRESENT[home.name].c.id
        self._present_sql = to_sql(select(ids).where(ids == PLACEHOLDER))
        self._has_present = side.workbook.execute(to_sql(select(ids).limit(1))).fetchone() is not None
        self._is_needed = self._has_present or scope is Scope.LOADED
        lines = Lines(home, self._columns, self._source, side.reading, user_id)
        self._lines_sql, self._others_sql = self._ask_for_lines(lines), self._ask_for_others()
        self._select, self._as_csv = lines.found(server)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            other = stack.enter_context(closing(open_again(self._side.workbook)))
            expected = self._expected(other) if self._is_needed else iter(())
            self._chunks = stack.enter_context(ahead(expected, _CHUNKS_AHEAD))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def differences(self, advance: Callable[[int], None] = lambda _rows: None) -> Iterator[Difference]:
        """Each cell that differs, in key order; `advance` is told of the rows of the source gone through."""
        if not self._is_needed:
            return
        for chunk in self._chunks:
            found = self._found(chunk)
            if hashlib.sha256(found).digest() != chunk.digest:
                _, _, _, expected = self._lines(self._side.workbook, chunk.first, chunk.last)
                yield from self._compare_lines(expected, found)
            advance(chunk.rows)
        yield from self._compare_careful()

    def differences_of(self, ids: Iterable[int]) -> Iterator[Difference]:
        """Each cell that differs in the first rows with these ids."""
        for id_ in sorted(ids):
            yield from self._compare_rows([self._reader.row_with_id(self._home, id_)])

    def _compare_lines(self, expected: bytes, found: bytes) -> Iterator[Difference]:
        """Compare the lines of a chunk; those of rows that are none of it, or are compared with care, may lie between."""
        lines = {line.partition(b",")[0]: line for line in found.split(LINE_END)}
        for line in expected.removesuffix(LINE_END).split(LINE_END):
            id_ = line.partition(b",")[0]
            if lines.get(id_) != line:
                yield from self._open(self._reader.row_with_id(self._home, int(id_)))

    def _compare_careful(self) -> Iterator[Difference]:
        rows = (row for row in self._reader.rows(self._home) if row.left_out is None and self._is_in_scope(row))
        for batch in in_batches(rows, lambda row: size_of(row.cells)):
            yield from self._compare_rows(batch)

    def _is_in_scope(self, row: CarefulRow) -> bool:
        if not self._has_present:
            return self._scope is Scope.LOADED
        is_present = self._side.workbook.execute(self._present_sql, (row.id,)).fetchone()
        return (is_present is not None) == (self._scope is Scope.PRESENT)

    def _open(self, row: CarefulRow) -> Iterator[Difference]:
        if self._opened == _ROWS_OPENED:
            yield Difference(self._home.name, row.source_key, "(row)", "as in the source", "differs")
            return
        differences = list(self._compare_rows([row]))
        self._opened += bool(differences)
        yield from differences

    def _compare_rows(self, rows: Sequence[CarefulRow]) -> Iterator[Difference]:
        names = ["id", "user_id", *(column.name for column in self._columns)]
        texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
        statement = sql.SQL("SELECT {} FROM {} WHERE id = ANY(%s)").format(texts, sql.Identifier("public", self._home.name))
        self._server.execute(statement, ([row.id for row in rows],))
        found = {int(line[0]): dict(zip(names, line, strict=True)) for line in self._server.fetchall()}
        for row in rows:
            cells = self._compare_cells(row, found.get(row.id or 0))
            yield from (difference for difference in cells if not self._is_consequence(difference))

    def _compare_cells(self, row: CarefulRow, found: Mapping[str, str | None] | None) -> Iterator[Difference]:
        name = self._home.name
        if found is None:
            yield Difference(name, row.source_key, "id", row.source_key, None)
            return
        if found["user_id"] != str(self._user_id):
            yield Difference(name, row.source_key, "user_id", str(self._user_id), found["user_id"])
        values = dict(zip((column.name for column in self._home.columns), row.values, strict=True))
        for column in self._columns:
            is_mended = column.form is Form.MADE or column.name in row.adjusted
            expected = values[column.name] if is_mended else self._convert(column, row)
            if not _is_equal(expected, found[column.name], METADATA.tables[name].c[column.name].type):
                shown = None if expected is None else str(expected)
                yield Difference(name, row.source_key, column.name, shown, found[column.name])
            elif column.name in row.adjusted and not is_right(row.adjusted[column.name], self._adjusted(column, row, found)):
                told = f"as {row.adjusted[column.name]} allows for {row.cells.get(column.name)!r}"
                yield Difference(name, row.source_key, column.name, told, found[column.name])

    def _adjusted(self, column: Column, row: CarefulRow, found: Mapping[str, str | None]) -> Adjusted:
        is_local = column.form is Form.LOCAL_TIME and not self._is_in_utc(column, row)
        is_calendar = column.repair is repairs.calendar_time
        return Adjusted(column.name, row.cells.get(column.name), found, self._side.reading, is_local, is_calendar)

    def _is_in_utc(self, column: Column, row: CarefulRow) -> bool:
        until = self._side.reading.utc_until
        return column.name == "created_at" and until is not None and (row.id or 0) <= until

    def _convert(self, column: Column, row: CarefulRow) -> Value:
        """The proof's own reading of a cell that is not adjusted."""
        raw: Raw = row.cells.get(column.name)
        if not isinstance(raw, bytes):
            return raw
        text = raw.decode()
        if not isinstance(METADATA.tables[self._home.name].c[column.name].type, DateTime):
            return text
        is_local = column.form is Form.LOCAL_TIME and not self._is_in_utc(column, row)
        return instant_of(read_time(text), self._side.reading.zone) if is_local else read_time(text)

    def _is_fast(self) -> ColumnElement[bool]:
        """Whether a row of a range of keys is compared as part of its chunk."""
        present = select(PRESENT[self._home.name].c.id)
        id_ = self._source.column("id")
        in_range = self._source.key.between(PLACEHOLDER, PLACEHOLDER)
        condition = and_(in_range, self._source.key.not_in(select(CAREFUL[self._home.name].c.key)))
        if self._scope is Scope.PRESENT:
            # + 0 keeps SQLite from going through all of PRESENT for each range, instead of through the range.
            return and_(condition, (id_ + 0).in_(present))
        return and_(condition, id_.not_in(present)) if self._has_present else condition

    def _expected(self, workbook: sqlite3.Connection) -> Iterator[_Expected]:
        """A chunk after another of the rows that are compared as lines."""
        for first, last in chunks(workbook, self._home.name):
            rows, low, high, lines = self._lines(workbook, first, last)
            if rows:
                others = [id_ for (id_,) in workbook.execute(self._others_sql, (first, last, low, high)).fetchall()]
                yield _Expected(first, last, rows, low, high, others, hashlib.sha256(lines).digest())

    def _lines(self, workbook: sqlite3.Connection, first: int, last: int) -> tuple[int, int, int, bytes]:
        """How many rows of a range of keys are compared as lines, their lowest and highest id, and the lines."""
        workbook.create_function(SHORTEST_NUMBER, 1, shortest_number, deterministic=True)
        rows, low, high, lines = workbook.execute(self._lines_sql, (first, last)).fetchone()
        return rows, low, high, lines + b"\n" if rows else b""

    def _ask_for_lines(self, lines: Lines) -> str:
        source = self._source
        rows = select(source.column("id").label("id"), lines.expected().label("line")).where(self._is_fast())
        fast = rows.order_by(source.key).subquery().c
        return to_sql(select(func.count(), func.min(fast.id), func.max(fast.id), func.group_concat(fast.line, "\n")))

    def _ask_for_others(self) -> str:
        """The ids, in a range of keys and of ids, whose rows are not compared as lines although the target has them."""
        id_, present = self._source.column("id"), PRESENT[self._home.name].c.id
        keys = CAREFUL[self._home.name].c.key
        is_careful = self._source.key.in_(select(keys).where(keys.between(PLACEHOLDER, PLACEHOLDER)))
        careful = select(id_).select_from(self._source.table).where(is_careful, func.typeof(id_) == "integer")
        before = select(present).where(present.between(PLACEHOLDER, PLACEHOLDER), literal(self._scope is Scope.LOADED))
        return to_sql(union(careful, before))

    def _found(self, chunk: _Expected) -> bytes:
        """The lines that the target has in place of a chunk."""
        lines = io.BytesIO()
        rows = sql.SQL(" WHERE id BETWEEN {} AND {} AND id <> ALL({}::bigint[]) AND user_id = {} ORDER BY id").format(
            sql.Literal(chunk.low), sql.Literal(chunk.high), sql.Literal(chunk.others), sql.Literal(self._user_id)
        )
        self._server.copy_expert(self._select + rows + self._as_csv, lines)
        return lines.getvalue()


def _is_equal(expected: Value, found: str | None, kind: object) -> bool:
    if expected is None or found is None:
        return expected is None and found is None
    try:
        if isinstance(kind, DateTime):
            return read_time(found) == expected
        if isinstance(kind, Float):
            return float(found) == expected
        if isinstance(kind, Integer):
            return int(found) == expected
    except ValueError:
        return False
    return found == expected
