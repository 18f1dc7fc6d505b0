"""The evidence on clocks: what the times themselves say about the zone they were written in (design, "Time").

bizy 1.0.0 wrote tasks.created_at in UTC, later versions in local time. West of Greenwich the switch shows as a creation
time that lies before that of the task made just before it, by the zone's offset.
"""

import operator
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, LargeBinary, Select, and_, case, cast, exists, func, literal_column, not_, select

from bizy_migrate_tui.migration import clock
from bizy_migrate_tui.migration.findings import IDS_SHOWN
from bizy_migrate_tui.migration.rules.screens import ROW_END
from bizy_migrate_tui.migration.rules.values import RawText, as_moment
from bizy_migrate_tui.migration.source.workbook import PLACEHOLDER, SourceTable, to_sql, unbroken_ids

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Sighting:
    """Rows that stand out: how many, and the first ids of them."""

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


@dataclass(frozen=True, slots=True)
class Contradictions:
    """What single rows say against their own times."""

    completed_before_created: Sighting
    updated_before_created: Sighting
    later_than_snapshot: Sighting


def contradictions(
    connection: sqlite3.Connection, tables: Mapping[str, SourceTable], zone: ZoneInfo, taken_at: datetime
) -> Contradictions:
    """Read them from the snapshot. `taken_at` is aware; the zone decides what is later than it."""
    return Contradictions(
        completed_before_created=_sighting(connection, tables.get("tasks"), "completed_at", "created_at"),
        updated_before_created=_sighting(connection, tables.get("goals"), "updated_at", "created_at"),
        later_than_snapshot=later_than_snapshot(connection, tables.get("tasks"), zone, taken_at),
    )


def combine(
    connection: sqlite3.Connection, witness: "Witness | None", clues: Sequence["Clue"], rows: Contradictions
) -> ClockEvidence:
    """The evidence of all chunks of tasks, in the order of their keys, and of single rows."""
    dangling = [id_ for clue in clues for id_ in clue.dangling.ids]
    total, jumps = witness.jumps(connection, clues) if witness else (0, ())
    return ClockEvidence(
        backward_jumps=total,
        jumps=jumps,
        completed_before_created=rows.completed_before_created,
        updated_before_created=rows.updated_before_created,
        later_than_snapshot=rows.later_than_snapshot,
        dangling_dependencies=Sighting(sum(clue.dangling.count for clue in clues), tuple(dangling[:IDS_SHOWN])),
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


@dataclass(frozen=True, slots=True)
class Clue:
    """What a chunk of tasks says: its keys, its first and its last creation time (as text), how often a time in it lies
    before the one above it, and the tasks that depend on one that does not exist.
    """

    first: int
    last: int
    first_time: bytes | None
    last_time: bytes | None
    jumps: int
    dangling: Sighting


class Witness:
    """Makes clues of chunks of tasks, from any thread."""

    def __init__(self, connection: sqlite3.Connection, tasks: SourceTable) -> None:
        self._existing = _Existing(connection, tasks)
        created, in_chunk = tasks.column("created_at"), tasks.key.between(PLACEHOLDER, PLACEHOLDER)
        times = select(tasks.key.label("key"), created.label("created")).select_from(tasks.table)
        times = times.where(in_chunk, func.typeof(created) == "text").order_by(tasks.key)
        self._times = to_sql(times)
        self._joined = to_sql(select(func.group_concat(times.subquery().c.created, ROW_END)))
        self._dangling = to_sql(_dangling(tasks)) if {"id", "dependencies"} <= set(tasks.columns) else None

    def look(
        self, connection: sqlite3.Connection, first: int, last: int, times: bytes | None, dependencies: bytes | None
    ) -> Clue:
        """The clue of a chunk whose times and dependencies are all fine: here they are, joined by ROW_END."""
        dangling = _NONE
        if dependencies is not None and not self._all_exist(connection, dependencies):
            dangling = self._find_dangling(connection, first, last)
        return _clue(first, last, times, dangling)

    def look_closer(self, connection: sqlite3.Connection, first: int, last: int) -> Clue:
        """The clue of any chunk."""
        times = connection.execute(self._joined, (first, last)).fetchone()[0]
        return _clue(first, last, times, self._find_dangling(connection, first, last))

    def jumps(self, connection: sqlite3.Connection, clues: Sequence[Clue]) -> tuple[int, tuple[Jump, ...]]:
        """How often a task was made, by its time, before the one with the next lower id; all of them where they are few."""
        given = [clue for clue in clues if clue.first_time is not None and clue.last_time is not None]
        between = [pair for pair in pairwise(given) if (pair[1].first_time or b"") < (pair[0].last_time or b"")]
        total = sum(clue.jumps for clue in given) + len(between)
        if total > _SHOWN:
            return total, ()
        ranges = [(clue.first, clue.last) for clue in given if clue.jumps] + [(one.last, other.first) for one, other in between]
        opened = [jump for first, last in sorted(ranges) for jump in self._open(connection, first, last)]
        return total, tuple(opened)

    def _open(self, connection: sqlite3.Connection, first: int, last: int) -> Iterator[Jump]:
        rows = [(key, bytes(time)) for key, time in connection.execute(self._times, (first, last)).fetchall()]
        for (key_before, time_before), (key, time) in pairwise(rows):
            earlier, later = as_moment(RawText(time_before)), as_moment(RawText(time))
            if time < time_before and earlier and later:
                yield Jump(key_before, key, (earlier.time - later.time).total_seconds(), later.time)

    def _all_exist(self, connection: sqlite3.Connection, dependencies: bytes) -> bool:
        if b"-" in dependencies:
            return False
        return self._existing.all(connection, set(map(int, _NUMBER.findall(dependencies))))

    def _find_dangling(self, connection: sqlite3.Connection, first: int, last: int) -> Sighting:
        if self._dangling is None:
            return _NONE
        found = [row[0] for row in connection.execute(self._dangling, (first, last)).fetchall()]
        return Sighting(len(found), tuple(found[:IDS_SHOWN]))


_NUMBER = re.compile(rb"\d{1,18}")


def _clue(first: int, last: int, joined: bytes | None, dangling: Sighting) -> Clue:
    if joined is None:
        return Clue(first, last, None, None, 0, dangling)
    times = joined.split(ROW_END.encode())
    return Clue(first, last, times[0], times[-1], sum(map(operator.lt, times[1:], times)), dangling)


class _Existing:
    """Knows which tasks exist."""

    def __init__(self, connection: sqlite3.Connection, tasks: SourceTable) -> None:
        self._unbroken = unbroken_ids(connection, tasks)
        value = func.json_each(PLACEHOLDER).table_valued("value").c.value
        self._missing = to_sql(select(value).where(value.not_in(select(tasks.column("id")).select_from(tasks.table))).limit(1))

    def all(self, connection: sqlite3.Connection, ids: set[int]) -> bool:
        """Whether there is a task for each of the ids."""
        if not ids:
            return True
        if self._unbroken:
            return self._unbroken[0] <= min(ids) and max(ids) <= self._unbroken[1]
        return connection.execute(self._missing, (str(sorted(ids)),)).fetchone() is None


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
