"""Moves local times to UTC in SQLite's own SQL, so that no Python is called for a row."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal

from bizy_migrate_tui.migration import clock
from bizy_migrate_tui.migration.reading import Reading


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
