"""What to do about the rows of a finding: the user's choice."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.findings import Choice, Finding
from bizy_migrate_tui.wizard.widgets.findings_pane import choice_words, place


class ChoiceDialog(ModalScreen[Choice | None]):
    """Offers the choices of one finding, the one in force under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(None)", "Cancel"),
        Binding("space", "choose", "Choose", show=False),
    ]

    def __init__(self, finding: Finding) -> None:
        super().__init__()
        self._finding = finding
        self._choices = tuple(dict.fromkeys((finding.choice, *finding.choices)))

    def compose(self) -> ComposeResult:
        """The question and the choices."""
        finding = self._finding
        noun = "row" if finding.count == 1 else "rows"
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content("What should happen?")
            yield Static(Content(f"{safe_text(place(finding), 80)}: {finding.count:,} {noun}"), id="choice-place")
            yield Static(Content(safe_text(finding.action, 400)), id="choice-action")
            options = [
                Option(Content(f"{self._mark(choice)} {choice_words(finding, choice)}"), choice) for choice in self._choices
            ]
            yield OptionList(*options, id="choices", markup=False, compact=True)

    def on_mount(self) -> None:
        """The cursor stands on the choice in force."""
        self.query_one(OptionList).highlighted = self._choices.index(self._finding.choice)
        self.query_one(OptionList).focus()

    def action_choose(self) -> None:
        """Take the choice under the cursor."""
        self.query_one(OptionList).action_select()

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._choices[event.option_index])

    def _mark(self, choice: Choice) -> str:
        return "●" if choice is self._finding.choice else "○"
