"""The temporary password, shown because it was asked for."""

from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.wizard.safe import safe, toned
from bizy_migrate_tui.wizard.secret_file import save_secret
from bizy_migrate_tui.wizard.widgets.facts import home_path


class PasswordDialog(ModalScreen[str]):
    """Copies or saves it; the result is a sentence that says so, empty when neither was done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,p,q", "close", "Hide"),
        Binding("c", "copy", "Copy"),
        Binding("s", "save", "Save"),
    ]

    def __init__(self, email: str, password: Secret, folder: Path) -> None:
        super().__init__()
        self._email = email
        self._password = password
        self._folder = folder
        self._said = ""

    def compose(self) -> ComposeResult:
        """For whom, the password, and the keys."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("The temporary password")
            yield Static(safe(f"for {self._email}"), markup=False)
            yield Static(Content.styled(safe_text(self._password.reveal()), "bold"), id="password", markup=False)
            yield Static(Content("c copies it · s saves it to a file for you alone · Escape hides it"), classes="note")
            yield Static("", id="password-said", markup=False)

    def action_copy(self) -> None:
        """Put it on the clipboard."""
        self.app.copy_to_clipboard(self._password.reveal())
        self._say("good", "It is on the clipboard, if this terminal allows that.")

    def action_save(self) -> None:
        """Write it to a new file of mode 0600 beside the source."""
        try:
            path = save_secret(self._folder, self._email, self._password, now=datetime.now())
        except OSError as error:
            self._say("bad", f"It could not be saved in {home_path(self._folder)}: {error.strerror}.")
            return
        self._say("good", f"It is in {path.name}, beside your SQLite file. Only you can read it; remove it when you are done.")

    def action_close(self) -> None:
        """Hide it."""
        self.dismiss(self._said)

    def _say(self, tone: str, text: str) -> None:
        self._said = text if tone == "good" else ""
        self.query_one("#password-said", Static).update(toned(tone, text))
