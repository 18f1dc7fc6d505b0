"""Makes the plan: reads every row that needs care, looks at what the target has already, and counts."""

import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field

from psycopg2.extensions import connection as PgConnection
from sqlalchemy import CompoundSelect, Select, delete, func, insert, select, union

from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase, PhaseFinished, PhaseStarted, ignore
from bizy_migrate_tui.migration.findings import IDS_SHOWN, Choice, Finding, Severity
from bizy_migrate_tui.migration.load.preserved_load import count_new
from bizy_migrate_tui.migration.plan.circles import find_circles
from bizy_migrate_tui.migration.plan.plan import Choices, Plan, PlannedUser, TablePlan
from bizy_migrate_tui.migration.plan.standing import find_gone, find_standing
from bizy_migrate_tui.migration.postgresql import accounts, schema
from bizy_migrate_tui.migration.postgresql.target import Target, TargetState, connect, refuse_unusable, survey
from bizy_migrate_tui.migration.rules.catalogue import DELETED, KINDS, Kind
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, WebTable
from bizy_migrate_tui.migration.source.evidence import Sighting
from bizy_migrate_tui.migration.source.inventory import Inventory
from bizy_migrate_tui.migration.source.odd_times import rows_with_odd_times
from bizy_migrate_tui.migration.source.reading import CarefulReader, CarefulRow, Reading
from bizy_migrate_tui.migration.source.workbook import (
    ADJUSTED,
    CAREFUL,
    CUT,
    GONE,
    LEFT_OUT,
    PLACEHOLDER,
    PRESENT,
    TROUBLED,
    SourceTable,
    Standing,
    count,
    open_workbook,
    source_tables,
    to_sql,
)


def make_plan(
    inventory: Inventory, target: Target, choices: Choices, *, on_event: OnEvent = ignore, cancel: Cancellation | None = None
) -> Plan:
    """Say what the run would do. Writes nothing to the target. Raises TargetError, UsageError and Cancelled."""
    cancel = cancel or Cancellation()
    started = time.perf_counter()
    on_event(PhaseStarted(Phase.PLAN))
    reading = choices.reading(inventory.snapshot.taken_at)
    with (
        closing(open_workbook(inventory.workbook, inventory.snapshot.path)) as workbook,
        closing(connect(target, cancel=cancel)) as server,
        cancel.interrupting(workbook.interrupt),
        cancel.interrupting(server.cancel),
    ):
        plan = _Planner(inventory, target, choices, reading, workbook, server).plan()
        server.rollback()
    on_event(PhaseFinished(Phase.PLAN, time.perf_counter() - started))
    return plan


@dataclass
class _Tally:
    """Collects the ids of a kind of finding; every id is counted, the first are kept."""

    ids: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, source_key: str) -> None:
        self.count += 1
        if self.count <= IDS_SHOWN:
            self.ids.append(source_key)


