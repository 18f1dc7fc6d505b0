"""The server stops, in order or as if it crashed, as each phase of a run and of a rollback begins."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Event, Phase, PhaseStarted
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.rollback.rollback import roll_back
from bizy_migrate_tui.migration.run import commit
from tests.faults.harness import Bench, attempt, move, standing
from tests.faults.matrix import BEFORE, COMPLETE, Matrix
from tests.faults.servers import Mortal

OF_A_RUN = [phase for phase in Phase if phase not in {Phase.REMOVE, Phase.COLUMNS}]
OF_A_ROLLBACK = [Phase.PLAN, Phase.REMOVE, Phase.COMMIT, Phase.CHECKS]
SLICE = {("fast", Phase.TASKS), ("immediate", Phase.PROOF), ("immediate", Phase.REMOVE)}
"""What is tried without --whole."""


def stops(phases: Sequence[Phase]) -> list[ParameterSet]:
    """Each way to stop at each phase."""
    return [
        pytest.param(phase, mode, id=f"{phase.name}-{mode}", marks=() if (mode, phase) in SLICE else pytest.mark.whole)
        for phase in phases
        for mode in ("fast", "immediate")
    ]


CODES = frozenset({"server-unreachable", "connection-lost", "commit-in-doubt"})


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "PATIENCE", (0.0,))


@pytest.mark.parametrize(("phase", "mode"), stops(OF_A_RUN))
def test_a_server_that_stops_during_a_run(
    phase: Phase, mode: str, mortal: Mortal, mortal_database: Target, source: Path, scratch: Path, matrix: Matrix
) -> None:
    bench = Bench(source, mortal_database, scratch, matrix.section("The server stopped as a phase of a run began"))

    def on_event(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase is phase:
            mortal.stop(mode)

    error = attempt(lambda: move(source, mortal_database, on_event=on_event))
    assert not mortal.runs
    mortal.start()
    bench.judge(str(phase), mode, error, codes=CODES)


@pytest.mark.parametrize(("phase", "mode"), stops(OF_A_ROLLBACK))
def test_a_server_that_stops_during_a_rollback(
    phase: Phase, mode: str, mortal: Mortal, mortal_database: Target, source: Path, scratch: Path, matrix: Matrix
) -> None:
    empty = standing(mortal_database)
    run = move(source, mortal_database).run_id
    full = standing(mortal_database)

    def on_event(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase is phase:
            mortal.stop(mode)

    error = attempt(lambda: roll_back(mortal_database, run, on_event=on_event))
    assert not mortal.runs
    mortal.start()
    assert error is None or (isinstance(error, MigrationError) and error.code in CODES), error
    assert standing(mortal_database) == (full if error else empty)
    matrix.section("The server stopped as a phase of a rollback began").note(str(phase), mode, BEFORE if error else COMPLETE)
    if error:
        roll_back(mortal_database, run)
        assert standing(mortal_database) == empty
