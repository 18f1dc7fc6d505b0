"""Long calls of the core, each in a thread of its own with a Cancellation of its own.

Plain daemon threads rather than Textual's workers: those say CANCELLED while their thread runs on, and the pool below
them keeps the program from ending while a connection attempt hangs.
"""

import contextvars
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent

T = TypeVar("T")


class Job(Generic[T]):
    """One call under way. `ended` is called in its thread when it is over; `deliver` then hands on what came of it.

    A `critical` job changes the target: the program does not end before it has.
    """

    def __init__(
        self,
        call: Callable[[OnEvent, Cancellation], T],
        *,
        listen: OnEvent,
        then: Callable[[T], None],
        failed: Callable[[MigrationError], None],
        critical: bool = False,
    ) -> None:
        self.cancel = Cancellation()
        self.critical = critical
        self._call = call
        self._listen = listen
        self._then = then
        self._failed = failed
        self._deliver: Callable[[], None] = lambda: None
        self._thread: threading.Thread | None = None

    def start(self, ended: "Callable[[Job[T]], object]") -> None:
        """Begin; returns at once."""
        context = contextvars.copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._work, ended), daemon=True, name="wizard-job")
        self._thread.start()

    def join(self, seconds: float | None = None) -> None:
        """Wait for the thread, at most so long; to be called from a thread."""
        if self._thread is not None:
            self._thread.join(seconds)

    def deliver(self) -> None:
        """Hand the result, or the error, to those who asked; called on the screen's side."""
        self._deliver()

    def _work(self, ended: "Callable[[Job[T]], object]") -> None:
        try:
            result = self._call(self._listen, self.cancel)
        except Exception as raised:
            from bizy_migrate_tui.migration.advice.advice import explain  # noqa: PLC0415 (after the first paint)

            error = explain(raised)
            self._deliver = lambda: self._failed(error)
        else:
            self._deliver = lambda: self._then(result)
        ended(self)
