"""Compares the target with the source, cell by cell, by a path of its own (not the loader's reading or converting).

Chunks of rows that need no care are written out by both databases in the same form (quoted CSV, in C on both sides) and
compared as bytes. Where a chunk differs, its rows are compared; where a row differs, its cells are, as typed values.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import ColumnElement, DateTime, Float, Integer, and_, case, cast, func, literal_column, select
from sqlalchemy import Text as SqlText

from bizy_migrate_tui.migration.findings import Difference
from bizy_migrate_tui.migration.reading import CarefulReader, CarefulRow, Reading
from bizy_migrate_tui.migration.rules.columns import Column, Form, WebTable
from bizy_migrate_tui.migration.rules.repairs import Value
from bizy_migrate_tui.migration.rules.values import Raw
from bizy_migrate_tui.migration.wall_clock import HourTable, instant_of, read_time
from bizy_migrate_tui.migration.web_schema import METADATA
from bizy_migrate_tui.migration.workbook import CAREFUL, PLACEHOLDER, PRESENT, SourceTable, key_ranges, open_again, to_sql

_LINE_END = b"\x1e"
"""Stands between lines; no row that is compared as a line holds it (`census`)."""

_ROWS_OPENED = 1000
"""So many differing rows are opened to their cells; of the others only the row is named."""


class Scope(Enum):
    """Which rows are compared: those the plan loads, or those that PRESENT lists (in the target before)."""

    LOADED = "loaded"
    PRESENT = "present"


class _Lines:
    """A file that keeps each line COPY writes as an item; `write` is the list's own, so that no Python runs per row."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.write = self.lines.append


@dataclass(frozen=True, slots=True)
class Side:
    """The source's side of a comparison."""

    workbook: sqlite3.Connection
    tables: Mapping[str, SourceTable]
    reading: Reading


