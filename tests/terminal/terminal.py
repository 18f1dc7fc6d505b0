"""The real program on a pseudo-terminal of its own: what a person sees there, and what it leaves behind."""

import errno
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pyte

from tests.cli.conftest import OURS

PATIENCE = 40.0
"""Seconds until what was waited for counts as missing; the machine may be busy."""

KEYS = {
    "enter": "\r",
    "escape": "\x1b",
    "down": "\x1b[B",
    "left": "\x1b[D",
    "right": "\x1b[C",
    "page down": "\x1b[6~",
    "ctrl+c": "\x03",
    "ctrl+q": "\x11",
}

_LOOKS = ("NO_COLOR", "TEXTUAL", "COLUMNS", "LINES", "TMUX")
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][\d;]*u|\x1b\[\?\d+\$p")
_ALTERNATE = b"\x1b[?1049h"
_UNFINISHED = re.compile(rb"\x1b(\[[^@-~]*)?$")
_MODES = re.compile(rb"\x1b\[\?(\d+)([hl])")
_MARKS = re.compile(rb"\x1b\[([\d;]*)m")


class Terminal:
    """A running program and its screen. Nothing is read but while something is waited for."""

    def __init__(self, home: Path, *arguments: str, columns: int = 80, rows: int = 24, **variables: str) -> None:
        self.pid, self._keyboard = pty.fork()
        if self.pid == 0:
            _become(home, arguments, variables)
        self._set_size(columns, rows)
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._held = b""
        self.output = b""
        self.code: int | None = None
        self.settings_before = self._settings()

    @property
    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    @property
    def words(self) -> str:
        """The same in one line, however it is broken."""
        return " ".join(self.text.split())

    @property
    def settings(self) -> list[object]:
        """How the terminal treats what is typed and printed."""
        return self._settings()

    @property
    def modes(self) -> Mapping[str, bool]:
        """The private modes that were switched, as they are now: "1049" is the alternate screen, "25" the cursor."""
        return {number.decode(): word == b"h" for number, word in _MODES.findall(self.output)}

    @property
    def marks(self) -> set[str]:
        """The numbers by which text was made bold, coloured and the like."""
        return {number for marks in _MARKS.findall(self.output) for number in marks.decode().split(";")}

    @property
    def reversed_text(self) -> str:
        """What stands there in reverse."""
        cells = (line[column] for line in self._screen.buffer.values() for column in range(self._screen.columns))
        return "".join(cell.data for cell in cells if cell.reverse)

    def type(self, keys: str) -> None:
        """Type a key by its name, or text as it stands."""
        os.write(self._keyboard, KEYS.get(keys, keys).encode())

    def wait(self, *texts: str) -> None:
        """Wait until all of them stand on the screen."""
        self.until(lambda: all(text in self.words for text in texts), f"{texts}")

    def wait_gone(self, text: str) -> None:
        """Wait until this no longer stands there."""
        self.until(lambda: text not in self.words, f"an end of {text}")

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until it holds; looked at whenever something was printed."""
        end = time.monotonic() + PATIENCE
        while not holds():
            if not self._read(end):
                raise AssertionError(f"It never came to {what}. Code {self.code}; on the screen:\n{self.text}")

    def until_there(self, folder: Path, pattern: str) -> None:
        """Wait until there is such a file in the folder."""
        end = time.monotonic() + PATIENCE
        while not any(folder.glob(pattern)):
            assert time.monotonic() < end, f"{pattern} never came"
            self._read(time.monotonic() + 0.001)

    def end(self) -> int:
        """Wait until the program has ended; its exit code."""
        end = time.monotonic() + PATIENCE
        while self._read(end):
            pass
        assert time.monotonic() < end, f"It does not end. On the screen:\n{self.text}"
        return self.reap()

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size, as dragging its corner does."""
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)

    def signal(self, number: int) -> None:
        """Send a signal to the program."""
        os.kill(self.pid, number)

    def close(self) -> None:
        """Close the window."""
        if self._keyboard >= 0:
            os.close(self._keyboard)
            self._keyboard = -1

    def family(self) -> list[psutil.Process]:
        """The program and all that it has started."""
        program = psutil.Process(self.pid)
        return [program, *program.children(recursive=True)]

    def kill(self) -> None:
        """End it, whatever it does."""
        self.close()
        if self.code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, 9)
            self.reap()

    def reap(self) -> int:
        """Wait for the program without its window; its exit code."""
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def _read(self, end: float) -> bool:
        """Take in what is printed next; False when nothing more comes in time, or ever."""
        ready, _, _ = select.select([self._keyboard], [], [], max(end - time.monotonic(), 0))
        if not ready:
            return False
        try:
            heard = os.read(self._keyboard, 65536)
        except OSError as error:
            if error.errno != errno.EIO:  # Linux: nobody has the other side open any more
                raise
            return False
        self.output += heard
        heard = self._held + heard
        unfinished = _UNFINISHED.search(heard)
        cut = unfinished.start() if unfinished else len(heard)
        self._held = heard[cut:]
        if _ALTERNATE in heard:  # which pyte does not know
            self._screen.reset()
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", heard[:cut]))
        return bool(heard)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def _settings(self) -> list[object]:
        return list(termios.tcgetattr(self._keyboard))


def _become(home: Path, arguments: tuple[str, ...], variables: Mapping[str, str]) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith((*OURS, *_LOOKS))}
    os.chdir(home)
    ours = {"HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    os.execve(sys.executable, [sys.executable, "-m", "bizy_migrate_tui", *arguments], {**kept, **ours, **variables})  # noqa: S606


@contextmanager
def running(home: Path, *arguments: str, columns: int = 80, rows: int = 24, **variables: str) -> Iterator[Terminal]:
    """The program on a terminal; it does not outlive the block."""
    terminal = Terminal(home, *arguments, columns=columns, rows=rows, **variables)
    try:
        yield terminal
    finally:
        terminal.kill()
