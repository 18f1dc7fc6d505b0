"""How a row looks as a line of text, written by SQLite from the source and by PostgreSQL from the target.

Both write CSV in C. What the load has changed on the way, PostgreSQL changes back (times), or SQLite writes anew (numbers).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import ColumnElement, DateTime, Float, Integer, and_, case, cast, func, literal_column

from bizy_migrate_tui.migration.comparison.wall_clock import offsets_shown
from bizy_migrate_tui.migration.postgresql.web_schema import METADATA
from bizy_migrate_tui.migration.rules.columns import Column, Form, WebTable
from bizy_migrate_tui.migration.rules.screens import ROW_END
from bizy_migrate_tui.migration.source.reading import Reading
from bizy_migrate_tui.migration.source.workbook import SourceTable

LINE_END: Final = f",{ROW_END}\n".encode()
"""Ends each line on both sides; no row that is compared as a line holds ROW_END."""

SHORTEST_NUMBER: Final = "shortest_number"
"""The name by which the lines call the function of that name."""


def shortest_number(number: float) -> str:
    """A number as PostgreSQL writes it: the shortest text that means it, whole numbers without a point."""
    return repr(float(number)).removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of one table's rows that belong to a user: its id, the user's, and the columns that are compared."""

    home: WebTable
    columns: Sequence[Column]
    source: SourceTable
    reading: Reading
    user_id: int

    def expected(self) -> ColumnElement[str]:
        """A clean row of the source: CSV in which `%Q` quotes text, and says NULL, the very way that PostgreSQL is told to."""
        cells = [self._written(column) for column in self.columns]
        form = ",".join(["%s", "%s", *("%Q" if self._is_text(column.name) else "%s" for column in self.columns), ROW_END])
        return func.printf(form, self.source.column("id"), self.user_id, *cells)

    def found(self, server: Cursor) -> tuple[sql.SQL, sql.Composable]:
        """What stands before and after the choice of rows in the COPY; the long first part is put together once."""
        names = ["id", "user_id", *(column.name for column in self.columns)]
        local = {column.name for column in self.columns if column.form is Form.LOCAL_TIME}
        cells = sql.SQL(", ").join(self._shown(name) if name in local else sql.Identifier(name) for name in names)
        table = sql.Identifier("public", self.home.name)
        chosen = sql.SQL("COPY (SELECT {}, {} FROM {}").format(cells, sql.Literal(ROW_END), table)
        as_csv = sql.SQL(") TO STDOUT (FORMAT csv, NULL 'NULL', QUOTE '''', FORCE_QUOTE ({}))")
        texts = sql.SQL(", ").join(map(sql.Identifier, filter(self._is_text, names)))
        return sql.SQL(chosen.as_string(server)), as_csv.format(texts)

    def _is_text(self, name: str) -> bool:
        return not isinstance(METADATA.tables[self.home.name].c[name].type, (Integer, Float, DateTime))

    def _written(self, column: Column) -> ColumnElement[Any]:
        """A clean cell of the source, to be put into its line."""
        if column.form is Form.MADE:
            return literal_column(f"'{time_text(self.reading.loaded_at)}'" if column.name == "updated_at" else "'NULL'")
        cell = self.source.column(column.name)
        kind = METADATA.tables[self.home.name].c[column.name].type
        if isinstance(kind, Float):
            cell = number_text(cell)
        elif isinstance(kind, DateTime):
            # PostgreSQL writes no zeros at the end of a fraction. (And it moves its own times back to local ones: `_shown`.)
            cell = case((func.substr(cell, 26) == "0", func.rtrim(func.rtrim(cell, "0"), ".")), else_=cell)
        return cell if self._is_text(column.name) else func.coalesce(cell, "NULL")

    def _shown(self, name: str) -> sql.Composable:
        """What the wall clock showed at the instant that the target has; one that it showed twice is not compared as a line."""
        instant = sql.Identifier(name)
        shifts = [
            sql.SQL("WHEN {} >= {} THEN {}").format(instant, sql.Literal(since), sql.Literal(offset))
            for since, offset in offsets_shown(self.reading.zone, *self.reading.years)
        ]
        if name == "created_at" and self.reading.utc_until is not None:
            is_utc = sql.SQL("WHEN id <= {} THEN {}").format(sql.Literal(self.reading.utc_until), sql.Literal(timedelta()))
            shifts.insert(0, is_utc)
        shift = sql.SQL("CASE WHEN {} IS NULL THEN NULL {} END").format(instant, sql.SQL(" ").join(shifts))
        return sql.SQL("{} + {} AS {}").format(instant, shift, instant)


def time_text(time: datetime) -> str:
    """As PostgreSQL writes it, without zeros at the end of a fraction."""
    text = str(time)
    return text.rstrip("0").rstrip(".") if "." in text else text


def number_text(cell: ColumnElement[Any]) -> ColumnElement[Any]:
    """As `shortest_number` writes it, which is not asked for whole numbers and thousandths: their digits are whole numbers.

    SQLite's own text of a number is how the load writes it.
    """
    thousandths = cast(func.round(cell * 1000), Integer)
    is_whole = and_(cell == cast(cell, Integer), func.abs(cell) < 1e6)
    is_thousandths = and_(cell > 0, cell < 1e6, cell == thousandths / literal_column("1000.0"))
    in_digits = func.rtrim(func.printf("%d.%03d", thousandths / literal_column("1000"), thousandths % 1000), "0")
    others = getattr(func, SHORTEST_NUMBER)(cell)
    return case((is_whole, cast(cell, Integer)), (is_thousandths, in_digits), (cell.is_not(None), others), else_=None)
