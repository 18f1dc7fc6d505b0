"""Leaving in the middle of the run, in every way there is: nothing stays, the terminal is as before, the code is right."""

import signal
from collections.abc import Iterator

import pytest

from bizy_migrate_tui.migration.postgresql.address import Target
from tests.faults.harness import standing
from tests.terminal.conftest import Wizard
from tests.terminal.terminal import Terminal
from tests.terminal.test_walk import is_as_before
from tests.terminal.walk import READY, held_up, walk


@pytest.fixture
def midway(database: Target, wizard: Wizard) -> Iterator[Terminal]:
    """The wizard in the middle of the run, held up there. At the end nothing may have changed."""
    with held_up(database), wizard(database) as terminal:
        before = standing(database)
        walk(terminal, READY)
        terminal.type("enter")
        terminal.wait("▶ Load tasks")
        yield terminal
        assert standing(database) == before


def confirm(terminal: Terminal, question: str, answer: str) -> None:
    """Move from the safe answer, which has the focus, to the other one."""
    terminal.wait(question, answer)
    terminal.type("right")
    terminal.type("enter")


def test_stopping_asks_takes_everything_back_and_shows_that_nothing_changed(midway: Terminal) -> None:
    midway.type("x")
    midway.wait("Stop the migration?")
    midway.type("enter")  # no
    midway.wait_gone("Stop the migration?")
    midway.type("x")
    confirm(midway, "Stop the migration?", "Stop")
    midway.wait("Stopped. Nothing was changed: the database is as before.")
    midway.type("ctrl+q")
    assert midway.end() == 130
    assert is_as_before(midway)


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q"])
def test_leaving_asks_first(midway: Terminal, key: str) -> None:
    midway.type(key)
    confirm(midway, "Stop and leave?", "Stop and leave")
    assert midway.end() == 130
    assert is_as_before(midway)


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_signal_takes_everything_back(midway: Terminal, name: str, code: int) -> None:
    midway.signal(getattr(signal, name))
    assert midway.end() == code
    assert is_as_before(midway)
    assert "Traceback" not in midway.output.decode()


def test_a_closed_window_takes_everything_back(midway: Terminal) -> None:
    midway.close()
    assert midway.reap() == 129
