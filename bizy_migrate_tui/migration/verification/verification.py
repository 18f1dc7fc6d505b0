"""Verification at any later time: source and target compared again, what the web changed told from what is wrong."""

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import and_, delete, func, insert, literal, select

from bizy_migrate_tui.migration.comparison.comparison import Comparison, Side
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase, PhaseFinished, PhaseStarted, Progress, ignore
from bizy_migrate_tui.migration.findings import Check, Difference
from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.load.preserved_load import missing_originals
from bizy_migrate_tui.migration.load.preserving import originals
from bizy_migrate_tui.migration.plan.planning import choose_careful_rows
from bizy_migrate_tui.migration.plan.recorded import reading_of
from bizy_migrate_tui.migration.plan.standing import Standing
from bizy_migrate_tui.migration.postgresql import accounts, sequences
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.postgresql.web_rules import check_rules
from bizy_migrate_tui.migration.rules.clean import INT4_MAX, INT4_MIN
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, WebTable
from bizy_migrate_tui.migration.run.after_commit import QueryTime, check_index, check_of, time_queries
from bizy_migrate_tui.migration.run.proof import DIFFERENCES_SHOWN, check_relations, comparisons
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.source.inventory import Inventory
from bizy_migrate_tui.migration.source.reading import CarefulReader
from bizy_migrate_tui.migration.source.workbook import PLACEHOLDER, PRESENT, open_workbook, source_tables, to_sql
from bizy_migrate_tui.migration.verification import web_changes
from bizy_migrate_tui.migration.verification.profile import Profile, profiles
from bizy_migrate_tui.migration.verification.web_changes import WebChanges


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found.

    `differences` are the first of the cells that are wrong; `web_changes` is what the web interface did since, which is not
    wrong; `compared_with` is the file that the target was compared with; `profiles` count the run's rows on both sides, if
    that was wanted.
    """

    run: ledger.Run
    compared_with: Path
    checks: tuple[Check, ...]
    differences: tuple[Difference, ...]
    web_changes: WebChanges
    query_times: tuple[QueryTime, ...]
    seconds: float
    profiles: tuple[Profile, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every check holds."""
        return all(check.passed for check in self.checks)


def verify(
    sqlite_path: Path,
    target: Target,
    *,
    run_id: int | None = None,
    on_event: OnEvent = ignore,
    cancel: Cancellation | None = None,
    with_profiles: bool = False,
) -> Verification:
    """Compare the run's rows in the target with its source, again; count them by month and status, if wanted.

    Where the source has changed since, the run's backup takes its place if it is still there. Raises MigrationError
    (no-such-run), SourceError, TargetError and Cancelled.
    """
    cancel = cancel or Cancellation()
    started = time.perf_counter()
    with closing(connect(target, cancel=cancel)) as server, cancel.interrupting(server.cancel), ThreadPoolExecutor(1) as side:
        run = ledger.get_run(server, run_id)
        server.rollback()
        server.isolation_level = ISOLATION_LEVEL_REPEATABLE_READ  # what the web interface writes meanwhile is no difference
        seen = side.submit(_look_at_target, server, run)  # while the source is copied and looked at
        with Session(_source_of(run, sqlite_path)) as session:
            snapshot = session.take_snapshot(backup=False, on_event=on_event, cancel=cancel)
            inventory = session.take_inventory(snapshot, None, on_event=on_event, cancel=cancel)
            return session.explained(
                cancel,
                lambda: _Verifier(server, run, *seen.result(), inventory, with_profiles, on_event, cancel).verify(started),
            )


def _look_at_target(server: PgConnection, run: ledger.Run) -> tuple[WebChanges, tuple[Check, ...]]:
    """What can be seen without the source: what the web has changed since, and whether its rules hold."""
    changes = web_changes.changed_since(server, run)
    with server.cursor() as rows:
        return changes, (*check_relations(rows, run.user_id), *check_rules(rows, run.user_id))


def _source_of(run: ledger.Run, sqlite_path: Path) -> Path:
    """The backup of the run where there is one: it does not change. Else the source."""
    backup = Path(run.backup_path) if run.backup_path else None
    return backup if backup is not None and backup.exists() else sqlite_path


