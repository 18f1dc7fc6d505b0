"""Both databases beside each other, table by table: rows per month and by status."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from bizy_migrate_tui.migration.verification.profile import Profile
from bizy_migrate_tui.wizard.widgets.side_by_side import Bars, Pair, by_month

HEADINGS = {"month": "by month of creation (UTC)", "status": "by status"}
PLACES = tuple((table, by) for table in ("tasks", "goals") for by in HEADINGS)
LABELS_SHOWN = 40
NOTHING_YET = "v compares again and counts the rows of both sides, by month and by status."


class ProfilePane(VerticalScroll):
    """A chart for each table and each way to count; it scrolls."""

    def compose(self) -> ComposeResult:
        """A sentence while nothing was counted; then headings and charts."""
        yield Static(NOTHING_YET, id="profile-none", classes="note", markup=False)
        for table, by in PLACES:
            yield Static(f"{table.capitalize()} {HEADINGS[by]}", id=f"heading-{table}-{by}", classes="heading", markup=False)
            yield Bars(id=f"bars-{table}-{by}")

    def show(self, profiles: Sequence[Profile]) -> None:
        """Draw these; a table without rows has no chart."""
        found = {(one.table, one.by): one for one in profiles}
        self.query_one("#profile-none").display = not found
        for table, by in PLACES:
            profile = found.get((table, by))
            is_there = profile is not None and bool(profile.counts)
            self.query_one(f"#heading-{table}-{by}").display = is_there
            self.query_one(f"#bars-{table}-{by}").display = is_there
            if profile is not None:
                self.query_one(f"#bars-{table}-{by}", Bars).show(_pairs(profile))


def _pairs(profile: Profile) -> tuple[Pair, ...]:
    if profile.by == "month":
        return by_month(profile.counts)
    most = sorted(profile.counts, key=lambda entry: -max(entry[1:]))
    return tuple(Pair(*entry) for entry in most[:LABELS_SHOWN])
