"""The proof's own way of writing a number is PostgreSQL's, whichever of its branches writes it."""

import sqlite3

from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, column, select, table

from bizy_migrate_tui.migration.comparison.lines import SHORTEST_NUMBER, number_text, shortest_number
from bizy_migrate_tui.migration.source.workbook import to_sql

_THOUSANDTHS = st.integers(-(10**10), 10**10).map(lambda number: number / 1000)


@given(st.floats(allow_nan=False, allow_infinity=False) | _THOUSANDTHS | st.integers(-(10**9), 10**9).map(float))
@example(0.1)
@example(999999.999)
@example(1000000.001)
@example(0.001)
@example(2.0000000000000004)
@example(0.30000000000000004)
def test_sqlite_writes_a_number_as_its_shortest_text(number: float) -> None:
    found = _written(number)
    assert str(found) == shortest_number(number) or (number == 0 and found == 0)


def test_it_writes_nothing_for_null() -> None:
    assert _written(None) is None


def _written(number: float | None) -> object:
    connection = sqlite3.connect(":memory:")
    connection.create_function(SHORTEST_NUMBER, 1, shortest_number)
    connection.execute("CREATE TABLE numbers (number REAL)")
    connection.execute("INSERT INTO numbers VALUES (?)", (number,))
    cell: ColumnElement[float] = column("number")
    (found,) = connection.execute(to_sql(select(number_text(cell)).select_from(table("numbers")))).fetchone()
    connection.close()
    return found
