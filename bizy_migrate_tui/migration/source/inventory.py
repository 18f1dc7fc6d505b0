"""The inventory: one pass over the snapshot that says what is really in it, and which rows need care.

A row is troubled where any of its cells is not fine as it is (`rules.clean`), where its text holds what PostgreSQL or
the load's own separators cannot take, or where its goal does not exist. All other rows go to PostgreSQL without ever
becoming Python objects.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import delete, insert

from bizy_migrate_tui.migration.events import Cancellation, Meter, OnEvent, Phase, PhaseFinished, PhaseStarted, ignore
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES
from bizy_migrate_tui.migration.source import evidence
from bizy_migrate_tui.migration.source.census import Census, Seen, Span
from bizy_migrate_tui.migration.source.evidence import ClockEvidence, Witness
from bizy_migrate_tui.migration.source.snapshot import Snapshot
from bizy_migrate_tui.migration.source.workbook import (
    CHUNKS,
    PLACEHOLDER,
    TROUBLED,
    SourceTable,
    count,
    even_chunks,
    open_workbook,
    source_tables,
    to_sql,
    unbroken_ids,
)

P = ParamSpec("P")
T = TypeVar("T")

_THREADS = 2
"""SQLite works without Python's lock, so two threads keep two processors busy."""


@dataclass(frozen=True, slots=True)
class TableInventory:
    """A table of the source: its rows, its columns, and those of its rows that need care.

    `extra_columns` are those the web interface does not have; `chunks` what the census saw of it, in the order of its keys.
    """

    name: str
    rows: int
    columns: tuple[str, ...]
    extra_columns: tuple[str, ...]
    troubled: int
    has_home: bool
    chunks: tuple[Seen, ...] = ()

    def span(self, column: str) -> Span | None:
        """The earliest and the latest time in a column, as text, of the rows that are fine."""
        spans = [chunk.spans[column] for chunk in self.chunks if column in chunk.spans]
        return Span(min(spans)[0], max(span.latest for span in spans)) if spans else None


@dataclass(frozen=True, slots=True)
class Inventory:
    """What is in the snapshot; the keys of troubled rows are in the workbook."""

    snapshot: Snapshot
    workbook: Path
    tables: Mapping[str, TableInventory]
    evidence: ClockEvidence


def take_inventory(
    snapshot: Snapshot,
    workbook: Path,
    zone: ZoneInfo | None,
    *,
    on_event: OnEvent = ignore,
    cancel: Cancellation | None = None,
) -> Inventory:
    """Look at every row. The zone only decides which times lie after the snapshot; without one, no evidence is looked for."""
    cancel = cancel or Cancellation()
    started = time.perf_counter()
    with closing(open_workbook(workbook, snapshot.path)) as connection, _Crew(workbook, snapshot.path, cancel) as crew:
        tables = source_tables(connection)
        rows = {name: count(connection, table.table) for name, table in tables.items()}
        homes = [home for home in WEB_TABLES if home.name in tables]
        meter = Meter(Phase.INVENTORY, on_event, cancel)
        on_event(PhaseStarted(Phase.INVENTORY, sum(rows[home.name] for home in homes)))
        rows_say = crew.do(evidence.contradictions, tables, zone, snapshot.taken_at) if zone else None
        witness = Witness(connection, tables["tasks"]) if zone and "tasks" in tables else None
        goal_ids = unbroken_ids(connection, tables["goals"]) if "goals" in tables else None
        seen = {
            home.name: _look_at(
                connection,
                crew,
                Census(home, tables, goal_ids, witness if home.name == "tasks" else None),
                rows[home.name],
                meter,
            )
            for home in homes
        }
        found = {name: _describe(connection, table, rows[name], seen.get(name)) for name, table in tables.items()}
        clues = [chunk.clue for chunk in seen.get("tasks", ()) if chunk.clue]
        clocks = evidence.combine(connection, witness, clues, rows_say.result()) if rows_say else evidence.NOT_LOOKED_FOR
        result = Inventory(snapshot, workbook, found, clocks)
    on_event(PhaseFinished(Phase.INVENTORY, time.perf_counter() - started))
    return result


class _Crew:
    """As many threads as there is work for two processors; each has its own connection to the workbook."""

    def __init__(self, workbook: Path, snapshot: Path, cancel: Cancellation) -> None:
        self._files, self._cancel = (workbook, snapshot), cancel
        self._own = threading.local()
        self._stack = ExitStack()

    def __enter__(self) -> "_Crew":
        self._connections = [open_workbook(*self._files) for _ in range(_THREADS)]
        for connection in self._connections:
            self._stack.callback(connection.close)
            self._stack.enter_context(self._cancel.interrupting(connection.interrupt))
        idle = list(self._connections)
        self._pool = ThreadPoolExecutor(_THREADS, initializer=lambda: setattr(self._own, "connection", idle.pop()))
        return self

    def __exit__(self, *_error: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._stack.close()

    def do(self, work: "Callable[Concatenate[sqlite3.Connection, P], T]", *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Have the work done on some thread's connection."""
        return self._pool.submit(lambda: work(self._own.connection, *args, **kwargs))


def _look_at(connection: sqlite3.Connection, crew: _Crew, census: Census, rows: int, meter: Meter) -> list[Seen]:
    """What the census sees of a table, and CHUNKS filled for those who read it later."""
    census.begin(connection)
    looks = [crew.do(census.look, first, last) for first, last in even_chunks(connection, census.source, rows)]
    seen = []
    for look in looks:
        for chunk in look.result():
            seen.append(chunk)
            meter.advance(census.source.name, chunk.rows)
    table = CHUNKS[census.source.name]
    connection.execute(to_sql(delete(table)))
    add = to_sql(insert(table).values(first=PLACEHOLDER, last=PLACEHOLDER))
    connection.executemany(add, [(chunk.first, chunk.last) for chunk in seen])
    return seen


def _describe(connection: sqlite3.Connection, source: SourceTable, rows: int, seen: list[Seen] | None) -> TableInventory:
    if seen is None:
        return TableInventory(source.name, rows, source.columns, (), 0, has_home=False)
    home = next(home for home in WEB_TABLES if home.name == source.name)
    known = {"id", *(column.name for column in home.columns if column.is_clean is not None)}
    return TableInventory(
        name=source.name,
        rows=rows,
        columns=source.columns,
        extra_columns=tuple(column for column in source.columns if column not in known),
        troubled=count(connection, TROUBLED[source.name]),
        has_home=True,
        chunks=tuple(seen),
    )
