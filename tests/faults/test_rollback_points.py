"""Every event that a rollback emits and every statement that it sends, broken one after the other until none is left."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, Event
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.rollback.rollback import roll_back
from tests.faults.harness import (
    Standing,
    Trigger,
    attempt,
    event_name,
    move,
    standing,
    statement_name,
    target_in_use,
    watch_statements,
)
from tests.faults.matrix import BEFORE, COMPLETE, Matrix, Section
from tests.faults.test_points import EVENT_FAULTS, EVENT_SLICE, STARTS, STATEMENT_FAULTS, points

Broken = Callable[[Target, int | None, Trigger], None]
"""Rolls a run of a target back, broken where the trigger goes off."""


def but_for_the_ledger(found: Standing) -> Standing:
    """What stands, without the ledger's rows: in a database in use it keeps the run, as rolled back."""
    return {name: rows for name, rows in found.items() if name != "bizy_migrate.runs"}


@dataclass
class Bench:
    """Breaks rollbacks of a run and judges what is left."""

    server: EmbeddedServer
    source: Path
    scratch: Path
    folder: Path

    def try_all(self, section: Section, start: str, fault: str, codes: frozenset[str], numbers: range, broken: Broken) -> None:
        """Break one point after the other; where the rollback is complete all the same, the next database serves."""
        todo, reached = iter(numbers), True
        while reached:
            with target_in_use(self.server, self.folder, is_empty=STARTS[start]) as target:
                before = but_for_the_ledger(standing(target))
                run = move(self.source, target).run_id
                full = standing(target)
                for number in todo:
                    trigger = Trigger(number)
                    error = attempt(lambda: broken(target, run, trigger))  # noqa: B023
                    reached = bool(trigger.step)
                    where = f"{fault} at {trigger.step}: {error!r}"
                    assert list(self.scratch.iterdir()) == [], where
                    if error is None:
                        assert but_for_the_ledger(standing(target)) == before, where
                    else:
                        assert isinstance(error, MigrationError), where
                        assert error.code in codes, where
                        assert error.cause, where
                        assert error.remedy, where
                        assert standing(target) == full, where
                    if reached:
                        section.note(trigger.step, fault, BEFORE if error else COMPLETE)
                    if error is None:
                        break


@pytest.fixture
def bench(server: EmbeddedServer, source: Path, scratch: Path, tmp_path: Path) -> Bench:
    return Bench(server, source, scratch, tmp_path)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("fault", EVENT_FAULTS)
def test_a_fault_at_any_event_of_a_rollback(fault: str, start: str, whole: bool, bench: Bench, matrix: Matrix) -> None:
    inject, codes = EVENT_FAULTS[fault]

    def broken(target: Target, run: int | None, trigger: Trigger) -> None:
        cancel = Cancellation()

        def on_event(event: Event) -> None:
            if trigger.goes_off(f"{trigger.count:02} {event_name(event)}"):
                inject(target, cancel)

        roll_back(target, run, on_event=on_event, cancel=cancel)

    section = matrix.section(f"Events of a rollback out of {start}")
    bench.try_all(section, start, fault, codes, points(whole, fault, EVENT_SLICE), broken)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("fault", STATEMENT_FAULTS)
def test_a_fault_at_any_statement_of_a_rollback(
    fault: str, start: str, whole: bool, bench: Bench, matrix: Matrix, monkeypatch: pytest.MonkeyPatch
) -> None:
    inject, codes = STATEMENT_FAULTS[fault]

    def broken(target: Target, run: int | None, trigger: Trigger) -> None:
        cancel = Cancellation()

        def hear(rows: Cursor, text: object) -> None:
            if trigger.goes_off(f"{trigger.count:03} {trigger.phase}: {statement_name(text)}"):
                inject(rows, cancel)

        with monkeypatch.context() as patch:
            watch_statements(patch, hear)
            roll_back(target, run, on_event=trigger.follow, cancel=cancel)

    section = matrix.section(f"Statements of a rollback out of {start}")
    bench.try_all(section, start, fault, codes, points(whole, fault, 29), broken)
