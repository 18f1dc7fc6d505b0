"""Preview (after the backup, before anything is written): what will become of every row, and the choices about it."""

from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from bizy_migrate_tui.migration.errors import Cancelled, MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent
from bizy_migrate_tui.migration.findings import Choice, Finding
from bizy_migrate_tui.wizard.core import Core, Work
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.jobs import Job
from bizy_migrate_tui.wizard.plan_words import as_predicted, blocked_because, plan_facts, trial_sentence
from bizy_migrate_tui.wizard.proposal import ClockProposal
from bizy_migrate_tui.wizard.run_meter import RunMeter
from bizy_migrate_tui.wizard.run_weights import run_weights
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.choice_dialog import ChoiceDialog
from bizy_migrate_tui.wizard.widgets.diff_pane import DiffPane
from bizy_migrate_tui.wizard.widgets.findings_pane import FindingsPane
from bizy_migrate_tui.wizard.widgets.preview_tabs import PARTS, PreviewTabs
from bizy_migrate_tui.wizard.widgets.zone_dialog import ZoneChoice, ZoneDialog
from bizy_migrate_tui.wizard.wording import equivalent_command

if TYPE_CHECKING:  # SQLAlchemy is imported after the first paint
    from bizy_migrate_tui.migration.plan.plan import Plan
    from bizy_migrate_tui.migration.plan.preview import Preview
    from bizy_migrate_tui.migration.run.outcome import Outcome
    from bizy_migrate_tui.migration.source.inventory import Inventory

NO_COPY: Final = "There is no copy of the data yet, or no database to bring it to. Escape goes back."
ONLY_READ: Final = "Nothing was changed: planning only reads."
TAKEN_BACK: Final = "Nothing was changed: a dry run takes everything back."


