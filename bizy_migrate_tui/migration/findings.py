"""What the plan found that a person should know, and what can be done about it."""

from dataclasses import dataclass
from enum import StrEnum

IDS_SHOWN = 1000
"""A finding lists at most so many ids; its count is always exact."""


class Severity(StrEnum):
    """How much a finding matters: it stops the run, it changes a value, it is only worth knowing."""

    BLOCKS = "blocks"
    ADJUSTS = "adjusts"
    NOTES = "notes"


class Choice(StrEnum):
    """What to do about the rows of a finding."""

    ADJUST = "adjust"
    LEAVE_OUT = "leave-out"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of blemish in one table.

    `ids` are the source ids as text, the first IDS_SHOWN of `count`. `action` says in one plain sentence what will be
    done under `choice`; `choices` are the choices a user may make instead (empty where there is nothing to choose).
    """

    code: str
    severity: Severity
    table: str
    ids: tuple[str, ...]
    count: int
    action: str
    column: str | None = None
    choice: Choice = Choice.ADJUST
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at after the load: its name, whether it holds, and the figure."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One cell of the target that is not what the source says it should be (values as text, None for NULL)."""

    table: str
    id: str
    column: str
    expected: str | None
    found: str | None
