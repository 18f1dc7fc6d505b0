"""Rows of tables that the web interface does not have: kept beside its tables, and shown here."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import DataTable, Select, Static

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.wizard.widgets.cell_changes import CellChanges
from bizy_migrate_tui.wizard.widgets.diff_pane import DiffPane
from bizy_migrate_tui.wizard.widgets.paged_table import PagedColumn, PagedRow, PagedTable, cell

PAGE = 100
WHERE = "They go to bizy_migrate.preserved, whole, and can be read there at any time."


class HomelessSource(Protocol):
    """What the pane needs of the core's preview."""

    def homeless_tables(self) -> Mapping[str, int]:
        """The tables without a home and their rows."""

    def homeless(self, table: str, *, after: int | None = None, limit: int = 100) -> Iterable[tuple[int, Mapping[str, object]]]:
        """Rows of one of them: key, and column → value."""


class HomelessPane(Vertical):
    """A table is chosen above; its rows stand below, the one under the cursor in full."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "To the list")]

    @dataclass
    class PageArrived(Message):
        """Rows were read; `ticket` says for which question."""

        ticket: int
        rows: tuple[tuple[int, Mapping[str, object]], ...]

    def __init__(self) -> None:
        super().__init__(id="homeless-pane")
        self._source: HomelessSource | None = None
        self._values: dict[int, Mapping[str, object]] = {}
        self._ticket = 0

    def compose(self) -> ComposeResult:
        """Explanation, choice of the table, rows and detail."""
        yield Static(WHERE, id="homeless-where", markup=False)
        with Horizontal(classes="controls"):
            yield Select[str]([], prompt="table", id="homeless-table", compact=True, allow_blank=True)
        with Horizontal(classes="body"):
            yield PagedTable([PagedColumn("row", 7), PagedColumn("what is in it")], id="homeless-rows")
            yield CellChanges(id="homeless-detail")

    def show(self, source: HomelessSource) -> None:
        """Show the tables without a home, the first of them open."""
        self._source = source
        tables = {name: rows for name, rows in source.homeless_tables().items() if rows}
        select = self.query_one(Select)
        select.set_options([(Text(f"{safe_text(name, 40)} {rows:,}"), name) for name, rows in tables.items()])
        self.set_class(not tables, "-none")
        if tables:
            select.value = next(iter(tables))
        else:
            self.query_one("#homeless-where", Static).update("✓ Every table of the source has a home on the web.")

    def action_back(self) -> None:
        """Close the detail of a narrow screen."""
        self.remove_class("-detail")
        self.post_message(DiffPane.Turned())
        self.query_one(PagedTable).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """With the cursor in the list, escape is the screen's."""
        return action != "back" or not self.query_one(PagedTable).has_focus

    @on(Select.Changed)
    def _table_chosen(self, event: Select.Changed) -> None:
        event.stop()
        if isinstance(event.value, str):
            self.query_one(PagedTable).begin()

    @on(PagedTable.PageWanted)
    def _page_wanted(self, event: PagedTable.PageWanted) -> None:
        event.stop()
        name = self.query_one(Select).value
        if isinstance(name, str):
            self._ticket += 1
            self._read(self._ticket, name, event.after)

    @work(thread=True, group="diff", exit_on_error=False)
    def _read(self, ticket: int, name: str, after: int | None) -> None:
        if self._source is None:
            return
        try:
            rows = tuple(self._source.homeless(name, after=after, limit=PAGE))
        except Exception as error:
            self.post_message(DiffPane.Failed(explain(error)))
        else:
            self.post_message(self.PageArrived(ticket, rows))

    @on(PageArrived)
    def _page_arrived(self, event: PageArrived) -> None:
        event.stop()
        if event.ticket != self._ticket:
            return
        self._values.update(event.rows)
        rows = [PagedRow(key, str(key), (cell(str(key)), cell(one_line(values)))) for key, values in event.rows]
        self.query_one(PagedTable).append(rows, complete=len(rows) < PAGE)

    @on(DataTable.RowHighlighted)
    def _highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        row = self.query_one(PagedTable).current
        if row is not None:
            values = self._values.get(row.key, {})
            self.query_one(CellChanges).show_values(f"Row {row.id}", ((name, _text(value)) for name, value in values.items()))

    @on(DataTable.RowSelected)
    def _selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.add_class("-detail")
        self.post_message(DiffPane.Turned())
        self.query_one(CellChanges).focus()


def one_line(values: Mapping[str, object]) -> str:
    """The row on one line: what is filled in, without its id."""
    filled = [f"{name}: {_text(value)}" for name, value in values.items() if value not in (None, "") and name != "id"]
    return " · ".join(filled)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