@dataclass
class _Planner:
    inventory: Inventory
    target: Target
    choices: Choices
    reading: Reading
    workbook: sqlite3.Connection
    server: PgConnection

    def __post_init__(self) -> None:
        self.tables: Mapping[str, SourceTable] = source_tables(self.workbook)
        self.homes = [home for home in WEB_TABLES if home.name in self.tables]
        self.reader = CarefulReader(self.workbook, self.tables, self.reading)
        self.tallies: dict[tuple[str, str, str | None], _Tally] = {}

    def plan(self) -> Plan:
        state = survey(self.server)
        refuse_unusable(state)
        schema.check_web_tables(self.server)
        find_gone(self.workbook, self.server, state)
        choose_careful_rows(self.workbook, self.tables, self.inventory, self.reading)
        user = self._user(state)
        sha256 = self.inventory.snapshot.sha256
        standing = find_standing(self.workbook, self.tables, self.reading, sha256, self.server, state, user.id)
        for home in self.homes:
            self._note_careful_rows(home)
        self._note_the_homeless()
        self._note_standing(standing)
        return Plan(
            inventory=self.inventory,
            target=self.target,
            state=state,
            choices=self.choices,
            user=user,
            tables={home.name: self._count(home) for home in WEB_TABLES},
            preserved=count_new(self.workbook, self.inventory, self.tables, self.reader, self.server, state),
            findings=tuple(sorted(self._findings(), key=_importance)),
        )

    def _user(self, state: TargetState) -> PlannedUser:
        known = accounts.find_user(self.server, self.choices.email) if "users" in state.tables else None
        if known is not None:
            return PlannedUser(known.id, known.email, known.username)
        if "users" in state.tables and accounts.username_is_taken(self.server, self.choices.username):
            self._tally("username-taken", "users", "username").add(self.choices.username)
        return PlannedUser(None, self.choices.email, self.choices.username)

    def _note_careful_rows(self, home: WebTable) -> None:
        adjusted = to_sql(insert(ADJUSTED[home.name]).values(key=PLACEHOLDER))
        for row in self.reader.rows(home):
            self._note_row(home, row)
            if row.left_out is None and row.is_adjusted and not self._is_present(home, row.id):
                self.workbook.execute(adjusted, (row.key,))

    def _note_row(self, home: WebTable, row: CarefulRow) -> None:
        if row.left_out is not None and row.left_out not in row.codes.values():
            self._tally(row.left_out, home.name, None).add(row.source_key)
            return
        for column, code in row.codes.items():
            self._tally(code, home.name, column).add(row.source_key)

    def _is_present(self, home: WebTable, id_: int | None) -> bool:
        ids = PRESENT[home.name].c.id
        return self.workbook.execute(to_sql(select(ids).where(ids == PLACEHOLDER)), (id_,)).fetchone() is not None

    def _note_the_homeless(self) -> None:
        for name, table in self.inventory.tables.items():
            if not table.has_home and table.rows:
                self._tally("table-without-home", name, None).count = table.rows
            for column in table.extra_columns:
                source = self.tables[name]
                given = select(func.count()).select_from(source.table).where(source.column(column).is_not(None))
                found = self.workbook.execute(to_sql(given)).fetchone()[0]
                if found:
                    self._tally("column-without-home", name, column).count = found
        dangling = self.inventory.evidence.dangling_dependencies
        if dangling.count:
            tally = self._tally("dependency-missing", "tasks", "dependencies")
            tally.ids, tally.count = [str(task) for task in dangling.ids], dangling.count

    def _note_standing(self, standing: Mapping[str, Mapping[str, Sighting]]) -> None:
        for table, kinds in standing.items():
            for code, seen in kinds.items():
                tally = self._tally(code, table, None)
                tally.ids, tally.count = [str(row) for row in seen.ids], seen.count

    def _count(self, home: WebTable) -> TablePlan:
        if home.name not in self.tables:
            return TablePlan(0, 0, 0, 0, 0, 0)
        source = self.inventory.tables[home.name].rows
        skipped = count(self.workbook, LEFT_OUT[home.name])
        present = PRESENT[home.name]
        is_same = select(func.count()).select_from(present).where(present.c.standing == Standing.SAME.value)
        same = int(self.workbook.execute(to_sql(is_same)).fetchone()[0])
        kept = count(self.workbook, present) - same
        adjusted = count(self.workbook, ADJUSTED[home.name])
        return TablePlan(source, source - skipped - same - kept, same, adjusted, skipped, kept)

    def _tally(self, code: str, table: str, column: str | None) -> "_Tally":
        return self.tallies.setdefault((code, table, column), _Tally())

    def _findings(self) -> Iterator[Finding]:
        for (code, table, column), tally in self.tallies.items():
            kind = KINDS[code]
            choice = self.reading.choice(code)
            stops = choice is Choice.STOP and kind.choices
            yield Finding(
                code=code,
                severity=Severity.BLOCKS if stops else kind.severity,
                table=table,
                ids=tuple(tally.ids),
                count=tally.count,
                action=_action(kind, choice),
                column=column,
                choice=choice,
                choices=kind.choices,
            )


