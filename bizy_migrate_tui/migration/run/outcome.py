"""How a run ended well: what it did, or, dry, would have done."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bizy_migrate_tui.migration.events import Phase
from bizy_migrate_tui.migration.findings import Check
from bizy_migrate_tui.migration.plan.plan import Plan, TablePlan
from bizy_migrate_tui.migration.postgresql.accounts import Account
from bizy_migrate_tui.migration.secret import Secret


class Status(StrEnum):
    """How a run ended well; other programs rely on the values."""

    MIGRATED = "migrated"
    DRY_RUN = "dry-run"
    NOTHING_TO_DO = "nothing-to-do"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did (or, dry, would have done).

    `tables` and `preserved` are counted by the run itself, not copied from the plan. `password` is the temporary one, where
    the run made an account with one; `seconds` is the whole time, `phases` its parts.
    """

    status: Status
    run_id: int | None
    plan: Plan
    user: Account
    tables: Mapping[str, TablePlan]
    preserved: Mapping[str, int]
    checks: tuple[Check, ...]
    password: Secret | None
    seconds: float
    phases: tuple[tuple[Phase, float], ...]

    @property
    def passed(self) -> bool:
        """Whether every check holds; those of before COMMIT always do."""
        return all(check.passed for check in self.checks)
