"""Asks for the server's administrator before role, database and tables are made."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Static

from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.prerequisites.setup import ADMIN_USER
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.wizard.safe import safe
from bizy_migrate_tui.wizard.widgets.field import Field, PasswordField


@dataclass(frozen=True, slots=True)
class Administrator:
    """Who may create roles and databases."""

    user: str
    password: Secret | None


class SetupDialog(ModalScreen[Administrator | None]):
    """Says what would be made; None when the user changes their mind."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, target: Target, password: Secret | None) -> None:
        super().__init__()
        self._target = target
        self._password = password

    def compose(self) -> ComposeResult:
        """What, where, and as whom."""
        where = self._target.host or "this machine"
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Create what is missing?"
            yield Static(
                safe(
                    f"On {where}: the role {self._target.user or '(not named)'}, the database "
                    f"{self._target.dbname or '(not named)'}, its rights and its tables. What is there already stays as it is."
                ),
                markup=False,
            )
            yield Static("PostgreSQL asks an administrator for this.", markup=False, classes="note")
            yield Field("Login", ADMIN_USER, id="admin")
            hidden = self._password.reveal() if self._password else ""
            yield PasswordField("Password", hidden, id="admin-password", placeholder="none")
            with Horizontal(classes="buttons"):
                yield Button("Cancel", variant="primary", id="no", compact=True)
                yield Button("Create", id="yes", compact=True)

    def on_mount(self) -> None:
        """The password is what is usually missing."""
        self.query_one("#admin-password", PasswordField).focus_input()

    @on(Input.Submitted)
    @on(Button.Pressed, "#yes")
    def _go(self) -> None:
        password = self.query_one("#admin-password", PasswordField).value
        user = self.query_one("#admin", Field).value or ADMIN_USER
        self.dismiss(Administrator(user, Secret(password) if password else None))

    @on(Button.Pressed, "#no")
    def _cancel(self) -> None:
        self.dismiss(None)
