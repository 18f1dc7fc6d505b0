"""What stands before everything while the window is too small."""

from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widgets import Static

LEAST: Final = Size(60, 16)
"""Columns and rows that every step needs."""


def too_small(window: Size) -> bool:
    """Whether a window has no room for a step; one of no size at all is not known yet."""
    return bool(window) and not (window.width >= LEAST.width and window.height >= LEAST.height)


class SmallWindow(ModalScreen[None]):
    """A kind word. No key reaches what cannot be seen; leaving can be asked for as anywhere."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "app.quit", show=False)]

    def compose(self) -> ComposeResult:
        """One sentence."""
        what = f"Please make it at least {LEAST.width} columns wide and {LEAST.height} rows high."
        yield Static(f"This window is too small. {what}", markup=False)

    @on(events.Resize)
    @on(events.ScreenResume)
    def _look_again(self) -> None:
        if self.is_active and not too_small(self.app.size):
            self.app.pop_screen()
