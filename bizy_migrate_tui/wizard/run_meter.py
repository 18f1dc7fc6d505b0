"""Turns the core's events into what a person wants to know: how far, how fast, how long still.

The worker thread puts events in, the screen takes a picture out ten times a second; a lock lies between them, no message
queue, because a message an event would stall the screen (reference, examples: "mailbox").
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bizy_migrate_tui.migration.events import Event, Phase, PhaseFinished, PhaseStarted, Progress

RATE_EVERY = 0.5
"""Seconds between two points of the sparkline."""
RATES_KEPT = 60
TIME_LEFT_AFTER = 1.5
"""Seconds before a time left is worth saying."""
TIME_LEFT_FROM = 0.03
"""The fraction of the work before a time left is worth saying."""


class PhaseState(StrEnum):
    """Where a phase stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class PhaseView:
    """One phase as shown: `done` and `total` in `unit`, `seconds` once it is finished."""

    phase: Phase
    state: PhaseState = PhaseState.WAITING
    done: int = 0
    total: int | None = None
    unit: str = "rows"
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RunView:
    """A picture of the run at one moment. `fraction` is 0 to 1, weighed by rows; times in seconds, rates in rows a second."""

    phases: tuple[PhaseView, ...]
    fraction: float
    elapsed: float
    left: float | None
    rate: float
    rates: tuple[float, ...]
    log: tuple[tuple[float, str], ...]

    @property
    def current(self) -> PhaseView | None:
        """The phase at work now."""
        return next((view for view in self.phases if view.state is PhaseState.RUNNING), None)


@dataclass(slots=True)
class RunMeter:
    """`weights` says how much of the work each phase is, in rows; only phases named there are shown, in that order."""

    weights: Mapping[Phase, float]
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _started: float = 0.0
    _phases: dict[Phase, PhaseView] = field(default_factory=dict)
    _rates: deque[float] = field(default_factory=lambda: deque(maxlen=RATES_KEPT))
    _log: list[tuple[float, str]] = field(default_factory=list)
    _rate_mark: tuple[float, Phase | None, int] = (0.0, None, 0)

    def __post_init__(self) -> None:
        self._started = self.clock()
        self._rate_mark = (self._started, None, 0)
        self._phases = {phase: PhaseView(phase) for phase in self.weights}

    def take(self, event: Event) -> None:
        """Note an event; called from the worker's thread."""
        with self._lock:
            view = self._phases.get(event.phase)
            if view is None:
                return
            self._phases[event.phase] = _after(view, event)
            if isinstance(event, PhaseStarted):
                self._note(f"{event.phase}")
            elif isinstance(event, PhaseFinished):
                self._note(f"{event.phase}: done" + (f". {event.detail}" if event.detail else ""))

    def stop(self) -> None:
        """The run ended early: whatever was at work is marked as stopped."""
        with self._lock:
            for phase, view in self._phases.items():
                if view.state is PhaseState.RUNNING:
                    self._phases[phase] = replace(view, state=PhaseState.STOPPED)
            self._note("Stopped")

    def look(self) -> RunView:
        """The picture of this moment; called from the screen."""
        with self._lock:
            now = self.clock()
            self._measure_rate(now)
            elapsed = now - self._started
            fraction = self._fraction()
            return RunView(
                phases=tuple(self._phases.values()),
                fraction=fraction,
                elapsed=elapsed,
                left=_time_left(elapsed, fraction),
                rate=self._rates[-1] if self._rates else 0.0,
                rates=tuple(self._rates),
                log=tuple(self._log),
            )

    def _note(self, text: str) -> None:
        self._log.append((self.clock() - self._started, text))

    def _fraction(self) -> float:
        whole = sum(self.weights.values())
        done = sum(self.weights[phase] * _share(view) for phase, view in self._phases.items())
        return done / whole if whole else 0.0

    def _measure_rate(self, now: float) -> None:
        since, marked, rows = self._rate_mark
        if now - since < RATE_EVERY:
            return
        running = next((view for view in self._phases.values() if view.state is PhaseState.RUNNING), None)
        phase = running.phase if running else None
        done = running.done if running and running.unit == "rows" else 0
        moved = done - rows if phase is marked else done
        self._rates.append(max(moved, 0) / (now - since))
        self._rate_mark = (now, phase, done)


def _after(view: PhaseView, event: Event) -> PhaseView:
    match event:
        case PhaseStarted():
            return replace(view, state=PhaseState.RUNNING, total=event.total, unit=event.unit, done=0)
        case Progress():
            return replace(view, state=PhaseState.RUNNING, done=event.done)
        case PhaseFinished():
            done = view.done if view.total is None else view.total
            return replace(view, state=PhaseState.DONE, seconds=event.seconds, detail=event.detail, done=done)


def _share(view: PhaseView) -> float:
    if view.state is PhaseState.DONE:
        return 1.0
    return min(view.done / view.total, 1.0) if view.total else 0.0


def _time_left(elapsed: float, fraction: float) -> float | None:
    if elapsed < TIME_LEFT_AFTER or not TIME_LEFT_FROM <= fraction < 1:
        return None
    return elapsed * (1 - fraction) / fraction
