"""Source and target side by side, so that a person sees that it is the same data."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from bizy_migrate_tui.display import safe_text

EIGHTHS = " ▏▎▍▌▋▊▉█"
MONTHS_SHOWN = 48
"""With more months than this the chart counts by year."""
LABEL_WIDTH = 13
FIGURE_WIDTH = 10
MARK_WIDTH = 8


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of the chart: how many rows in the source, how many in the target."""

    label: str
    source: int
    target: int


class Bars(Widget):
    """The lines of the chart, in a height of their own; the width decides how long a bar may be."""

    DEFAULT_CSS = "Bars { height: auto; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._pairs: tuple[Pair, ...] = ()

    def show(self, pairs: Sequence[Pair]) -> None:
        """Draw these pairs."""
        self._pairs = tuple(pairs)
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """A line for each pair and one for the heading."""
        return len(self._pairs) + 1

    def render(self) -> Content:
        """Heading and lines."""
        return chart(self._pairs, self.size.width)


def chart(pairs: Sequence[Pair], width: int) -> Content:
    """The chart as text `width` cells wide; equal figures carry “=”, others “≠” and by how much."""
    room = max((width - LABEL_WIDTH - MARK_WIDTH) // 2 - FIGURE_WIDTH, 4)
    half = room + FIGURE_WIDTH
    heading = f"{'':{LABEL_WIDTH}}{'SQLite':{half}}PostgreSQL"
    lines = [Content.styled(heading[:width], "$text-muted")]
    longest = max((max(pair.source, pair.target) for pair in pairs), default=0)
    for pair in pairs:
        label = f"{safe_text(pair.label, LABEL_WIDTH - 1):{LABEL_WIDTH}}"
        lines.append(
            Content.assemble(
                (label, "$text-muted"),
                (_bar(pair.source, longest, room, half), "$secondary"),
                (_bar(pair.target, longest, room, half), "$primary"),
                _verdict(pair),
            )
        )
    return Content("\n").join(lines)


def by_month(timeline: Sequence[tuple[str, int, int]]) -> tuple[Pair, ...]:
    """The core's timeline as pairs; by year where the months would be too many to take in."""
    if len(timeline) <= MONTHS_SHOWN:
        return tuple(Pair(*entry) for entry in timeline)
    years = groupby(timeline, key=lambda entry: entry[0][:4])
    return tuple(_sum(year, list(entries)) for year, entries in years)


def _sum(year: str, entries: Sequence[tuple[str, int, int]]) -> Pair:
    return Pair(year, sum(entry[1] for entry in entries), sum(entry[2] for entry in entries))


def _bar(value: int, longest: int, room: int, half: int) -> str:
    eighths = round(value / longest * room * 8) if longest else 0
    if value and not eighths:
        eighths = 1
    bar = "█" * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
    return f"{bar} {value:,}".ljust(half)[:half]


def _verdict(pair: Pair) -> tuple[str, str]:
    if pair.source == pair.target:
        return "=", "$text-success"
    return f"≠ {pair.target - pair.source:+,}", "$text-warning"
