"""Prerequisites: what a move needs, checked side by side; what is missing with its remedy, and the key that does it."""

import threading
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from bizy_migrate_tui.display import counted, safe_text
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.prerequisites.prerequisites import PREREQUISITES, CheckState, PrerequisiteResult
from bizy_migrate_tui.migration.prerequisites.setup import SetupOutcome
from bizy_migrate_tui.wizard.core import Core
from bizy_migrate_tui.wizard.flow import Step, Turn
from bizy_migrate_tui.wizard.safe import STYLES, SYMBOLS, safe_lines
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.confirm import ConfirmModal
from bizy_migrate_tui.wizard.widgets.setup_dialog import Administrator, SetupDialog

TONES: Final = {CheckState.PASSED: "good", CheckState.WARNING: "warning", CheckState.FAILED: "bad"}
TITLES: Final = {one.code: one.title for one in PREREQUISITES}
TITLE_WIDTH: Final = max(len(title) for title in TITLES.values())
NOT_MENDED_BY_SETTINGS: Final = frozenset({"python", "sqlite"})
"""For these, other settings are no help; everything else is mended in the next step."""


class PrerequisitesScreen(StepScreen):
    """A line a check, in a fixed place; below the list, what to do about the one under the cursor."""

    STEP = Step.PREREQUISITES
    CSS_PATH = "prerequisites.tcss"
    LEAD = "Is everything there that a move needs? Looking changes nothing."
    SCROLLS = False
    HELP = (
        "Every line is one check. Move to a line with the arrow keys to read what to do about it. Where this program can do "
        "it (create role and database, create the tables), x does it after asking.\n\n"
        "! is worth knowing and stops nothing. ✗ has to be mended; where other settings would mend it, Enter leads to them."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Next", priority=True),
        Binding("r", "again", "Check again"),
        Binding("x", "fix", "Do it"),
        Binding("c", "copy", "Copy remedy"),
    ]

    def __init__(self, state: WizardState, core: Core) -> None:
        super().__init__(state, core)
        self._lock = threading.Lock()
        self._arrived: dict[str, PrerequisiteResult] = {}
        self._results: dict[str, PrerequisiteResult] = {}
        self._asked: object = None

    def compose_step(self) -> ComposeResult:
        """The list, and the remedy."""
        options = [Option(_line(code, None), id=code) for code in TITLES]
        yield OptionList(*options, id="checks", markup=False, compact=True)
        yield Static("", id="remedy", markup=False)

    def arrive(self) -> None:
        """Check everything, unless all of it passed for the same source and target."""
        self.query_one(OptionList).focus()
        asked = (self.state.sqlite_path, self.state.target, self.state.env_file)
        if asked != self._asked:
            self._asked = asked
            self._results.clear()
        if len(self._results) < len(TITLES) or self._missing:
            self.action_again()
        else:
            self._sum_up()

    def why_not(self) -> str | None:
        """Going on needs every check to have passed."""
        if self.jobs:
            return "Still looking. It goes on in a moment."
        missing = self._missing
        return f"{missing[0].title}: {missing[0].detail}" if missing else None

    def action_next(self) -> None:
        """Go on; where the settings of the next step would mend what is missing, go there."""
        missing = {result.code for result in self._missing}
        if not self.jobs and missing and not missing & NOT_MENDED_BY_SETTINGS:
            self.end(Turn.SETTINGS)
        else:
            super().action_next()

    def action_again(self) -> None:
        """Run the checks; those that have passed stay in sight meanwhile."""
        for result in (*self._missing, *self._warnings):
            del self._results[result.code]
        with self._lock:
            self._arrived.clear()
        self._draw()
        self.say("Looking …", "busy")
        source, target, env_file = self.state.sqlite_path, self.state.target, self.state.env_file
        self.work_on(lambda _on_event, _cancel: self.core.check_all(source, target, env_file, self._note), then=self._checked)

    def action_fix(self) -> None:
        """Do what the check under the cursor needs, after asking."""
        chosen, target = self._chosen, self.state.target
        if chosen is None or target is None:
            return
        if chosen.fix == "schema":
            question = f"The web interface's tables and the ledger will be created, empty, in {target.masked_url()}."
            modal = ConfirmModal("Create the tables?", question, yes="Create", no="Not now")
            self.app.push_screen(modal, lambda sure: self._make_tables(target) if sure else None)
        elif chosen.fix == "setup":
            self.app.push_screen(SetupDialog(target, self.state.settings.admin_password), self._set_up)

    def action_copy(self) -> None:
        """Put the remedy on the clipboard."""
        if self._chosen is not None:
            self.app.copy_to_clipboard(self._chosen.remedy)
            self.say("The remedy is on the clipboard.", "good")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what helps the check under the cursor."""
        if action == "again":
            return not self.jobs
        if action == "fix":
            return not self.jobs and self._chosen is not None and self._chosen.fix is not None
        if action == "copy":
            return self._chosen is not None and bool(self._chosen.remedy)
        return super().check_action(action, parameters)

    def tick(self) -> None:
        """Draw what has come in."""
        with self._lock:
            arrived = dict(self._arrived)
            self._arrived.clear()
        if arrived:
            self._results.update(arrived)
            self._draw()

    @property
    def _missing(self) -> list[PrerequisiteResult]:
        return [self._results[code] for code in TITLES if self._is(code, CheckState.FAILED)]

    @property
    def _warnings(self) -> list[PrerequisiteResult]:
        return [self._results[code] for code in TITLES if self._is(code, CheckState.WARNING)]

    @property
    def _chosen(self) -> PrerequisiteResult | None:
        """The result under the cursor."""
        option = self.query_one(OptionList).highlighted_option
        return self._results.get(option.id or "") if option is not None else None

    def _is(self, code: str, state: CheckState) -> bool:
        return code in self._results and self._results[code].state is state

    def _note(self, result: PrerequisiteResult) -> None:
        """Called in the checks' threads."""
        with self._lock:
            self._arrived[result.code] = result

    def _checked(self, results: tuple[PrerequisiteResult, ...]) -> None:
        self._results = {result.code: result for result in results}
        self._draw()
        worst = self._missing or self._warnings
        if worst:
            self.query_one(OptionList).highlighted = list(TITLES).index(worst[0].code)
        self._sum_up()

    def _sum_up(self) -> None:
        missing, warnings = self._missing, self._warnings
        if not missing:
            notes = f" {counted(len(warnings), 'note', 'notes')} worth reading." if warnings else ""
            self.say(f"Everything is there.{notes} Enter goes on.", "good")
        elif {result.code for result in missing} & NOT_MENDED_BY_SETTINGS:
            self.say(f"{counted(len(missing), 'thing is', 'things are')} missing. Mend what the list says, then press r.", "bad")
        else:
            how = "x does it, r looks again," if any(result.fix for result in missing) else "Mend it and press r, or"
            self.say(f"{counted(len(missing), 'thing is', 'things are')} missing. {how} Enter leads to the settings.", "bad")
        self.refresh_bindings()

    def _draw(self) -> None:
        checks = self.query_one(OptionList)
        for code in TITLES:
            checks.replace_option_prompt(code, _line(code, self._results.get(code)))
        self._draw_remedy()

    @on(OptionList.OptionHighlighted)
    def _draw_remedy(self) -> None:
        chosen = self._chosen
        remedy = self.query_one("#remedy", Static)
        remedy.display = chosen is not None and chosen.state is not CheckState.PASSED
        if chosen is not None:
            tone = STYLES[TONES[chosen.state]]
            remedy.update(Content.assemble((safe_text(chosen.detail), tone), "\n", safe_lines(chosen.remedy)))
        self.call_after_refresh(self.query_one(OptionList).scroll_to_highlight)
        self.refresh_bindings()

    def _make_tables(self, target: Target) -> None:
        self.say("Creating the tables …", "busy")
        self.work_on(lambda _on_event, _cancel: self.core.make_tables(target), then=self._tables_made, failed=self._not_done)

    def _set_up(self, administrator: Administrator | None) -> None:
        target = self.state.target
        if administrator is not None and target is not None:
            self.say("Setting up …", "busy")
            self.work_on(
                lambda _on_event, _cancel: self.core.set_up(target, administrator.user, administrator.password),
                then=self._is_set_up,
                failed=self._not_done,
            )

    def _is_set_up(self, outcome: SetupOutcome) -> None:
        self.notify(safe_text(" ".join(outcome.steps)), title="Set up", markup=False)
        self.action_again()

    def _tables_made(self, _nothing: None) -> None:
        self.notify("The tables were created.", markup=False)
        self.action_again()

    def _not_done(self, error: MigrationError) -> None:
        self.say(f"{error.cause} {error.remedy}", "bad")


def _line(code: str, result: PrerequisiteResult | None) -> Content:
    """Symbol, title, what was found."""
    tone = TONES[result.state] if result is not None else "busy"
    title = f" {TITLES[code]:{TITLE_WIDTH}}  "
    detail = safe_text(result.detail, 200) if result is not None else ""
    muted = result is None or result.state is CheckState.PASSED
    return Content.assemble((SYMBOLS[tone], STYLES[tone]), title, (detail, STYLES["note"] if muted else ""))
