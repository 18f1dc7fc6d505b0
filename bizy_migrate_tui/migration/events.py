"""What the core tells its audience while it works, and how the audience tells it to stop."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from bizy_migrate_tui.migration.errors import Cancelled

_ASK_AGAIN: Final = 0.1
"""Seconds between two calls of what stops a block."""


class Phase(StrEnum):
    """The steps of the work, in their order. The value is what a person reads."""

    SNAPSHOT = "Copy the source"
    INTEGRITY = "Check the copy"
    INVENTORY = "Look at every row"
    COLUMNS = "Take stock of each column"
    PLAN = "Plan"
    SCHEMA = "Create the tables"
    ACCOUNT = "Prepare the account"
    GOALS = "Load goals"
    TASKS = "Load tasks"
    PRESERVED = "Preserve what has no home"
    INDEXES = "Build indexes and keys"
    REMOVE = "Remove what the run brought"
    PROOF = "Prove every cell"
    COMMIT = "Commit"
    CHECKS = "Final checks"


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase begins; `total` is its work in `unit` ("rows", "bytes"), None where that cannot be known."""

    phase: Phase
    total: int | None = None
    unit: str = "rows"


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of the phase's total so far; `table` where the phase works through tables."""

    phase: Phase
    done: int
    table: str | None = None


@dataclass(frozen=True, slots=True)
class PhaseFinished:
    """A phase ended well, after `seconds`; `detail` is one plain sentence, or empty."""

    phase: Phase
    seconds: float
    detail: str = ""


Event = PhaseStarted | Progress | PhaseFinished
OnEvent = Callable[[Event], None]


def ignore(_event: Event) -> None:
    """The audience that does not listen."""


def unheeded(on_event: OnEvent) -> OnEvent:
    """The same audience after COMMIT, when an error of its own can no longer undo anything and must not seem to."""

    def tell(event: Event) -> None:
        with suppress(Exception):
            on_event(event)

    return tell


@dataclass(slots=True)
class Cancellation:
    """A request to stop, safe to make from any thread.

    Loops call `check()` once per batch. Calls that block (a statement on the server, a query in SQLite) are wrapped in
    `interrupting(stop)`: `stop` is called, from another thread, when the request comes, and again until the block has
    ended: between two statements there is nothing that it could stop.
    """

    _event: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stops: list[Callable[[], None]] = field(default_factory=list)

    @property
    def requested(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask the work to stop; returns at once, whatever the stops wait for (a server that does not answer, say)."""
        with self._lock:
            is_needed = bool(self._stops) and not self._event.is_set()
            self._event.set()
        if is_needed:
            threading.Thread(target=self._insist, daemon=True, name="cancellation").start()

    def check(self) -> None:
        """Raise Cancelled when somebody asked to stop."""
        if self._event.is_set():
            raise Cancelled()

    @contextmanager
    def interrupting(self, stop: Callable[[], None]) -> Iterator[None]:
        """While the block runs, a request to stop also calls `stop`."""
        with self._lock:
            self.check()
            self._stops.append(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)

    def _stop_all(self) -> bool:
        """Call what stops the blocks that run; whether there are any."""
        with self._lock:
            stops = tuple(self._stops)
        for stop in reversed(stops):
            with suppress(Exception):  # what it would stop may have ended meanwhile
                stop()
        return bool(stops)

    def _insist(self) -> None:
        while self._stop_all():
            time.sleep(_ASK_AGAIN)


@dataclass(slots=True)
class Meter:
    """Counts the rows of a phase, tells of them, and stops where somebody asked to."""

    phase: Phase
    on_event: OnEvent
    cancel: Cancellation
    done: int = 0

    def advance(self, table: str, rows: int) -> None:
        """So many more rows of a table are done. Raises Cancelled."""
        self.cancel.check()
        self.done += rows
        self.on_event(Progress(self.phase, self.done, table))
