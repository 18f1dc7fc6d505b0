"""The log file: what was done and when, for whoever helps; readable by its owner alone, without secrets."""

import io
import logging
import os
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

import platformdirs

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.secret import Secret, mask

LOGGER: Final = "bizy_migrate_tui"
_BYTES: Final = 1_000_000
_OLD_FILES: Final = 2


class _PrivateFile(RotatingFileHandler):
    """A log file that only its owner can read, from its first byte on."""

    def _open(self) -> io.TextIOWrapper:
        Path(self.baseFilename).parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        return super()._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (logging's name)
        """A log that cannot be written must not disturb the screen."""


class SafeFormatter(logging.Formatter):
    """Masks known secrets and what looks like a password, in messages and tracebacks alike, and keeps a record on its lines."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")
        self._secrets: set[str] = set()

    def hide(self, secret: Secret | None) -> None:
        """Never write this one."""
        if secret:
            self._secrets.add(secret.reveal())

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        text = super().format(record)
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return "\n    ".join(safe_text(line) for line in mask(text).splitlines())


def log_file() -> Path:
    """Where the log is."""
    return platformdirs.user_log_path("bizy-migrate-tui", appauthor=False) / "bizy-migrate-tui.log"


def start_log(
    level: str = "info",
    *,
    secrets: tuple[Secret | None, ...] = (),
    only_errors: bool = False,
    path: Path | None = None,
) -> Path | None:
    """Log to the file from now on; its path, or None where it cannot be written (the work goes on without).

    With `only_errors` there is no file until there is an error: a dry run leaves nothing behind.
    """
    file = path or log_file()
    try:
        handler = _PrivateFile(file, maxBytes=_BYTES, backupCount=_OLD_FILES, encoding="utf-8", delay=only_errors)
    except OSError:
        return None
    formatter = SafeFormatter()
    for secret in secrets:
        formatter.hide(secret)
    handler.setFormatter(formatter)
    logger = logging.getLogger(LOGGER)
    for old in tuple(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)
    logger.setLevel("ERROR" if only_errors else level.upper())
    logger.propagate = False
    return file
