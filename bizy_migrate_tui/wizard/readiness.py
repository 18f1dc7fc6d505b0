"""What keeps the wizard quick to answer: heavy imports at a quiet moment, and no long rounds of Python's collector."""

import gc
import importlib
from contextlib import suppress
from typing import Final

WARM_UP_AFTER: Final = 0.3
"""Seconds after the start; sooner it would hold up the first paint."""

_HEAVY: Final = "bizy_migrate_tui.migration.session"
_FULL_ROUNDS_AFTER: Final = 1_000
"""Of the collector's middle rounds; an evening has not so many."""


def warm_up() -> None:
    """Import what the next steps need, while the user reads; called in a thread."""
    with suppress(ImportError):
        importlib.import_module(_HEAVY)


def calm_collector() -> None:
    """Keep Python's collector from its full rounds: with all that has been drawn they take a quarter of a second, during
    which the screen stands still and no key is heard. The small rounds go on."""
    few, more, _ = gc.get_threshold()
    gc.set_threshold(few, more, _FULL_ROUNDS_AFTER)
