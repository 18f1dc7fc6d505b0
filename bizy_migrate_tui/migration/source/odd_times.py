"""Finds the rows whose times need care: those in hours that the zone's clock doubles or skips, which are to be listed.

So do times beyond the years that the reading looks into: working out the hours of a year takes longer than reading the few
rows beyond one by one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, func, not_, or_, select

from bizy_migrate_tui.migration import clock
from bizy_migrate_tui.migration.rules.columns import Form, WebTable
from bizy_migrate_tui.migration.source.census import Seen, Span
from bizy_migrate_tui.migration.source.inventory import TableInventory
from bizy_migrate_tui.migration.source.reading import Reading
from bizy_migrate_tui.migration.source.workbook import SourceTable


class _Suspicion(NamedTuple):
    """A column, the odd hours within its span, and whether the span leaves the years that are looked into."""

    column: str
    hours: tuple[str, ...]
    leaves: bool


def rows_with_odd_times(source: SourceTable, table: TableInventory, home: WebTable, reading: Reading) -> Iterator[Select[int]]:
    """Their keys, as few questions as will do: chunks of the same suspicions are asked together."""
    local = [column.name for column in home.columns if column.form is Form.LOCAL_TIME]
    spans = [span for name in local if (span := table.span(name))]
    hours = _hours(reading, spans)
    if not spans or (not hours and clock.never_changes(reading.zone)):
        return
    first, last = reading.years
    low, high = f"{first:04}-", f"{last:04}-~"  # texts that look like no number, which SQLite would compare as one

    def suspicions(chunk: Seen) -> tuple[_Suspicion, ...]:
        found = (
            _Suspicion(name, _within(hours, span), span.earliest < low or span.latest > high)
            for name, span in chunk.spans.items()
            if name in local
        )
        return tuple(one for one in found if one.hours or one.leaves)

    for why, chunks in groupby(table.chunks, suspicions):
        if why:
            first_key, *_, last_key = [key for chunk in chunks for key in (chunk.first, chunk.last)]
            odd = or_(*(is_odd for one in why for is_odd in _are_odd(source, one, low, high)))
            yield select(source.key).select_from(source.table).where(source.key.between(first_key, last_key), odd)


def _hours(reading: Reading, spans: list[Span]) -> tuple[str, ...]:
    """The odd hours of those years that are looked into and that any time is of."""
    first, last = reading.years
    years = [int(time[:4]) for span in spans for time in span]
    first, last = max(first, min(years, default=last)), min(last, max(years, default=first))
    return clock.odd_hours(reading.zone, first, last) if first <= last else ()


def _within(hours: tuple[str, ...], span: Span) -> tuple[str, ...]:
    return hours[bisect_left(hours, span.earliest[:13]) : bisect_right(hours, span.latest[:13])]


def _are_odd(source: SourceTable, one: _Suspicion, low: str, high: str) -> Iterator[ColumnElement[bool]]:
    time = source.column(one.column)
    if one.hours:
        yield func.substr(time, 1, 13).in_(one.hours)
    if one.leaves:
        yield not_(time.between(low, high))
