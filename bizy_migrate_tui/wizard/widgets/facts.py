"""What is known, a line for each thing: the label muted, the values aligned."""

from collections.abc import Mapping
from pathlib import Path

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from bizy_migrate_tui.display import safe_text

LABEL_WIDTH = 13
"""As wide as the label of a Field, so that both align."""


class Facts(Widget):
    """Labels and values; a long value goes on below itself, and a blank label continues the line above."""

    DEFAULT_CSS = "Facts { height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._facts: tuple[tuple[str, str], ...] = ()

    def show(self, facts: Mapping[str, str]) -> None:
        """Show these; the values may come from outside."""
        shown = tuple((label, safe_text(text)) for label, text in facts.items())
        if shown != self._facts:
            self._facts = shown
            self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """As many lines as the values take at this width."""
        return len(self._lines(width))

    def render(self) -> Content:
        """The lines."""
        return Content("\n").join(self._lines(self.size.width))

    def _lines(self, width: int) -> list[Content]:
        room = max(width - LABEL_WIDTH, 10)
        lines = []
        for label, text in self._facts:
            for number, part in enumerate(Content(text).wrap(room) or [Content("")]):
                head = label if number == 0 else ""
                lines.append(Content.assemble((f"{head:{LABEL_WIDTH}}", "$text-muted"), part))
        return lines


def home_path(path: Path) -> str:
    """A path as a person writes it: below their home folder with “~”."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)
