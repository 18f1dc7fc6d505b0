"""Rows counted by month and by status, on both sides, so that a person sees that it is the same data."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import ColumnElement, and_, case, func, not_, select

from bizy_migrate_tui.migration.ledger.ledger import Run
from bizy_migrate_tui.migration.ledger.web_changes import MOVED, PLAUSIBLE, values_of
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, WebTable
from bizy_migrate_tui.migration.source.clock_sql import is_usual, utc_of
from bizy_migrate_tui.migration.source.reading import Reading
from bizy_migrate_tui.migration.source.workbook import LEFT_OUT, PRESENT, SourceTable, to_sql

OTHER: Final = "other"
"""Times that are not written as usual; the run has put them right."""

_TARGET: Final = {
    "status": sql.SQL("SELECT status::text, count(*) FROM {rows} WHERE {own} GROUP BY 1"),
    "month": sql.SQL("SELECT to_char(created_at, 'YYYY-MM'), count(*) FROM {rows} WHERE {own} GROUP BY 1"),
}
_OWN: Final = sql.SQL("id::bigint <@ %(own)s::int8multirange AND user_id = %(user)s AND NOT ({moved} AND {plausible})")
"""Rows as the run left them; those that the web changed since are left out on both sides."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Rows of one table under each label, as (label, source, target): `by` is "month" (of creation, in UTC) or "status"."""

    table: str
    by: str
    counts: tuple[tuple[str, int, int], ...]


def profiles(
    workbook: sqlite3.Connection, tables: Mapping[str, SourceTable], reading: Reading, rows: Cursor, run: Run
) -> tuple[Profile, ...]:
    """The rows of a run on both sides, which count side by side; PRESENT has to hold the source's ids that are not expected."""
    labels = [
        (tables[home.name], by, label)
        for home in WEB_TABLES
        if home.name in tables
        for by, label in (("month", _month(tables[home.name], home, reading)), ("status", tables[home.name].column("status")))
    ]
    with ThreadPoolExecutor(1) as side:
        before = side.map(lambda one: _of_source(workbook, one[0], one[2]), labels)
        after = [_of_target(rows, source.name, by, run) for source, by, _label in labels]
    return tuple(
        Profile(source.name, by, _both(expected, found))
        for (source, by, _label), expected, found in zip(labels, before, after, strict=True)
    )


def _month(source: SourceTable, home: WebTable, reading: Reading) -> ColumnElement[Any]:
    return case((is_usual(source.column("created_at")), func.substr(utc_of(source, home, reading), 1, 7)), else_=OTHER)


def _of_source(workbook: sqlite3.Connection, source: SourceTable, label: ColumnElement[Any]) -> dict[str, int]:
    is_unexpected = source.column("id").in_(select(PRESENT[source.name].c.id))
    expected = and_(not_(is_unexpected), source.key.not_in(select(LEFT_OUT[source.name].c.key)))
    counted = select(label, func.count()).select_from(source.table).where(expected).group_by(label)
    return _by_text(workbook.execute(to_sql(counted)).fetchall())


def _of_target(rows: Cursor, table: str, by: str, run: Run) -> dict[str, int]:
    own = _OWN.format(moved=MOVED.format(table=sql.Literal(table)), plausible=PLAUSIBLE)
    rows.execute(_TARGET[by].format(rows=sql.Identifier("public", table), own=own), values_of(run, table))
    return _by_text(rows.fetchall())


def _by_text(counts: Iterable[tuple[object, int]]) -> dict[str, int]:
    """Different labels may be told by the same word."""
    found: Counter[str] = Counter()
    for label, rows in counts:
        found[_text(label)] += rows
    return found


def _both(source: Mapping[str, int], target: Mapping[str, int]) -> tuple[tuple[str, int, int], ...]:
    return tuple((label, source.get(label, 0), target.get(label, 0)) for label in sorted(source.keys() | target.keys()))


def _text(label: object) -> str:
    if label is None:
        return OTHER
    return label if isinstance(label, str) else bytes(label).decode(errors="replace") if isinstance(label, bytes) else str(label)
