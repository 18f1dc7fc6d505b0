"""What the wizard remembers from one evening to the next; nothing secret."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import platformdirs

NAMES: Final = frozenset({"sqlite_path", "postgres_url", "timezone", "user_email", "user_name", "theme"})
"""What may be remembered; `postgres_url` is a `Target.masked_url()`, which has no password."""


def default_file() -> Path:
    """Where the values are kept."""
    return platformdirs.user_config_path("bizy-migrate-tui", appauthor=False) / "remembered.json"


def load(path: Path | None = None) -> dict[str, str]:
    """The values of the last time; none where the file is missing, unreadable or damaged."""
    try:
        values = json.loads((path or default_file()).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {name: value for name, value in values.items() if name in NAMES and isinstance(value, str)}


def save(values: Mapping[str, str], path: Path | None = None) -> None:
    """Keep the values for the next time, mode 0600. Raises OSError."""
    file = path or default_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=".remembered", dir=file.parent)
    with os.fdopen(descriptor, "w", encoding="utf-8") as written:
        json.dump({name: value for name, value in values.items() if name in NAMES}, written, indent=2)
    Path(temporary).replace(file)
