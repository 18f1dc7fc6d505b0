"""Checks with their figures: symbol, word, name, what was found."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.findings import Check

NAME_WIDTH = 34


class CheckList(VerticalScroll):
    """A list of checks that scrolls; those that failed come first."""

    def compose(self) -> ComposeResult:
        """One text."""
        yield Static("", markup=False)

    def show(self, checks: Sequence[Check], notes: Sequence[str] = ()) -> None:
        """Show the checks, and below them what is worth knowing without being wrong."""
        self.query_one(Static).update(check_text(checks, notes))


def check_text(checks: Sequence[Check], notes: Sequence[str] = ()) -> Content:
    """The list as text."""
    width = min(max((len(check.name) for check in checks), default=0), NAME_WIDTH)
    lines = [_line(check, width) for check in sorted(checks, key=lambda check: check.passed)]
    lines += [Content.styled(f"· {safe_text(note, 300)}", "$text-muted") for note in notes]
    return Content("\n").join(lines)


def _line(check: Check, width: int) -> Content:
    mark = ("✓ ", "$text-success") if check.passed else ("✗ ", "b $text-error")
    name = safe_text(check.name, NAME_WIDTH)
    figure = (safe_text(check.detail, 300), "$text-muted")
    return Content.assemble(mark, (f"{name:{width}}  ", "" if check.passed else "b"), figure)
