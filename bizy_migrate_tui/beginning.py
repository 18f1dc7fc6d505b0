"""How a command begins, the wizard too: its settings and its log. It imports nothing heavy, as the first paint waits for it."""

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bizy_migrate_tui.logs import LOGGER, start_log
from bizy_migrate_tui.settings import Flags, Settings, resolve

_LOG: Final = logging.getLogger(LOGGER)


def begin(
    name: str,
    flags: Flags,
    log_level: str,
    *,
    only_errors: bool = False,
    remembered: Mapping[str, str] | None = None,
) -> Settings:
    """Resolve the settings and start the log. Raises UsageError."""
    settings = resolve(flags, os.environ, Path.cwd(), Path.home(), remembered=remembered)
    target = settings.target.value if settings.target else None
    secrets = (target.password if target else None, settings.admin_password)
    start_log(log_level, secrets=secrets, only_errors=only_errors)
    _LOG.info("%s: %s to %s", name, settings.sqlite_path.value, target.masked_url() if target else "no target")
    return settings
