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
    """Import what the next steps need, while the user reads; called in a thread, once the first screen is painted."""
    gc.enable()
    with suppress(ImportError):
        importlib.import_module(_HEAVY)


def calm_collector() -> None:
    """Keep Python's collector from rounds that the user would feel. Before the first paint there is nothing to collect. A
    full round, with all that has been drawn, takes a quarter of a second, during which the screen stands still and no key
    is heard; the small rounds go on from `warm_up`."""
    gc.disable()
    few, more, _ = gc.get_threshold()
    gc.set_threshold(few, more, _FULL_ROUNDS_AFTER)
