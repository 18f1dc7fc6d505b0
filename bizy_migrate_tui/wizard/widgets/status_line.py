"""The one line that says, in plain language, how things stand."""

from textual.widgets import Static

from bizy_migrate_tui.wizard.safe import toned


class StatusLine(Static):
    """Two rows high whatever it says, so that nothing jumps."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__("", markup=False, id=id)
        self.said = ""

    def say(self, text: str, tone: str = "note") -> None:
        """Say it; `tone` is good, busy, note, warning or bad."""
        self.said = text
        self.update(toned(tone, text) if text else "", layout=False)
