"""The lines of `.env` that change, old and new, each with its sign and its colour."""

from textual.content import Content

from bizy_migrate_tui.display import safe_text

STYLES = {"-": "$text-error", "+": "$text-success"}


def diff_text(diff: str) -> Content:
    """A unified diff without its headings; passwords are masked in it already."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++", "@@"))]
    return Content("\n").join(Content.styled(safe_text(line), STYLES.get(line[:1], "")) for line in lines)
