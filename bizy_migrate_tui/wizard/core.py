"""The calls of the core that screens need. Tests hand in a fake; `core_adapter.RealCore` is the real one."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bizy_migrate_tui.migration.events import Cancellation, OnEvent
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.migration.secret import Secret

if TYPE_CHECKING:  # SQLAlchemy is imported after the first paint
    from bizy_migrate_tui.migration.ledger.ledger import Run
    from bizy_migrate_tui.migration.plan.plan import Choices, Plan
    from bizy_migrate_tui.migration.plan.preview import Preview
    from bizy_migrate_tui.migration.postgresql.target import TargetState
    from bizy_migrate_tui.migration.prerequisites.prerequisites import PrerequisiteResult
    from bizy_migrate_tui.migration.prerequisites.setup import SetupOutcome
    from bizy_migrate_tui.migration.rollback.rollback import RollbackOutcome, RollbackPlan
    from bizy_migrate_tui.migration.run.outcome import Outcome
    from bizy_migrate_tui.migration.source.inventory import Inventory
    from bizy_migrate_tui.migration.source.snapshot import Snapshot
    from bizy_migrate_tui.migration.verification.verification import Verification


class Work(Protocol):
    """One migration's work on one source; owns its temporary files (migration.session.Session)."""

    def take_snapshot(self, *, backup: bool, on_event: OnEvent, cancel: Cancellation) -> "Snapshot":
        """Copy the source and check the copy."""

    def take_inventory(self, snapshot: "Snapshot", zone: str, *, on_event: OnEvent, cancel: Cancellation) -> "Inventory":
        """Look at every row of the copy."""

    def make_plan(
        self, inventory: "Inventory", target: Target, choices: "Choices", *, on_event: OnEvent, cancel: Cancellation
    ) -> "Plan":
        """Say what will happen."""

    def preview(self, plan: "Plan") -> "Preview":
        """The plan, row by row."""

    def run(self, plan: "Plan", *, dry_run: bool, on_event: OnEvent, cancel: Cancellation) -> "Outcome":
        """Do it, prove it, commit it (or, a dry run, take it back)."""

    def close(self) -> None:
        """Remove the temporary files."""


class Core(Protocol):
    """Everything a screen may ask for. All calls may take long: screens make them through `StepScreen.work_on`.

    Every method raises MigrationError subclasses only.
    """

    def check_all(
        self,
        sqlite_path: Path,
        target: Target | None,
        env_file: Path | None,
        on_result: "Callable[[PrerequisiteResult], None]",
    ) -> "tuple[PrerequisiteResult, ...]":
        """Run every prerequisite's check side by side."""

    def set_up(self, target: Target, user: str | None, password: Secret | None) -> "SetupOutcome":
        """Make role, database, grants and tables, logged in as that administrator."""

    def make_tables(self, target: Target) -> None:
        """Bring the target's tables to their newest form."""

    def survey(self, target: Target) -> "TargetState":
        """Connect and look at what is there."""

    def open_work(self, sqlite_path: Path) -> Work:
        """Begin to work on a source."""

    def verify(self, sqlite_path: Path, target: Target, on_event: OnEvent, cancel: Cancellation) -> "Verification":
        """Compare source and target again, all that the runs brought."""

    def list_runs(self, target: Target) -> "tuple[Run, ...]":
        """The ledger, newest first."""

    def plan_rollback(self, target: Target, run_id: int | None, *, include_changed: bool) -> "RollbackPlan":
        """Say what a rollback would remove and keep."""

    def roll_back(
        self, target: Target, run_id: int, *, include_changed: bool, on_event: OnEvent, cancel: Cancellation
    ) -> "RollbackOutcome":
        """Remove a run's rows, and prove it."""
