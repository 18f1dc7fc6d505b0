"""What is known, a line for each thing: the label muted, the values aligned."""

from collections.abc import Mapping
from pathlib import Path

from textual.content import Content
from textual.widgets import Static

from bizy_migrate_tui.display import safe_text

LABEL_WIDTH = 13
"""As wide as the label of a Field, so that both align."""


class Facts(Static):
    """Labels and values; an empty label continues the line above."""

    DEFAULT_CSS = "Facts { height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__("", markup=False, id=id)

    def show(self, facts: Mapping[str, str]) -> None:
        """Show these; the values may come from outside."""
        lines = [Content.assemble((f"{label:{LABEL_WIDTH}}", "$text-muted"), safe_text(text)) for label, text in facts.items()]
        self.update(Content("\n").join(lines))


def home_path(path: Path) -> str:
    """A path as a person writes it: below their home folder with “~”."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)
