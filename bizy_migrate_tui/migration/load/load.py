"""Loads goals and tasks with COPY: clean rows as text that SQLite itself writes, careful rows one by one.

Cells end with FIELD_END and NULL is NULL_MARK; neither occurs in a clean row (`rules.screens`), so that whole chunks can be
escaped at once instead of cell by cell.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import ColumnElement, and_, case, func, literal_column, not_, select

from bizy_migrate_tui.migration.load.ahead import ahead
from bizy_migrate_tui.migration.load.batches import in_batches
from bizy_migrate_tui.migration.load.copy_stream import CopyStream
from bizy_migrate_tui.migration.rules.columns import Column, Form, WebTable
from bizy_migrate_tui.migration.rules.repairs import Value
from bizy_migrate_tui.migration.rules.screens import FIELD_END, NULL_MARK, ROW_END
from bizy_migrate_tui.migration.source.clock_sql import in_utc
from bizy_migrate_tui.migration.source.reading import CarefulReader, CarefulRow, Reading
from bizy_migrate_tui.migration.source.workbook import CAREFUL, PLACEHOLDER, PRESENT, SourceTable, chunks, to_sql

_COPY = "COPY {} ({}) FROM STDIN (FORMAT text, DELIMITER E'\\x1f', NULL E'\\x1d', ENCODING 'UTF8')"
_ESCAPES = ((b"\\", b"\\\\"), (b"\n", b"\\n"), (b"\r", b"\\r"))
_CELL_ESCAPES = (*_ESCAPES, (b"\x1d", b"\\x1d"), (b"\x1e", b"\\x1e"), (b"\x1f", b"\\x1f"))


@dataclass(slots=True)
class Loaded:
    """What went in: rows, and their ids as inclusive ranges in the order of loading."""

    rows: int = 0
    ranges: list[tuple[int, int]] = field(default_factory=list)

    def add(self, first: int, last: int) -> None:
        """Note the ids first to last, none missing."""
        if self.ranges and self.ranges[-1][1] + 1 == first:
            self.ranges[-1] = (self.ranges[-1][0], last)
        else:
            self.ranges.append((first, last))


class Loader:
    """Loads one web table for one user."""

    def __init__(
        self, workbook: sqlite3.Connection, tables: Mapping[str, SourceTable], reading: Reading, home: WebTable, user_id: int
    ) -> None:
        self._workbook, self._home, self._user_id, self._reading = workbook, home, user_id, reading
        self._source = tables[home.name]
        self._reader = CarefulReader(workbook, tables, reading)
        workbook.create_function("number_text", 1, repr, deterministic=True)
        self._lines_sql, self._ids_sql = self._statements()
        ids = PRESENT[home.name].c.id
        self._present_sql = to_sql(select(ids).where(ids == PLACEHOLDER))

    def load(self, server: Cursor, advance: Callable[[int], None]) -> Loaded:
        """COPY every row that the plan inserts; `advance` is told of each chunk's rows as it is sent."""
        loaded = Loaded()
        statement = sql.SQL(_COPY).format(
            sql.Identifier("public", self._home.name), sql.SQL(", ").join(map(sql.Identifier, self._home.names))
        )
        # SQLite and PostgreSQL work side by side. Even after an error no thread may outlive the workbook.
        with ahead(self._clean_chunks(loaded)) as joined:
            lines = chain(map(self._finished, joined), self._careful_chunks(loaded))
            server.copy_expert(statement, CopyStream(lines, advance))
        return loaded

    def _clean_chunks(self, loaded: Loaded) -> Iterator[tuple[int, bytes]]:
        for first, last in chunks(self._workbook, self._home.name):
            rows, low, high, text = self._workbook.execute(self._lines_sql, (first, last)).fetchone()
            if not rows:
                continue
            loaded.rows += rows
            if high - low + 1 == rows:
                loaded.add(low, high)
            else:
                for (found,) in self._workbook.execute(self._ids_sql, (first, last)).fetchall():
                    loaded.add(found, found)
            yield rows, text

    def _finished(self, chunk: tuple[int, bytes]) -> tuple[int, bytes]:
        """The lines of clean rows, as SQLite joined them, in the form that COPY reads."""
        rows, joined = chunk
        return rows, _escaped(joined, _ESCAPES).replace(ROW_END.encode(), b"\n") + b"\n"

    def _careful_chunks(self, loaded: Loaded) -> Iterator[tuple[int, bytes]]:
        for batch in in_batches(self._careful_lines(loaded), len):
            yield len(batch), b"".join(batch)

    def _careful_lines(self, loaded: Loaded) -> Iterator[bytes]:
        for row in self._reader.rows(self._home):
            if row.left_out is None and row.id is not None and not self._is_present(row.id):
                loaded.rows += 1
                loaded.add(row.id, row.id)
                yield self._careful_line(row)

    def _statements(self) -> tuple[str, str]:
        """Of the clean rows of a chunk: how many, their lowest and highest id and their lines; and their ids one by one."""
        source = self._source
        id_ = source.column("id")
        is_loaded = and_(
            source.key.between(PLACEHOLDER, PLACEHOLDER),
            source.key.not_in(select(CAREFUL[self._home.name].c.key)),
            id_.not_in(select(PRESENT[self._home.name].c.id)),
        )
        rows = select(id_.label("id"), self._line().label("line")).where(is_loaded).order_by(source.key).subquery().c
        lines = select(func.count(), func.min(rows.id), func.max(rows.id), func.group_concat(rows.line, ROW_END))
        return to_sql(lines), to_sql(select(id_).where(is_loaded).order_by(source.key))

    def _line(self) -> ColumnElement[str]:
        cells = [func.coalesce(self._cell(column), NULL_MARK) for column in self._home.columns]
        form = FIELD_END.join(["%s"] * (2 + len(cells)))
        return func.printf(form, self._source.column("id"), self._user_id, *cells)

    def _cell(self, column: Column) -> ColumnElement[Any]:
        if column.form is Form.MADE:
            return literal_column(f"'{self._reading.loaded_at}'" if column.name == "updated_at" else "NULL")
        cell = self._source.column(column.name)
        if column.form is Form.REAL:
            # SQLite writes 15 digits, which is exact for thousandths; other fractions go the way round through Python.
            is_exact = and_(func.round(cell * 1000) / 1000 == cell, func.abs(cell) < 1e6)
            return case((not_(is_exact), func.number_text(cell)), else_=cell)
        if column.form is not Form.LOCAL_TIME:
            return cell
        moved = in_utc(cell, self._reading)
        if column.name == "created_at" and self._reading.utc_until is not None:
            return case((self._source.column("id") <= self._reading.utc_until, cell), else_=moved)
        return moved

    def _careful_line(self, row: CarefulRow) -> bytes:
        cells: tuple[Value, ...] = (row.id, self._user_id, *row.values)
        return b"\x1f".join(map(_cell_text, cells)) + b"\n"

    def _is_present(self, id_: int) -> bool:
        return self._workbook.execute(self._present_sql, (id_,)).fetchone() is not None


def _cell_text(value: Value) -> bytes:
    if value is None:
        return NULL_MARK.encode()
    if isinstance(value, str):
        return _escaped(value.encode(), _CELL_ESCAPES)
    return (value.isoformat(" ") if isinstance(value, datetime) else repr(value)).encode()


def _escaped(text: bytes, escapes: tuple[tuple[bytes, bytes], ...]) -> bytes:
    for character, escape in escapes:
        text = text.replace(character, escape)
    return text