class PreviewScreen(StepScreen):
    """Makes the plan where there is none that fits the answers. Choices made here change it at once."""

    STEP = Step.PREVIEW
    CSS_PATH = "preview.tcss"
    LEAD = "1–7 parts · Space opens a row · / search · f filter · c copies the command"
    SCROLLS = False
    WRITING = "The dry run"
    HELP = (
        "Nothing has been written yet. 1 to 7 open the parts. In a list, the arrow keys and Page Down move; Space opens the "
        "row: every column before (−) and after (+), the part that changes marked; Escape closes it. / searches in titles, "
        "and #12 there jumps to the row with the id 12.\n\n"
        "f shows one kind of rows after the other.  + new: comes as it is, its times moved to UTC.  ~ adjusted: a value "
        "changes, the original is kept.  = same: is there already.  ● kept: is otherwise on the web by now and stays so.  − left "
        "out: kept whole beside the web tables.\n\n"
        "Under Findings, Space chooses what happens to the rows of a finding. z changes the clock: the zone, and up to "
        "which task creation times are UTC. d does everything for real and takes it back: its figures stand beside the plan."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "dry_run", "Dry run"),
        Binding("z", "clock", "Clock"),
        Binding("escape", "stop_trial", "Stop"),
        Binding("escape", "back", "Back"),
        Binding("slash", "search", "Search", show=False),
        Binding("f", "filter", "Filter", show=False),
        Binding("c", "copy_command", "Copy command", show=False),
        *(Binding(str(i), f"open('{part}')", f"Part: {PARTS[part]}", show=False) for i, part in enumerate(PARTS, 1)),
    ]

    def __init__(self, state: WizardState, core: Core) -> None:
        super().__init__(state, core)
        self._shown: Plan | None = None
        self._planning: Job[tuple[Inventory, Plan, Preview]] | None = None
        self._trial: Job[Outcome] | None = None
        self._try_again = False
        self._problem = ""
        self._meter = RunMeter({})
        self._began = 0.0
        self._proposal = ClockProposal()

    def compose_step(self) -> ComposeResult:
        """The summary, then the parts."""
        yield Static("", id="summary", markup=False)
        yield PreviewTabs(id="preview-tabs")

    @property
    def parts(self) -> PreviewTabs:
        """The tabs."""
        return self.query_one(PreviewTabs)

    @property
    def trying(self) -> bool:
        """Whether the dry run is under way."""
        return self._trial is not None and self._trial in self.jobs

    def arrive(self) -> None:
        """Show the plan; make it where there is none."""
        if self.state.plan is not None and self.state.preview is not None:
            self._show(self.state.plan, self.state.preview)
        elif self.state.snapshot is None or self.state.target is None:
            self.parts.display = False
            self.query_one("#summary", Static).update("")
            self.say(NO_COPY, "warning")
        else:
            self._make_plan()

    def retry(self) -> None:
        """What failed is done again: the dry run, or the plan."""
        again, self._try_again = self._try_again, False
        self.arrive()
        if again and self.state.plan is not None:
            self.action_dry_run()

    def why_not(self) -> str | None:
        """Going on needs a plan that nothing forbids."""
        if self.jobs:
            return "The dry run is under way. Escape stops it." if self.trying else "The plan is being made: one moment."
        if self.state.plan is None:
            return NO_COPY
        return blocked_because(self.state.plan) if self.state.plan.blocked else None

    def action_next(self) -> None:
        """Go on; where something has to be decided first, lead there."""
        super().action_next()
        if not self.jobs and self.state.plan is not None and self.state.plan.blocked:
            self.action_open("findings")

    def action_stop_trial(self) -> None:
        """Stop the dry run."""
        if self._trial is not None:
            self.run_worker(self._trial.cancel.request, thread=True, exit_on_error=False)
            self.say("Stopping the dry run …", "busy")

    def action_open(self, tab: str) -> None:
        """Open one of the parts, the cursor in it."""
        self.parts.go_to(tab)
        self.call_after_refresh(self.parts.focus_rows)

    def action_search(self) -> None:
        """Search in the titles, or jump to an id."""
        if self.parts.diff is not None:
            self.parts.diff.focus_search()

    def action_filter(self) -> None:
        """Show the next kind of rows only."""
        if self.parts.diff is not None:
            self.parts.diff.next_kind()

    def action_copy_command(self) -> None:
        """Put the command that does the same on the clipboard."""
        if self.state.plan is not None:
            self.app.copy_to_clipboard(self._command(self.state.plan))
            self.say("The command is on the clipboard. It holds no password. Part 7 shows it.", "good")

    def action_clock(self) -> None:
        """Change the zone, and up to which task creation times are UTC, with the evidence in sight."""
        if self.state.inventory is not None:
            current = ZoneChoice(self.state.zone, self.state.utc_until)
            self.app.push_screen(ZoneDialog(current, self.state.inventory.evidence), self._clock_chosen)

    def action_dry_run(self) -> None:
        """Do everything for real, and take it back."""
        work, plan = self.state.work, self.state.plan
        if work is None or plan is None:
            return
        self._meter = RunMeter(run_weights(plan))
        self.action_open("trial")
        self._trial = self.work_on(
            lambda on_event, cancel: work.run(plan, dry_run=True, on_event=on_event, cancel=cancel),
            then=self._tried,
            failed=self._not_tried,
            listen=self._meter.take,
            critical=True,
        )
        self.say("Dry run: everything is done for real, and taken back at the end. Escape stops it.", "busy")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A plan first; one thing at a time; filter and search belong to the lists of tasks and goals."""
        if action == "dry_run":
            return self.state.plan is not None and not self.state.plan.blocked and not self.jobs
        if action in ("stop_trial", "back"):
            return self.trying is (action == "stop_trial")
        if action == "clock":
            return self.state.inventory is not None and not self.trying
        if action in {"search", "filter"}:
            return self._shown is not None and self.parts.diff is not None
        if action in {"open", "copy_command"}:
            return self._shown is not None
        return super().check_action(action, parameters)

    def tick(self) -> None:
        """Say how far the work is."""
        if self.trying:
            view = self._meter.look()
            doing = f"{view.current.phase} … " if view.current is not None else ""
            self.parts.trial.say(f"▶ {doing}{view.fraction * 100:.0f} %")
        elif monotonic() - self._began >= 1:
            self.say(f"Comparing every row with what is there … {monotonic() - self._began:.0f} s", "busy")

    @on(PreviewTabs.Opened)
    def _tab_opened(self) -> None:
        self.refresh_bindings()

    @on(DiffPane.Failed)
    def _not_read(self, event: DiffPane.Failed) -> None:
        self.say(f"{event.error.cause} {event.error.remedy}", "bad")

    @on(DiffPane.Looked)
    def _looked(self, event: DiffPane.Looked) -> None:
        if event.problem:
            self.say(event.problem, "warning")
        elif self._problem and self.state.plan is not None and not self.jobs:
            self._invite(self.state.plan)
        self._problem = event.problem

    @on(FindingsPane.ChoiceWanted)
    def _choice_wanted(self, event: FindingsPane.ChoiceWanted) -> None:
        if self.jobs:
            self.say("One moment: still at work.", "warning")
            return
        finding = event.finding
        self.app.push_screen(ChoiceDialog(finding), lambda choice: self._choice_made(finding, choice))

    def _choice_made(self, finding: Finding, choice: Choice | None) -> None:
        if choice is not None and choice is not finding.choice:
            self.state.on = {**self.state.on, finding.code: choice}
            self.state.choices_changed("choice changed")
            self._make_plan()

    def _clock_chosen(self, chosen: ZoneChoice | None) -> None:
        state, inventory = self.state, self.state.inventory
        if chosen is None or inventory is None:
            return
        self._proposal.decided(inventory, chosen.zone)
        if chosen != ZoneChoice(state.zone, state.utc_until):
            state.zone, state.utc_until = chosen.zone, chosen.utc_until
            state.choices_changed("time zone changed")
            self._make_plan()
        elif state.plan is not None and state.preview is not None:
            self._show(state.plan, state.preview)

    def _make_plan(self) -> None:
        """Plan in a thread, after one that may still be at work on an older answer."""
        state, target, snapshot, before = self.state, self.state.target, self.state.snapshot, self._planning
        if target is None or snapshot is None:
            return
        if before is not None:
            before.cancel.request()
            self.jobs = [job for job in self.jobs if job is not before]

        def plan(on_event: OnEvent, cancel: Cancellation) -> "tuple[Inventory, Plan, Preview]":
            if before is not None:
                before.join()
            work: Work = state.work or self.core.open_work(state.sqlite_path)
            state.work = work
            inventory = state.inventory or work.take_inventory(snapshot, state.zone, on_event=on_event, cancel=cancel)
            self._proposal.take(state, inventory)
            made = work.make_plan(inventory, target, state.choices, on_event=on_event, cancel=cancel)
            return inventory, made, work.preview(made)

        self.parts.display = self._shown is not None
        self._began = monotonic()
        self._planning = self.work_on(plan, then=self._planned, failed=lambda error: self.fail(error, ONLY_READ))
        self.say("Comparing every row with what is there …", "busy")

    def _planned(self, made: "tuple[Inventory, Plan, Preview]") -> None:
        self.state.inventory, self.state.plan, self.state.preview = made
        self._show(made[1], made[2])

    def _show(self, plan: "Plan", preview: "Preview") -> None:
        self.query_one("#summary", Static).update(plan_facts(plan, proposed=self._proposal.holds_in(plan)))
        fresh = self._shown is None
        self.parts.display = True
        if self._shown is not plan:
            self._shown = plan
            self.parts.show(plan, preview, self._command(plan))
        if fresh:
            self.call_after_refresh(self.parts.focus_rows)
        self._invite(plan)
        self.refresh_bindings()

    def _invite(self, plan: "Plan") -> None:
        if self.state.outcome is not None:
            self.say("This is what was done. Press Enter to go on.")
        elif plan.blocked:
            self.say(blocked_because(plan), "warning")
        elif plan.nothing_to_do:
            self.say("Press Enter to go on and compare both sides.", "good")
        else:
            self.say("Nothing is written yet. Press Enter to go on; d tries it all out first.", "good")

    def _command(self, plan: "Plan") -> str:
        return equivalent_command(plan, self.state.sqlite_path, backup=self.state.backup)

    def _tried(self, outcome: "Outcome") -> None:
        same, sentence = as_predicted(outcome), trial_sentence(outcome)
        self.parts.trial.show_result(outcome.plan.tables, outcome.tables, sentence)
        self.say("The dry run went as predicted. Press Enter to go on." if same else sentence, "good" if same else "bad")

    def _not_tried(self, error: MigrationError) -> None:
        if isinstance(error, Cancelled):
            self.parts.trial.say(f"The dry run was stopped. {TAKEN_BACK}")
            self.say(f"The dry run was stopped. {TAKEN_BACK}", "good")
        else:
            self._try_again = True
            self.parts.trial.say(f"The dry run did not go through. {TAKEN_BACK}")
            self.fail(error, TAKEN_BACK)