def choose_careful_rows(
    workbook: sqlite3.Connection, tables: Mapping[str, SourceTable], inventory: Inventory, reading: Reading
) -> None:
    """Fill CAREFUL and LEFT_OUT.

    Careful are the troubled rows, goals in circles, times in hours that the zone's clock doubles or skips, rows that are left
    out because they are gone from the web, and the children of goals that are left out.
    """
    find_circles(workbook, tables)
    for home in WEB_TABLES:
        for table in (CAREFUL[home.name], LEFT_OUT[home.name], ADJUSTED[home.name]):
            workbook.execute(to_sql(delete(table)))
        keys = select(TROUBLED[home.name].c.key)
        _add_careful(workbook, home, union(keys, select(CUT.c.key)) if home.name == "goals" else keys)
    for home in WEB_TABLES:
        if home.name in tables:
            if reading.choice(DELETED) is Choice.LEAVE_OUT:
                _add_careful(workbook, home, _rows_gone(tables[home.name]))
            for keys in rows_with_odd_times(tables[home.name], inventory.tables[home.name], home, reading):
                _add_careful(workbook, home, keys)
    reader = CarefulReader(workbook, tables, reading)
    for home in WEB_TABLES:
        if home.name in tables:
            _leave_out(workbook, tables, reader, home)


def _rows_gone(source: SourceTable) -> Select[int]:
    id_ = source.column("id")
    is_gone = id_.in_(select(GONE[source.name].c.id))
    return select(source.key).select_from(source.table).where(func.typeof(id_) == "integer", is_gone)


def _leave_out(workbook: sqlite3.Connection, tables: Mapping[str, SourceTable], reader: CarefulReader, home: WebTable) -> None:
    """Fill LEFT_OUT from the careful rows, and again from those that lose their goal by it, until none does."""
    left_out = to_sql(insert(LEFT_OUT[home.name]).prefix_with("OR IGNORE").values(key=PLACEHOLDER))
    before = None
    while before != (before := (count(workbook, LEFT_OUT["goals"]), count(workbook, CAREFUL[home.name]))):
        for row in reader.rows(home):
            if row.left_out is not None:
                workbook.execute(left_out, (row.key,))
        _add_children_of_left_out(workbook, tables, home)


def _add_children_of_left_out(workbook: sqlite3.Connection, tables: Mapping[str, SourceTable], home: WebTable) -> None:
    goals, source = tables.get("goals"), tables[home.name]
    if goals is None or not count(workbook, LEFT_OUT["goals"]):
        return
    gone = select(goals.column("id")).select_from(goals.table).where(goals.key.in_(select(LEFT_OUT["goals"].c.key)))
    _add_careful(workbook, home, select(source.key).select_from(source.table).where(source.column("parent_goal_id").in_(gone)))


def _add_careful(workbook: sqlite3.Connection, home: WebTable, keys: CompoundSelect[int] | Select[int]) -> None:
    workbook.execute(to_sql(insert(CAREFUL[home.name]).prefix_with("OR IGNORE").from_select(["key"], keys)))


def _action(kind: Kind, choice: Choice) -> str:
    if choice is Choice.STOP and kind.choices:
        return f"you chose to stop here; otherwise: {kind.action}"
    if choice is Choice.LEAVE_OUT and kind.default is not Choice.LEAVE_OUT:
        return "the row is left out of the web tables and preserved whole"
    return kind.action


def _importance(finding: Finding) -> tuple[int, str, str, str]:
    order = (Severity.BLOCKS, Severity.ADJUSTS, Severity.NOTES)
    return order.index(finding.severity), finding.table, finding.code, finding.column or ""
