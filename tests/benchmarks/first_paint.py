"""The first paint: from the start of the process to the first words on the terminal, in turn with an empty Textual app."""

import os
import pty
import statistics
import sys
import time
from collections.abc import Mapping

_EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("ready")
Empty().run()
"""
_COMMAND = "from bizy_migrate_tui.cli import main; main()"
"""What the installed command does."""
_PROGRAMS: Mapping[str, tuple[tuple[str, ...], bytes]] = {
    "an empty Textual app": (("-c", _EMPTY), b"ready"),
    "the wizard": (("-c", _COMMAND), b"From SQLite to PostgreSQL"),
}


def first_paints(rounds: int = 9) -> dict[str, float]:
    """Medians in seconds, and the median of the ratios."""
    found: dict[str, list[float]] = {name: [] for name in _PROGRAMS}
    for _ in range(rounds):
        for name, (arguments, words) in _PROGRAMS.items():
            found[name].append(_paint(arguments, words))
    empty, ours = found.values()
    ratio = statistics.median(one / other for one, other in zip(ours, empty, strict=True))
    return {**{name: statistics.median(seconds) for name, seconds in found.items()}, "ratio": ratio}


def _paint(arguments: tuple[str, ...], words: bytes) -> float:
    began = time.perf_counter()
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": "80", "LINES": "24"})
        os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606
    seen = b""
    while words not in seen:
        seen += os.read(terminal, 65536)
    took = time.perf_counter() - began
    os.close(terminal)
    os.waitpid(process, 0)
    return took


if __name__ == "__main__":
    for what, figure in first_paints().items():
        print(f"{what}: {figure:.2f}")  # noqa: T201
