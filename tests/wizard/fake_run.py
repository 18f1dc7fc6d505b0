"""A core that plans and runs: what a test wants to see, at once or when it opens the gate.

`happens` is what a run does with the tables where that is not what the plan says.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase, PhaseFinished, PhaseStarted, Progress
from bizy_migrate_tui.migration.findings import Check, Choice, Finding, Severity
from bizy_migrate_tui.migration.plan.plan import Choices, Plan, PlannedUser, TablePlan
from bizy_migrate_tui.migration.plan.preview import Preview
from bizy_migrate_tui.migration.postgresql.accounts import Account
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Outcome, Status
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.migration.source.inventory import Inventory
from tests.wizard.fake_core import FakeCore, FakeWork
from tests.wizard.fake_preview import FakePreview

TABLES = {"goals": TablePlan(4, 4, 0, 0, 0, 0), "tasks": TablePlan(67, 67, 0, 3, 0, 0)}
PHASES = (Phase.SCHEMA, Phase.ACCOUNT, Phase.GOALS, Phase.TASKS, Phase.PRESERVED, Phase.INDEXES, Phase.PROOF)


def a_finding(severity: Severity = Severity.ADJUSTS, **changes: Any) -> Finding:
    values: dict[str, Any] = {
        "code": "priority-range",
        "severity": severity,
        "table": "tasks",
        "ids": ("3", "24", "45"),
        "count": 3,
        "action": "the priority becomes the nearest of 1 to 5",
        "column": "priority",
        "choices": (Choice.LEAVE_OUT, Choice.STOP),
    }
    return Finding(**{**values, **changes})


@dataclass
class RunningWork(FakeWork):
    core: "RunningCore"

    def make_plan(
        self, inventory: Inventory, target: Target, choices: Choices, *, on_event: OnEvent, cancel: Cancellation
    ) -> Plan:
        self.core.planned.append(choices)
        self.core.stumble()
        user = PlannedUser(None, choices.email, choices.username)
        findings = tuple(self._decided(finding, choices) for finding in self.core.findings)
        preserved = {"daily_logs": 12, "research": 3}
        return Plan(inventory, target, self.core.state, choices, user, self.core.tables, preserved, findings)

    def preview(self, plan: Plan) -> Preview:
        return cast("Preview", self.core.shown)

    def run(self, plan: Plan, *, dry_run: bool, on_event: OnEvent, cancel: Cancellation) -> Outcome:
        self.core.ran.append("dry" if dry_run else "real")
        rows = self.core.rows_of_phases
        for phase in PHASES:
            on_event(PhaseStarted(phase, rows.get(phase)))
            on_event(Progress(phase, rows.get(phase, 0) // 2))
            if phase is Phase.TASKS:
                self.core.pass_gate(cancel)
                self.core.stumble()
            on_event(PhaseFinished(phase, 0.1))
        for phase in () if dry_run else (Phase.COMMIT, Phase.CHECKS):
            on_event(PhaseStarted(phase))
            on_event(PhaseFinished(phase, 0.1))
        self.core.committed += not dry_run
        return Outcome(
            status=Status.DRY_RUN if dry_run else Status.MIGRATED,
            run_id=None if dry_run else 1,
            plan=plan,
            user=Account(1, plan.user.email, plan.user.username, True),
            tables=self.core.happens or self.core.tables,
            preserved=plan.preserved,
            checks=(Check("every cell is as in the source", True, "71 rows compared"),),
            password=Secret("tulip-otter-violin-95"),
            seconds=1.2,
            phases=(),
        )

    def _decided(self, finding: Finding, choices: Choices) -> Finding:
        choice = choices.on.get(finding.code)
        if choice is None:
            return finding
        severity = Severity.BLOCKS if choice is Choice.STOP else Severity.ADJUSTS
        return a_finding(severity, code=finding.code, choice=choice, choices=tuple(set(Choice) - {choice}))


@dataclass
class RunningCore(FakeCore):
    """`problems` are raised, one after the other, by the next plan and in the midst of the next runs."""

    findings: tuple[Finding, ...] = (a_finding(),)
    shown: FakePreview = field(default_factory=FakePreview)
    tables: dict[str, TablePlan] = field(default_factory=lambda: dict(TABLES))
    happens: dict[str, TablePlan] = field(default_factory=dict)
    problems: list[MigrationError] = field(default_factory=list)
    planned: list[Choices] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    committed: int = 0

    @property
    def rows_of_phases(self) -> dict[Phase, int]:
        goals, tasks = self.tables["goals"].inserted, self.tables["tasks"].inserted
        return {Phase.GOALS: goals, Phase.TASKS: tasks, Phase.PRESERVED: 15, Phase.PROOF: goals + tasks}

    def stumble(self) -> None:
        if self.problems:
            raise self.problems.pop(0)

    def open_work(self, sqlite_path: Path) -> RunningWork:
        self.works.append(RunningWork(self, sqlite_path))
        return cast("RunningWork", self.works[-1])
