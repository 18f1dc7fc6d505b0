"""NO_COLOR (no-color.org) taken at its word: no colour reaches the terminal.

Textual's own answer is greys, which are colours still, and on a light terminal the wrong ones. What stood out by its
background (a cursor, a chosen button) is shown reversed instead.
"""

from functools import lru_cache
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.theme import Theme

STANDS_OUT: Final = 0.15
"""How much brighter or darker than the screen (of 1) a background has to be."""

_REVERSED: Final = Style(reverse=True)


class WithoutColours(LineFilter):
    """Leaves bold, underline and the like. `theme` is the one in use."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._screen = Color.parse(theme.background or "black")

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The same text without colours."""
        return [Segment(text, style and _plain(style, self._screen), control) for text, style, control in segments]


@lru_cache(1024)
def _plain(style: Style, screen: Color) -> Style:
    found = style.bgcolor
    stands_out = found is not None and abs(Color.from_rich_color(found).brightness - screen.brightness) > STANDS_OUT
    plain = style.without_color + Style.from_meta(style.meta) if style.meta else style.without_color
    return plain + _REVERSED if stands_out and not style.reverse else plain
