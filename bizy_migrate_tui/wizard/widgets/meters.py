"""Bars and phases of a run, drawn at a fixed place so that nothing jumps."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from bizy_migrate_tui.wizard.run_meter import PhaseState, PhaseView

SYMBOLS = {PhaseState.WAITING: "○", PhaseState.RUNNING: "▶", PhaseState.DONE: "✓", PhaseState.STOPPED: "✗"}
STYLES = {
    PhaseState.WAITING: "$text-muted",
    PhaseState.RUNNING: "b $primary",
    PhaseState.DONE: "$text-success",
    PhaseState.STOPPED: "b $text-error",
}
LABEL_WIDTH = 10
FIGURES_WIDTH = 24


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: `done` of `total` rows; `note` replaces the figures where there is something better to say."""

    label: str
    done: float
    total: float
    note: str


class Meters(Widget):
    """Bars under one another, their figures aligned."""

    DEFAULT_CSS = "Meters { height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._bars: tuple[Bar, ...] = ()

    def show(self, bars: Sequence[Bar]) -> None:
        """Draw these bars; the number of bars should stay the same while a run lasts."""
        grown = len(bars) != len(self._bars)
        if tuple(bars) == self._bars:
            return
        self._bars = tuple(bars)
        self.refresh(layout=grown)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """A line a bar."""
        return len(self._bars)

    def render(self) -> Content:
        """The bars as text."""
        room = max(self.size.width - LABEL_WIDTH - FIGURES_WIDTH - 2, 6)
        return Content("\n").join(_bar_line(bar, room) for bar in self._bars)


class PhaseList(Widget):
    """The phases of a run with their state: symbol, name, time taken."""

    DEFAULT_CSS = "PhaseList { height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._phases: tuple[PhaseView, ...] = ()

    def show(self, phases: Sequence[PhaseView]) -> None:
        """Draw these phases."""
        grown = len(phases) != len(self._phases)
        lines = tuple(phases)
        if lines != self._phases:
            self._phases = lines
            self.refresh(layout=grown)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """A line a phase."""
        return len(self._phases)

    def render(self) -> Content:
        """The phases as text."""
        return Content("\n").join(_phase_line(view) for view in self._phases)


def _bar_line(bar: Bar, room: int) -> Content:
    share = min(bar.done / bar.total, 1.0) if bar.total else 0.0
    full = int(share * room)
    finished = bool(bar.total) and bar.done >= bar.total
    return Content.assemble(
        f"{bar.label:{LABEL_WIDTH}}",
        ("━" * full, "$text-success" if finished else "$primary"),
        ("─" * (room - full), "$text-muted 50%"),
        f" {'✓' if finished else ' '}",
        f"{bar.note:>{FIGURES_WIDTH}}"[:FIGURES_WIDTH],
    )


def _phase_line(view: PhaseView) -> Content:
    seconds = f"{view.seconds:.1f} s" if view.state is PhaseState.DONE else ""
    name = f"{SYMBOLS[view.state]} {view.phase:28}"
    return Content.assemble((name, STYLES[view.state]), (f"{seconds:>8}", "$text-muted"))
