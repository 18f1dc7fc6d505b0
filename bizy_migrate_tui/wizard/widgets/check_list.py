"""Checks with their figures: symbol, name, what was found; long ones go on below themselves."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.findings import Check

NAME_WIDTH = 42
NARROW_NAME_WIDTH = 34
WIDE_FROM = 84
"""Columns from which there is room for the long names beside their figures."""
DETAIL_SHOWN = 300


class CheckLines(Widget):
    """The checks in two columns; those that failed come first."""

    DEFAULT_CSS = "CheckLines { height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._checks: tuple[Check, ...] = ()

    def show(self, checks: Sequence[Check]) -> None:
        """Show these."""
        self._checks = tuple(sorted(checks, key=lambda check: check.passed))
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many lines as the columns take at this width."""
        return len(list(check_lines(self._checks, width)))

    def render(self) -> Content:
        """The lines."""
        return Content("\n").join(check_lines(self._checks, self.size.width))


class CheckList(VerticalScroll):
    """Checks that scroll when they are longer than the screen."""

    def compose(self) -> ComposeResult:
        """The lines."""
        yield CheckLines()

    def show(self, checks: Sequence[Check]) -> None:
        """Show the checks from the first on."""
        self.query_one(CheckLines).show(checks)
        self.scroll_home(animate=False)


def check_lines(checks: Sequence[Check], width: int) -> Iterator[Content]:
    """Each check as lines of text `width` cells wide."""
    most = NAME_WIDTH if width >= WIDE_FROM else NARROW_NAME_WIDTH
    names = min(max((len(check.name) for check in checks), default=0), most)
    room = max(width - names - 4, 12)
    for check in checks:
        mark, style = ("✓ ", "$text-success") if check.passed else ("✗ ", "b $text-error")
        name = Content(safe_text(check.name, 2 * most)).wrap(names)
        detail = Content(safe_text(check.detail, DETAIL_SHOWN)).wrap(room)
        for number, (left, right) in enumerate(zip_longest(name, detail, fillvalue=Content(""))):
            padded = Content(f"{left.plain.rstrip():{names}}  ")
            yield Content.assemble(
                (mark, style) if number == 0 else "  ",
                padded if check.passed else padded.stylize("b"),
                right.stylize("$text-muted" if check.passed else "b"),
            )
