"""The form in which advice is written down: who raised what, and what to tell about it."""

import re
from dataclasses import dataclass
from enum import Enum

from bizy_migrate_tui.migration.errors import MigrationError


class Family(Enum):
    """Who raised the error."""

    POSTGRES = "psycopg2, or the network under it"
    SQLITE = "sqlite3"
    FILE = "the operating system, about a file"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to do: a sentence for everybody, a command for each platform where they differ."""

    everywhere: str = ""
    macos: str = ""
    debian: str = ""
    docker: str = ""
    windows: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of error: by whom it is raised, how it is recognised, how it is told.

    It is recognised by one of `states` or, failing that, by `pattern`; file errors by `numbers`. A rule with none of
    them is only ever named by its code.
    """

    code: str
    error: type[MigrationError]
    cause: str
    remedy: Remedy
    family: Family | None = None
    states: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None
    numbers: frozenset[int] = frozenset()
