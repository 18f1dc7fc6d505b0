"""The real core behind the screens. It imports what it needs when it is called, after the first paint."""

# ruff: noqa: PLC0415

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bizy_migrate_tui.migration.events import Cancellation, OnEvent
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.migration.secret import Secret

if TYPE_CHECKING:
    from psycopg2.extensions import connection

    from bizy_migrate_tui.migration.ledger.ledger import Run
    from bizy_migrate_tui.migration.postgresql.target import TargetState
    from bizy_migrate_tui.migration.prerequisites.prerequisites import PrerequisiteResult
    from bizy_migrate_tui.migration.prerequisites.setup import SetupOutcome
    from bizy_migrate_tui.migration.rollback.rollback import RollbackOutcome, RollbackPlan
    from bizy_migrate_tui.migration.session import Session
    from bizy_migrate_tui.migration.verification.verification import Verification


class RealCore:
    """See `core.Core`."""

    def check_all(
        self,
        sqlite_path: Path,
        target: Target | None,
        env_file: Path | None,
        on_result: "Callable[[PrerequisiteResult], None]",
    ) -> "tuple[PrerequisiteResult, ...]":
        """Run every prerequisite's check side by side."""
        from bizy_migrate_tui.migration.prerequisites.prerequisites import check_all

        return check_all(sqlite_path, target, on_result, env_file=env_file)

    def set_up(self, target: Target, user: str | None, password: Secret | None) -> "SetupOutcome":
        """Make role, database, grants and tables, logged in as that administrator."""
        from bizy_migrate_tui.migration.prerequisites.setup import admin_target, set_up

        return set_up(target, admin_target(target, user, password))

    def make_tables(self, target: Target) -> None:
        """Bring the target's tables to their newest form."""
        from bizy_migrate_tui.migration.postgresql.schema import upgrade

        with _connected(target) as open_connection:
            upgrade(open_connection)
            open_connection.commit()

    def survey(self, target: Target) -> "TargetState":
        """Connect and look at what is there."""
        from bizy_migrate_tui.migration.postgresql.target import survey

        with _connected(target, readonly=True) as open_connection:
            return survey(open_connection)

    def open_work(self, sqlite_path: Path) -> "Session":
        """Begin to work on a source."""
        from bizy_migrate_tui.migration.session import Session

        return Session(sqlite_path)

    def verify(self, sqlite_path: Path, target: Target, on_event: OnEvent, cancel: Cancellation) -> "Verification":
        """Compare source and target again."""
        from bizy_migrate_tui.migration.verification.verification import verify

        return verify(sqlite_path, target, on_event=on_event, cancel=cancel, with_profiles=True)

    def list_runs(self, target: Target) -> "tuple[Run, ...]":
        """The ledger, newest first."""
        from bizy_migrate_tui.migration.ledger.ledger import list_runs

        with _connected(target, readonly=True) as open_connection:
            return list_runs(open_connection)

    def plan_rollback(self, target: Target, run_id: int | None, *, include_changed: bool) -> "RollbackPlan":
        """Say what a rollback would remove and keep."""
        from bizy_migrate_tui.migration.rollback.rollback import plan_rollback

        with _connected(target, readonly=True) as open_connection:
            return plan_rollback(open_connection, run_id, include_changed=include_changed)

    def roll_back(
        self, target: Target, run_id: int, *, include_changed: bool, on_event: OnEvent, cancel: Cancellation
    ) -> "RollbackOutcome":
        """Remove a run's rows, and prove it."""
        from bizy_migrate_tui.migration.rollback.rollback import roll_back

        return roll_back(target, run_id, include_changed=include_changed, on_event=on_event, cancel=cancel)


@contextmanager
def _connected(target: Target, *, readonly: bool = False) -> "Iterator[connection]":
    from bizy_migrate_tui.migration.postgresql.target import connect

    with closing(connect(target, readonly=readonly)) as open_connection:
        yield open_connection
