"""Cells of the target that are not what the source says: a list, and below it the one under the cursor in full."""

from collections.abc import Sequence

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import DataTable

from bizy_migrate_tui.migration.findings import Difference
from bizy_migrate_tui.migration.plan.preview import CellChange
from bizy_migrate_tui.wizard.widgets.cell_changes import CellChanges
from bizy_migrate_tui.wizard.widgets.paged_table import PagedColumn, PagedRow, PagedTable, cell

COLUMNS = (
    PagedColumn("Table", 6),
    PagedColumn("Id", 8),
    PagedColumn("Column", 14),
    PagedColumn("Expected → found"),
)


class DifferencePane(Vertical):
    """The core hands over the first thousand at most, so that all of them are held."""

    DEFAULT_CSS = """
    DifferencePane #differences { height: auto; max-height: 50%; background: $background; }
    DifferencePane #difference { height: 1fr; margin-top: 1; padding: 0 1; background: $surface; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._differences: tuple[Difference, ...] = ()

    def compose(self) -> ComposeResult:
        """The list and the detail."""
        yield PagedTable(COLUMNS, id="differences")
        yield CellChanges(id="difference")

    def show(self, differences: Sequence[Difference]) -> None:
        """Show these."""
        self._differences = tuple(differences)
        self.query_one(PagedTable).display = bool(differences)
        self.query_one(PagedTable).begin()
        if not differences:
            self.query_one(CellChanges).clear("Nothing differs.")

    @on(PagedTable.PageWanted)
    def _fill(self, event: PagedTable.PageWanted) -> None:
        event.stop()
        rows = [_row(number, one) for number, one in enumerate(self._differences)]
        event.table.append(rows, complete=True)

    @on(DataTable.RowHighlighted)
    def _open(self, event: DataTable.RowHighlighted) -> None:
        if event.cursor_row < len(self._differences):
            one = self._differences[event.cursor_row]
            same_row = [other for other in self._differences if (other.table, other.id) == (one.table, one.id)]
            same_row.sort(key=lambda other: other is not one)
            changes = [CellChange(other.column, other.expected, other.found, True, "") for other in same_row]
            title = f"{one.table} {one.id}: − as the source says, + as PostgreSQL has it"
            self.query_one(CellChanges).show(title, changes, heading="not as expected")


def _row(number: int, one: Difference) -> PagedRow:
    values = _shown(one.expected).append(" → ").append_text(_shown(one.found))
    return PagedRow(number, one.id, (cell(one.table), cell(one.id), cell(one.column), values))


def _shown(value: str | None) -> Text:
    return Text("(empty text)", "dim italic", no_wrap=True) if value == "" else cell(value)
