"""A core without databases: it answers at once, or when a test opens its gate, with what a test wants to see."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase, PhaseFinished, PhaseStarted, Progress
from bizy_migrate_tui.migration.plan.plan import Choices, Plan
from bizy_migrate_tui.migration.plan.preview import Preview
from bizy_migrate_tui.migration.postgresql.target import Target, TargetState, WebUser
from bizy_migrate_tui.migration.prerequisites.prerequisites import PREREQUISITES, CheckState, PrerequisiteResult
from bizy_migrate_tui.migration.prerequisites.setup import SetupOutcome
from bizy_migrate_tui.migration.run.outcome import Outcome
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.migration.source.evidence import ClockEvidence, Jump, Sighting
from bizy_migrate_tui.migration.source.inventory import Inventory, TableInventory
from bizy_migrate_tui.migration.source.snapshot import Snapshot

NONE = Sighting(0, ())
QUIET = ClockEvidence(0, (), NONE, NONE, NONE, NONE)
UPGRADED = ClockEvidence(1, (Jump(41, 42, 18_000.0, datetime(2025, 11, 3, 9, 0)),), NONE, NONE, NONE, NONE)
"""New York, five hours behind: UTC until task 41."""
SEEN_AT_ONCE = 5
"""Prerequisites that need no gate; the others wait at it."""


def passed() -> dict[str, PrerequisiteResult]:
    return {one.code: PrerequisiteResult(one.code, one.title, CheckState.PASSED, "Fine.") for one in PREREQUISITES}


def a_target_state(**changes: Any) -> TargetState:
    values: dict[str, Any] = {
        "server_version": "18.1",
        "version_num": 180001,
        "encoding": "UTF8",
        "in_recovery": False,
        "is_superuser": False,
        "user": "bizy",
        "dbname": "bizy_dev",
        "can_create_in_public": True,
        "can_create_schema": True,
        "tables": {"users": 1, "goals": 0, "tasks": 0},
        "has_ledger": False,
        "users": (WebUser(7, "ann@example.org", "ann"),),
        "latency_ms": 0.4,
        "timezone": "UTC",
    }
    return TargetState(**{**values, **changes})


@dataclass
class FakeWork:
    core: "FakeCore"
    sqlite_path: Path
    closed: bool = False

    def take_snapshot(self, *, backup: bool, on_event: OnEvent, cancel: Cancellation) -> Snapshot:
        on_event(PhaseStarted(Phase.SNAPSHOT, 4096, "bytes"))
        on_event(Progress(Phase.SNAPSHOT, 1024))
        if backup:
            self.core.pass_gate(cancel)
            self.core.backups += 1
        on_event(PhaseFinished(Phase.SNAPSHOT, 0.1))
        on_event(PhaseStarted(Phase.INTEGRITY))
        on_event(PhaseFinished(Phase.INTEGRITY, 0.1))
        path = self.sqlite_path.with_name("tasks_backup_20251122_214501.db")
        return Snapshot(self.sqlite_path, path, "ab" * 32, 4096, datetime(2025, 11, 22, 21, 45, tzinfo=UTC), is_backup=backup)

    def take_inventory(self, snapshot: Snapshot, zone: str, *, on_event: OnEvent, cancel: Cancellation) -> Inventory:
        on_event(PhaseStarted(Phase.INVENTORY, 71))
        on_event(PhaseFinished(Phase.INVENTORY, 0.1))
        tables = {
            name: TableInventory(name, rows, (), (), 0, has_home=name in ("tasks", "goals"))
            for name, rows in self.core.rows.items()
        }
        return Inventory(snapshot, snapshot.path, tables, self.core.evidence)

    def make_plan(
        self, inventory: Inventory, target: Target, choices: Choices, *, on_event: OnEvent, cancel: Cancellation
    ) -> Plan:
        raise NotImplementedError

    def preview(self, plan: Plan) -> Preview:
        raise NotImplementedError

    def run(self, plan: Plan, *, dry_run: bool, on_event: OnEvent, cancel: Cancellation) -> Outcome:
        raise NotImplementedError

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeCore:
    """`refusal` is raised by `survey`; a closed `gate` holds up the later
    prerequisites, and a backup until it is opened or cancelled."""

    results: dict[str, PrerequisiteResult] = field(default_factory=passed)
    state: TargetState = field(default_factory=a_target_state)
    refusal: MigrationError | None = None
    evidence: ClockEvidence = QUIET
    rows: dict[str, int] = field(default_factory=lambda: {"tasks": 67, "goals": 4, "daily_logs": 12})
    gate: threading.Event = field(default_factory=threading.Event)
    surveyed: list[Target] = field(default_factory=list)
    set_up_as: tuple[str | None, Secret | None] | None = None
    tables_made: bool = False
    checks: int = 0
    backups: int = 0
    works: list[FakeWork] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def pass_gate(self, cancel: Cancellation) -> None:
        with cancel.interrupting(self.gate.set):
            self.gate.wait(60)
        cancel.check()

    def check_all(
        self, sqlite_path: Path, target: Target | None, env_file: Path | None, on_result: Callable[[PrerequisiteResult], None]
    ) -> tuple[PrerequisiteResult, ...]:
        self.checks += 1
        for number, result in enumerate(self.results.values()):
            if number == SEEN_AT_ONCE:
                self.gate.wait(60)
            on_result(result)
        return tuple(self.results.values())

    def set_up(self, target: Target, user: str | None, password: Secret | None) -> SetupOutcome:
        self.set_up_as = (user, password)
        self.results = passed()
        return SetupOutcome(True, True, True, ("The role bizy was created.",))

    def make_tables(self, target: Target) -> None:
        self.tables_made = True
        self.results = passed()

    def survey(self, target: Target) -> TargetState:
        self.surveyed.append(target)
        if self.refusal is not None:
            raise self.refusal
        return self.state

    def open_work(self, sqlite_path: Path) -> FakeWork:
        self.works.append(FakeWork(self, sqlite_path))
        return self.works[-1]

    def verify(self, sqlite_path: Path, target: Target, on_event: OnEvent, cancel: Cancellation) -> Any:
        raise NotImplementedError

    def list_runs(self, target: Target) -> Any:
        raise NotImplementedError

    def plan_rollback(self, target: Target, run_id: int | None, *, include_changed: bool) -> Any:
        raise NotImplementedError

    def roll_back(self, target: Target, run_id: int, *, include_changed: bool, on_event: OnEvent, cancel: Cancellation) -> Any:
        raise NotImplementedError
