"""Moves local times to UTC in SQLite's own SQL, so that no Python is called for a row."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, literal

from bizy_migrate_tui.migration import clock
from bizy_migrate_tui.migration.rules.columns import Form, WebTable
from bizy_migrate_tui.migration.source.reading import Reading
from bizy_migrate_tui.migration.source.workbook import SourceTable

_USUAL: Final = "[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9] [0-2][0-9]:[0-5][0-9]:*"


def in_utc(local: ColumnElement[Any], reading: Reading) -> ColumnElement[Any]:
    """UTC of a time "YYYY-MM-DD HH:MM:SS", with a fraction or none, of the years that the reading knows the clock of."""
    offset = _offset(local, clock.offsets(reading.zone, *reading.years))
    return func.datetime(func.substr(local, 1, 19), offset).op("||")(func.substr(local, 20))


def _offset(local: ColumnElement[Any], offsets: Sequence[tuple[str, int]]) -> ColumnElement[Any]:
    """What has to be added to a local time; halves the list of offsets again and again."""
    if len(offsets) == 1:
        return literal(f"{offsets[0][1]:+d} seconds")
    middle = len(offsets) // 2
    is_earlier = local < literal(offsets[middle][0])
    return case((is_earlier, _offset(local, offsets[:middle])), else_=_offset(local, offsets[middle:]))


def utc_of(source: SourceTable, home: WebTable, reading: Reading) -> ColumnElement[Any]:
    """created_at as the target has it."""
    created = source.column("created_at")
    if not any(column.name == "created_at" and column.form is Form.LOCAL_TIME for column in home.columns):
        return created
    moved = in_utc(created, reading)
    if reading.utc_until is None:
        return moved
    return case((source.column("id") <= reading.utc_until, created), else_=moved)


def is_usual(time: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a time is written as bizy writes it."""
    return func.substr(time, 1, 19).op("GLOB")(_USUAL)
