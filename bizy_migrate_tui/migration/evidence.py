"""The evidence on clocks: what the times themselves say about the zone they were written in (design, "Time").

bizy 1.0.0 wrote tasks.created_at in UTC, later versions in local time. West of Greenwich the switch shows as a creation
time that lies before that of the task made just before it, by the zone's offset.
"""

import operator
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, LargeBinary, Select, and_, case, cast, exists, func, literal_column, not_, select

from bizy_migrate_tui.migration import clock
from bizy_migrate_tui.migration.rules.values import RawText, as_moment
from bizy_migrate_tui.migration.workbook import PLACEHOLDER, SourceTable, key_ranges, to_sql, unbroken_ids

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Sighting:
    """Rows whose times contradict each other: how many, and the first ids of them."""

    count: int
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Jump:
    """The task `after` was made, by its time, `seconds` before the task `before`, which has the lower id."""

    before: int
    after: int
    seconds: float
    time: datetime


@dataclass(frozen=True, slots=True)
class ClockEvidence:
    """What contradicts what. Nothing here is certain; it is shown where the zone is chosen."""

    backward_jumps: int
    jumps: tuple[Jump, ...]
    completed_before_created: Sighting
    updated_before_created: Sighting
    later_than_snapshot: Sighting
    dangling_dependencies: Sighting

    def utc_until(self, zone: ZoneInfo) -> int | None:
        """The last task whose creation time is UTC already, where one backward jump of about the zone's offset says so."""
        if self.backward_jumps != 1:
            return None
        jump = self.jumps[0]
        offset = -(jump.time.replace(tzinfo=zone).utcoffset() or jump.time - jump.time).total_seconds()
        return jump.before if 0 < jump.seconds <= offset else None


_NONE = Sighting(0, ())
NOT_LOOKED_FOR = ClockEvidence(0, (), _NONE, _NONE, _NONE, _NONE)
"""Where the zone is settled already."""


def gather(
    connection: sqlite3.Connection, tables: Mapping[str, SourceTable], zone: ZoneInfo, taken_at: datetime
) -> ClockEvidence:
    """Read the evidence from the snapshot. `taken_at` is aware; the zone decides what is later than it."""
    jumps = _jumps(connection, tables.get("tasks"))
    return ClockEvidence(
        backward_jumps=jumps[0],
        jumps=jumps[1],
        completed_before_created=_sighting(connection, tables.get("tasks"), "completed_at", "created_at"),
        updated_before_created=_sighting(connection, tables.get("goals"), "updated_at", "created_at"),
        later_than_snapshot=later_than_snapshot(connection, tables.get("tasks"), zone, taken_at),
        dangling_dependencies=_dangling_dependencies(connection, tables.get("tasks")),
    )


def later_than_snapshot(
    connection: sqlite3.Connection, tasks: SourceTable | None, zone: ZoneInfo, taken_at: datetime
) -> Sighting:
    """Tasks made, if the zone is right, after the snapshot was taken."""
    if tasks is None:
        return Sighting(0, ())
    taken = clock.to_local(taken_at.astimezone(UTC).replace(tzinfo=None), zone).isoformat(" ")
    created = tasks.column("created_at")
    return _sighted(connection, tasks, and_(func.typeof(created) == "text", created > taken))


def _sighting(connection: sqlite3.Connection, table: SourceTable | None, earlier: str, later: str) -> Sighting:
    if table is None:
        return Sighting(0, ())
    first, second = table.column(earlier), table.column(later)
    return _sighted(
        connection, table, and_(func.typeof(first) == "text", func.typeof(second) == "text", first != "", first < second)
    )


def _sighted(connection: sqlite3.Connection, table: SourceTable, condition: ColumnElement[bool]) -> Sighting:
    return _counted(connection, select(table.key).select_from(table.table).where(condition), table.key)


def _counted(connection: sqlite3.Connection, found: Select[int], key: ColumnElement[int]) -> Sighting:
    total = connection.execute(to_sql(select(func.count()).select_from(found.subquery()))).fetchone()[0]
    ids = connection.execute(to_sql(found.order_by(key).limit(_SHOWN))).fetchall() if total else []
    return Sighting(total, tuple(row[0] for row in ids))


