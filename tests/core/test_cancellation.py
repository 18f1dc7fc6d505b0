import threading

import pytest

from bizy_migrate_tui.migration.errors import Cancelled
from bizy_migrate_tui.migration.events import Cancellation


def test_what_stops_a_block_is_called_again_until_the_block_has_ended() -> None:
    """A statement that begins just after the first call, which found nothing to stop, is stopped too."""
    cancel = Cancellation()
    calls = 0
    began_late = threading.Event()

    def stop() -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            began_late.set()

    with cancel.interrupting(stop):
        cancel.request()
        assert began_late.wait(5)


def test_a_block_cannot_begin_once_somebody_asked_to_stop() -> None:
    cancel = Cancellation()
    cancel.request()

    with pytest.raises(Cancelled), cancel.interrupting(lambda: None):
        pytest.fail("it began")


def test_a_stop_that_fails_does_not_keep_the_others_from_being_called() -> None:
    cancel = Cancellation()
    stopped = threading.Event()

    def fail() -> None:
        raise OSError("it has ended meanwhile")

    with cancel.interrupting(fail), cancel.interrupting(stopped.set):
        cancel.request()
        assert stopped.wait(5)


def test_asking_does_not_wait_for_a_stop_that_waits_itself() -> None:
    cancel = Cancellation()
    asked = threading.Event()

    def stop() -> None:
        assert asked.wait(60)
        stopped.set()

    stopped = threading.Event()
    with cancel.interrupting(stop):
        cancel.request()
        assert not stopped.is_set()
        asked.set()
        assert stopped.wait(5)


def test_asking_twice_is_asking_once_more() -> None:
    cancel = Cancellation()
    before = threading.active_count()
    release = threading.Event()
    with cancel.interrupting(release.set):
        for _ in range(5):
            cancel.request()
        assert threading.active_count() <= before + 1
