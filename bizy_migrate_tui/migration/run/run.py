"""The run: one transaction from the first table to the proof, and only then COMMIT.

A dry run is the very same run with ROLLBACK at the end.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import MigrationError, PlanBlocked, RunFailed
from bizy_migrate_tui.migration.events import (
    Cancellation,
    OnEvent,
    Phase,
    PhaseFinished,
    PhaseStarted,
    Progress,
    ignore,
    unheeded,
)
from bizy_migrate_tui.migration.findings import Check, Choice
from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.load.load import Loaded, Loader
from bizy_migrate_tui.migration.load.preserved_load import preserve
from bizy_migrate_tui.migration.load.preserving import originals
from bizy_migrate_tui.migration.plan.plan import Plan, TablePlan
from bizy_migrate_tui.migration.plan.recorded import new_run
from bizy_migrate_tui.migration.postgresql import accounts, indexes, schema, sequences
from bizy_migrate_tui.migration.postgresql.accounts import Account
from bizy_migrate_tui.migration.postgresql.target import WEB_TABLES as WEB_TABLE_NAMES
from bizy_migrate_tui.migration.postgresql.target import connect, survey
from bizy_migrate_tui.migration.rules.catalogue import KINDS
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES
from bizy_migrate_tui.migration.run.after_commit import check_afterwards
from bizy_migrate_tui.migration.run.commit import commit
from bizy_migrate_tui.migration.run.outcome import Outcome, Status
from bizy_migrate_tui.migration.run.proof import prove
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.migration.source.reading import CarefulReader, Reading
from bizy_migrate_tui.migration.source.workbook import open_workbook, source_tables

_PHASE_OF = {"goals": Phase.GOALS, "tasks": Phase.TASKS}


def run(plan: Plan, *, dry_run: bool = False, on_event: OnEvent = ignore, cancel: Cancellation | None = None) -> Outcome:
    """Carry out the plan, prove it, commit it.

    Raises PlanBlocked, ProofFailed (with the differing cells), RunFailed, TargetError and Cancelled; after each of them the
    target is as it was before, except that RunFailed "commit-in-doubt" does not know.
    """
    cancel = cancel or Cancellation()
    if plan.blocked:
        blocker = plan.blocked[0]
        raise PlanBlocked(blocker.code, f"{blocker.count:,} in {blocker.table}: {blocker.action}.", _unblock(blocker.code))
    return _Run(plan, dry_run, on_event, cancel).go()


def _unblock(code: str) -> str:
    if code == "id-taken":
        return "Nothing was written. Migrate into an empty database, or name the account that owns those rows (--user-email)."
    if code == "username-taken":
        return "Nothing was written. Choose another user name (--user-name), or the e-mail address of that account."
    others = " or ".join(f"--on {code}={choice}" for choice in KINDS[code].choices if choice is not Choice.STOP)
    return f"Nothing was written. Change the rows with `bizy`, or decide otherwise: {others}."


@dataclass
class _Run:
    plan: Plan
    dry_run: bool
    on_event: OnEvent
    cancel: Cancellation

    def __post_init__(self) -> None:
        self.started = time.perf_counter()
        self.phases: list[tuple[Phase, float]] = []
        self.password = self.plan.choices.password
        self.temporary: Secret | None = None
        if self.plan.user.created and self.password is None:
            self.password = self.temporary = accounts.temporary_password()

    def go(self) -> Outcome:
        snapshot = self.plan.inventory.snapshot
        with (
            ThreadPoolExecutor(1) as side,
            closing(open_workbook(self.plan.inventory.workbook, snapshot.path)) as self.workbook,
        ):
            hashed = side.submit(accounts.hash_password, self.password) if self.plan.user.created and self.password else None
            with (
                closing(connect(self.plan.target, cancel=self.cancel)) as server,
                self.cancel.interrupting(server.cancel),
                self.cancel.interrupting(self.workbook.interrupt),
            ):
                outcome = self._transaction(server, hashed)
        if self.dry_run or outcome.run_id is None:
            return replace(outcome, seconds=time.perf_counter() - self.started)
        checks = self._check_afterwards(outcome.user.id)
        return replace(
            outcome, checks=(*outcome.checks, *checks), seconds=time.perf_counter() - self.started, phases=tuple(self.phases)
        )

    def _check_afterwards(self, user_id: int) -> tuple[Check, ...]:
        """The checks of a fresh connection. The run is committed: neither a wish to stop nor an error undoes that."""
        with self._timed(Phase.CHECKS):
            try:
                return check_afterwards(self.plan, user_id)
            except Exception as error:
                advice = explain(error)
                return (
                    Check("a new connection sees the rows", passed=False, detail=f"everything is committed, but: {advice.cause}"),
                )

    def _transaction(self, server: PgConnection, hashed: "Future[str] | None") -> Outcome:
        try:
            with server.cursor() as rows:
                outcome = self._work(server, rows, hashed)
            self.cancel.check()
            if self.dry_run or outcome.run_id is None:
                server.rollback()
            else:
                with self._phase(Phase.COMMIT):
                    self._commit(server)
        except BaseException as error:
            self._take_back(server)
            if isinstance(error, MigrationError) or not isinstance(error, Exception):
                raise
            self.cancel.check()
            raise _failure(error) from error
        return outcome

    def _take_back(self, server: PgConnection) -> None:
        if not server.closed:
            try:
                server.rollback()
            except psycopg2.Error:
                server.close()

    def _work(self, server: PgConnection, rows: Cursor, hashed: "Future[str] | None") -> Outcome:
        with self._phase(Phase.SCHEMA):
            created = self._prepare_schema(server, rows)
        self.tables = source_tables(self.workbook)
        with self._phase(Phase.ACCOUNT):
            user = self._account(server, rows, hashed)
        rows.execute("SELECT now() AT TIME ZONE 'UTC'")
        loaded_at: datetime = (rows.fetchone() or (datetime.min,))[0]
        reading = self.plan.choices.reading(self.plan.inventory.snapshot.taken_at, loaded_at)
        suspended = self._suspend(rows)
        loaded = {home.name: self._load(rows, Loader(self.workbook, self.tables, reading, home, user.id), home.name)
                  for home in WEB_TABLES if home.name in self.tables}  # fmt: skip
        run_id = ledger.record(server, new_run(rows, self.plan, user, loaded, created, loaded_at))
        with self._phase(Phase.PRESERVED, sum(self.plan.preserved.values())):
            preserved = self._preserve(rows, run_id, reading)
        with self._phase(Phase.INDEXES):
            if suspended:
                indexes.restore(rows, suspended)
            sequences.raise_sequences(rows)
        with self._phase(Phase.PROOF, sum(one.rows for one in loaded.values())):
            self._analyze(rows, loaded)
            advance = self._advance(Phase.PROOF)
            checks = prove(self.plan, self.workbook, self.tables, reading, rows, user.id, run_id, loaded, advance)
        nothing = self._is_nothing(user, loaded, preserved)
        return Outcome(
            status=Status.DRY_RUN if self.dry_run else Status.NOTHING_TO_DO if nothing else Status.MIGRATED,
            run_id=None if self.dry_run or nothing else run_id,
            plan=self.plan,
            user=user,
            tables=self._counted(loaded),
            preserved=preserved,
            checks=checks,
            password=self.temporary,
            seconds=0.0,
            phases=tuple(self.phases),
        )

    def _prepare_schema(self, server: PgConnection, rows: Cursor) -> dict[str, object]:
        """Create what is missing, and keep others from writing until the end; what was created."""
        rows.execute("SELECT pg_advisory_xact_lock(%s)", (ledger.LOCK_KEY,))
        self._lock(rows, self.plan.state.tables)  # before they are counted again: who writes now is seen, or waits
        before = survey(server)
        if before.tables != self.plan.state.tables:
            raise _target_changed()
        schema.upgrade(server)
        self._lock(rows, WEB_TABLE_NAMES)
        created = [table for table in WEB_TABLE_NAMES if table not in before.tables]
        return {"created_tables": created, "created_ledger": not before.has_ledger}

    def _lock(self, rows: Cursor, tables: Iterable[str]) -> None:
        """Let nobody else write into these until the end."""
        if named := [sql.Identifier("public", table) for table in tables]:
            rows.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(sql.SQL(", ").join(named)))

    def _account(self, server: PgConnection, rows: Cursor, hashed: "Future[str] | None") -> Account:
        planned = self.plan.user
        if planned.created:
            sequences.raise_sequences(rows)  # the users that are there may have been given their ids by hand
        return accounts.ensure_account(
            server, email=planned.email, username=planned.username, hashed=hashed.result() if hashed else None
        )

    def _preserve(self, rows: Cursor, run_id: int, reading: Reading) -> dict[str, int]:
        """Write the originals; as many as the ledger's row, which stands already, says."""
        items = originals(self.workbook, self.plan.inventory, self.tables, CarefulReader(self.workbook, self.tables, reading))
        preserved = preserve(rows, run_id, items, self._advance(Phase.PRESERVED))
        if preserved != {table: count for table, count in self.plan.preserved.items() if count}:
            raise _target_changed()
        return preserved

    def _suspend(self, rows: Cursor) -> indexes.Suspended | None:
        """Take indexes and keys off tables that are empty, where many rows are to come."""
        empty = [
            name
            for name, table in self.plan.tables.items()
            if not self.plan.state.tables.get(name) and table.inserted >= indexes.WORTH_IT
        ]
        return indexes.suspend(rows, empty) if empty and indexes.may_suspend(rows, empty) else None

    def _load(self, rows: Cursor, loader: Loader, table: str) -> Loaded:
        phase = _PHASE_OF[table]
        with self._phase(phase, self.plan.tables[table].inserted):
            return loader.load(rows, self._advance(phase, table))

    def _analyze(self, rows: Cursor, loaded: Mapping[str, Loaded]) -> None:
        for table, one in loaded.items():
            if one.rows:
                rows.execute(sql.SQL("ANALYZE {}").format(sql.Identifier("public", table)))

    def _is_nothing(self, user: Account, loaded: Mapping[str, Loaded], preserved: Mapping[str, int]) -> bool:
        return not user.created and not any(one.rows for one in loaded.values()) and not any(preserved.values())

    def _counted(self, loaded: Mapping[str, Loaded]) -> dict[str, TablePlan]:
        counts = {name: one.rows for name, one in loaded.items()}
        return {name: replace(table, inserted=counts.get(name, 0)) for name, table in self.plan.tables.items()}

    def _commit(self, server: PgConnection) -> None:
        source = self.plan.inventory.snapshot.sha256
        with server.cursor() as rows:
            rows.execute("SELECT now() AT TIME ZONE 'UTC'")
            loaded_at: datetime = (rows.fetchone() or (datetime.min,))[0]
        commit(server, self.plan.target, lambda again: ledger.find_run(again, source, loaded_at) is not None)
        self.on_event = unheeded(self.on_event)

    @contextmanager
    def _phase(self, phase: Phase, total: int | None = None) -> Iterator[None]:
        self.cancel.check()
        with self._timed(phase, total):
            yield

    @contextmanager
    def _timed(self, phase: Phase, total: int | None = None) -> Iterator[None]:
        started = time.perf_counter()
        self.on_event(PhaseStarted(phase, total))
        yield
        seconds = time.perf_counter() - started
        self.phases.append((phase, seconds))
        self.on_event(PhaseFinished(phase, seconds))

    def _advance(self, phase: Phase, table: str | None = None) -> Callable[[int], None]:
        done = 0

        def advance(rows: int) -> None:
            nonlocal done
            self.cancel.check()
            done += rows
            self.on_event(Progress(phase, done, table))

        return advance


def _target_changed() -> PlanBlocked:
    return PlanBlocked(
        "target-changed", "The target has changed since the plan was made.", "Nothing was written. Look at the plan again."
    )


def _failure(error: Exception) -> MigrationError:
    advice = explain(error)
    if isinstance(advice, RunFailed):
        return advice
    return RunFailed(advice.code, f"{advice.cause.rstrip('.')}. Everything was rolled back.", advice.remedy)