def _dangling_dependencies(connection: sqlite3.Connection, tasks: SourceTable | None) -> Sighting:
    """Tasks that depend on a task that does not exist."""
    if tasks is None or not {"id", "dependencies"} <= set(tasks.columns):
        return Sighting(0, ())
    documents, in_chunk = tasks.column("dependencies"), tasks.key.between(PLACEHOLDER, PLACEHOLDER)
    joined = to_sql(
        select(func.group_concat(documents, "\n")).select_from(tasks.table).where(in_chunk, documents.not_in(("[]", "null")))
    )
    exact = to_sql(_dangling(tasks))
    exists = _Existing(connection, tasks)
    total, shown = 0, list[int]()
    for first, last in key_ranges(connection, tasks):
        (text,) = connection.execute(joined, (first, last)).fetchone()
        if text and not (_USUAL.fullmatch(text) and exists.all(set(map(int, _NUMBER.findall(text))))):
            found = [row[0] for row in connection.execute(exact, (first, last)).fetchall()]
            total += len(found)
            shown += found[: _SHOWN - len(shown)]
    return Sighting(total, tuple(shown))


_USUAL = re.compile(rb"[\[\], \n0-9]*+")
"""Lists of whole numbers, or what at worst is no JSON and has a finding of its own."""
_NUMBER = re.compile(rb"\d{1,18}")


class _Existing:
    """Knows which tasks exist."""

    def __init__(self, connection: sqlite3.Connection, tasks: SourceTable) -> None:
        self._connection, self._unbroken = connection, unbroken_ids(connection, tasks)
        value = func.json_each(PLACEHOLDER).table_valued("value").c.value
        self._missing = to_sql(select(value).where(value.not_in(select(tasks.table.c.id))).limit(1))

    def all(self, ids: set[int]) -> bool:
        """Whether there is a task for each of the ids."""
        if not ids:
            return True
        if self._unbroken:
            return self._unbroken[0] <= min(ids) and max(ids) <= self._unbroken[1]
        return self._connection.execute(self._missing, (str(sorted(ids)),)).fetchone() is None


def _dangling(tasks: SourceTable) -> Select[int]:
    """The tasks of a chunk that do, in the order of their ids."""
    in_chunk = tasks.key.between(PLACEHOLDER, PLACEHOLDER)
    chunk = select(tasks.table.c.id, tasks.column("dependencies").label("documents")).select_from(tasks.table).where(in_chunk)
    rows = chunk.subquery("chunk")
    documents = rows.c.documents
    # Ones that are no array of integers have a finding of their own.
    readable = case((documents.is_(None), "[]"), (func.is_integer_array(cast(documents, LargeBinary)), documents), else_="[]")
    item = func.json_each(readable).table_valued("value")
    known = tasks.table.alias("known")
    missing = not_(exists(select(literal_column("1")).where(known.c.id == item.c.value)))
    found = select(rows.c.id).select_from(rows, item).where(documents != "[]", documents != "null", missing)
    return found.distinct().order_by(rows.c.id)


def _jumps(connection: sqlite3.Connection, tasks: SourceTable | None) -> tuple[int, tuple[Jump, ...]]:
    """How often a task was made, by its time, before the one with the next lower id; all of them where they are few."""
    if tasks is None:
        return 0, ()
    total, opened = 0, list[Jump]()
    before: tuple[int, bytes] | None = None
    for first, last in key_ranges(connection, tasks):
        created = tasks.column("created_at")
        times_of = select(tasks.key.label("key"), created.label("created")).select_from(tasks.table)
        times_of = times_of.where(tasks.key.between(first, last), func.typeof(created) == "text").order_by(tasks.key)
        joined = to_sql(select(func.group_concat(times_of.subquery().c.created, "\n")))
        times = (connection.execute(joined).fetchone()[0] or b"").split(b"\n")
        found = sum(map(operator.lt, times[1:], times)) + (before is not None and times[0] < before[1])
        if found and total <= _SHOWN:
            rows = [(key, bytes(time)) for key, time in connection.execute(to_sql(times_of)).fetchall()]
            opened += _opened([before, *rows] if before else rows)
        total += found
        before = (last, times[-1])
    return total, tuple(opened[:_SHOWN]) if total <= _SHOWN else ()


def _opened(rows: list[tuple[int, bytes]]) -> Iterator[Jump]:
    for (key_before, time_before), (key, time) in pairwise(rows):
        earlier, later = as_moment(RawText(time_before)), as_moment(RawText(time))
        if time < time_before and earlier and later:
            yield Jump(key_before, key, (earlier.time - later.time).total_seconds(), later.time)
