"""Rollback (its own way, or after the finish): which run, exactly what goes and what stays and why, then the proof."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from bizy_migrate_tui import env_file
from bizy_migrate_tui.display import human_seconds
from bizy_migrate_tui.env_file import EnvChange
from bizy_migrate_tui.migration.errors import Cancelled, MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.wizard.core import Core
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.run_meter import RunMeter
from bizy_migrate_tui.wizard.safe import toned
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.check_list import CheckLines
from bizy_migrate_tui.wizard.widgets.confirm import TypedConfirmModal
from bizy_migrate_tui.wizard.widgets.facts import home_path
from bizy_migrate_tui.wizard.widgets.meters import PhaseList
from bizy_migrate_tui.wizard.widgets.removal_text import goes, removal_text, run_line

if TYPE_CHECKING:
    from bizy_migrate_tui.migration.ledger.ledger import Run
    from bizy_migrate_tui.migration.rollback.rollback import RollbackOutcome, RollbackPlan

WEIGHTS: Final = {Phase.PLAN: 1.0, Phase.REMOVE: 8.0, Phase.COMMIT: 1.0, Phase.CHECKS: 1.0}
WORD: Final = "roll back"
IN_DOUBT: Final = "It is not known whether the rollback came through; it did as a whole, or not at all."


class RollbackScreen(StepScreen):
    """The list of runs, and below it what rolling back the one under the cursor does."""

    STEP = Step.ROLLBACK
    CSS_PATH = "rollback.tcss"
    LEAD = "Removes exactly what a run brought. Your SQLite file is not touched."
    SCROLLS = False
    WRITING = "The rollback"
    HELP = (
        "Move to a run with the arrow keys: below stands what would go and what stays, and why. Rows that were changed on "
        "the web since stay, unless you press i.\n\n"
        "Enter asks for a word to be typed. Everything is removed in one transaction that is proven before COMMIT; x stops "
        "it and takes it back."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "roll_back", "Roll back", priority=True),
        Binding("enter", "next", "Leave", priority=True),
        Binding("enter", "say_why", show=False, priority=True),
        Binding("i", "include", "Changed too"),
        Binding("r", "again", "Look again"),
        Binding("x", "cancel", "Cancel"),
    ]

    def __init__(self, state: WizardState, core: Core) -> None:
        super().__init__(state, core)
        self._runs: tuple[Run, ...] = ()
        self._plan: RollbackPlan | None = None
        self._change: EnvChange | None = None
        self._done: RollbackOutcome | None = None
        self._include_changed = False
        self._meter = RunMeter(WEIGHTS)

    def compose_step(self) -> ComposeResult:
        """The runs; what happens to the one under the cursor; the phases; the checks."""
        yield OptionList(id="runs", markup=False, compact=True)
        yield PhaseList(id="rollback-phases")
        with VerticalScroll(id="removal"):
            yield Static("", id="removal-text", markup=False)
            yield CheckLines(id="rollback-checks")
            yield Static("", id="env-back", markup=False)

    def arrive(self) -> None:
        """Read the ledger."""
        self._done = self._plan = self._change = None
        self._include_changed = False
        self._show_text(Content(""))
        self.query_one(CheckLines).show(())
        self.query_one("#env-back", Static).update("")
        self._choosing(True)
        target = self.state.target
        if target is None:
            self.say("No database is named yet. Go back to Connection.", "warning")
            return
        self.say("Reading the ledger …", "busy")
        self.work_on(lambda _on_event, _cancel: self.core.list_runs(target), then=self._runs_known)

    def why_not(self) -> str | None:
        """There has to be a plan that takes something back."""
        if self._done is not None:
            return None
        if self.jobs:
            return "Still at work. It goes on in a moment."
        return None if self._plan is not None else "There is nothing to roll back here. Escape goes back."

    def action_roll_back(self) -> None:
        """Ask for the word; while it is being looked what would go, say so."""
        plan, reason = self._plan, self.why_not()
        if reason is not None:
            self.say(reason, "warning")
        elif plan is not None:
            question = f"{goes(plan)}\nThere is no way back but to migrate again."
            self.app.push_screen(TypedConfirmModal("Roll back?", question, word=WORD), self._asked)

    def action_include(self) -> None:
        """Take rows that were changed on the web along, or not."""
        self._include_changed = not self._include_changed
        self._look_at_chosen()

    def action_again(self) -> None:
        """Read the ledger again."""
        self.arrive()

    def action_cancel(self) -> None:
        """Stop the rollback; it takes back what it did."""
        for job in self.jobs:
            job.cancel.request()
        self.say("Stopping …", "busy")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Before: choose. Meanwhile: cancel. Afterwards: leave."""
        at_work = any(job.critical for job in self.jobs)
        if action == "cancel":
            return at_work
        if action in ("next", "roll_back", "say_why"):
            stuck = at_work or (self._plan is None and not self.jobs)
            return action == ("next" if self._done is not None else "say_why" if stuck else "roll_back")
        if action == "include":
            return not self.jobs and self._done is None and self._plan is not None
        if action == "again":
            return not self.jobs and (self._done is None or len(self._runs) > 1)
        if action == "back":
            return not at_work and (self._done is None or self.STEP in self.state.path)
        return super().check_action(action, parameters)

    def tick(self) -> None:
        """Draw how far the rollback is."""
        if any(job.critical for job in self.jobs):
            self.query_one(PhaseList).show(self._meter.look().phases)

    def _runs_known(self, runs: "tuple[Run, ...]") -> None:
        self._runs = runs
        shown = self.query_one("#runs", OptionList)
        shown.clear_options()
        shown.add_options(Option(run_line(run), id=str(run.id)) for run in runs)
        if not runs:
            self.say("No run was ever made into this database. There is nothing to roll back.", "note")
            return
        mine = self.state.outcome.run_id if self.state.outcome is not None else None
        first = next((i for i, run in enumerate(runs) if run.id == mine), None)
        newest = next((i for i, run in enumerate(runs) if run.status == "migrated"), 0)
        shown.highlighted = newest if first is None else first
        shown.focus()

    @on(OptionList.OptionHighlighted)
    def _look_at_chosen(self) -> None:
        target, number = self.state.target, self.query_one("#runs", OptionList).highlighted
        if target is None or number is None or self._done is not None:
            return
        run_id, include = self._runs[number].id, self._include_changed
        self.drop_jobs()
        self._plan = self._change = None
        self.say("Checking what would be removed …", "busy")
        place = env_file.place_for(self.state.env_file, Path.cwd())
        self.work_on(
            lambda _on_event, _cancel: self._look(target, run_id, include, place), then=self._planned, failed=self._not_planned
        )

    def _look(self, target: Target, run_id: int, include: bool, place: Path) -> "tuple[RollbackPlan, EnvChange | None]":
        plan = self.core.plan_rollback(target, run_id, include_changed=include)
        return plan, env_file.taking_back(place, target) if plan.is_last else None

    def _planned(self, found: "tuple[RollbackPlan, EnvChange | None]") -> None:
        self._plan, self._change = found
        self._show_text(removal_text(*found, include_changed=self._include_changed))
        self.say(f"{goes(self._plan)} Press Enter to roll back; it asks first.", "note")
        self.refresh_bindings()

    def _not_planned(self, error: MigrationError) -> None:
        self._show_text(Content(""))
        self.say(f"{error.cause} {error.remedy}", "warning")

    def _asked(self, sure: bool | None) -> None:
        target, plan = self.state.target, self._plan
        if not sure or target is None or plan is None:
            self.say("Nothing was changed.")
            return
        self._meter = RunMeter(WEIGHTS)
        self._choosing(False)
        self.query_one(PhaseList).show(self._meter.look().phases)
        call = partial(self._roll_back, target, plan.run.id, self._include_changed)
        self.work_on(call, then=self._rolled_back, failed=self._not_done, listen=self._meter.take, critical=True)
        self.say("Rolling back … x stops it.", "busy")

    def _roll_back(
        self, target: Target, run_id: int, include: bool, on_event: OnEvent, cancel: Cancellation
    ) -> "RollbackOutcome":
        return self.core.roll_back(target, run_id, include_changed=include, on_event=on_event, cancel=cancel)

    def _rolled_back(self, outcome: "RollbackOutcome") -> None:
        self._done = outcome
        self.state.run_taken_back(outcome.plan.run.id)
        passed = all(check.passed for check in outcome.checks)
        self._show_text(Content(""))
        self.query_one(CheckLines).show(outcome.checks)
        self.query_one("#removal").focus()
        self.say(
            f"Run {outcome.plan.run.id} was rolled back in {human_seconds(outcome.seconds)}. Enter leaves."
            if passed
            else "The run was rolled back, but not every check holds.",
            "good" if passed else "bad",
        )
        self.refresh_bindings()
        change = self._change
        if change is not None:
            self.work_on(
                lambda _on_event, _cancel: env_file.take_back(change), then=self._env_is_back, failed=self._env_is_not_back
            )

    def _env_is_back(self, _nothing: None) -> None:
        if self._change is not None:
            self._note_env("good", f"{home_path(self._change.path)} is as it was before the move.")

    def _env_is_not_back(self, error: MigrationError) -> None:
        self._note_env("bad", f"{error.cause} {error.remedy}")

    def _not_done(self, error: MigrationError) -> None:
        self._meter.stop()
        self.query_one(PhaseList).show(self._meter.look().phases)
        if isinstance(error, Cancelled):
            self._choosing(True)
            self.say("Cancelled. Nothing was changed.", "good")
        else:
            self.fail(error, IN_DOUBT if error.code == "commit-in-doubt" else "Nothing was changed.")

    def _choosing(self, is_so: bool) -> None:
        """Show the runs, or the phases in their place."""
        self.query_one("#runs").display = is_so
        self.query_one(PhaseList).display = not is_so

    def _show_text(self, text: Content) -> None:
        self.query_one("#removal-text", Static).update(text)
        self.query_one("#removal").scroll_home(animate=False)

    def _note_env(self, tone: str, text: str) -> None:
        self.query_one("#env-back", Static).update(toned(tone, text))
