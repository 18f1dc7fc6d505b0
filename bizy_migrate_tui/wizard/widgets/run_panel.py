"""A run while it happens: phases, bars, rate, time left, what is happening now, and a log that can be opened."""

from collections.abc import Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Sparkline, Static

from bizy_migrate_tui.display import human_seconds, safe_text
from bizy_migrate_tui.migration.events import Phase
from bizy_migrate_tui.wizard.run_meter import PhaseState, PhaseView, RunView
from bizy_migrate_tui.wizard.widgets.meters import LABEL_WIDTH, Bar, Meters, PhaseList
from bizy_migrate_tui.wizard.wording import time_left

BARS: Mapping[Phase, str] = {Phase.GOALS: "goals", Phase.TASKS: "tasks", Phase.PRESERVED: "preserved", Phase.PROOF: "proof"}
RATES_WORTH_DRAWING = 4
NOW: Mapping[Phase, str] = {
    Phase.SCHEMA: "Creating the tables, inside the transaction",
    Phase.ACCOUNT: "Preparing the account",
    Phase.GOALS: "Loading goals",
    Phase.TASKS: "Loading tasks",
    Phase.PRESERVED: "Keeping what has no home",
    Phase.INDEXES: "Building indexes and keys",
    Phase.PROOF: "Reading every cell back and comparing it with the source",
    Phase.COMMIT: "Making it permanent",
    Phase.CHECKS: "Looking at it from a fresh connection",
}


class RunPanel(Vertical):
    """Draws the meter's pictures; every line has a fixed place."""

    def compose(self) -> ComposeResult:
        """Bars above, phases and rate below, the log hidden."""
        yield Meters(id="overall")
        yield Static("", id="figures", markup=False)
        yield Meters(id="bars")
        with Horizontal(id="run-lower"):
            yield PhaseList(id="phases")
            with Vertical(id="run-side"):
                yield Static("", id="now", markup=False)
                yield Sparkline([0.0], summary_function=max, id="rate")
                yield Static("", id="rate-figure", markup=False)
        with VerticalScroll(id="log"):
            yield Static("", id="log-text", markup=False)

    def show(self, view: RunView) -> None:
        """Draw a picture of the run."""
        self.query_one("#overall", Meters).show([Bar("all", view.fraction, 1.0, f"{view.fraction * 100:.0f} %")])
        left = f" so far · {time_left(view.left)}" if view.current is not None else ""
        self._say("#figures", f"{'':{LABEL_WIDTH}}{human_seconds(view.elapsed)}{left}")
        self.query_one("#bars", Meters).show([_bar(phase) for phase in view.phases if phase.phase in BARS])
        self.query_one("#phases", PhaseList).show(view.phases)
        self._say("#now", _now(view))
        rate = self.query_one("#rate", Sparkline)
        rate.visible = len(view.rates) >= RATES_WORTH_DRAWING and any(view.rates)
        rate.data = list(view.rates) or [0.0]
        self._say("#rate-figure", f"{view.rate:,.0f} rows/s" if view.rate >= 1 else "")
        if self.has_class("-log"):
            lines = (f"{seconds:8.2f} s  {safe_text(text, 300)}" for seconds, text in view.log)
            log = self.query_one("#log", VerticalScroll)
            is_followed = log.is_vertical_scroll_end
            self.query_one("#log-text", Static).update(Content("\n".join(lines)))
            if is_followed:
                log.scroll_end(animate=False)

    def toggle_log(self) -> None:
        """Open or close the log."""
        self.toggle_class("-log")

    def _say(self, selector: str, text: str) -> None:
        """In a place of fixed size: laying out the screen anew ten times a second would be felt."""
        self.query_one(selector, Static).update(Content(text), layout=False)


def _bar(view: PhaseView) -> Bar:
    total = view.total or 0
    if view.state is PhaseState.WAITING:
        return Bar(BARS[view.phase], 0, 1, "waiting")
    if view.state is PhaseState.DONE:
        return Bar(BARS[view.phase], 1, 1, f"{view.done:,} rows" if view.done else "nothing to do")
    return Bar(BARS[view.phase], view.done, max(total, 1), f"{view.done:,} of {total:,}")


def _now(view: RunView) -> str:
    current = view.current
    if current is not None:
        return f"▶ {NOW.get(current.phase, str(current.phase))}"
    stopped = any(phase.state is PhaseState.STOPPED for phase in view.phases)
    return "✗ Stopped" if stopped else ""
