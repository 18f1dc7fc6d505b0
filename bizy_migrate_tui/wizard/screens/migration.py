"""Migration (after the preview): says once more what will be written where, then does it, proves it and commits it."""

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from bizy_migrate_tui.migration.errors import Cancelled, MigrationError
from bizy_migrate_tui.wizard.core import Core
from bizy_migrate_tui.wizard.flow import Step, Turn
from bizy_migrate_tui.wizard.jobs import Job
from bizy_migrate_tui.wizard.plan_words import run_facts, unchanged_facts
from bizy_migrate_tui.wizard.run_meter import RunMeter, RunView
from bizy_migrate_tui.wizard.run_weights import run_weights
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.confirm import ConfirmModal
from bizy_migrate_tui.wizard.widgets.facts import Facts
from bizy_migrate_tui.wizard.widgets.run_panel import RunPanel
from bizy_migrate_tui.wizard.wording import outcome_summary

if TYPE_CHECKING:  # SQLAlchemy is imported after the first paint
    from bizy_migrate_tui.migration.postgresql.target import TargetState
    from bizy_migrate_tui.migration.run.outcome import Outcome

PROMISE: Final = (
    "All of it is one transaction: nothing of it counts, and nobody sees it, before every cell has been read back and "
    "compared with the source. Until then x stops it at any moment."
)
NO_PLAN: Final = "The plan has to be made first. Press Enter to go back to the preview."
NOTHING_CHANGED: Final = "Nothing was changed: PostgreSQL took back everything the run had written."
IN_DOUBT: Final = "Either everything was committed or nothing: the server could not be asked."


