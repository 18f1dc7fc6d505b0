"""The dry run, its result beside the prediction, and the command line that does the same."""

from collections.abc import Iterator, Mapping

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.plan.plan import TablePlan

INVITATION = (
    "A dry run does everything for real: it loads, proves every cell, and rolls all of it back. Nothing stays. Press d to try it."
)
FIGURES = (("added", "inserted"), ("changed on the way", "adjusted"), ("there already", "unchanged"), ("left out", "skipped"))
PASSWORD_NOTE = "It holds no password: that comes from the environment, .env or ~/.pgpass."  # noqa: S105


class TrialPane(VerticalScroll):
    """Prediction and dry run side by side; below them the equivalent command."""

    def __init__(self) -> None:
        super().__init__(id="trial-pane")

    def compose(self) -> ComposeResult:
        """What happens, the figures, the command."""
        yield Static(INVITATION, id="trial-says", markup=False)
        yield Static("", id="trial-figures", markup=False)
        yield Static("The same from the command line (c copies it)", classes="heading", markup=False)
        yield Static("", id="command", markup=False)
        yield Static(PASSWORD_NOTE, classes="note", markup=False)

    def show_plan(self, tables: Mapping[str, TablePlan], command: str) -> None:
        """A new prediction: an older dry run no longer counts."""
        self.say(INVITATION)
        self.query_one("#trial-figures", Static).update(figures(tables, None))
        self.query_one("#command", Static).update(Content(safe_text(command)))

    def show_result(self, predicted: Mapping[str, TablePlan], happened: Mapping[str, TablePlan], sentence: str) -> None:
        """The dry run is over."""
        same = predicted == happened
        self.say(f"✓ {sentence}" if same else f"✗ {sentence}")
        self.query_one("#trial-figures", Static).update(figures(predicted, happened))

    def say(self, sentence: str) -> None:
        """What is going on."""
        self.query_one("#trial-says", Static).update(Content(sentence))


def figures(predicted: Mapping[str, TablePlan], happened: Mapping[str, TablePlan] | None) -> Content:
    """A line for each figure: what the plan says, what the dry run did, and whether they agree."""
    lines = [Content.styled(f"{'':28}{'predicted':>12}{'dry run':>12}", "$text-muted")]
    for label, before, after in _pairs(predicted, happened):
        line = Content(f"{label:28}{before:>12,}")
        if after is not None:
            verdict = ("  =", "$text-success") if before == after else ("  ≠", "$text-error")
            line = line.append(Content.assemble(f"{after:>12,}", verdict))
        lines.append(line)
    return Content("\n").join(lines)


def _pairs(predicted: Mapping[str, TablePlan], happened: Mapping[str, TablePlan] | None) -> Iterator[tuple[str, int, int | None]]:
    for table, plan in predicted.items():
        for label, name in FIGURES:
            before: int = getattr(plan, name)
            after: int | None = getattr(happened[table], name) if happened is not None and table in happened else None
            if before or after or name == "inserted":
                yield f"{table} {label}", before, after
