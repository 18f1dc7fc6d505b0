"""Progress is weighed by rows, the time left is honest, and nothing depends on how many events come."""

import pytest

from bizy_migrate_tui.migration.events import Phase, PhaseFinished, PhaseStarted, Progress
from bizy_migrate_tui.wizard.run_meter import PhaseState, RunMeter, RunView


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def meter(clock: Clock) -> RunMeter:
    return RunMeter({Phase.GOALS: 100, Phase.TASKS: 900}, clock)


def states(view: RunView) -> list[PhaseState]:
    return [phase.state for phase in view.phases]


def test_phases_wait_until_they_begin(meter: RunMeter) -> None:
    assert states(meter.look()) == [PhaseState.WAITING, PhaseState.WAITING]


def test_phases_run_and_end(meter: RunMeter) -> None:
    meter.take(PhaseStarted(Phase.GOALS, 100))
    meter.take(PhaseFinished(Phase.GOALS, 0.5))
    meter.take(PhaseStarted(Phase.TASKS, 900))

    view = meter.look()

    assert states(view) == [PhaseState.DONE, PhaseState.RUNNING]
    assert view.current is not None
    assert view.current.phase is Phase.TASKS


def test_progress_is_weighed_by_rows(meter: RunMeter) -> None:
    meter.take(PhaseStarted(Phase.GOALS, 100))
    meter.take(PhaseFinished(Phase.GOALS, 0.5))
    meter.take(PhaseStarted(Phase.TASKS, 900))
    meter.take(Progress(Phase.TASKS, 400))

    assert meter.look().fraction == pytest.approx(0.5)


def test_time_left_follows_the_rate(meter: RunMeter, clock: Clock) -> None:
    meter.take(PhaseStarted(Phase.TASKS, 900))
    clock.now += 10
    meter.take(Progress(Phase.TASKS, 500))

    assert meter.look().left == pytest.approx(10)


def test_no_time_left_is_claimed_before_it_can_be_known(meter: RunMeter, clock: Clock) -> None:
    clock.now += 0.2
    meter.take(PhaseStarted(Phase.TASKS, 900))
    meter.take(Progress(Phase.TASKS, 500))

    assert meter.look().left is None


def test_rate_is_rows_a_second(meter: RunMeter, clock: Clock) -> None:
    meter.take(PhaseStarted(Phase.TASKS, 900))
    clock.now += 1
    meter.take(Progress(Phase.TASKS, 300))

    assert meter.look().rate == pytest.approx(300)


def test_stopping_marks_the_phase_at_work(meter: RunMeter) -> None:
    meter.take(PhaseStarted(Phase.TASKS, 900))
    meter.stop()

    assert states(meter.look()) == [PhaseState.WAITING, PhaseState.STOPPED]


def test_phases_of_other_work_are_ignored(meter: RunMeter) -> None:
    meter.take(PhaseStarted(Phase.SNAPSHOT, 5))

    assert states(meter.look()) == [PhaseState.WAITING, PhaseState.WAITING]


def test_the_log_names_what_happened(meter: RunMeter) -> None:
    meter.take(PhaseStarted(Phase.GOALS, 100))
    meter.take(PhaseFinished(Phase.GOALS, 0.5, "100 goals"))

    assert [text for _, text in meter.look().log] == ["Load goals", "Load goals: done. 100 goals"]
