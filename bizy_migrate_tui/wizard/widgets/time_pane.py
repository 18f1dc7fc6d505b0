"""The times of the source and what becomes of them: zone, evidence, and both sides month by month."""

from collections.abc import Mapping, Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from bizy_migrate_tui.migration.source.evidence import ClockEvidence
from bizy_migrate_tui.wizard.clock_words import evidence_lines, zone_sentence
from bizy_migrate_tui.wizard.widgets.side_by_side import Bars, by_month

Timeline = Sequence[tuple[str, int, int]]
NOTE = "SQLite in its own clock, PostgreSQL in UTC: a few rows may change sides at a month's end."


class TimePane(VerticalScroll):
    """Shows at a glance whether the zone is right."""

    def __init__(self) -> None:
        super().__init__(id="time-pane")

    def compose(self) -> ComposeResult:
        """A chart a table; below them the zone and what speaks for it."""
        for table in ("tasks", "goals"):
            yield Static(f"{table.capitalize()} by month of creation", classes="heading", markup=False)
            yield Bars(id=f"timeline-{table}")
        yield Static(NOTE, classes="note", markup=False)
        yield Static("", id="zone-now", markup=False)
        yield Static("", id="zone-says", markup=False)

    def show_zone(self, zone: str, utc_until: int | None, evidence: ClockEvidence) -> None:
        """Show how times are read, and what speaks for it."""
        self.query_one("#zone-now", Static).update(Content.styled(zone_sentence(zone, utc_until), "b"))
        lines = [f"· {line}" for line in evidence_lines(evidence, zone)]
        self.query_one("#zone-says", Static).update(Content("\n".join(lines)))

    def show_timelines(self, timelines: Mapping[str, Timeline]) -> None:
        """Draw the charts."""
        for table, timeline in timelines.items():
            self.query_one(f"#timeline-{table}", Bars).show(by_month(timeline))
