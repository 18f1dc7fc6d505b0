"""The folder of temporary files of one sitting, and the sweeping of those whose process was killed.

A sitting holds a lock on its folder; a folder whose lock can be had belongs to nobody any more. (The process id alone would
not do: ids are used again, and differ from container to container that share a /tmp.)
"""

import contextlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

_PREFIX: Final = "bizy-migrate-sitting-"


class Scratch:
    """A private folder, from its making until `close`."""

    def __init__(self) -> None:
        sweep()
        made = Path(tempfile.mkdtemp(prefix=f"new-{_PREFIX}"))
        self._lock = _lock(made)
        # Only now does it have a name that others sweep.
        self.path = made.rename(made.with_name(made.name.removeprefix("new-")))

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def sweep() -> None:
    """Remove what killed processes of this user left behind. Windows has no such locks: there it stays."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError):  # somebody else's, or somebody's at work
            lock = _lock(folder)
            if lock is not None:
                shutil.rmtree(folder, ignore_errors=True)
                os.close(lock)


def _lock(folder: Path) -> int | None:
    """An open lock on the folder; None where the platform has none. Raises OSError where it is held by another."""
    if sys.platform == "win32":
        return None
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise PermissionError(folder)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
