"""Verification (after the run, or at any later time): every check with its figure, both sides beside each other."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static, TabbedContent, TabPane

from bizy_migrate_tui.display import counted, human_seconds
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase
from bizy_migrate_tui.migration.findings import Check, Difference
from bizy_migrate_tui.wizard.core import Core
from bizy_migrate_tui.wizard.flow import Step, Way
from bizy_migrate_tui.wizard.run_meter import RunMeter
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.check_list import CheckList
from bizy_migrate_tui.wizard.widgets.difference_pane import DifferencePane
from bizy_migrate_tui.wizard.widgets.meters import Bar, Meters
from bizy_migrate_tui.wizard.widgets.paged_table import PagedTable
from bizy_migrate_tui.wizard.widgets.profile_pane import ProfilePane
from bizy_migrate_tui.wizard.wording import moment

if TYPE_CHECKING:
    from bizy_migrate_tui.migration.verification.verification import ComparedRun, Verification

WEIGHTS: Final = {Phase.SNAPSHOT: 1.0, Phase.INTEGRITY: 1.0, Phase.INVENTORY: 2.0, Phase.PROOF: 6.0}
"""How much of the work each phase is; nothing is known of the number of rows beforehand."""
PARTS: Final[Mapping[str, type[Widget]]] = {"part-checks": CheckList, "part-both": ProfilePane, "part-cells": PagedTable}
ONLY_READ: Final = "Nothing was changed: comparing only reads."


class VerificationScreen(StepScreen):
    """The run's own checks are there at once; v compares everything again, cell by cell."""

    STEP = Step.VERIFICATION
    CSS_PATH = "verification.tcss"
    LEAD = "Is it the same data? Looking changes nothing."
    SCROLLS = False
    HELP = (
        "The run read every cell back before it was committed; what it found is shown at once. v compares both databases "
        "again, now: what the web interface has changed since is told from what is wrong.\n\n"
        "← and → (or 1, 2, 3) turn to the other parts. “Side by side” counts the rows of both databases. Under "
        "“Differences” each cell that is not as it should be can be read in full."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Next", priority=True),
        Binding("v", "again", "Compare again"),
        Binding("1", "open('part-checks')", "Checks", show=False),
        Binding("2", "open('part-both')", "Side by side", show=False),
        Binding("3", "open('part-cells')", "Differences", show=False),
        Binding("left", "turn(-1)", "Tab before", show=False, priority=True),
        Binding("right", "turn(1)", "Next tab", show=False, priority=True),
    ]

    def __init__(self, state: WizardState, core: Core) -> None:
        super().__init__(state, core)
        self._meter = RunMeter(WEIGHTS)

    def compose_step(self) -> ComposeResult:
        """Which run; the bar while comparing; the three parts."""
        yield Static("", id="which", markup=False)
        yield Meters(id="compare-bar")
        with TabbedContent(initial="part-checks"):
            with TabPane("Checks", id="part-checks"):
                yield CheckList(id="check-list")
            with TabPane("Side by side", id="part-both"):
                yield ProfilePane(id="profiles")
            with TabPane("Differences", id="part-cells"):
                yield DifferencePane(id="wrong")

    def arrive(self) -> None:
        """Show what is known; where nothing is, compare."""
        self._draw()
        self.query_one(CheckList).focus()
        if self.state.verification is None and (self.state.outcome is None or self.state.way is Way.VERIFY):
            self.action_again()
        else:
            self._sum_up()

    def retry(self) -> None:
        """Compare again at once."""
        self._draw()
        self.action_again()

    def why_not(self) -> str | None:
        """Going on needs something that was compared."""
        if self.jobs:
            return "Still comparing. Enter goes on when it is done; Escape stops it."
        return None if self._checks else "Nothing was compared yet. v does it."

    def action_again(self) -> None:
        """Compare both databases, cell by cell."""
        target, source = self.state.target, self.state.sqlite_path
        if target is None:
            self.say("No database is named yet. Go back to Connection.", "warning")
            return
        self._meter = RunMeter(WEIGHTS)

        def compare(on_event: OnEvent, cancel: Cancellation) -> "Verification":
            return self.core.verify(source, target, on_event, cancel)

        self.work_on(compare, then=self._compared, failed=self._not_compared, listen=self._meter.take)
        self.say("Comparing …", "busy")

    def action_open(self, tab: str) -> None:
        """Show one of the parts, the cursor in it."""
        self.query_one(TabbedContent).active = tab
        self.query_one(PARTS[tab]).focus()

    def action_turn(self, places: int) -> None:
        """Show the part beside this one."""
        tabs = list(PARTS)
        here = tabs.index(self.query_one(TabbedContent).active)
        self.action_open(tabs[(here + places) % len(tabs)])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One comparison at a time."""
        if action == "again":
            return not self.jobs
        return super().check_action(action, parameters)

    def tick(self) -> None:
        """Draw how far the comparison is."""
        view = self._meter.look()
        doing = f"{view.current.phase} " if view.current is not None else ""
        self.query_one(Meters).show([Bar("compare", view.fraction, 1.0, f"{doing}{view.fraction * 100:3.0f} %")])

    @property
    def _checks(self) -> tuple[Check, ...]:
        if self.state.verification is not None:
            return self.state.verification.checks
        return self.state.outcome.checks if self.state.outcome is not None else ()

    @property
    def _runs(self) -> "tuple[ComparedRun, ...]":
        return self.state.verification.runs if self.state.verification is not None else ()

    @property
    def _differences(self) -> tuple[Difference, ...]:
        return self.state.verification.differences if self.state.verification is not None else ()

    def _compared(self, found: "Verification") -> None:
        self.state.verification = found
        self._draw()
        self._sum_up()

    def _not_compared(self, error: MigrationError) -> None:
        self.query_one(Meters).show([])
        self.fail(error, ONLY_READ)

    def _draw(self) -> None:
        self.query_one(Meters).show([])
        self.query_one("#which", Static).update(self._which())
        self.query_one(CheckList).show(self._checks)
        self.query_one(DifferencePane).show(self._differences)
        found = self.state.verification
        self.query_one(ProfilePane).show(found.profiles if found is not None else ())
        self.query_one(TabbedContent).get_tab("part-cells").label = _tab("Differences", len(self._differences))
        self.refresh_bindings()

    def _which(self) -> str:
        found, outcome = self.state.verification, self.state.outcome
        if found is not None:
            took = human_seconds(found.seconds)
            if len(found.runs) > 1:
                return f"All {len(found.runs):,} runs since {moment(found.runs[-1].run.started_at)}, compared again in {took}."
            return f"Run {found.run.id} of {moment(found.run.started_at)}, compared again in {took}."
        if outcome is not None and outcome.run_id is not None:
            return f"Run {outcome.run_id}, as it was proven before COMMIT and looked at afterwards."
        return "As it was proven by this run." if outcome is not None else ""

    def _sum_up(self) -> None:
        failed = [check for check in self._checks if not check.passed]
        leave = "Enter leaves." if self.state.way is Way.VERIFY else "Enter goes on."
        if not failed:
            more = "→ shows both sides." if self.state.verification is not None else "v compares all of it again."
            left = ", ".join(f"run {one.run.id}" for one in self._runs if not one.is_compared)
            if left:
                self.say(f"What was compared is right, but {left} was not compared: its file is not here. {leave}", "warning")
                return
            every = "The check" if len(self._checks) == 1 else f"All {len(self._checks):,} checks"
            self.say(f"{every} passed. {leave} {more}", "good")
            return
        where = " 3 shows the cells." if self._differences else ""
        self.say(f"{counted(len(failed), 'check', 'checks')} of {len(self._checks)} failed.{where} {leave}", "bad")


def _tab(title: str, count: int) -> str:
    return f"{title} ({count:,})" if count else title
