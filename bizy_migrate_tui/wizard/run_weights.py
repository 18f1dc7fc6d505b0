"""How much of a run each phase is, in rows, so that the bar moves evenly and the time left is honest.

The figures are measured (`python -m tests.benchmarks`): a million tasks load in about 3.6 s, and one row stands for that much.
"""

from collections.abc import Mapping

from bizy_migrate_tui.migration.events import Phase
from bizy_migrate_tui.migration.plan.plan import Plan

INDEX_A_ROW, PROOF_A_ROW, CHECK_A_ROW = 1.2, 1.7, 0.45
"""Of what the load of a row takes: to build its part of the indexes, to prove it, to count it in the final checks."""

ORIGINAL = 6.0
"""An original becomes JSON in Python, one by one."""


def run_weights(plan: Plan) -> Mapping[Phase, float]:
    """The phases of a run of this plan, in their order, with their weights; the first term is what each costs without rows."""
    rows = {name: float(table.inserted) for name, table in plan.tables.items()}
    loaded = sum(rows.values())
    return {
        Phase.SCHEMA: 60_000.0,
        Phase.ACCOUNT: 20_000.0,
        Phase.GOALS: 2_000.0 + rows.get("goals", 0.0),
        Phase.TASKS: 2_000.0 + rows.get("tasks", 0.0),
        Phase.PRESERVED: 2_000.0 + ORIGINAL * sum(plan.preserved.values()),
        Phase.INDEXES: 5_000.0 + INDEX_A_ROW * loaded,
        Phase.PROOF: 15_000.0 + PROOF_A_ROW * loaded,
        Phase.COMMIT: 2_000.0,
        Phase.CHECKS: 10_000.0 + CHECK_A_ROW * loaded,
    }
