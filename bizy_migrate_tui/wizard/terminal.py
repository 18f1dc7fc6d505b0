"""A driver that survives its terminal: a window that closes during a run must not keep the run from being taken back.

Textual's output thread dies when the terminal is gone, and the app then waits for it for ever.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO, cast

from textual.app import App
from textual.driver import Driver


class PatientFile:
    """The terminal's file; what it does not take any more is lost."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write where there is still somebody to read."""
        with suppress(OSError):
            return self._file.write(text)
        return len(text)

    def flush(self) -> None:
        """The same."""
        with suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        """The file's descriptor."""
        return self._file.fileno()


def let_go_of_a_lost_terminal() -> None:
    """What is still to be written to a terminal that is gone has no reader; Python would end with 120 because of it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())


def driver_class() -> type[Driver] | None:
    """The driver for this platform's terminals; None leaves the choice to Textual."""
    if sys.platform == "win32":
        return None
    from textual.drivers.linux_driver import LinuxDriver  # noqa: PLC0415 (not importable on Windows)

    class PatientDriver(LinuxDriver):
        def __init__(
            self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
        ) -> None:
            super().__init__(app, debug=debug, mouse=mouse, size=size)
            self._file = cast("Any", PatientFile(cast("TextIO", self._file)))

    return PatientDriver
