"""Clears away what a process leaves that is killed before it can do so itself.

A second process waits for its standard input to end: that happens however the first one ends. What is still there then is
removed; where the first one has done so itself, nothing is left to do.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def removed_even_if_killed(folder: Path, binaries: Path | None = None) -> Iterator[None]:
    """Remove `folder` if this process is killed while the block runs; with `binaries`, stop the server in it before."""
    places = [folder] if binaries is None else [folder, binaries]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, *map(str, places)],  # -P: nothing is imported from the folder we are in
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # what strikes the terminal's programs must not strike it
    ) as process:
        try:
            yield
        finally:
            with suppress(OSError):
                process.communicate()


def main(folder: Path, binaries: Path | None = None) -> None:
    """Wait for the other process to end; then clear away."""
    sys.stdin.buffer.read()
    if folder.exists() and binaries is not None:
        from bizy_migrate_tui.embedded import clear_away  # noqa: PLC0415 (seldom wanted)

        clear_away(folder, binaries)
    elif folder.exists():
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
