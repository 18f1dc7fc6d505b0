"""An input whose text may come from outside: from `.env`, from the environment, from a user of the database."""

from rich.text import Text
from textual.widgets import Input

from bizy_migrate_tui.display import safe_text

STAND_IN = "\ufffd"


class SafeInput(Input):
    """Textual's own writes escape characters to the terminal. The value stays as it is; only what is drawn is harmless."""

    @property
    def _value(self) -> Text:
        drawn = super()._value
        if not self.password and safe_text(drawn.plain) != drawn.plain:
            drawn.plain = "".join(_drawn(sign) for sign in drawn.plain)
        return drawn


def _drawn(sign: str) -> str:
    """One character for one, so that the cursor keeps its place."""
    shown = safe_text(sign)
    return shown if len(shown) == 1 else STAND_IN
