"""Waits that cannot be cut short, and that a user who wants to stop need not sit out."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

from bizy_migrate_tui.migration.errors import Cancelled
from bizy_migrate_tui.migration.events import Cancellation

T = TypeVar("T")


def unless_cancelled(call: Callable[[], T], cancel: Cancellation, *, discard: Callable[[T], None]) -> T:
    """What `call` returns or raises; Cancelled as soon as somebody asks to stop.

    The call goes on in a thread of its own then, which does not keep the program from ending; what it returns after all
    goes to `discard`.
    """
    outcome: Future[T] = Future()
    woken = threading.Event()
    outcome.add_done_callback(lambda _outcome: woken.set())
    threading.Thread(target=_settle, args=(outcome, call), daemon=True, name="patience").start()
    with cancel.interrupting(woken.set):
        woken.wait()
    if outcome.done():
        return outcome.result()
    outcome.add_done_callback(lambda late: _discard(late, discard))
    raise Cancelled()


def _settle(outcome: "Future[T]", call: Callable[[], T]) -> None:
    try:
        outcome.set_result(call())
    except BaseException as error:
        outcome.set_exception(error)


def _discard(outcome: "Future[T]", discard: Callable[[T], None]) -> None:
    with suppress(Exception):  # nobody waits for it any more
        discard(outcome.result())
