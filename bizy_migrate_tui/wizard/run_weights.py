"""How much of a run each phase is, in rows, so that the bar moves evenly and the time left is honest."""

from collections.abc import Mapping

from bizy_migrate_tui.migration.events import Phase
from bizy_migrate_tui.migration.plan import Plan

ONCE = 200.0
"""What a phase costs that does not depend on the number of rows: as much as loading so many."""


def run_weights(plan: Plan) -> Mapping[Phase, float]:
    """The phases of a run of this plan, in their order, with their weights."""
    rows = {name: float(table.inserted) for name, table in plan.tables.items()}
    loaded = sum(rows.values())
    return {
        Phase.SCHEMA: ONCE,
        Phase.ACCOUNT: ONCE,
        Phase.GOALS: rows.get("goals", 0.0),
        Phase.TASKS: rows.get("tasks", 0.0),
        Phase.PRESERVED: float(sum(plan.preserved.values())),
        Phase.INDEXES: ONCE + 0.3 * loaded,
        Phase.PROOF: loaded,
        Phase.COMMIT: ONCE,
        Phase.CHECKS: ONCE,
    }
