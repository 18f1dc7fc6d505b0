"""One sitting with one source: owns the temporary files that its steps share, and takes them away at the end."""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from bizy_migrate_tui.migration import clock
from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, ignore
from bizy_migrate_tui.migration.plan import planning
from bizy_migrate_tui.migration.plan.column_census import TableCensus, take_column_census
from bizy_migrate_tui.migration.plan.plan import Choices, Plan
from bizy_migrate_tui.migration.plan.preview import Preview
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run import run as running
from bizy_migrate_tui.migration.run.outcome import Outcome
from bizy_migrate_tui.migration.source.inventory import Inventory, take_inventory
from bizy_migrate_tui.migration.source.scratch import Scratch
from bizy_migrate_tui.migration.source.snapshot import Snapshot, take_snapshot

T = TypeVar("T")


class Session:
    """The steps of a migration, to be called in order from worker threads; each may be repeated.

    Every step raises MigrationError (with cause and remedy) and nothing else.
    """

    def __init__(self, sqlite_path: Path) -> None:
        self.sqlite_path = sqlite_path
        self._scratch = Scratch()
        self._directory = self._scratch.path

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Remove every temporary file; a backup stays."""
        self._scratch.close()

    def take_snapshot(self, *, backup: bool, on_event: OnEvent = ignore, cancel: Cancellation | None = None) -> Snapshot:
        """Copy the source (see `snapshot.take_snapshot`)."""
        return take_snapshot(self.sqlite_path, backup=backup, directory=self._directory, on_event=on_event, cancel=cancel)

    def take_inventory(
        self, snapshot: Snapshot, zone: str | None, *, on_event: OnEvent = ignore, cancel: Cancellation | None = None
    ) -> Inventory:
        """Look at every row of the snapshot (see `inventory.take_inventory`)."""
        workbook = self._directory / f"workbook-{snapshot.sha256[:16]}.db"
        return self.explained(
            cancel,
            lambda: take_inventory(
                snapshot, workbook, clock.zone_named(zone) if zone else None, on_event=on_event, cancel=cancel
            ),
        )

    def make_plan(
        self,
        inventory: Inventory,
        target: Target,
        choices: Choices,
        *,
        on_event: OnEvent = ignore,
        cancel: Cancellation | None = None,
    ) -> Plan:
        """Say what will happen (see `planning.make_plan`)."""
        return self.explained(cancel, lambda: planning.make_plan(inventory, target, choices, on_event=on_event, cancel=cancel))

    def take_column_census(
        self,
        inventory: Inventory,
        choices: Choices,
        table: str | None = None,
        *,
        on_event: OnEvent = ignore,
        cancel: Cancellation | None = None,
    ) -> tuple[TableCensus, ...]:
        """Say what is in each column, of one table or of all (see `column_census.take_column_census`)."""
        return self.explained(
            cancel,
            lambda: take_column_census(
                inventory, choices.reading(inventory.snapshot.taken_at), table=table, on_event=on_event, cancel=cancel
            ),
        )

    def preview(self, plan: Plan) -> Preview:
        """The plan, row by row."""
        return Preview(plan)

    def run(
        self, plan: Plan, *, dry_run: bool = False, on_event: OnEvent = ignore, cancel: Cancellation | None = None
    ) -> Outcome:
        """Carry the plan out (see `run.run`)."""
        return self.explained(cancel, lambda: running.run(plan, dry_run=dry_run, on_event=on_event, cancel=cancel))

    @staticmethod
    def explained(cancel: Cancellation | None, step: Callable[[], T]) -> T:
        """Take a step; every error that it raises comes out as a MigrationError, as Cancelled where the user asked to stop."""
        try:
            return step()
        except MigrationError:
            raise
        except Exception as error:
            if cancel is not None:
                cancel.check()
            raise explain(error) from error
