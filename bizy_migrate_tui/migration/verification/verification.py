"""Verification at any later time: source and target compared again, what the web changed told from what is wrong."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.errors import SourceError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, ignore
from bizy_migrate_tui.migration.findings import Check, Difference
from bizy_migrate_tui.migration.ledger import ledger, web_changes
from bizy_migrate_tui.migration.ledger.web_changes import WebChanges
from bizy_migrate_tui.migration.postgresql import sequences
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.postgresql.web_rules import check_rules
from bizy_migrate_tui.migration.run.after_commit import QueryTime, check_index, check_of, time_queries
from bizy_migrate_tui.migration.run.proof import DIFFERENCES_SHOWN, check_relations
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.source.inventory import Inventory
from bizy_migrate_tui.migration.source.snapshot import Snapshot, digest_of, reuse_copy
from bizy_migrate_tui.migration.source.workbook import open_workbook
from bizy_migrate_tui.migration.verification.profile import Profile
from bizy_migrate_tui.migration.verification.run_comparison import RunComparison, RunFound


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """A run, the file that its rows were compared with, and whether that file is still, byte for byte, what the run moved.

    An older run of another file that is not here is not compared (`is_compared`).
    """

    run: ledger.Run
    source: Path
    is_unchanged: bool
    is_compared: bool = True


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found.

    `runs` were compared, the newest first; `differences` are the first of the cells that are wrong; `web_changes` is what
    the web interface did since, which is not wrong; `profiles` count the newest run's rows on both sides, if that was wanted.
    """

    runs: tuple[ComparedRun, ...]
    checks: tuple[Check, ...]
    differences: tuple[Difference, ...]
    web_changes: WebChanges
    seconds: float
    profiles: tuple[Profile, ...] = ()

    @property
    def run(self) -> ledger.Run:
        """The newest of the runs."""
        return self.runs[0].run

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
    """Compare the rows of a run in the target with its source, again; None compares all runs that were not rolled back.

    A run is compared with its backup, the source, or the file it came from: the first that is still what the run moved.
    Raises MigrationError (no-such-run), SourceError, TargetError and Cancelled.
    """
    cancel = cancel or Cancellation()
    with closing(connect(target, cancel=cancel)) as server, cancel.interrupting(server.cancel):
        runs = ledger.get_own(server, run_id)
        server.rollback()
        server.isolation_level = ISOLATION_LEVEL_REPEATABLE_READ  # what the web interface writes meanwhile is no difference
        return _Verifier(server, runs, sqlite_path, with_profiles, on_event, cancel).verify()


