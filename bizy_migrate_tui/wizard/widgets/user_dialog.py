"""Which of the users who are there already the rows shall go to."""

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from bizy_migrate_tui.migration.postgresql.target import WebUser
from bizy_migrate_tui.wizard.safe import safe


class UserDialog(ModalScreen[WebUser | None]):
    """Offers the users; None when the user changes their mind."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, users: Sequence[WebUser]) -> None:
        super().__init__()
        self._users = tuple(users)

    def compose(self) -> ComposeResult:
        """A line a user."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Who should own the rows?"
            yield Static("Their password and profile stay as they are.", markup=False, classes="note")
            options = [Option(safe(f"{user.email}  ({user.username})", 100)) for user in self._users]
            yield OptionList(*options, id="users", markup=False, compact=True)

    def on_mount(self) -> None:
        """The first one is under the cursor."""
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._users[event.option_index])
