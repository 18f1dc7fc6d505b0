"""The first screen (wizard start): what is known about source and target, and the three ways on."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from bizy_migrate_tui.display import human_bytes, safe_text
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.settings import Setting
from bizy_migrate_tui.wizard.flow import Step, Way
from bizy_migrate_tui.wizard.safe import toned
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.widgets.facts import home_path

WAYS = {
    Way.MIGRATE: ("Migrate", "Bring tasks and goals to PostgreSQL, proven cell by cell."),
    Way.VERIFY: ("Verify", "Compare both databases again after an earlier migration."),
    Way.ROLL_BACK: ("Roll back", "Remove exactly what an earlier migration brought."),
}
NEEDS = {
    Way.MIGRATE: "Enter looks whether all that is needed is there. It writes nothing.",
    Way.VERIFY: "Enter asks which database to compare with. Verifying only reads.",
    Way.ROLL_BACK: "Enter asks for the database. You see what would go before anything does.",
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The source as the file system knows it; `size` in bytes, `changed` in local time."""

    size: int
    changed: datetime


class WelcomeScreen(StepScreen):
    """Wizard start. One list, one Enter."""

    STEP = Step.WELCOME
    CSS_PATH = "welcome.tcss"
    LEAD = "From SQLite to PostgreSQL. Your SQLite file is only read, never written to."
    HELP = (
        "Choose what you came for with the arrow keys and press Enter. The wizard shows every change before it is made, "
        "and nothing is written to PostgreSQL before the step “Migration”, unless you have “Prerequisites” create what is "
        "missing. Your settings are shown with where they came from; all of them can be changed in the step “Connection”."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Next", priority=True),
        Binding("m", f"choose('{Way.MIGRATE}')", "Migrate", show=False),
        Binding("v", f"choose('{Way.VERIFY}')", "Verify", show=False),
        Binding("b", f"choose('{Way.ROLL_BACK}')", "Roll back", show=False),
    ]

    def compose_step(self) -> ComposeResult:
        """What is known, then the ways."""
        yield Static("", id="known", markup=False)
        options = [Option(_way(way), id=way.name) for way in WAYS]
        yield OptionList(*options, id="ways", markup=False, compact=True)

    def arrive(self) -> None:
        """Look at the source's file anew; the cursor stays on the way chosen."""
        ways = self.query_one(OptionList)
        ways.highlighted = list(WAYS).index(self.state.way)
        ways.focus()
        self._show(None, None)
        self.call_after_refresh(self._look)  # a thread would hold up the first paint

    def _look(self) -> None:
        path = self.state.sqlite_path
        self.work_on(lambda _listen, _cancel: _file_at(path), then=lambda found: self._show(found, None), failed=self._not_there)

    def why_not(self) -> str | None:
        """Whatever the file is like, the next step explains it better."""
        return None

    def action_choose(self, way: str) -> None:
        """Put the cursor on a way."""
        self.query_one(OptionList).highlighted = list(WAYS).index(Way(way))

    @on(OptionList.OptionHighlighted)
    def _way_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        self.state.way = list(WAYS)[event.option_index]
        self.state.changed()
        self.say(NEEDS[self.state.way])

    @on(OptionList.OptionSelected)
    def _way_chosen(self) -> None:
        self.action_next()

    def _not_there(self, error: MigrationError) -> None:
        self._show(None, error)

    def _show(self, found: SourceFile | None, error: MigrationError | None) -> None:
        settings, state = self.state.settings, self.state
        path = safe_text(home_path(state.sqlite_path))
        if error is not None:
            about = toned("bad", error.cause)
        elif found is None:
            about = toned("busy", "looking at it")
        else:
            about = toned("good", f"{human_bytes(found.size)}, last changed {found.changed:%Y-%m-%d %H:%M}")
        target = Content("not named yet") if state.target is None else Content(safe_text(state.target.masked_url()))
        self.query_one("#known", Static).update(
            Content("\n").join(
                [
                    Content.assemble(("From   ", "$text-muted"), path, _origin(settings.sqlite_path, state.sqlite_path)),
                    Content.assemble("       ", about),
                    Content.assemble(("To     ", "$text-muted"), target, _origin(settings.target, state.target)),
                    Content.assemble(("Zone   ", "$text-muted"), safe_text(state.zone), _origin(settings.zone, state.zone)),
                ]
            )
        )


def _way(way: Way) -> Content:
    title, text = WAYS[way]
    return Content.assemble((f"{title:<11}", "bold"), text)


def _origin(setting: Setting[Any] | None, value: object) -> Content:
    """Where a value came from, unless it has been changed since."""
    if setting is None or setting.value != value:
        return Content("")
    return Content.assemble((f"  ({origin_words(setting)})", "$text-muted"))


def origin_words(setting: Setting[Any]) -> str:
    """Where a value came from, in a few words: “flag --timezone”, “.env DATABASE_URL”."""
    return f"{setting.origin} {setting.name}".strip()


def _file_at(path: Path) -> SourceFile:
    found = path.stat()
    return SourceFile(found.st_size, datetime.fromtimestamp(found.st_mtime))
