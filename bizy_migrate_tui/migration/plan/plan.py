"""The plan: an immutable value that says what will happen to every row, before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bizy_migrate_tui.migration.clock import zone_named
from bizy_migrate_tui.migration.findings import Choice, Finding, Severity
from bizy_migrate_tui.migration.postgresql.target import Target, TargetState
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.migration.source.inventory import Inventory
from bizy_migrate_tui.migration.source.reading import Reading


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user decided: the source's zone, the account the rows go to, and what to do about findings.

    `on` maps finding codes to choices. `password` None means that a new account gets a temporary one.
    """

    zone: str
    created_at_utc_until: int | None = None
    email: str = "admin@bizy.local"
    username: str = "admin"
    password: Secret | None = None
    on: Mapping[str, Choice] = field(default_factory=dict)

    def reading(self, taken_at: datetime, loaded_at: datetime | None = None) -> Reading:
        """How rows are read under these choices; `taken_at` is aware or naive UTC. Raises UsageError (unknown-zone)."""
        taken = taken_at.astimezone(UTC).replace(tzinfo=None) if taken_at.tzinfo else taken_at
        return Reading(zone_named(self.zone), self.created_at_utc_until, taken, loaded_at or taken, self.on)


@dataclass(frozen=True, slots=True)
class TablePlan:
    """Row counts of one table: source = inserted + unchanged + kept + skipped; `adjusted` are among the inserted.

    `unchanged` are in the target already and equal, `kept` are there and differ, `skipped` are preserved whole instead.
    """

    source: int
    inserted: int
    unchanged: int
    adjusted: int
    skipped: int
    kept: int


@dataclass(frozen=True, slots=True)
class PlannedUser:
    """The account the rows go to; `id` is None where it will be created."""

    id: int | None
    email: str
    username: str

    @property
    def created(self) -> bool:
        """Whether the run makes it."""
        return self.id is None


@dataclass(frozen=True, slots=True)
class Plan:
    """What will happen. `preserved` counts rows of `bizy_migrate.preserved` by source table."""

    inventory: Inventory
    target: Target
    state: TargetState
    choices: Choices
    user: PlannedUser
    tables: Mapping[str, TablePlan]
    preserved: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def blocked(self) -> tuple[Finding, ...]:
        """The findings that forbid the run."""
        return tuple(finding for finding in self.findings if finding.severity is Severity.BLOCKS)

    @property
    def nothing_to_do(self) -> bool:
        """Whether the target already holds everything."""
        nothing_new = not any(table.inserted for table in self.tables.values()) and not any(self.preserved.values())
        return nothing_new and not self.user.created and not self.blocked
