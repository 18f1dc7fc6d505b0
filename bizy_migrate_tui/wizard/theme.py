"""How the wizard looks: a dark and a light dress, and the terminal's own colours (Textual's `ansi-dark`, `ansi-light`)."""

from rich.terminal_theme import TerminalTheme
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
    variables={
        "text-muted": "#949ca6",
        "text-disabled": "#6c747e",
        "scrollbar": "#3a424d",
        "scrollbar-hover": "#4a5461",
        "scrollbar-active": "#5aa9e6",
        "scrollbar-background": "#15181d",
    },
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
    variables={
        "text-muted": "#666d76",
        "text-disabled": "#92989f",
        "scrollbar": "#c9c9c1",
        "scrollbar-hover": "#b4b4ab",
        "scrollbar-active": "#1f6fb2",
        "scrollbar-background": "#fbfbf9",
    },
)
DEFAULT = DARK.name

# The eight colours that cells of tables are named by: black, red, green, yellow, blue, magenta, cyan, white.
DARK_PALETTE = TerminalTheme(
    (21, 24, 29),
    (215, 220, 226),
    [
        (29, 33, 39),
        (236, 122, 122),
        (123, 196, 127),
        (229, 181, 103),
        (90, 169, 230),
        (190, 150, 220),
        (127, 200, 248),
        (215, 220, 226),
    ],
)
LIGHT_PALETTE = TerminalTheme(
    (251, 251, 249),
    (35, 39, 46),
    [
        (35, 39, 46),
        (179, 38, 30),
        (47, 125, 58),
        (138, 90, 0),
        (31, 111, 178),
        (122, 60, 160),
        (15, 98, 168),
        (102, 109, 118),
    ],
)
