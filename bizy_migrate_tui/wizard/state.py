"""What the wizard knows while it runs: one value, handed to every screen by its constructor."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bizy_migrate_tui.migration.errors import ExitCode, MigrationError
from bizy_migrate_tui.migration.findings import Choice
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.settings import Settings
from bizy_migrate_tui.wizard.flow import PATHS, Step, StepState, Way

if TYPE_CHECKING:  # SQLAlchemy is imported after the first paint
    from bizy_migrate_tui.migration.plan.plan import Choices, Plan
    from bizy_migrate_tui.migration.plan.preview import Preview
    from bizy_migrate_tui.migration.postgresql.target import TargetState
    from bizy_migrate_tui.migration.run.outcome import Outcome
    from bizy_migrate_tui.migration.source.inventory import Inventory
    from bizy_migrate_tui.migration.source.snapshot import Snapshot
    from bizy_migrate_tui.migration.verification.verification import Verification
    from bizy_migrate_tui.wizard.core import Work


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, at which step, and what of the data may have changed ("Nothing was changed." mostly)."""

    step: Step
    error: MigrationError
    meaning: str = "Nothing was changed."


@dataclass(slots=True)
class WizardState:
    """The user's answers and the core's results so far.

    A result that no longer fits the answers is dropped and its step becomes stale; `stale_because` says why.
    """

    settings: Settings
    sqlite_path: Path
    target: Target | None
    zone: str
    utc_until: int | None
    email: str
    username: str
    env_file: Path | None
    backup: bool = True
    demo: bool = False
    way: Way = Way.MIGRATE
    password: Secret | None = None
    on: Mapping[str, Choice] = field(default_factory=dict)
    target_state: "TargetState | None" = None
    work: "Work | None" = None
    snapshot: "Snapshot | None" = None
    inventory: "Inventory | None" = None
    plan: "Plan | None" = None
    preview: "Preview | None" = None
    outcome: "Outcome | None" = None
    committed: "Outcome | None" = None
    """The newest run that this sitting has committed, whatever was changed since; it holds the temporary password."""
    password_seen: bool = False
    verification: "Verification | None" = None
    rolled_back: bool = False
    failure: Failure | None = None
    steps: dict[Step, StepState] = field(default_factory=dict)
    stale_because: dict[Step, str] = field(default_factory=dict)
    changed: Callable[[], None] = lambda: None
    """Called when the state of a step changed; the app redraws its rail."""

    @classmethod
    def from_settings(cls, settings: Settings, *, backup: bool = True, demo: bool = False) -> "WizardState":
        """The state at the start."""
        return cls(
            settings=settings,
            sqlite_path=settings.sqlite_path.value,
            target=settings.target.value if settings.target else None,
            zone=settings.zone.value,
            utc_until=settings.created_at_utc_until,
            email=settings.user_email.value,
            username=settings.user_name.value,
            env_file=settings.env_file,
            backup=backup,
            demo=demo,
        )

    @property
    def choices(self) -> "Choices":
        """The user's decisions as the core takes them."""
        from bizy_migrate_tui.migration.plan.plan import Choices  # noqa: PLC0415 (heavy: after the first paint)

        return Choices(self.zone, self.utc_until, self.email, self.username, self.password, dict(self.on))

    @property
    def path(self) -> tuple[Step, ...]:
        """The steps of the way the user is on."""
        return PATHS[self.way]

    def state_of(self, step: Step) -> StepState:
        """Where a step stands."""
        return self.steps.get(step, StepState.WAITING)

    def run_ended(self, outcome: "Outcome") -> None:
        """A run ended well, if with nothing to do."""
        self.outcome = outcome
        if outcome.run_id is not None:
            self.committed, self.password_seen = outcome, False

    def run_taken_back(self, run_id: int) -> None:
        """A run was rolled back; what goes with this sitting's own is its password."""
        self.rolled_back = True
        if self.committed is not None and self.committed.run_id == run_id:
            self.committed = None
        self.choices_changed("run rolled back")

    @property
    def password_is_unseen(self) -> bool:
        """Whether there is a temporary password that would be lost, as nobody has looked at it."""
        return self.committed is not None and self.committed.password is not None and not self.password_seen

    def complete(self, step: Step) -> None:
        """The step ended well."""
        self.steps[step] = StepState.DONE
        self.stale_because.pop(step, None)
        self.changed()

    def fail(self, failure: Failure) -> None:
        """The step ended badly."""
        self.failure = failure
        self.steps[failure.step] = StepState.FAILED
        self.stale_because.pop(failure.step, None)
        self.changed()

    def reopen(self, step: Step) -> None:
        """The step has not ended any more (it is being done again)."""
        self.steps.pop(step, None)
        self.stale_because.pop(step, None)
        self.changed()

    def can_visit(self, step: Step) -> bool:
        """Whether the user may go there from the rail: it is finished, or all before it is."""
        if step not in self.path:
            return False
        before = self.path[: self.path.index(step)]
        return step in self.steps or all(self.state_of(other) is StepState.DONE for other in before)

    def source_changed(self) -> None:
        """Another source was named: everything that was read from the old one goes."""
        self.snapshot = None
        self.inventory = None
        self.close_work()
        self._drop_plan()
        self._stale(Step.PREREQUISITES, "another source")

    def target_changed(self) -> None:
        """Another target was named: the plan for the old one goes; the copy of the source stays."""
        self.target_state = None
        self._drop_plan()
        self._stale(Step.PREREQUISITES, "connection changed", spare=(Step.CONNECTION, Step.BACKUP))

    def choices_changed(self, because: str) -> None:
        """Zone, account or a choice changed ("time zone changed", 18 characters at most): the plan has to be made anew."""
        self._drop_plan()
        self._stale(Step.PREVIEW, because)

    def close_work(self) -> None:
        """Remove the core's temporary files."""
        if self.work is not None:
            self.work.close()
            self.work = None

    @property
    def exit_code(self) -> int:
        """What the program returns when the user leaves now."""
        found = self.verification or self.outcome or self.committed
        if found is not None:
            return ExitCode.DONE if found.passed else ExitCode.FAILED
        if self.rolled_back:
            return ExitCode.DONE
        return self.failure.error.exit_code if self.failure else ExitCode.CANCELLED

    def _drop_plan(self) -> None:
        self.plan = None
        self.preview = None
        self.outcome = None
        self.verification = None

    def _stale(self, since: Step, because: str, *, spare: tuple[Step, ...] = ()) -> None:
        steps = PATHS[Way.MIGRATE]
        for step in steps[steps.index(since) :]:
            if step in self.steps and step not in spare:
                self.steps[step] = StepState.STALE
                self.stale_because[step] = because
        self.changed()
