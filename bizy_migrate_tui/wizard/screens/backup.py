"""Backup: a proven copy of the source, and the first look at what is in it."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from bizy_migrate_tui.display import counted, human_bytes
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase
from bizy_migrate_tui.wizard.core import Core
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.run_meter import PhaseState, PhaseView, RunMeter, RunView
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.facts import Facts, home_path
from bizy_migrate_tui.wizard.widgets.meters import Bar, Meters, PhaseList
from bizy_migrate_tui.wizard.wording import listed, time_left

if TYPE_CHECKING:  # SQLAlchemy is imported after the first paint
    from bizy_migrate_tui.migration.source.inventory import Inventory
    from bizy_migrate_tui.migration.source.snapshot import Snapshot

WEIGHTS: Final[Mapping[Phase, float]] = {Phase.SNAPSHOT: 1.0, Phase.INTEGRITY: 0.5, Phase.INVENTORY: 4.0}
"""How long each phase takes in proportion to the others."""

NOT_YET: Final = tuple(PhaseView(phase) for phase in WEIGHTS)
UNCHANGED: Final = "Nothing was changed: the source is only read, and an unfinished copy is removed."


@dataclass(frozen=True, slots=True)
class Room:
    """The size of the source and the room in its folder, both in bytes."""

    size: int
    free: int


class BackupScreen(StepScreen):
    """Enter makes the copy; when it is good, Enter goes on."""

    STEP = Step.BACKUP
    CSS_PATH = "backup.tcss"
    LEAD = "A copy of your data, checked for damage. bizy may go on working meanwhile."
    HELP = (
        "The copy is made with SQLite's own backup, so it is whole even while bizy writes. It is checked for damage and "
        "gets a fingerprint (SHA-256); every later step reads this copy and never your database.\n\n"
        "The backup stays beside your database when the wizard is done. Without one, the copy lies in a private temporary "
        "folder and is removed at the end."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "copy", "Make copy"),
        Binding("enter", "next", "Next"),
        Binding("b", "keep", "Backup on/off"),
        Binding("c", "copy_path", "Copy path"),
        Binding("r", "again", "Copy again"),
    ]

    def __init__(self, state: WizardState, core: Core) -> None:
        super().__init__(state, core)
        self._room: Room | None = None
        self._meter = RunMeter(WEIGHTS)
        self._copying = False

    def compose_step(self) -> ComposeResult:
        """What is copied where; how far it is; what came of it."""
        yield Facts(id="backup-facts")
        yield Meters(id="backup-bar")
        yield PhaseList(id="backup-phases")
        yield Facts(id="backup-result")

    def arrive(self) -> None:
        """Look at size and room, unless there is a copy already."""
        self._room = None
        self._copying = False
        if self._result is not None:
            self._draw_result()
            return
        self._meter = RunMeter(WEIGHTS)
        self._draw_facts()
        self.query_one("#backup-result", Facts).show({})
        self._draw_progress(RunView(NOT_YET, 0.0, 0.0, None, 0.0, (), ()))
        source = self.state.sqlite_path
        self.work_on(lambda _on_event, _cancel: _look_for_room(source), then=self._room_known)

    def retry(self) -> None:
        """Copy at once."""
        self.arrive()
        self.drop_jobs()
        self._begin()

    def why_not(self) -> str | None:
        """Going on needs a copy."""
        if self.jobs:
            return "The copy is being made. Enter goes on when it is there."
        return None if self._result is not None else "There is no copy yet. Enter makes it."

    def action_next(self) -> None:
        """Make the copy, or go on when it is there."""
        if self._result is None and not self.jobs:
            self._begin()
        else:
            super().action_next()

    def action_copy(self) -> None:
        """Make the copy."""
        self.action_next()

    def action_keep(self) -> None:
        """Keep the copy as a backup, or not."""
        self.state.backup = not self.state.backup
        self._draw_facts()
        self._invite()

    def action_copy_path(self) -> None:
        """Put the backup's path on the clipboard."""
        if self.state.snapshot is not None:
            self.app.copy_to_clipboard(str(self.state.snapshot.path))
            self.say("The path is on the clipboard.", "good")

    def action_again(self) -> None:
        """Forget this copy and begin anew; a backup that was made stays where it is."""
        self.state.snapshot = self.state.inventory = None
        self.state.choices_changed("copied again")
        self.state.reopen(self.STEP)
        self.arrive()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The choice comes before the copy, the rest after it."""
        if action == "keep":
            return self._result is None and not self._copying
        if action in ("copy", "next"):
            return (action == "copy") is (self._result is None and not self._copying)
        if action == "copy_path":
            return self._result is not None and self._result[0].is_backup
        if action == "again":
            return self._result is not None and not self.jobs
        return super().check_action(action, parameters)

    def tick(self) -> None:
        """Draw how far the copy is."""
        if self._copying:
            view = self._meter.look()
            self._draw_progress(view)
            at_work = view.current or next((phase for phase in view.phases if phase.state is PhaseState.WAITING), None)
            if at_work is not None:
                self.say(f"{at_work.phase} … {time_left(view.left) if view.left else ''}".rstrip(), "busy")

    @property
    def _result(self) -> "tuple[Snapshot, Inventory] | None":
        snapshot, inventory = self.state.snapshot, self.state.inventory
        return (snapshot, inventory) if snapshot is not None and inventory is not None else None

    def _room_known(self, room: Room) -> None:
        self._room = room
        self._draw_facts()
        self._invite()

    def _invite(self) -> None:
        if self._room is not None and self._room.free < self._room.size and self.state.backup:
            self.say("There is not enough room beside the database. Make room, or press b to do without a backup.", "warning")
        elif self.state.backup:
            self.say("Press Enter to make the backup.")
        else:
            self.say("Press Enter to go on without a backup: a temporary copy is made, and removed at the end.")

    def _begin(self) -> None:
        self._meter = RunMeter(WEIGHTS)
        self._copying = True
        state, backup, zone = self.state, self.state.backup, self.state.zone

        def copy(on_event: OnEvent, cancel: Cancellation) -> "tuple[Snapshot, Inventory]":
            work = state.work = state.work or self.core.open_work(state.sqlite_path)
            snapshot = work.take_snapshot(backup=backup, on_event=on_event, cancel=cancel)
            return snapshot, work.take_inventory(snapshot, zone, on_event=on_event, cancel=cancel)

        self.work_on(copy, then=self._copied, failed=self._not_copied, listen=self._meter.take)
        self.say("Copying …", "busy")

    def _copied(self, result: "tuple[Snapshot, Inventory]") -> None:
        self._copying = False
        self.state.snapshot, self.state.inventory = result
        self.state.choices_changed("copied again")
        self._draw_result()

    def _not_copied(self, error: MigrationError) -> None:
        self._copying = False
        self._meter.stop()
        self._draw_progress(self._meter.look())
        self.fail(error, UNCHANGED)

    def _draw_result(self) -> None:
        if self._result is None:
            return
        snapshot, inventory = self._result
        self._draw_facts()
        seconds = {view.phase: view.seconds for view in self._meter.look().phases}
        done = tuple(PhaseView(phase, PhaseState.DONE, seconds=seconds[phase]) for phase in WEIGHTS)
        self.query_one("#backup-phases", PhaseList).show(done)
        self.query_one("#backup-bar", Meters).show([Bar("copy", 1.0, 1.0, human_bytes(snapshot.size))])
        found = {"Integrity": "SQLite finds the copy sound.", "SHA-256": snapshot.sha256, "In it": contents(inventory)}
        self.query_one("#backup-result", Facts).show(found)
        kept = "The backup is there and sound." if snapshot.is_backup else "The copy is there and sound."
        self.say(f"{kept} Press Enter to see what will happen.", "good")
        self.refresh_bindings()

    def _draw_progress(self, view: RunView) -> None:
        self.query_one("#backup-bar", Meters).show([Bar("copy", view.fraction, 1.0, f"{view.fraction * 100:.0f} %")])
        self.query_one("#backup-phases", PhaseList).show(view.phases)

    def _draw_facts(self) -> None:
        size = "looking …"
        if self._result is not None:
            size = human_bytes(self._result[0].size)
        elif self._room is not None:
            size = f"{human_bytes(self._room.size)}; {human_bytes(self._room.free)} are free beside it"
        known = {"Source": home_path(self.state.sqlite_path), "Size": size, **self._place()}
        self.query_one("#backup-facts", Facts).show(known)

    def _place(self) -> dict[str, str]:
        if self._result is not None:
            snapshot = self._result[0]
            stays = "It stays there when the wizard is done." if snapshot.is_backup else "It is removed at the end."
            return {"Backup" if snapshot.is_backup else "Copy": home_path(snapshot.path), "": stays}
        if self.state.backup:
            name = self.state.sqlite_path.parent / "tasks_backup_<date>_<time>.db"
            return {"Backup": home_path(name), "": "It stays there when the wizard is done."}
        return {"Copy": "in a private temporary folder", "": "It is removed at the end. No backup is kept."}


def contents(inventory: "Inventory") -> str:
    """What is in the copy, the web interface's tables first."""
    nouns = {"tasks": ("task", "tasks"), "goals": ("goal", "goals")}
    tables = inventory.tables
    parts = [counted(tables[name].rows, *nouns[name]) for name in nouns if name in tables]
    others = [table for table in tables.values() if table.name not in nouns and table.rows]
    parts += [counted(table.rows, f"row of {table.name}", f"rows of {table.name}") for table in others]
    return f"{listed(parts)}." if parts else "nothing."


def _look_for_room(source: Path) -> Room:
    return Room(source.stat().st_size, shutil.disk_usage(source.parent).free)