class MigrationScreen(StepScreen):
    """Enter starts the run; when it is committed, Enter goes on."""

    STEP = Step.MIGRATION
    CSS_PATH = "migration.tcss"
    LEAD = "All or nothing: it counts only when every cell is proven."
    SCROLLS = False
    HELP = (
        "Enter starts the run. The tables are loaded, every cell is read back and compared with the source, and only then "
        "is it all committed at once. Whatever goes wrong before that leaves PostgreSQL as it was.\n\n"
        "x stops the run, after asking; then both sides are looked at again, to show that nothing changed. l opens and "
        "closes the log. The bars are weighed by rows; no time left is named before it can be known."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "start", "Start"),
        Binding("enter", "next", "Next"),
        Binding("enter", "say_why", show=False),
        Binding("x", "stop", "Stop"),
        Binding("l", "log", "Log"),
    ]

    def __init__(self, state: WizardState, core: Core) -> None:
        super().__init__(state, core)
        self._meter: RunMeter | None = None
        self._run: Job[Outcome] | None = None
        self._view: RunView | None = None
        self._stopped = False

    def compose_step(self) -> ComposeResult:
        """What will be done; how far it is."""
        yield Facts(id="run-facts")
        yield Static(PROMISE, id="promise", markup=False)
        yield RunPanel(id="run")

    @property
    def panel(self) -> RunPanel:
        """The bars and phases."""
        return self.query_one(RunPanel)

    def arrive(self) -> None:
        """Ask; or show the run that was made already."""
        plan, outcome = self.state.plan, self.state.outcome
        if outcome is not None:
            self._sum_up(outcome)
            return
        self._show_run(False)
        self.query_one("#promise").display = plan is not None
        if plan is None:
            self.query_one("#run-facts", Facts).show({})
            self.say(NO_PLAN, "warning")
            return
        self.query_one("#run-facts", Facts).show(run_facts(plan))
        self.say(f"Press Enter to start. {_ends(self._nothing_to_do)}")

    def retry(self) -> None:
        """Run again at once: the user asked for it a moment ago."""
        self.arrive()
        if self.state.plan is not None and self.state.outcome is None:
            self._start()

    def why_not(self) -> str | None:
        """Going on needs a committed run."""
        if self.jobs:
            return "The run is under way. Enter goes on when it is committed; x stops it."
        return None if self.state.outcome is not None else "Nothing has been written yet. Enter starts it."

    def action_next(self) -> None:
        """Go on when the run is done; without a plan, go back for one."""
        if self.state.plan is None and self.state.outcome is None:
            self.end(Turn.BACK)
        else:
            super().action_next()

    def action_start(self) -> None:
        """Start the run."""
        self._start()

    def action_stop(self) -> None:
        """Stop the run, after asking."""
        question = "Everything that was written so far is taken back; the target is as it was before."
        modal = ConfirmModal("Stop the migration?", question, yes="Stop", no="Go on migrating")
        self.app.push_screen(modal, lambda sure: self._stop() if sure else None)

    def action_log(self) -> None:
        """Open or close the log."""
        self.panel.toggle_log()
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Stop what runs; open the log where there is one; no way back out of a run."""
        running = self._run is not None and self._run in self.jobs
        if action in ("start", "next", "say_why"):
            return action == self._enter
        if action == "stop":
            return running and not self._stopped
        if action == "log":
            return self._meter is not None and self.panel.display
        if action == "back":
            return not running
        return super().check_action(action, parameters)

    def tick(self) -> None:
        """Draw the run as it stands now."""
        if self._meter is not None and self._run in self.jobs:
            self._view = self._meter.look()
            self._draw()

    def _draw(self) -> None:
        if self._view is not None and self.panel.display:
            self.panel.show(self._view)

    @property
    def _enter(self) -> str:
        """What Enter does now."""
        if self.jobs:
            return "say_why"
        return "start" if self.state.plan is not None and self.state.outcome is None else "next"

    @property
    def _nothing_to_do(self) -> bool:
        return self.state.plan is not None and self.state.plan.nothing_to_do

    def _start(self) -> None:
        work, plan = self.state.work, self.state.plan
        if work is None or plan is None:
            self.say(NO_PLAN, "warning")
            return
        self._stopped = False
        self._meter = meter = RunMeter(run_weights(plan))
        self._show_run(True)
        self._run = self.work_on(
            lambda on_event, cancel: work.run(plan, dry_run=False, on_event=on_event, cancel=cancel),
            then=self._done,
            failed=self._not_done,
            listen=meter.take,
            critical=True,
        )
        self.tick()
        self.say("Under way. Nothing counts before it is proven and committed.", "busy")

    def _stop(self) -> None:
        if self._run is not None and self._run in self.jobs:
            self._stopped = True
            self.run_worker(self._run.cancel.request, thread=True, exit_on_error=False)  # it may have to ask the server
            self.say("Stopping … PostgreSQL takes back what was written.", "busy")
            self.refresh_bindings()

    def _done(self, outcome: "Outcome") -> None:
        self.state.run_ended(outcome)
        self.state.complete(self.STEP)
        self._sum_up(outcome)

    def _sum_up(self, outcome: "Outcome") -> None:
        has_run = self._meter is not None and outcome.run_id is not None
        self._show_run(has_run)
        self.query_one("#promise").display = False
        if not has_run:
            self.query_one("#run-facts", Facts).show(run_facts(outcome.plan))
        self._draw()
        late = " It was committed already when you asked to stop." if self._stopped else ""
        done = _told(outcome)
        self.say(f"{done}{late} Press Enter to see the checks.", "good")
        self.refresh_bindings()

    def _not_done(self, error: MigrationError) -> None:
        if self._meter is not None:
            self._meter.stop()
            self._view = self._meter.look()
            self._draw()
        if isinstance(error, Cancelled):
            self._look_again()
            return
        if error.code == "target-changed":
            self.state.choices_changed("database changed")
        self.fail(error, IN_DOUBT if error.code == "commit-in-doubt" else NOTHING_CHANGED)

    def _look_again(self) -> None:
        """Show that nothing changed: look at the target on a fresh connection."""
        plan = self.state.plan
        if plan is None:
            return
        self.say("Stopped. Looking at the database again …", "busy")
        self.work_on(lambda _on_event, _cancel: self.core.survey(plan.target), then=self._seen_again, failed=self._not_seen_again)

    def _seen_again(self, found: "TargetState") -> None:
        plan = self.state.plan
        if plan is None:
            return
        self._show_run(False)
        self.query_one("#promise").display = False
        facts, same = unchanged_facts(plan.state, found)
        self.query_one("#run-facts", Facts).show(facts)
        if same:
            self.say("Stopped. Nothing was changed: the database is as before. Enter starts again, Escape goes back.", "good")
        else:
            self.say(f"Stopped. {NOTHING_CHANGED} Somebody else has written to the database meanwhile.", "warning")

    def _not_seen_again(self, error: MigrationError) -> None:
        self.say(f"Stopped. {NOTHING_CHANGED} It could not be looked at again: {error.cause}", "warning")

    def _show_run(self, shown: bool) -> None:
        self.panel.display = shown
        self.query_one("#run-facts").display = not shown
        self.query_one("#promise").display = not shown
        self.refresh_bindings()


def _ends(nothing_to_do: bool) -> str:
    return "There is nothing to write." if nothing_to_do else "Escape goes back; nothing has been written yet."


def _told(outcome: "Outcome") -> str:
    if outcome.run_id is None:
        return "Everything was there already; nothing was written."
    return outcome_summary(outcome.tables, outcome.seconds)
