"""The preview's parts under tabs: tasks, goals, users, what has no home, findings, time, dry run."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.widgets import TabbedContent, TabPane, Tabs

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.plan.plan import Plan
from bizy_migrate_tui.migration.plan.preview import Preview
from bizy_migrate_tui.wizard.widgets.diff_pane import DiffPane
from bizy_migrate_tui.wizard.widgets.findings_pane import FindingsPane
from bizy_migrate_tui.wizard.widgets.homeless_pane import HomelessPane
from bizy_migrate_tui.wizard.widgets.paged_table import PagedTable
from bizy_migrate_tui.wizard.widgets.people_pane import PeoplePane
from bizy_migrate_tui.wizard.widgets.time_pane import Timeline, TimePane
from bizy_migrate_tui.wizard.widgets.trial_pane import TrialPane

TABLES = ("tasks", "goals")
PARTS: Final[Mapping[str, str]] = {
    "tasks": "Tasks",
    "goals": "Goals",
    "users": "Users",
    "homeless": "No home",
    "findings": "Findings",
    "time": "Time",
    "trial": "Dry run",
}
"""The parts and their titles; the key of each is its place."""


class PreviewTabs(Vertical):
    """Everything the plan says, a tab for each part. What is slow to read is read in threads, after the first paint."""

    @dataclass
    class Opened(Message):
        """Another tab is in sight."""

    @dataclass
    class TimelineArrived(Message):
        """The rows per month of a table were counted."""

        preview: Preview
        table: str
        timeline: Timeline

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._preview: Preview | None = None

    def compose(self) -> ComposeResult:
        """The tabs."""
        panes = DiffPane("tasks"), DiffPane("goals"), PeoplePane(), HomelessPane(), FindingsPane(), TimePane(), TrialPane()
        with TabbedContent(initial="tab-tasks"):
            for part, pane in zip(PARTS, panes, strict=True):
                with TabPane(PARTS[part], id=f"tab-{part}"):
                    yield pane

    def show(self, plan: Plan, preview: Preview, command: str) -> None:
        """Show a plan; the tab and the row the user is at stay."""
        self._preview = preview
        for table in TABLES:
            self.query_one(f"#diff-{table}", DiffPane).renew(preview)
            self._count_months(preview, table)
        self.query_one(PeoplePane).show(plan)
        self.query_one(HomelessPane).show(preview)
        self.query_one(FindingsPane).show(plan.findings)
        choices = plan.choices
        self.query_one(TimePane).show_zone(choices.zone, choices.created_at_utc_until, plan.inventory.evidence)
        self.query_one(TrialPane).show_plan(plan.tables, command)

    @property
    def diff(self) -> DiffPane | None:
        """The diff in sight, if one is."""
        pane = self.query_one(TabbedContent).active_pane
        return next(iter(pane.query(DiffPane)), None) if pane is not None else None

    @property
    def reading(self) -> bool:
        """Whether a row stands open in place of its list."""
        pane = self.query_one(TabbedContent).active_pane
        return pane is not None and bool(pane.query(".-detail"))

    @property
    def trial(self) -> TrialPane:
        """The pane of the dry run."""
        return self.query_one(TrialPane)

    def go_to(self, tab: str) -> None:
        """Open a tab: tasks, goals, users, homeless, findings, time, trial."""
        tabs = self.query_one(TabbedContent)
        if tabs.active != f"tab-{tab}":
            tabs.query_one(Tabs).focus()  # a cursor in the part that goes would pull it back
            tabs.active = f"tab-{tab}"

    def focus_rows(self) -> None:
        """Put the cursor where the rows of the open tab are, or what scrolls."""
        pane = self.query_one(TabbedContent).active_pane
        if pane is not None:
            for rows in (*pane.query(PagedTable), *pane.query(VerticalScroll)):
                rows.focus()
                return

    @on(TabbedContent.TabActivated)
    def _tab_activated(self, event: TabbedContent.TabActivated) -> None:
        event.stop()
        self._make_room()
        self.post_message(self.Opened())

    @on(DiffPane.Turned)
    def _turned(self, event: DiffPane.Turned) -> None:
        event.stop()
        self._make_room()

    def _make_room(self) -> None:
        """On narrow screens the summary makes room for an open row (preview.tcss)."""
        self.screen.set_class(self.reading, "-reading")

    @on(TimelineArrived)
    def _timeline_arrived(self, event: TimelineArrived) -> None:
        event.stop()
        if event.preview is self._preview:
            self.query_one(TimePane).show_timelines({event.table: event.timeline})

    def _count_months(self, preview: Preview, table: str) -> None:
        self.run_worker(partial(self._read_timeline, preview, table), thread=True, group="timeline", exit_on_error=False)

    def _read_timeline(self, preview: Preview, table: str) -> None:
        try:
            timeline = preview.timeline(table)
        except Exception as error:
            self.post_message(DiffPane.Failed(explain(error)))
        else:
            self.post_message(self.TimelineArrived(preview, table, timeline))
