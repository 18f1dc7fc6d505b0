"""Questions before something that cannot be taken back; the safe answer has the focus."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from bizy_migrate_tui.wizard.safe import safe, safe_lines, toned
from bizy_migrate_tui.wizard.widgets.safe_input import SafeInput


class ConfirmModal(ModalScreen[bool]):
    """Asks yes or no; escape and the focused button mean no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "No"),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(self, title: str, question: str, *, yes: str, no: str) -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._yes = yes
        self._no = no

    def compose(self) -> ComposeResult:
        """The question and two buttons."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = safe(self._title)
            yield Static(safe_lines(self._question), markup=False)
            with Horizontal(classes="buttons"):
                yield Button(safe(self._no), variant="primary", id="no", compact=True)
                yield Button(safe(self._yes), id="yes", compact=True)

    def on_mount(self) -> None:
        """The safe answer is one Enter away."""
        self.query_one("#no", Button).focus()

    @on(Button.Pressed)
    def _answered(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class TypedConfirmModal(ModalScreen[bool]):
    """Asks for a word to be typed before something is destroyed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "Cancel")]

    def __init__(self, title: str, question: str, *, word: str) -> None:
        super().__init__()
        self._title = title
        self._question = question
        self._word = word

    def compose(self) -> ComposeResult:
        """What will happen, the word, and the input."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = safe(self._title)
            yield Static(safe_lines(self._question), markup=False)
            hint = f"Type “{self._word}” and press Enter. Escape changes nothing."
            yield Static(safe(hint), markup=False, classes="note")
            yield SafeInput(id="word", compact=True)
            yield Static("", id="word-error", markup=False)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value.strip().casefold() == self._word.casefold():
            self.dismiss(True)
            return
        self.query_one("#word-error", Static).update(toned("bad", f"That is not the word “{self._word}”."))


class WaitModal(ModalScreen[None]):
    """Says that something is being waited for."""

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """One sentence."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = safe(self._title)
            yield Static(safe_lines(self._text), markup=False)
