"""A question with one answer: label, input, where the answer came from, and what is wrong with it."""

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.suggester import Suggester
from textual.widgets import Input, Label, Static

from bizy_migrate_tui.wizard.safe import safe, toned
from bizy_migrate_tui.wizard.widgets.safe_input import SafeInput

Complaint = Callable[[str], str | None]
"""What is wrong with a value, None when nothing is."""


class AnswerInput(SafeInput):
    """An input of a step: its Enter is the step's, and the footer says so."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "Next")]


class PasswordInput(AnswerInput):
    """An input whose text never reaches the clipboard."""

    def __init__(self, value: str = "", *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002
        super().__init__(value, password=True, placeholder=placeholder, id=id, compact=True)

    def action_copy(self) -> None:
        """Copy nothing."""
        self.notify("A password is not copied.")

    def action_cut(self) -> None:
        """Cut nothing."""
        self.action_copy()


class Field(Vertical):
    """Checks its answer when the user leaves it and when the step is left, not at every key."""

    def __init__(
        self,
        label: str,
        value: str = "",
        *,
        id: str,  # noqa: A002
        check: Complaint = lambda _value: None,
        origin: str = "",
        placeholder: str = "",
        suggester: Suggester | None = None,
        password: bool = False,
    ) -> None:
        super().__init__(id=id, classes="field")
        self._label = label
        self._check = check
        self._origin = origin
        self._input: Input = (
            PasswordInput(value, placeholder=placeholder)
            if password
            else AnswerInput(value, placeholder=placeholder, suggester=suggester, compact=True)
        )

    def compose(self) -> ComposeResult:
        """Label, input and origin in one row, the complaint below."""
        with Horizontal(classes="field-row"):
            yield Label(self._label, markup=False, classes="field-label")
            yield self._input
            yield Static(safe(self._origin), markup=False, classes="field-origin")
        yield Static("", markup=False, classes="field-error")

    @property
    def input(self) -> Input:
        """The input itself."""
        return self._input

    @property
    def value(self) -> str:
        """The answer, without blanks around it (a password keeps them)."""
        return self._input.value if self._input.password else self._input.value.strip()

    def set_value(self, value: str, origin: str | None = None) -> None:
        """Fill in an answer without asking the user; `origin` says where it is from."""
        if value != self._input.value:
            with self._input.prevent(Input.Changed):
                self._input.value = value
        if origin is not None:
            self.query_one(".field-origin", Static).update(safe(origin))
        self.complain(None)

    def validate_answer(self) -> str | None:
        """Check the answer and show what is wrong with it, which is also returned."""
        complaint = self._check(self.value)
        self.complain(complaint)
        return complaint

    def complain(self, complaint: str | None) -> None:
        """Show what is wrong, or that nothing is."""
        self.set_class(bool(complaint), "-bad")
        self.query_one(".field-error", Static).update(toned("bad", complaint) if complaint else "")

    def focus_input(self) -> None:
        """Put the cursor there."""
        self._input.focus()

    def on_mount(self) -> None:
        """A long answer is read from its beginning until the cursor comes."""
        self._input.cursor_position = 0

    @on(events.DescendantBlur)
    def _left(self) -> None:
        self._input.cursor_position = 0
        self.validate_answer()

    @on(Input.Changed)
    def _typed(self) -> None:
        if not self._input.has_focus:  # Textual also tells of the value that an input begins with
            return
        self.complain(None)
        self.query_one(".field-origin", Static).update("")


class PasswordField(Field):
    """A field whose answer is hidden and never copied."""

    def __init__(
        self,
        label: str,
        value: str = "",
        *,
        id: str,  # noqa: A002
        check: Complaint = lambda _value: None,
        placeholder: str = "",
    ) -> None:
        super().__init__(label, value, id=id, check=check, placeholder=placeholder, password=True)
