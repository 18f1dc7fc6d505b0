"""Text that came from outside, as Content: never markup, never terminal control (design, house rule on data)."""

from textual.content import Content

from bizy_migrate_tui.display import safe_text

SYMBOLS = {"good": "✓", "busy": "…", "note": "·", "warning": "!", "bad": "✗"}
"""Every tone has a symbol beside its colour, so that it can be told without colours."""

STYLES = {
    "good": "$text-success",
    "busy": "$text-accent",
    "note": "$text-muted",
    "warning": "$text-warning",
    "bad": "$text-error",
}


def safe(text: str, limit: int | None = None) -> Content:
    """Data as it may be shown."""
    return Content(safe_text(text, limit))


def safe_lines(text: str) -> Content:
    """Text of several lines (a remedy with its commands), each line made safe."""
    return Content("\n".join(safe_text(line) for line in text.splitlines()))


def toned(tone: str, text: str) -> Content:
    """A sentence with the symbol and the colour of its tone."""
    return Content.assemble((f"{SYMBOLS[tone]} ", STYLES[tone]), safe_lines(text))
