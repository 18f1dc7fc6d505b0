"""How the wizard looks: a dark and a light dress, and the terminal's own colours (Textual's `ansi-dark`, `ansi-light`)."""

from textual.theme import Theme

# Textual's own $text-muted is relative to a background ("auto 60%"); in a Content it comes out as bright as can be.

DARK = Theme(
    name="bizy-dark",
    primary="#5aa9e6",
    secondary="#8fb8de",
    accent="#7fc8f8",
    success="#7bc47f",
    warning="#e5b567",
    error="#ec7a7a",
    foreground="#d7dce2",
    background="#15181d",
    surface="#1d2127",
    panel="#262b33",
    dark=True,
    variables={"text-muted": "#949ca6", "text-disabled": "#6c747e"},
)
LIGHT = Theme(
    name="bizy-light",
    primary="#1f6fb2",
    secondary="#3c6e97",
    accent="#0f62a8",
    success="#2f7d3a",
    warning="#8a5a00",
    error="#b3261e",
    foreground="#23272e",
    background="#fbfbf9",
    surface="#f1f1ed",
    panel="#e6e6e0",
    dark=False,
    variables={"text-muted": "#666d76", "text-disabled": "#92989f"},
)
DEFAULT = DARK.name
