"""Preview (welcome → … → backup → preview): what will become of every row, before anything is written."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from bizy_migrate_tui.migration.clock import zone_named
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent
from bizy_migrate_tui.migration.findings import Choice, Finding
from bizy_migrate_tui.wizard.core import Core, Work
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.jobs import Job
from bizy_migrate_tui.wizard.run_meter import RunMeter
from bizy_migrate_tui.wizard.run_weights import run_weights
from bizy_migrate_tui.wizard.safe import safe
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.choice_dialog import ChoiceDialog
from bizy_migrate_tui.wizard.widgets.diff_pane import DiffPane
from bizy_migrate_tui.wizard.widgets.findings_pane import FindingsPane, place
from bizy_migrate_tui.wizard.widgets.preview_tabs import PreviewTabs
from bizy_migrate_tui.wizard.widgets.zone_dialog import ZoneChoice, ZoneDialog
from bizy_migrate_tui.wizard.wording import equivalent_command, owner_sentence, plan_summary

if TYPE_CHECKING:
    from bizy_migrate_tui.migration.plan import Plan
    from bizy_migrate_tui.migration.preview import Preview
    from bizy_migrate_tui.migration.run import Outcome

TAB_KEYS: Mapping[str, str] = {
    "1": "tasks",
    "2": "goals",
    "3": "users",
    "4": "homeless",
    "5": "findings",
    "6": "time",
    "7": "trial",
}
NOTHING_STAYS = "Nothing was changed: a dry run takes everything back."


class PreviewScreen(StepScreen):
    """The plan in a sentence, and under tabs in every detail. Choices made here change it at once."""

    STEP = Step.PREVIEW
    CSS_PATH = "preview.tcss"
    LEAD = "What will become of every row. Nothing has been written yet."
    SCROLLS = False
    HELP = (
        "1 to 7 open the tabs. In a list, the arrow keys and Page Down move; Space opens the row: every column before (−) and "
        "after (+), the part that changes marked.\n\n"
        "+ new: comes as it is, its times moved to UTC.  ~ adjusted: a value changes, the original is kept.  = same: is "
        "there already.  ● kept: was changed on the web and stays so.  − left out: kept whole beside the web tables.\n\n"
        "Under Findings, Space chooses what happens to the rows of a finding. z changes the zone, and “UTC until task”. "
        "d does everything for real and takes it back: its figures stand beside the prediction."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "dry_run", "Dry run"),
        Binding("f", "kind", "Filter"),
        Binding("slash", "search", "Search"),
        Binding("z", "zone", "Zone"),
        Binding("c", "copy", "Copy command", show=False),
        *(Binding(key, f"open('{tab}')", tab.capitalize(), show=False) for key, tab in TAB_KEYS.items()),
    ]

    def __init__(self, state: WizardState, core: Core) -> None:
        super().__init__(state, core)
        self._shown: Plan | None = None
        self._trial: Job[Outcome] | None = None
        self._meter = RunMeter({})

    def compose_step(self) -> ComposeResult:
        """The summary, then everything in detail."""
        yield Static("", id="summary", markup=False)
        yield PreviewTabs(id="preview-tabs")

    def arrive(self) -> None:
        """Plan, unless the plan is there and still fits the answers."""
        self._trial = None
        if self.state.plan is None or self.state.preview is None:
            self._plan_anew()
        elif self.state.plan is not self._shown:
            self._show(self.state.plan, self.state.preview)
        else:
            self._invite(self.state.plan)

    def why_not(self) -> str | None:
        """Going on needs a plan that nothing blocks."""
        if self._trial is not None and self._trial in self.jobs:
            return "The dry run is under way. Enter goes on when it is done; d stops it."
        plan = self.state.plan
        if self.jobs or plan is None:
            return super().why_not() or "There is no plan yet. Go back to Backup and make the copy."
        if not plan.blocked:
            return None
        first = plan.blocked[0]
        return f"{place(first)}, {first.count:,} rows: {first.action}. Under Findings (5) it says which."

    def action_next(self) -> None:
        """Go on; where something has to be decided first, lead there."""
        super().action_next()
        if self.state.plan is not None and self.state.plan.blocked:
            self.action_open("findings")

    def action_open(self, tab: str) -> None:
        """Open a tab, the cursor in its rows."""
        tabs = self.query_one(PreviewTabs)
        tabs.go_to(tab)
        self.call_after_refresh(tabs.focus_rows)

    def action_kind(self) -> None:
        """Show the next kind of rows only."""
        diff = self.query_one(PreviewTabs).diff
        if diff is not None:
            diff.next_kind()

    def action_search(self) -> None:
        """Search in the titles, or jump to an id."""
        diff = self.query_one(PreviewTabs).diff
        if diff is not None:
            diff.focus_search()

    def action_copy(self) -> None:
        """Put the equivalent command on the clipboard."""
        if self.state.plan is not None:
            self.app.copy_to_clipboard(self._command(self.state.plan))
            self.say("The command is on the clipboard. It holds no password.", "good")

    def action_zone(self) -> None:
        """Choose another zone, or where UTC ends, with the evidence in sight."""
        plan = self.state.plan
        if plan is None or self.jobs:
            self.say("One moment: still at work.", "warning")
            return
        current = ZoneChoice(self.state.zone, self.state.utc_until)
        self.app.push_screen(ZoneDialog(current, plan.inventory.evidence), self._zone_chosen)

    def action_dry_run(self) -> None:
        """Do everything and take it back; or stop doing so."""
        if self._trial is not None and self._trial in self.jobs:
            self.run_worker(self._trial.cancel.request, thread=True, exit_on_error=False)
            self.say("Stopping the dry run …", "busy")
            return
        plan, work, reason = self.state.plan, self.state.work, self.why_not()
        if plan is None or work is None or reason is not None:
            self.say(reason or "There is no plan yet.", "warning")
            return
        self.action_open("trial")
        self._meter = RunMeter(run_weights(plan))

        def run(on_event: OnEvent, cancel: Cancellation) -> "Outcome":
            return work.run(plan, dry_run=True, on_event=on_event, cancel=cancel)

        self._trial = self.work_on(run, then=self._tried, failed=self._not_tried, listen=self._meter.take)
        self.say("Dry run: everything is done for real, and taken back at the end. d stops it.", "busy")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Filter and search belong to the lists of tasks and goals."""
        if action in {"kind", "search"}:
            tabs = self.query(PreviewTabs)
            return bool(tabs) and tabs.first().diff is not None
        return super().check_action(action, parameters)

    def tick(self) -> None:
        """How far the dry run is."""
        if self._trial is not None and self._trial in self.jobs:
            view = self._meter.look()
            phase = f"{view.current.phase} … " if view.current is not None else ""
            self.query_one(PreviewTabs).trial.say(f"▶ {phase}{view.fraction * 100:.0f} %")

    @on(FindingsPane.ChoiceWanted)
    def _choice_wanted(self, event: FindingsPane.ChoiceWanted) -> None:
        if self.jobs:
            self.say("One moment: still at work.", "warning")
            return
        finding = event.finding
        self.app.push_screen(ChoiceDialog(finding), lambda choice: self._choice_made(finding, choice))

    @on(DiffPane.Failed)
    def _not_read(self, event: DiffPane.Failed) -> None:
        self.say(event.error.cause, "bad")

    @on(DiffPane.Missing)
    def _missing(self, event: DiffPane.Missing) -> None:
        self.say(f"There is no row with the id {event.id}.", "warning")

    @on(PreviewTabs.Opened)
    def _tab_opened(self) -> None:
        self.refresh_bindings()

    def _choice_made(self, finding: Finding, choice: Choice | None) -> None:
        if choice is None or choice is finding.choice:
            return
        self.state.on = {**self.state.on, finding.code: choice}
        self.state.choices_changed("a choice changed")
        self._plan_anew()

    def _zone_chosen(self, chosen: ZoneChoice | None) -> None:
        if chosen is None or (chosen.zone, chosen.utc_until) == (self.state.zone, self.state.utc_until):
            return
        self.state.zone, self.state.utc_until = chosen.zone, chosen.utc_until
        self.state.choices_changed("the time zone changed")
        self._plan_anew()

    def _plan_anew(self) -> None:
        state, inventory, target = self.state, self.state.inventory, self.state.target
        if inventory is None or target is None or state.work is None:
            self.say("There is no copy of the data yet. Go back to Backup and make it.", "warning")
            return
        work: Work = state.work
        choices = state.choices

        def plan(on_event: OnEvent, cancel: Cancellation) -> "tuple[Plan, Preview]":
            made = work.make_plan(inventory, target, choices, on_event=on_event, cancel=cancel)
            return made, work.preview(made)

        self.say("Planning again …" if self._shown is not None else "Planning …", "busy")
        self.work_on(plan, then=lambda made: self._planned(*made))

    def _planned(self, plan: "Plan", preview: "Preview") -> None:
        self.state.plan, self.state.preview = plan, preview
        self._show(plan, preview)

    def _show(self, plan: "Plan", preview: "Preview") -> None:
        first = self._shown is None
        self._shown = plan
        self.query_one("#summary", Static).update(safe(f"{plan_summary(plan)} {owner_sentence(plan)}"))
        tabs = self.query_one(PreviewTabs)
        tabs.show(plan, preview, self._command(plan))
        if first:
            tabs.focus_rows()
        self._invite(plan)

    def _invite(self, plan: "Plan") -> None:
        proposal = plan.inventory.evidence.utc_until(zone_named(plan.choices.zone))
        if plan.blocked:
            self.say(self.why_not() or "", "warning")
        elif proposal is not None and plan.choices.created_at_utc_until is None:
            self.say(f"The times suggest: UTC until task {proposal}. z shows why and takes it. Enter goes on without.", "warning")
        elif plan.nothing_to_do:
            self.say("Enter goes on and compares both sides.", "good")
        else:
            self.say("Enter goes on to the migration; d tries it first and takes everything back.", "good")

    def _command(self, plan: "Plan") -> str:
        return equivalent_command(plan, self.state.sqlite_path, backup=self.state.backup)

    def _tried(self, outcome: "Outcome") -> None:
        plan = self.state.plan
        if plan is None:
            return
        same = dict(outcome.tables) == dict(plan.tables)
        did = "did exactly what is predicted" if same else "did something else than predicted"
        sentence = f"The dry run {did}, passed {len(outcome.checks)} checks, and took all of it back."
        self.query_one(PreviewTabs).trial.show_result(plan.tables, outcome.tables, sentence)
        self.say(f"{sentence} Enter goes on." if same else sentence, "good" if same else "bad")

    def _not_tried(self, error: MigrationError) -> None:
        if error.code == "cancelled":
            self.query_one(PreviewTabs).trial.say("The dry run was stopped; nothing stayed. d starts it again.")
            self.say("The dry run was stopped. Nothing was changed.")
        else:
            self.query_one(PreviewTabs).trial.say(f"✗ {error.cause}")
            self.fail(error, NOTHING_STAYS)