@dataclass
class _Verifier:
    server: PgConnection
    run: ledger.Run
    changes: WebChanges
    relations: tuple[Check, ...]
    inventory: Inventory
    with_profiles: bool
    on_event: OnEvent
    cancel: Cancellation

    def verify(self, started: float) -> Verification:
        began = time.perf_counter()
        self.on_event(PhaseStarted(Phase.PROOF, sum(t.rows for t in self.inventory.tables.values() if t.has_home)))
        with (
            closing(open_workbook(self.inventory.workbook, self.inventory.snapshot.path)) as self.workbook,
            self.cancel.interrupting(self.workbook.interrupt),
            self.server.cursor() as rows,
        ):
            self.tables = source_tables(self.workbook)
            self.reading = reading_of(self.run)
            choose_careful_rows(self.workbook, self.tables, self.inventory, self.reading)
            for home in WEB_TABLES:
                if home.name in self.tables:
                    self._list_unexpected(home)
            with comparisons(Side(self.workbook, self.tables, self.reading), rows, self.run.user_id) as compared:
                differences = tuple(islice(self._differences(rows, compared), DIFFERENCES_SHOWN))
            self.on_event(PhaseFinished(Phase.PROOF, time.perf_counter() - began))
            times = tuple(time_queries(rows, self.workbook, self.run.user_id))
            shape = profiles(self.workbook, self.tables, self.reading, rows, self.run) if self.with_profiles else ()
            checks = tuple(self._checks(rows, differences, times))
        self.server.rollback()
        return Verification(
            self.run,
            self.inventory.snapshot.source,
            checks,
            differences,
            self.changes,
            times,
            time.perf_counter() - started,
            shape,
        )

    def _differences(self, rows: Cursor, compared: list[Comparison]) -> Iterator[Difference]:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            self.cancel.check()
            done += count
            self.on_event(Progress(Phase.PROOF, done))

        reader = CarefulReader(self.workbook, self.tables, self.reading)
        kept = originals(self.workbook, self.inventory, self.tables, reader)
        missing = tuple(islice(missing_originals(rows, kept), DIFFERENCES_SHOWN))  # meanwhile SQLite writes what is expected
        for comparison in compared:
            yield from comparison.differences(advance)
        yield from missing
        yield from self._account_differences(rows)

    def _list_unexpected(self, home: WebTable) -> None:
        """Fill PRESENT with the source's ids that the run did not bring, or that the web has changed since."""
        present = PRESENT[home.name]
        self.workbook.execute(to_sql(delete(present)))
        source = self.tables[home.name]
        add = insert(present).prefix_with("OR IGNORE")
        id_ = source.column("id")
        is_between = and_(func.typeof(id_) == "integer", id_.between(PLACEHOLDER, PLACEHOLDER))
        ids = select(id_, literal(Standing.SAME.value)).select_from(source.table).where(is_between)
        statement = to_sql(add.from_select(["id", "standing"], ids))
        ranges = self.run.inserted_tasks if home.name == "tasks" else self.run.inserted_goals
        for gap in _between(ranges):
            self.workbook.execute(statement, gap)
        if self.changes.changed_counts[home.name]:
            add_one = to_sql(add.values(id=PLACEHOLDER, standing=Standing.SAME.value))
            with closing(web_changes.changed_ids(self.server, self.run, home.name)) as changed:
                self.workbook.execute("BEGIN")
                self.workbook.executemany(add_one, changed)
                self.workbook.execute("COMMIT")

    def _account_differences(self, rows: Cursor) -> Iterator[Difference]:
        """Columns of the account that are not as the run left them, unless the web has changed it since."""
        found = accounts.account_fingerprint(rows.connection, self.run.user_id)
        noted = self.run.account
        if found.get("updated_at") != noted.get("updated_at") and self._is_web_time(found.get("updated_at")):
            return
        for column, expected in noted.items():
            if found.get(column) != expected and column != "last_login_at":
                yield Difference("users", str(self.run.user_id), column, expected, found.get(column))

    def _is_web_time(self, updated: str | None) -> bool:
        try:
            return updated is not None and datetime.fromisoformat(updated) > self.run.loaded_at
        except ValueError:
            return False

    def _checks(self, rows: Cursor, differences: tuple[Difference, ...], times: tuple[QueryTime, ...]) -> Iterator[Check]:
        yield self._cells(differences)
        for table in ("goals", "tasks"):
            yield self._count(table)
        yield from self.relations
        yield self._range(rows)
        yield self._inserts(rows)
        yield check_index(rows, self.run.user_id)
        yield from map(check_of, times)
        yield Check("changes on the web since", passed=True, detail=_tell(self.changes))

    def _inserts(self, rows: Cursor) -> Check:
        rows.execute("SELECT current_setting('transaction_read_only')")
        if rows.fetchone() == ("on",):
            return Check("new rows can be made", passed=True, detail="not tried: this server only reads, as a replica does")
        return sequences.prove_inserts(rows, self.run.user_id, is_alone=False)

    def _cells(self, differences: tuple[Difference, ...]) -> Check:
        if not differences:
            return Check(
                "every cell is as in the source", passed=True, detail="all rows and all originals read back and compared"
            )
        first = differences[0]
        detail = f"{len(differences):,} differ, first {first.table} {first.id} {first.column}"
        return Check("every cell is as in the source", passed=False, detail=detail)

    def _count(self, table: str) -> Check:
        brought = sum(
            last - first + 1 for first, last in (self.run.inserted_tasks if table == "tasks" else self.run.inserted_goals)
        )
        gone = self.changes.missing_counts.get(table, 0)
        detail = f"{brought - gone:,} of {brought:,} that the run brought, {self.changes.added.get(table, 0):,} made since"
        return Check(f"{table}: counts match", passed=not gone, detail=detail)

    def _range(self, rows: Cursor) -> Check:
        rows.execute(
            "SELECT min(created_at)::text, max(created_at)::text FROM public.tasks WHERE user_id = %s", (self.run.user_id,)
        )
        low, high = rows.fetchone() or (None, None)
        source = self.inventory.tables.get("tasks")
        span = source.span("created_at") if source else None
        before = f"source {span.earliest} to {span.latest}" if span else "no times in the source"
        return Check("timestamps look reasonable", passed=True, detail=f"{before}; target {low} to {high} UTC")


def _between(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The ids before, between and after the ranges, as ranges."""
    free = INT4_MIN
    for first, last in sorted(ranges):
        yield free, first - 1
        free = last + 1
    yield free, INT4_MAX


def _tell(changes: WebChanges) -> str:
    parts = [f"{count:,} {table} changed" for table, count in changes.changed_counts.items() if count]
    parts += [f"{count:,} {table} added" for table, count in changes.added.items() if count]
    parts += [f"{count:,} {table} missing" for table, count in changes.missing_counts.items() if count]
    return ", ".join(parts) or "none"
