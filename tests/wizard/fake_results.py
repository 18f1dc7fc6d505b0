"""What the core hands over at the end of a way, and a core that answers with it."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase, PhaseFinished, PhaseStarted
from bizy_migrate_tui.migration.findings import Check, Difference
from bizy_migrate_tui.migration.ledger.ledger import Run
from bizy_migrate_tui.migration.ledger.web_changes import WebChanges
from bizy_migrate_tui.migration.plan.plan import Choices, Plan, PlannedUser, TablePlan
from bizy_migrate_tui.migration.postgresql.accounts import Account
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.rollback.plan import RollbackPlan
from bizy_migrate_tui.migration.rollback.removal import KeptRow, Removal
from bizy_migrate_tui.migration.rollback.rollback import RollbackOutcome
from bizy_migrate_tui.migration.run.outcome import Outcome, Status
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.migration.source.inventory import Inventory, TableInventory
from bizy_migrate_tui.migration.source.snapshot import Snapshot
from bizy_migrate_tui.migration.verification.profile import Profile
from bizy_migrate_tui.migration.verification.verification import ComparedRun, Verification
from tests.wizard.fake_core import QUIET, FakeCore, a_target_state

HOSTILE = "[/x] [red]a='x :smile:\x1b[31m\u202egnp.\n" + "🦊" * 40
AT = datetime(2025, 11, 22, 21, 45)
PASSED = (
    Check("every cell is as in the source", True, "71 rows compared"),
    Check("tasks: counts match", True, "67 of 67"),
    Check("indexes serve the web's queries", True, "ix_tasks_user_status is valid"),
)
PASSWORD = "tulip-otter-violin-95"


def an_outcome(folder: Path, **changes: Any) -> Outcome:
    source = folder / "tasks.db"
    taken = datetime(2025, 11, 22, 21, 45, tzinfo=UTC)
    snapshot = Snapshot(source, folder / "tasks_backup_20251122_214501.db", "ab" * 32, 4096, taken, is_backup=True)
    homes = {name: TableInventory(name, rows, (), (), 0, has_home=True) for name, rows in (("tasks", 67), ("goals", 4))}
    target = Target.from_url("postgresql://bizy:s3cret@localhost:5432/bizy_dev")
    tables = {"tasks": TablePlan(67, 67, 0, 3, 0, 0), "goals": TablePlan(4, 4, 0, 0, 0, 0)}
    user = PlannedUser(None, "admin@bizy.local", "admin")
    plan = Plan(Inventory(snapshot, snapshot.path, homes, QUIET), target, a_target_state(), Choices("UTC"), user, tables, {}, ())
    values: dict[str, Any] = {
        "status": Status.MIGRATED,
        "run_id": 3,
        "plan": plan,
        "user": Account(1, "admin@bizy.local", "admin", True),
        "tables": tables,
        "preserved": {"daily_logs": 12},
        "checks": PASSED,
        "password": Secret(PASSWORD),
        "seconds": 1.2,
        "phases": (),
    }
    return Outcome(**{**values, **changes})


def a_run(number: int = 3, **changes: Any) -> Run:
    run = Run(
        tool_version="1.0",
        source_path="/home/ann/.bizy/tasks.db",
        source_sha256="ab" * 32,
        backup_path=None,
        user_id=1,
        user_created=True,
        choices={"timezone": "UTC", "created_at_utc_until": None, "taken_at": "2025-11-22 21:45:00", "on": {}},
        inserted_goals=((1, 4),),
        inserted_tasks=((1, 67),),
        counts={},
        started_at=AT,
        finished_at=AT,
        status="migrated",
        account={"email": "admin@bizy.local"},
        late_updates={},
        loaded_at=AT,
        id=number,
    )
    return replace(run, **changes)


def a_verification(differences: tuple[Difference, ...] = (), **changes: Any) -> Verification:
    first = Check(
        "every cell is as in the source", not differences, f"{len(differences)} differ" if differences else "all of them"
    )
    values: dict[str, Any] = {
        "runs": (ComparedRun(a_run(), Path("tasks.db"), is_unchanged=True),),
        "checks": (first, *PASSED[1:]),
        "differences": differences,
        "web_changes": WebChanges({}, {}, {}, {}, {}),
        "seconds": 0.4,
        "profiles": (
            Profile("tasks", "month", (("2025-10", 40, 40), ("2025-11", 27, 27))),
            Profile("tasks", "status", (("completed", 20, 20), ("pending", 47, 46), (HOSTILE, 1, 1))),
        ),
    }
    return Verification(**{**values, **changes})


def a_rollback_plan(run: Run, *, include_changed: bool = False, title: str = "Water the plants") -> RollbackPlan:
    kept = 0 if include_changed else 2
    rows = tuple(KeptRow("tasks", id_, title, "changed on the web on 2025-11-23 (UTC)") for id_ in (5, 9)[:kept])
    empty = Removal("{}", "{}", 67, 67, kept, rows)
    return RollbackPlan(
        run=run,
        remove={"tasks": 67 - kept, "goals": 4, "preserved": 12, "users": 0 if kept else 1},
        already_gone={"tasks": 0, "goals": 0},
        kept=rows,
        kept_counts={"tasks": kept, "goals": 0},
        removes_account=not kept,
        account_reason="The account stays: rows belong to it." if kept else "The account goes.",
        drops_tables=False,
        created_tables=(),
        removals={"tasks": empty, "goals": empty},
        is_last=True,
    )


@dataclass
class EndCore(FakeCore):
    """`problem` is raised once by the next long call."""

    verification: Verification = field(default_factory=a_verification)
    runs: tuple[Run, ...] = field(default_factory=lambda: (a_run(), a_run(2, status="rolled-back")))
    title: str = "Water the plants"
    problem: MigrationError | None = None
    verified: int = 0
    taken_back: list[tuple[int, bool]] = field(default_factory=list)

    def stumble(self) -> None:
        problem, self.problem = self.problem, None
        if problem is not None:
            raise problem

    def verify(self, sqlite_path: Path, target: Target, on_event: OnEvent, cancel: Cancellation) -> Verification:
        self.verified += 1
        on_event(PhaseStarted(Phase.PROOF, 71))
        self.pass_gate(cancel)
        self.stumble()
        return self.verification

    def list_runs(self, target: Target) -> tuple[Run, ...]:
        return self.runs

    def plan_rollback(self, target: Target, run_id: int | None, *, include_changed: bool) -> RollbackPlan:
        run = next(run for run in self.runs if run.id == run_id)
        if run.status == "rolled-back":
            raise MigrationError("already-rolled-back", f"Run {run.id} was rolled back already.", "There is nothing to do.")
        return a_rollback_plan(run, include_changed=include_changed, title=self.title)

    def roll_back(
        self, target: Target, run_id: int, *, include_changed: bool, on_event: OnEvent, cancel: Cancellation
    ) -> RollbackOutcome:
        on_event(PhaseStarted(Phase.REMOVE))
        self.pass_gate(cancel)
        self.stumble()
        on_event(PhaseFinished(Phase.REMOVE, 0.1))
        self.taken_back.append((run_id, include_changed))
        plan = self.plan_rollback(target, run_id, include_changed=include_changed)
        return RollbackOutcome(plan, plan.remove, (Check("the rows of the run are gone", True, "0 are left"),), 0.2)
