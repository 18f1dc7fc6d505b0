"""Failure (shown when a step cannot be done): what happened, what it means for the data, and what can be done now."""

from datetime import datetime
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from bizy_migrate_tui.migration.errors import ProofFailed
from bizy_migrate_tui.migration.findings import Check, Difference
from bizy_migrate_tui.wizard.flow import Step, Turn
from bizy_migrate_tui.wizard.report_file import save_report, told
from bizy_migrate_tui.wizard.safe import safe_lines, toned
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.widgets.check_list import CheckList
from bizy_migrate_tui.wizard.widgets.difference_pane import DifferencePane
from bizy_migrate_tui.wizard.widgets.paged_table import PagedTable


class FailureScreen(StepScreen):
    """Enter tries again; every other way out is one key away."""

    STEP = Step.FAILURE
    CSS_PATH = "failure.tcss"
    LEAD = "Your answers are kept, and so is everything that was done before."
    HELP = (
        "Enter does the step that failed once more. Escape goes back and does nothing. c leads to the connection, the "
        "zone and the user. Where rows are named, move to one with the arrow keys: what was expected and what was found "
        "stand below."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Try again", priority=True),
        Binding("c", "settings", "Settings"),
        Binding("s", "save", "Save report"),
        Binding("y", "copy", "Copy remedy", show=False),
        Binding("l", "leave", "Leave", show=False),
    ]

    def compose_step(self) -> ComposeResult:
        """What, what of the data, what now; the rows."""
        yield Static("", id="failed-what", markup=False)
        yield Static("", id="failed-data", markup=False)
        yield Static("What to do", classes="heading", markup=False)
        yield Static("", id="failed-remedy", markup=False)
        yield CheckList(id="failed-checks")
        yield DifferencePane(id="failed-rows")

    @property
    def heading(self) -> str:
        """The step that failed, and that it did."""
        failure = self.state.failure
        return super().heading if failure is None else f"{failure.step}: this did not work"

    def arrive(self) -> None:
        """Explain the newest failure."""
        failure = self.state.failure
        if failure is None:
            return
        error = failure.error
        self.query_one("#failed-what", Static).update(toned("bad", error.cause))
        tone = "good" if failure.meaning.startswith("Nothing") else "warning"
        self.query_one("#failed-data", Static).update(toned(tone, f"Your data: {failure.meaning}"))
        self.query_one("#failed-remedy", Static).update(safe_lines(error.remedy))
        self._show_proof(*_proof_of(error))
        self.say("Press Enter to try again, c to change the settings.")

    def why_not(self) -> str | None:
        """Trying again is always possible."""
        return None

    def action_next(self) -> None:
        """Do the failed step again."""
        self.end(Turn.RETRY)

    def action_settings(self) -> None:
        """Change connection, zone or user first."""
        self.end(Turn.SETTINGS)

    def action_leave(self) -> None:
        """Leave the wizard with the failure's exit code."""
        self.end(Turn.LEAVE)

    def action_copy(self) -> None:
        """Put the remedy on the clipboard."""
        if self.state.failure is not None:
            self.app.copy_to_clipboard(self.state.failure.error.remedy)
            self.say("What to do is on the clipboard.", "good")

    def action_save(self) -> None:
        """Save what is known as Markdown and JSON."""
        state = self.state
        error = state.failure.error if state.failure else None
        self.work_on(
            lambda _on_event, _cancel: save_report(state, datetime.now(), error),
            then=lambda path: self.say(told(path), "good"),
            failed=lambda problem: self.say(f"The report could not be saved. {problem.cause}", "bad"),
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The connection has its own settings in sight already."""
        if action == "settings":
            return self.state.failure is not None and self.state.failure.step is not Step.CONNECTION
        return super().check_action(action, parameters)

    def _show_proof(self, checks: tuple[Check, ...], differences: tuple[Difference, ...]) -> None:
        failed = [check for check in checks if not check.passed]
        self.query_one(CheckList).show(failed)
        self.query_one(CheckList).display = bool(failed)
        pane = self.query_one(DifferencePane)
        pane.display = bool(differences)
        self.set_class(bool(differences), "-proof")
        pane.show(differences)
        if differences:
            pane.query_one(PagedTable).focus()


def _proof_of(error: Exception) -> tuple[tuple[Check, ...], tuple[Difference, ...]]:
    return (error.checks, error.differences) if isinstance(error, ProofFailed) else ((), ())
