"""The diff of one table: filter, search, a paged list of rows, and the row under the cursor in full."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import DataTable, Input, Select

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import Cancelled, MigrationError
from bizy_migrate_tui.migration.events import Cancellation
from bizy_migrate_tui.migration.plan.preview import CellChange, Kind, PreviewRow
from bizy_migrate_tui.wizard.widgets.cell_changes import CellChanges
from bizy_migrate_tui.wizard.widgets.kinds import SYMBOLS, WORDS, kind_cell
from bizy_migrate_tui.wizard.widgets.paged_table import PagedColumn, PagedRow, PagedTable, cell
from bizy_migrate_tui.wizard.widgets.row_source import RowSource
from bizy_migrate_tui.wizard.widgets.safe_input import SafeInput

PAGE = 100
"""Rows fetched at a time."""
PAUSE = 0.12
"""Seconds without a key before a search or a detail is fetched."""
COLUMNS = {
    "tasks": ("status", "category", "created (UTC)"),
    "goals": ("status", "horizon", "created (UTC)"),
}
WIDTHS = (11, 12, 16)


class SearchInput(SafeInput):
    """Its Enter leads to what was found, and the footer says so."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Find")]


class DiffPane(Vertical):
    """Shows what becomes of the rows of one table. All reading happens in threads."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "To the list")]

    @dataclass
    class PageArrived(Message):
        """A page was read, or a part of it; `ticket` says for which question."""

        ticket: int
        rows: tuple[PreviewRow, ...]
        complete: bool = False
        is_part: bool = False

    @dataclass
    class DetailArrived(Message):
        """The columns of a row were read."""

        row: PagedRow
        changes: tuple[CellChange, ...]

    @dataclass
    class Failed(Message):
        """The core could not read what was asked for."""

        error: MigrationError

    @dataclass
    class Turned(Message):
        """A row was opened in place of the list, or closed."""

    @dataclass
    class Looked(Message):
        """What was searched for is in sight, or `problem` says why it is not."""

        problem: str = ""

    def __init__(self, table: str, source: RowSource | None = None) -> None:
        super().__init__(id=f"diff-{table}")
        self.table = table
        self._source = source
        self._ticket = 0
        self._asked = Cancellation()
        self._search = ""
        self._kind: Kind | None = None
        self._pause: Timer | None = None
        self._detail_pause: Timer | None = None

    def compose(self) -> ComposeResult:
        """Controls above, list and detail below."""
        with Horizontal(classes="controls"):
            yield Select[Kind]([], prompt="○ all kinds", id="kind", compact=True)
            yield SearchInput(placeholder="search in titles, or #id to jump there", id="search", compact=True)
        with Horizontal(classes="body"):
            extra = (PagedColumn(name, width, True) for name, width in zip(COLUMNS[self.table], WIDTHS, strict=True))
            yield PagedTable([PagedColumn("id", 7), PagedColumn("", 10), PagedColumn("title"), *extra], id="rows")
            yield CellChanges(id="detail")

    def on_mount(self) -> None:
        """Read the first page, if there is something to read from."""
        if self._source is not None:
            self.renew(self._source)

    def renew(self, source: RowSource) -> None:
        """Show another plan's rows, staying at the row where the cursor is."""
        self._source = source
        table = self.query_one(PagedTable)
        current = table.current
        self._count(source)
        table.begin(None if current is None else table.first_key, keep=current.id if current else None)

    def focus_search(self) -> None:
        """Put the cursor in the search field, above the list."""
        self._close_row()
        self.query_one("#search", Input).focus()

    def next_kind(self) -> None:
        """Show the next kind that has rows; after the last one, all."""
        self._close_row()
        select = self.query_one("#kind", Select)
        kinds = [None, *self._kinds]
        following = kinds[(kinds.index(self._kind) + 1) % len(kinds)] if self._kind in kinds else None
        select.value = Select.NULL if following is None else following

    def action_back(self) -> None:
        """Close the detail of a narrow screen, or leave the search field."""
        self._close_row()
        self.query_one(PagedTable).focus()

    def _close_row(self) -> None:
        self.remove_class("-detail")
        self.post_message(self.Turned())

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """With the cursor in the list, escape is the screen's."""
        return action != "back" or not self.query_one(PagedTable).has_focus

    @on(Select.Changed, "#kind")
    def _kind_chosen(self, event: Select.Changed) -> None:
        event.stop()
        kind = event.value if isinstance(event.value, Kind) else None
        if kind is not self._kind:
            self._kind = kind
            self.query_one(PagedTable).begin()

    @on(Input.Changed, "#search")
    def _search_typed(self, event: Input.Changed) -> None:
        event.stop()
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE, self._search_now)

    @on(Input.Submitted, "#search")
    def _search_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._search_now()
        self.query_one(PagedTable).focus()

    @on(PagedTable.PageWanted)
    def _page_wanted(self, event: PagedTable.PageWanted) -> None:
        event.stop()
        self._ticket += 1
        self._asked.request()  # whoever types on does not wait for what was asked before
        self._asked = Cancellation()
        self._read_page(self._ticket, event.after, self._asked)

    @on(PageArrived)
    def _page_arrived(self, event: PageArrived) -> None:
        event.stop()
        if event.ticket != self._ticket:
            return
        table = self.query_one(PagedTable)
        table.append([_row(row) for row in event.rows], complete=event.complete, is_part=event.is_part)
        nothing = "" if table.current or event.is_part else "No row of this table matches."
        self.post_message(self.Looked(nothing))
        if table.current is None:
            self.query_one(CellChanges).clear(nothing or "Searching …")

    @on(DataTable.RowHighlighted)
    def _row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if self._detail_pause is not None:
            self._detail_pause.stop()
        self._detail_pause = self.set_timer(PAUSE / 2, self._want_detail)

    @on(DataTable.RowSelected)
    def _row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.add_class("-detail")
        self.post_message(self.Turned())
        self.query_one(CellChanges).focus()

    @on(DetailArrived)
    def _detail_arrived(self, event: DetailArrived) -> None:
        event.stop()
        if event.row == self.query_one(PagedTable).current:
            self.query_one(CellChanges).show(f"{self.table[:-1].capitalize()} {event.row.id}", event.changes)

    @property
    def _kinds(self) -> list[Kind]:
        counts = self._source.counts(self.table) if self._source else {}
        return [kind for kind in Kind if counts.get(kind)]

    def _count(self, source: RowSource) -> None:
        counts = source.counts(self.table)
        select = self.query_one("#kind", Select)
        options = [(f"{SYMBOLS[kind]} {WORDS[kind]} {counts[kind]:,}", kind) for kind in Kind if counts.get(kind)]
        chosen = self._kind if counts.get(self._kind or Kind.NEW) else None
        with self.prevent(Select.Changed):
            select.set_options(options)
            select.prompt = f"○ all {sum(counts.values()):,}"
            if chosen is not None:
                select.value = chosen
        self._kind = chosen

    def _search_now(self) -> None:
        typed = self.query_one("#search", Input).value.strip()
        if typed.startswith("#"):
            if len(typed) > 1:
                self._locate(typed[1:].strip())
        elif typed != self._search or (not typed and self.query_one(PagedTable).first_key is not None):
            self._search = typed
            self.query_one(PagedTable).begin()

    def _want_detail(self) -> None:
        row = self.query_one(PagedTable).current
        if row is not None:
            self._read_detail(row)

    @work(thread=True, group="diff", exit_on_error=False)
    def _read_page(self, ticket: int, after: int | None, asked: Cancellation) -> None:
        if self._source is None:
            return
        kind, search, told = self._kind, self._search, 0

        def tell(found: tuple[PreviewRow, ...]) -> None:
            nonlocal told
            told += len(found)
            self.post_message(self.PageArrived(ticket, found, is_part=True))

        on_found = tell if search or kind else None  # all the rows are there at once, and must not flicker
        try:
            rows = self._source.page(
                self.table, after=after, limit=PAGE, kind=kind, search=search, cancel=asked, on_found=on_found
            )
        except Cancelled:
            return
        except Exception as error:
            self.post_message(self.Failed(explain(error)))
        else:
            self.post_message(self.PageArrived(ticket, rows, complete=told + len(rows) < PAGE))

    @work(thread=True, group="diff", exit_on_error=False)
    def _read_detail(self, row: PagedRow) -> None:
        if self._source is None:
            return
        try:
            changes = self._source.detail(self.table, row.key)
        except Exception as error:
            self.post_message(self.Failed(explain(error)))
        else:
            self.post_message(self.DetailArrived(row, changes))

    @work(thread=True, group="diff", exit_on_error=False)
    def _locate(self, wanted: str) -> None:
        if self._source is None:
            return
        try:
            key = self._source.locate(self.table, wanted)
        except Exception as error:
            self.post_message(self.Failed(explain(error)))
            return
        if key is None:
            self.post_message(self.Looked(f"There is no row with the id {safe_text(wanted, 40)}."))
        else:
            self.post_message(self.Jumped(key))

    @dataclass
    class Jumped(Message):
        """The row of the id that was asked for lies at this key."""

        key: int

    @on(Jumped)
    def _jumped(self, event: Jumped) -> None:
        event.stop()
        self._kind, self._search = None, ""
        with self.prevent(Select.Changed):
            self.query_one("#kind", Select).clear()
        self.query_one(PagedTable).begin(event.key - 1)


def _row(row: PreviewRow) -> PagedRow:
    cells: Sequence[Text] = [cell(row.id), kind_cell(row.kind), cell(row.title), *(cell(text) for text in row.columns)]
    return PagedRow(row.key, row.id, (*cells, *[Text("")] * (6 - len(cells))))
