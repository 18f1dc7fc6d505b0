"""Ctrl+C, SIGTERM and a closed terminal during a headless command: a request to stop, wherever the command is just then."""

import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from contextlib import contextmanager
from types import FrameType
from typing import Final, TypeVar

from bizy_migrate_tui.migration.errors import Cancelled
from bizy_migrate_tui.migration.events import Cancellation, OnEvent
from bizy_migrate_tui.terminal import drawn_progress, say

T = TypeVar("T")

_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_POLL_SECONDS: Final = 0.2
"""Windows delivers Ctrl+C only between waits."""


class Interruption:
    """What a signal does during one command.

    While work goes on in its thread, the work is asked to stop; otherwise (at a question, say) Cancelled is raised where
    the command is. Once something is committed, signals are ignored: the command tells what it did and ends by itself.
    """

    def __init__(self) -> None:
        self._cancel = Cancellation()
        self._is_working = False
        self._is_deaf = False

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Heed signals within the block, but for those that whoever started the program wants ignored."""
        if threading.current_thread() is not threading.main_thread():  # only the main thread may take signals
            yield
            return
        numbers = [number for name in _SIGNALS if (number := getattr(signal, name, None)) is not None]
        before = {number: signal.getsignal(number) for number in numbers}
        mine = [number for number in numbers if before[number] not in (signal.SIG_IGN, None)]
        for number in mine:
            signal.signal(number, self._heed)
        try:
            yield
        finally:
            for number in mine:
                signal.signal(number, before[number])

    def ignore(self) -> None:
        """From now on signals are ignored."""
        self._is_deaf = True

    def work(self, work: Callable[[OnEvent, Cancellation], T], *, commits: bool = False) -> T:
        """Do the work in a thread, its progress shown; `commits` says that there is no stopping after it.

        Raises what the work raises, and Cancelled.
        """
        self._cancel.check()
        self._is_working = True
        try:
            with drawn_progress() as on_event, ThreadPoolExecutor(1) as worker:
                result = _wait(worker.submit(work, on_event, self._cancel))
        finally:
            self._is_deaf = self._is_deaf or commits
            self._is_working = False
        if not commits:
            self._cancel.check()
        return result

    def _heed(self, _number: int, _frame: FrameType | None) -> None:
        if self._is_deaf:
            return
        if not self._is_working:
            self._is_deaf = True
            raise Cancelled()
        if not self._cancel.requested:
            say("Stopping …")
            # Asking takes a lock and may wait for the server, which a signal's handler must not.
            threading.Thread(target=self._cancel.request, daemon=True).start()


def _wait(future: "Future[T]") -> T:
    while True:
        try:
            return future.result(timeout=_POLL_SECONDS)
        except StillRunning:
            if future.done():  # the work itself raised a TimeoutError
                raise