class Comparison:
    """Compares the rows of one table that belong to one user.

    `made` says whether the columns that the load itself fills (tasks.updated_at) are compared too.
    """

    def __init__(self, side: Side, server: Cursor, home: WebTable, user_id: int, *, scope: Scope, made: bool = True) -> None:
        self._side, self._server, self._home, self._user_id, self._scope = side, server, home, user_id, scope
        self._source = side.tables[home.name]
        self._columns = [column for column in home.columns if made or column.form is not Form.MADE]
        self._reader = CarefulReader(side.workbook, side.tables, side.reading)
        self._opened = 0
        ids = PRESENT[home.name].c.id
        self._present_sql = to_sql(select(ids).where(ids == PLACEHOLDER))
        _give_functions(side.workbook, side.reading)

    def differences(self, advance: Callable[[int], None] = lambda _rows: None) -> Iterator[Difference]:
        """Each cell that differs, in key order; `advance` is told of the rows of the source gone through."""
        self._has_present = self._side.workbook.execute(to_sql(select(PRESENT[self._home.name].c.id).limit(1))).fetchone()
        if self._scope is Scope.PRESENT and not self._has_present:
            return
        self._lines_sql = self._ask_for_lines()
        ranges = list(key_ranges(self._side.workbook, self._source))
        with closing(open_again(self._side.workbook)) as other, ThreadPoolExecutor(1) as ahead:
            _give_functions(other, self._side.reading)
            following = ahead.submit(self._expected, other, *ranges[0]) if ranges else None
            for number in range(len(ranges)):
                assert following is not None  # noqa: S101 (there is one for every range)
                low, high, expected = following.result()
                if number + 1 < len(ranges):
                    following = ahead.submit(self._expected, other, *ranges[number + 1])
                if expected:
                    yield from self._compare_lines(expected, self._found(low, high))
                advance(len(expected))
        yield from self._compare_careful()

    def differences_of(self, ids: Iterable[int]) -> Iterator[Difference]:
        """Each cell that differs in the first rows with these ids."""
        for id_ in sorted(ids):
            yield from self._compare_rows([self._reader.row_with_id(self._home, id_)])

    def _compare_lines(self, expected: list[bytes], found: list[bytes]) -> Iterator[Difference]:
        """Compare the lines of a chunk; those of rows that are none of it, or are compared with care, may lie between."""
        if expected == found:
            return
        lines = {line[: line.index(b",")]: line for line in found}
        for line in expected:
            id_ = line[: line.index(b",")]
            if lines.get(id_) != line:
                yield from self._open(self._reader.row_with_id(self._home, int(id_)))

    def _compare_careful(self) -> Iterator[Difference]:
        batch: list[CarefulRow] = []
        for row in self._reader.rows(self._home):
            if row.left_out is None and self._is_in_scope(row):
                batch.append(row)
            if len(batch) == 1000:
                yield from self._compare_rows(batch)
                batch = []
        yield from self._compare_rows(batch)

    def _is_in_scope(self, row: CarefulRow) -> bool:
        if not self._has_present:
            return self._scope is Scope.LOADED
        is_present = self._side.workbook.execute(self._present_sql, (row.id,)).fetchone()
        return (is_present is not None) == (self._scope is Scope.PRESENT)

    def _open(self, row: CarefulRow) -> Iterator[Difference]:
        self._opened += 1
        if self._opened > _ROWS_OPENED:
            yield Difference(self._home.name, row.source_key, "(row)", "as in the source", "differs")
        else:
            yield from self._compare_rows([row])

    def _compare_rows(self, rows: Sequence[CarefulRow]) -> Iterator[Difference]:
        if not rows:
            return
        names = ["id", "user_id", *(column.name for column in self._columns)]
        texts = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
        statement = sql.SQL("SELECT {} FROM {} WHERE id = ANY(%s)").format(texts, sql.Identifier("public", self._home.name))
        self._server.execute(statement, ([row.id for row in rows],))
        found = {int(line[0]): dict(zip(names, line, strict=True)) for line in self._server.fetchall()}
        for row in rows:
            yield from self._compare_cells(row, found.get(row.id or 0))

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

    def _convert(self, column: Column, row: CarefulRow) -> Value:
        """The proof's own reading of a cell that is not adjusted."""
        raw: Raw = row.cells.get(column.name)
        if not isinstance(raw, bytes):
            return raw
        text = raw.decode()
        if not isinstance(METADATA.tables[self._home.name].c[column.name].type, DateTime):
            return text
        reading = self._side.reading
        in_utc = column.name == "created_at" and reading.utc_until is not None and (row.id or 0) <= reading.utc_until
        is_local = column.form is Form.LOCAL_TIME and not in_utc
        return instant_of(read_time(text), reading.zone) if is_local else read_time(text)

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

    def _expected(self, workbook: sqlite3.Connection, first: int, last: int) -> tuple[int, int, list[bytes]]:
        """Of the rows of a range that are compared as lines: the lowest and the highest id, and their lines."""
        low, high, lines = workbook.execute(self._lines_sql, (first, last)).fetchone()
        return low, high, lines.split(_LINE_END) if lines else []

    def _ask_for_lines(self) -> str:
        source = self._source
        rows = select(source.column("id").label("id"), self._line().label("line")).where(self._is_fast())
        fast = rows.order_by(source.key).subquery().c
        return to_sql(select(func.min(fast.id), func.max(fast.id), func.group_concat(fast.line, _LINE_END.decode())))

    def _line(self) -> ColumnElement[str]:
        cells = [self._source.column("id"), literal_column(str(self._user_id))]
        cells += [self._written(column) for column in self._columns]
        line: ColumnElement[str] = cells[0]
        for cell in cells[1:]:
            line = line.op("||")(",").op("||")(func.coalesce(cell, "NULL"))
        return line.op("||")("\n")

    def _written(self, column: Column) -> ColumnElement[Any]:
        """A clean cell of the source as PostgreSQL will write it."""
        if column.form is Form.MADE:
            return literal_column(f"'{_trimmed(str(self._side.reading.loaded_at))}'" if column.name == "updated_at" else "NULL")
        cell = self._source.column(column.name)
        kind = METADATA.tables[self._home.name].c[column.name].type
        if isinstance(kind, Integer):
            return cell
        if isinstance(kind, Float):
            whole = and_(cell == cast(cell, Integer), func.abs(cell) < 1e15)
            return case((whole, cast(cast(cell, Integer), SqlText)), else_=func.shortest_number(cell))
        if not isinstance(kind, DateTime):
            return func.quote(cell)
        trimmed = case((func.length(cell) == 26, func.rtrim(func.rtrim(cell, "0"), ".")), else_=cell)
        if column.form is not Form.LOCAL_TIME:
            return trimmed
        moved = func.wall_to_utc(trimmed)
        if column.name == "created_at" and self._side.reading.utc_until is not None:
            return case((self._source.column("id") <= self._side.reading.utc_until, trimmed), else_=moved)
        return moved

    def _found(self, low: int, high: int) -> list[bytes]:
        names = ["id", "user_id", *(column.name for column in self._columns)]
        kinds = METADATA.tables[self._home.name].c
        texts = [name for name in names if not isinstance(kinds[name].type, (Integer, Float, DateTime))]
        statement = sql.SQL(
            "COPY (SELECT {} FROM {} WHERE id BETWEEN {} AND {} ORDER BY id)"
            " TO STDOUT (FORMAT csv, NULL 'NULL', QUOTE '''', FORCE_QUOTE ({}))"
        ).format(
            sql.SQL(", ").join(map(sql.Identifier, names)),
            sql.Identifier("public", self._home.name),
            sql.Literal(low),
            sql.Literal(high),
            sql.SQL(", ").join(map(sql.Identifier, texts)),
        )
        lines = _Lines()
        self._server.copy_expert(statement, lines)
        return lines.lines


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shortest_number(number: float | None) -> str | None:
    return None if number is None else repr(float(number)).removesuffix(".0")


def _give_functions(workbook: sqlite3.Connection, reading: Reading) -> None:
    workbook.create_function("wall_to_utc", 1, HourTable(reading.zone).utc_text, deterministic=True)
    workbook.create_function("shortest_number", 1, _shortest_number, deterministic=True)


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