@dataclass
class _Verifier:
    server: PgConnection
    runs: tuple[ledger.Run, ...]
    sqlite_path: Path
    with_profiles: bool
    on_event: OnEvent
    cancel: Cancellation

    def __post_init__(self) -> None:
        self.started = time.perf_counter()
        self.users: set[int] = set()

    def verify(self) -> Verification:
        with ThreadPoolExecutor(1) as self.side:
            newest, *older = (self._compare(run, is_newest=run is self.runs[0]) for run in self.runs)
        self.server.rollback()
        checks = [check for one in (*reversed(older), newest) for check in self._of_run(one)]
        web = web_changes.together([one.changes for one in (newest, *older)])
        return Verification(
            runs=(newest.compared, *(one.compared for one in older)),
            checks=(*checks, *newest.of_all, Check("changes on the web since", passed=True, detail=web.words)),
            differences=tuple(islice((cell for one in (newest, *older) for cell in one.found.differences), DIFFERENCES_SHOWN)),
            web_changes=web,
            seconds=time.perf_counter() - self.started,
            profiles=newest.found.profiles,
        )

    def _compare(self, run: ledger.Run, *, is_newest: bool) -> "_Compared":
        seen = self.side.submit(self._look_at_target, run)  # while the source is copied and looked at
        with ExitStack() as stack:
            copied = self._copy_source(stack, run, is_newest=is_newest)
            if copied is None:
                return _not_compared(run, *seen.result())
            session, snapshot = copied
            inventory = session.take_inventory(snapshot, None, on_event=self.on_event, cancel=self.cancel)
            return session.explained(self.cancel, lambda: self._compare_with(inventory, run, *seen.result(), is_newest=is_newest))

    def _look_at_target(self, run: ledger.Run) -> tuple[WebChanges, tuple[Check, ...]]:
        """What can be seen without the source: what the web has changed since, and whether its rules hold for the user."""
        changes = web_changes.changed_since(self.server, run)
        if run.user_id in self.users:
            return changes, ()
        self.users.add(run.user_id)
        with self.server.cursor() as rows:
            return changes, (*check_relations(rows, run.user_id), *check_rules(rows, run.user_id))

    def _copy_source(self, stack: ExitStack, run: ledger.Run, *, is_newest: bool) -> tuple[Session, Snapshot] | None:
        """The run's backup; else a copy of the first file that is still what the run moved; else of the file it came from, as
        that is now.

        Where that is not here, the newest run is compared with the source all the same.
        """
        if run.backup_path and (backup := reuse_copy(Path(run.backup_path), run.source_sha256, on_event=self.on_event)):
            return stack.enter_context(Session(backup.source)), backup
        own = Path(run.source_path)
        copies: dict[Path, tuple[Session, Snapshot]] = {}
        for path in dict.fromkeys((Path(run.backup_path) if run.backup_path else self.sqlite_path, self.sqlite_path, own)):
            session = stack.enter_context(Session(path))
            with suppress(SourceError):
                copies[path] = session, session.take_snapshot(backup=False, on_event=self.on_event, cancel=self.cancel)
                if _is_what_was_moved(run, copies[path][1]):
                    return copies[path]
        if own in copies or not is_newest:
            return copies.get(own)
        session = stack.enter_context(Session(self.sqlite_path))
        return session, session.take_snapshot(backup=False, on_event=self.on_event, cancel=self.cancel)

    def _compare_with(
        self, inventory: Inventory, run: ledger.Run, changes: WebChanges, relations: tuple[Check, ...], *, is_newest: bool
    ) -> "_Compared":
        with (
            closing(open_workbook(inventory.workbook, inventory.snapshot.path)) as workbook,
            self.cancel.interrupting(workbook.interrupt),
            self.server.cursor() as rows,
        ):
            is_unchanged = _is_what_was_moved(run, inventory.snapshot)
            comparison = RunComparison(
                self.server, rows, run, changes, inventory, is_unchanged, workbook, self.on_event, self.cancel
            )
            found = comparison.compare(with_profiles=self.with_profiles and is_newest)
            times = tuple(time_queries(rows, workbook, run.user_id)) if is_newest else ()
            of_all = (self._inserts(rows, run), check_index(rows, run.user_id), *map(check_of, times)) if is_newest else ()
        compared = ComparedRun(run, inventory.snapshot.source, is_unchanged)
        return _Compared(compared, found, changes, relations, times, of_all)

    def _inserts(self, rows: Cursor, run: ledger.Run) -> Check:
        rows.execute("SELECT current_setting('transaction_read_only')")
        if rows.fetchone() == ("on",):
            return Check("new rows can be made", passed=True, detail="not tried: this server only reads, as a replica does")
        return sequences.prove_inserts(rows, run.user_id, is_alone=False)

    def _of_run(self, one: "_Compared") -> Iterator[Check]:
        """The checks of one run; where there are several, they say of which."""
        run = one.compared.run
        for check in (*one.found.checks, *one.relations):
            yield check if len(self.runs) == 1 else replace(check, name=f"run {run.id}: {check.name}")


@dataclass(frozen=True, slots=True)
class _Compared:
    """A run compared: what was found in its rows, and (for the newest) what holds for the target as a whole."""

    compared: ComparedRun
    found: RunFound
    changes: WebChanges
    relations: tuple[Check, ...]
    times: tuple[QueryTime, ...]
    of_all: tuple[Check, ...]


def _is_what_was_moved(run: ledger.Run, snapshot: Snapshot) -> bool:
    """Whether the copy, or the file itself, is the run's: SQLite does not always write a copy of a copy to the byte."""
    return run.source_sha256 == snapshot.sha256 or digest_of(snapshot.source) == run.source_sha256


def _not_compared(run: ledger.Run, changes: WebChanges, relations: tuple[Check, ...]) -> _Compared:
    told = f"no: they came from {run.source_path}, which is not here"
    found = RunFound((), (Check("its cells were compared", passed=True, detail=told),), ())
    return _Compared(ComparedRun(run, Path(run.source_path), False, is_compared=False), found, changes, relations, (), ())
