"""Where the wizard goes: the steps, the three ways through them, and the rule that picks the next one."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Step(StrEnum):
    """The steps; the value is the title a person reads."""

    WELCOME = "Welcome"
    PREREQUISITES = "Prerequisites"
    CONNECTION = "Connection"
    BACKUP = "Backup"
    PREVIEW = "Preview"
    MIGRATION = "Migration"
    VERIFICATION = "Verification"
    FINISH = "Finish"
    FAILURE = "Failure"
    ROLLBACK = "Rollback"


class Way(StrEnum):
    """What the user came for."""

    MIGRATE = "migrate"
    VERIFY = "verify"
    ROLL_BACK = "roll back"


class Turn(StrEnum):
    """How a step ended."""

    NEXT = "next"
    BACK = "back"
    SETTINGS = "settings"
    """The connection has to be looked at again."""
    RETRY = "retry"
    """The step that failed is to be done again."""
    ROLL_BACK = "roll back"
    LEAVE = "leave"


class StepState(StrEnum):
    """Where a step stands; the value is the word for it."""

    WAITING = "to do"
    DONE = "done"
    STALE = "to be looked at again"
    FAILED = "failed"


PATHS: Final[Mapping[Way, tuple[Step, ...]]] = {
    Way.MIGRATE: (
        Step.WELCOME,
        Step.PREREQUISITES,
        Step.CONNECTION,
        Step.BACKUP,
        Step.PREVIEW,
        Step.MIGRATION,
        Step.VERIFICATION,
        Step.FINISH,
    ),
    Way.VERIFY: (Step.WELCOME, Step.CONNECTION, Step.VERIFICATION),
    Way.ROLL_BACK: (Step.WELCOME, Step.CONNECTION, Step.ROLLBACK),
}
"""The steps of each way, in their order."""

SHORT: Final[Mapping[Step, str]] = {
    Step.PREREQUISITES: "Checks",
    Step.CONNECTION: "Connect",
    Step.MIGRATION: "Migrate",
    Step.VERIFICATION: "Verify",
}
"""Titles for a rail that has to fit 80 columns, where the full one is too long."""

_FIXED: Final[Mapping[Turn, Step | None]] = {
    Turn.LEAVE: None,
    Turn.SETTINGS: Step.CONNECTION,
    Turn.ROLL_BACK: Step.ROLLBACK,
}


_BEGIN_BY_THEMSELVES: Final = frozenset({Step.PREVIEW, Step.VERIFICATION})
"""Who goes back to one of these after it failed would have it fail again; Back leads to the step before."""


def step_after(way: Way, step: Step, turn: Turn, failed: Step | None = None) -> Step | None:
    """The step that follows when `step` ended with `turn`; None leaves the wizard. `failed` is the step that failed."""
    path = PATHS[way]
    if turn in _FIXED:
        return _FIXED[turn]
    if turn is Turn.RETRY or (step is Step.FAILURE and turn is Turn.BACK):
        shown = failed or path[0]
        begins_anew = turn is Turn.BACK and shown in _BEGIN_BY_THEMSELVES and shown in path
        return path[path.index(shown) - 1] if begins_anew else shown
    if step not in path:  # beside the way: a rollback after the finish
        return path[-1] if turn is Turn.BACK else None
    place = path.index(step) + (1 if turn is Turn.NEXT else -1)
    return path[max(place, 0)] if place < len(path) else None
