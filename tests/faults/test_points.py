"""Every event that a run emits and every statement that it sends, broken one after the other until none is left.

Each run meets the target and the source that the broken one before it left, and comes further; the last comes to the end.
"""

from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.events import Cancellation, Event
from bizy_migrate_tui.migration.postgresql.target import Target
from tests.faults.harness import (
    Bench,
    Trigger,
    attempt,
    cut_sessions,
    event_name,
    let_server_raise,
    let_statement_time_out,
    move,
    shut_socket,
    statement_name,
    target_in_use,
    watch_statements,
)
from tests.faults.matrix import COMPLETE, Matrix

EVENT_SLICE, STATEMENT_SLICE = 17, 83
"""Without --whole only each so many-th point is broken; where it begins differs from fault to fault."""


class Injected(Exception):
    """An error that nobody has foreseen."""


def _raise(*_things: object) -> None:
    raise Injected("injected")


_REFUSALS = cycle(("", "53100", "40P01", "55P03", "53300"))


def _refuse(rows: Cursor, _cancel: Cancellation) -> None:
    """A real statement timeout, a full disk, a deadlock, a lock held by somebody, no connection left: in turn."""
    state = next(_REFUSALS)
    if state:
        let_server_raise(rows, state)
    else:
        let_statement_time_out(rows)


EVENT_FAULTS: dict[str, tuple[Callable[[Target, Cancellation], None], frozenset[str]]] = {
    "cancelled": (lambda _target, cancel: cancel.request(), frozenset({"cancelled"})),
    "exception": (_raise, frozenset({"unexpected"})),
    "connection cut": (lambda target, _cancel: cut_sessions(target), frozenset({"connection-lost"})),
}

STATEMENT_FAULTS: dict[str, tuple[Callable[[Cursor, Cancellation], None], frozenset[str]]] = {
    "cancelled": (lambda _rows, cancel: cancel.request(), frozenset({"cancelled"})),
    "exception": (_raise, frozenset({"unexpected"})),
    "network gone": (lambda rows, _cancel: shut_socket(rows), frozenset({"connection-lost"})),
    "refused by the server": (
        _refuse,
        frozenset({"statement-timeout", "disk-full-target", "deadlock", "lock-timeout", "too-many-connections"}),
    ),
}

STARTS = {"an empty database": True, "a database in use": False}


def points(whole: bool, fault: str, step: int) -> range:
    """The points to break; the caller stops at the first that a run passes without reaching it."""
    return range(1, 10_000) if whole else range(1 + sum(fault.encode()) % step, 10_000, step)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("fault", EVENT_FAULTS)
def test_a_fault_at_any_event(
    fault: str, start: str, whole: bool, matrix: Matrix, server: EmbeddedServer, scratch: Path, source: Path, tmp_path: Path
) -> None:
    inject, codes = EVENT_FAULTS[fault]
    section = matrix.section(f"Events of a run into {start}")
    todo, reached = iter(points(whole, fault, EVENT_SLICE)), True
    while reached:  # a database serves until a run is complete
        with target_in_use(server, tmp_path, is_empty=STARTS[start]) as target:
            bench = Bench(source, target, scratch, section)
            for number in todo:
                trigger, cancel = Trigger(number), Cancellation()

                def on_event(event: Event, trigger: Trigger = trigger, cancel: Cancellation = cancel) -> None:
                    if trigger.goes_off(f"{trigger.count:02} {event_name(event)}"):
                        inject(target, cancel)

                error = attempt(lambda: move(source, target, on_event=on_event, cancel=cancel))  # noqa: B023
                reached = bool(trigger.step)
                if not reached or bench.judge(trigger.step, fault, error, codes=codes, run_again=False) == COMPLETE:
                    assert reached or error is None
                    break


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("fault", STATEMENT_FAULTS)
def test_a_fault_at_any_statement(
    fault: str,
    start: str,
    whole: bool,
    matrix: Matrix,
    server: EmbeddedServer,
    scratch: Path,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inject, codes = STATEMENT_FAULTS[fault]
    section = matrix.section(f"Statements of a run into {start}")
    todo, reached = iter(points(whole, fault, STATEMENT_SLICE)), True
    while reached:
        with target_in_use(server, tmp_path, is_empty=STARTS[start]) as target:
            bench = Bench(source, target, scratch, section)
            for number in todo:
                trigger, cancel = Trigger(number), Cancellation()

                def hear(rows: Cursor, text: object, trigger: Trigger = trigger, cancel: Cancellation = cancel) -> None:
                    if trigger.goes_off(f"{trigger.count:03} {trigger.phase}: {statement_name(text)}"):
                        inject(rows, cancel)

                with monkeypatch.context() as patch:
                    watch_statements(patch, hear)
                    error = attempt(lambda: move(source, target, on_event=trigger.follow, cancel=cancel))  # noqa: B023
                reached = bool(trigger.step)
                if not reached or bench.judge(trigger.step, fault, error, codes=codes, run_again=False) == COMPLETE:
                    assert reached or error is None
                    break
