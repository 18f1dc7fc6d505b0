"""A table that fetches its rows a page at a time, so that a million rows open at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable

from bizy_migrate_tui.display import safe_text

ROWS_HELD = 2000
"""Rows kept on the screen's side; beyond them the table begins anew where it stands."""
ROWS_BACK = 90
"""Keys gone back when the cursor wants to go above the first row shown; their rows fit on a page."""
ROWS_AHEAD = 30
"""The next page is asked for when the cursor comes this close to the end."""
CELL_PADDING = 2
OPEN_WIDTH = 24
"""Cells for the open column before an optional one gives way to it."""
OPEN_LEAST = 12
SCROLLBAR = 2


@dataclass(frozen=True, slots=True)
class PagedColumn:
    """A column: `width` in cells, None for the one that takes what is left; `optional` ones give way on narrow screens."""

    label: str
    width: int | None = None
    optional: bool = False


@dataclass(frozen=True, slots=True)
class PagedRow:
    """A row: `key` is where the next page begins after it, `id` is how a person names it."""

    key: int
    id: str
    cells: tuple[Text, ...]


class PagedTable(DataTable[Text], inherit_bindings=False):
    """Asks for pages by message; whoever holds it fetches them in a thread and hands them to `append`.

    Enter is left to the screen (it goes on to the next step); space opens the row.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor_up", "Up", show=False),
        Binding("down", "cursor_down", "Down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
        Binding("home,ctrl+home", "first", "First row", show=False),
        Binding("end,ctrl+end", "scroll_bottom", "Last row shown", show=False),
        Binding("space", "select_cursor", "Details", show=False),
    ]

    @dataclass
    class PageWanted(Message):
        """More rows, after this key (None: from the first)."""

        table: "PagedTable"
        after: int | None

    def __init__(self, columns: Sequence[PagedColumn], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(cursor_type="row", zebra_stripes=False, id=id)
        self._plan = tuple(columns)
        self._held: list[PagedRow] = []
        self._complete = False
        self._asked = False
        self._laid_out_for = 0
        self._began: int | None = None
        self._keep: str | None = None

    @property
    def current(self) -> PagedRow | None:
        """The row under the cursor."""
        return self._held[self.cursor_row] if self._held and self.cursor_row < len(self._held) else None

    @property
    def first_key(self) -> int | None:
        """Where the rows in sight begin: the key to ask after to see them again, None for the very first."""
        return self._began

    def begin(self, after: int | None = None, *, keep: str | None = None) -> None:
        """Forget the rows and ask for a page from there on, with the cursor on the row of the id `keep` if it is there.

        The old rows stay in sight until the page comes.
        """
        self._began, self._keep = after, keep
        self._asked = True
        self._complete = False
        self._held = []
        self.post_message(self.PageWanted(self, after))

    def append(self, rows: Sequence[PagedRow], *, complete: bool, is_part: bool = False) -> None:
        """Show a page; `complete` when there is none after it, `is_part` when more of this one comes unasked."""
        fresh = not self._held
        if fresh:
            self.clear()
        self._asked = is_part
        self._complete = complete
        self._held.extend(rows)
        for row in rows:
            self._put(row)
        if fresh:
            at = next((i for i, row in enumerate(rows) if row.id == self._keep), 0)
            self.move_cursor(row=at, animate=False)

    def action_cursor_up(self) -> None:
        """Go up, fetching what lies above if the table begins later."""
        if not self._went_back():
            super().action_cursor_up()

    def action_page_up(self) -> None:
        """The same, a screenful at a time."""
        if not self._went_back():
            super().action_page_up()

    def _went_back(self) -> bool:
        if self.cursor_row or self._began is None or not self._held:
            return False
        after = self._began - ROWS_BACK
        self.begin(after if after > 0 else None, keep=self._held[0].id)
        return True

    def action_first(self) -> None:
        """Go to the first row of all, fetching it if the table begins later."""
        self.begin()

    def on_resize(self, event: events.Resize) -> None:
        """Give the open column the width that is left."""
        if event.size.width != self._laid_out_for:
            self._lay_out(event.size.width)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Ask for the next page when the end comes near."""
        near = event.cursor_row >= len(self._held) - ROWS_AHEAD
        if not near or self._complete or self._asked or not self._held:
            return
        if len(self._held) >= ROWS_HELD:
            self.begin(self._held[event.cursor_row].key - 1)
            return
        self._asked = True
        self.post_message(self.PageWanted(self, self._held[-1].key))

    def _lay_out(self, width: int) -> None:
        self._laid_out_for = width
        cursor = self.cursor_row
        self.clear(columns=True)
        for column, cells in self._widths(width).items():
            self.add_column(Text(self._plan[column].label), width=cells, key=str(column))
        for row in self._held:
            self._put(row)
        self.move_cursor(row=cursor, animate=False)

    def _widths(self, width: int) -> dict[int, int]:
        left = width - SCROLLBAR
        fixed = {i: column.width for i, column in enumerate(self._plan) if column.width is not None}
        left -= sum(cells + CELL_PADDING for i, cells in fixed.items() if not self._plan[i].optional)
        left -= CELL_PADDING + OPEN_WIDTH
        dropped = set()
        for i, cells in sorted(fixed.items(), reverse=True):
            if self._plan[i].optional:
                if left < cells + CELL_PADDING:
                    dropped.add(i)
                else:
                    left -= cells + CELL_PADDING
        open_width = max(OPEN_WIDTH + left, OPEN_LEAST)
        return {
            i: open_width if column.width is None else column.width for i, column in enumerate(self._plan) if i not in dropped
        }

    def _put(self, row: PagedRow) -> None:
        cells = []
        for key, column in self.columns.items():
            text = row.cells[int(key.value or 0)].copy()
            text.truncate(column.width, overflow="ellipsis")
            cells.append(text)
        self.add_row(*cells)


def cell(value: str | None) -> Text:
    """A value of a database as a table cell: plain, on one line, harmless."""
    if value is None:
        return Text("NULL", "dim italic", no_wrap=True)
    return Text(safe_text(value[:300]), no_wrap=True)
