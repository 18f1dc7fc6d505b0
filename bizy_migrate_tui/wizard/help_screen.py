"""F1: what this step is about, and the keys that do something now."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static


class HelpScreen(ModalScreen[None]):
    """Closes with any of the keys that people try."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,f1,enter,q", "dismiss(None)", "Close")]

    def __init__(self, title: str, text: str, keys: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._keys = keys

    def compose(self) -> ComposeResult:
        """The text, then the keys."""
        with VerticalScroll(classes="dialog help") as dialog:
            dialog.border_title = Content(self._title)
            dialog.border_subtitle = Content("Escape closes")
            yield Static(Content(self._text))
            lines = [Content.assemble((f"{key:>8}", "bold $text-accent"), f"   {what}") for key, what in self._keys]
            yield Static(Content("\n").join(lines), classes="keys")


def keys_of(screen: Screen[object]) -> list[tuple[str, str]]:
    """What can be pressed on that screen now, as key and meaning, the most important first."""
    found: dict[str, str] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.enabled and binding.show and not binding.system and binding.description not in found.values():
            found[screen.app.get_key_display(binding)] = binding.description
    return [*found.items(), ("f2 … f9", "Go to a finished step"), ("^p", "Everything that can be done now")]
