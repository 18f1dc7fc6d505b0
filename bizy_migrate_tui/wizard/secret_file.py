"""A temporary password in a file that only its owner can read, for terminals whose clipboard does not work."""

import os
from datetime import datetime
from pathlib import Path

from bizy_migrate_tui.migration.secret import Secret


def save_secret(folder: Path, email: str, password: Secret, *, now: datetime) -> Path:
    """Write e-mail and password to a new file of mode 0600 and return its path. Raises OSError."""
    path = folder / f"bizy_password_{now:%Y%m%d_%H%M%S}.txt"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{email}\n{password.reveal()}\n")
    return path
