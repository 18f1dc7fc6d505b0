"""What the plan found, what will be done about it, and the choice to do something else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import DataTable, Static

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.findings import Choice, Finding, Severity
from bizy_migrate_tui.wizard.widgets.kinds import SEVERITY_SYMBOLS, severity_cell
from bizy_migrate_tui.wizard.widgets.paged_table import PagedColumn, PagedRow, PagedTable, cell

_CHOICE_WORDS: Mapping[Choice, str] = {
    Choice.ADJUST: "change the value and keep the original",
    Choice.LEAVE_OUT: "leave the row out and keep it whole",
    Choice.STOP: "stop, and change nothing",
}
IDS_NAMED = 40


class FindingsPane(Vertical):
    """The findings as a list; below it the one under the cursor in full."""

    @dataclass
    class ChoiceWanted(Message):
        """The user wants to choose what happens to the rows of this finding."""

        finding: Finding

    def __init__(self) -> None:
        super().__init__(id="findings-pane")
        self._findings: tuple[Finding, ...] = ()

    def compose(self) -> ComposeResult:
        """The list and the explanation."""
        columns = [PagedColumn("", 9), PagedColumn("where", 22), PagedColumn("rows", 7), PagedColumn("what happens")]
        yield PagedTable(columns, id="findings")
        yield Static("", id="finding", markup=False)

    def show(self, findings: Sequence[Finding]) -> None:
        """List these findings, those that stop the run first."""
        order = list(Severity)
        self._findings = tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))
        table = self.query_one(PagedTable)
        table.begin(keep=table.current.id if table.current else None)
        if not self._findings:
            self.query_one("#finding", Static).update("✓ Nothing stands out. Every value is fine as it is.")

    @on(PagedTable.PageWanted)
    def _page_wanted(self, event: PagedTable.PageWanted) -> None:
        event.stop()
        rows = [_row(number, finding) for number, finding in enumerate(self._findings)]
        event.table.append(rows, complete=True)

    @on(DataTable.RowHighlighted)
    def _highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        row = self.query_one(PagedTable).current
        if row is not None:
            self.query_one("#finding", Static).update(explanation(self._findings[row.key]))

    @on(DataTable.RowSelected)
    def _selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        row = self.query_one(PagedTable).current
        if row is not None and self._findings[row.key].choices:
            self.post_message(self.ChoiceWanted(self._findings[row.key]))


def explanation(finding: Finding) -> Content:
    """A finding in full: what is done, to which rows, and what else could be done."""
    where = safe_text(place(finding))
    ids = ", ".join(safe_text(id_, 20) for id_ in finding.ids[:IDS_NAMED])
    more = finding.count - min(len(finding.ids), IDS_NAMED)
    lines = [
        Content.assemble((f"{SEVERITY_SYMBOLS[finding.severity]} {where}: ", "b"), safe_text(finding.action, 600)),
    ]
    if ids:
        lines.append(Content.styled(f"ids {ids}" + (f" and {more:,} more" if more > 0 else ""), "$text-muted"))
    if finding.choices:
        lines.append(Content.assemble(("Space", "b"), " chooses what happens. Now: ", choice_words(finding, finding.choice), "."))
    return Content("\n").join(lines)


def choice_words(finding: Finding, choice: Choice) -> str:
    """What that choice does to the finding's rows."""
    is_about_rows = finding.column is None and choice is Choice.ADJUST
    return "load the row all the same" if is_about_rows else _CHOICE_WORDS[choice]


def place(finding: Finding) -> str:
    """Where the finding is: table, and column if it is about one."""
    return f"{finding.table}.{finding.column}" if finding.column else finding.table


def _row(number: int, finding: Finding) -> PagedRow:
    figure = Text(f"{finding.count:>7,}", no_wrap=True)
    name = f"{finding.code}:{place(finding)}"
    return PagedRow(number, name, (severity_cell(finding.severity), cell(place(finding)), figure, cell(finding.action)))
