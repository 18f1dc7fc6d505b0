"""Which clock the times of the source were written with: zone, and “UTC until task”."""

from dataclasses import dataclass
from typing import ClassVar
from zoneinfo import available_timezones

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Button, Input, Label, Static

from bizy_migrate_tui.migration.clock import zone_named
from bizy_migrate_tui.migration.errors import UsageError
from bizy_migrate_tui.migration.source.evidence import ClockEvidence
from bizy_migrate_tui.wizard.clock_words import evidence_lines
from bizy_migrate_tui.wizard.safe import toned
from bizy_migrate_tui.wizard.widgets.safe_input import SafeInput


@dataclass(frozen=True, slots=True)
class ZoneChoice:
    """The zone of the source's times, and the last task whose creation time is UTC already."""

    zone: str
    utc_until: int | None


class ZoneDialog(ModalScreen[ZoneChoice | None]):
    """Asks for the zone with the evidence in sight; None when the user changes their mind."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel")]

    def __init__(self, current: ZoneChoice, evidence: ClockEvidence) -> None:
        super().__init__()
        self._current = current
        self._evidence = evidence

    def compose(self) -> ComposeResult:
        """Two fields, the evidence, two buttons."""
        until = "" if self._current.utc_until is None else str(self._current.utc_until)
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Which clock were the times written with?"
            yield Label("Zone of the source's times", markup=False)
            suggester = SuggestFromList(sorted(available_timezones()), case_sensitive=False)
            yield SafeInput(self._current.zone, suggester=suggester, id="zone", compact=True)
            yield Label("Creation times are UTC until task (empty: none)", markup=False)
            yield SafeInput(until, type="integer", id="until", compact=True, placeholder="id of the last such task")
            yield Static("", id="zone-error", markup=False)
            yield Static("\n".join(self._lines(self._current.zone)), id="zone-evidence", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Use this", variant="primary", id="use", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    @on(Input.Changed, "#zone")
    def _zone_typed(self, event: Input.Changed) -> None:
        self.query_one("#zone-error", Static).update("")
        lines = self._lines(event.value)
        if lines:
            self.query_one("#zone-evidence", Static).update("\n".join(lines))

    @on(Input.Submitted)
    @on(Button.Pressed, "#use")
    def _use(self) -> None:
        zone = self.query_one("#zone", Input).value.strip()
        until = self.query_one("#until", Input).value.strip()
        try:
            zone_named(zone)
            number = int(until) if until else None
        except UsageError as error:
            self.query_one("#zone-error", Static).update(toned("bad", f"{error.cause} {error.remedy}"))
            return
        except ValueError:
            self.query_one("#zone-error", Static).update(toned("bad", "The id of a task is a whole number."))
            return
        self.dismiss(ZoneChoice(zone, number))

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        self.dismiss(None)

    def _lines(self, zone: str) -> tuple[str, ...]:
        try:
            return evidence_lines(self._evidence, zone)
        except UsageError:
            return ()
