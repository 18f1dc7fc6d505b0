"""Finish (last step): what was done, the temporary password, the back end's `.env`, a report, and what comes next."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from bizy_migrate_tui import env_file
from bizy_migrate_tui.env_file import EnvChange
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.run.outcome import Outcome, Status
from bizy_migrate_tui.next_steps import next_steps
from bizy_migrate_tui.wizard.core import Core
from bizy_migrate_tui.wizard.flow import Step, Turn
from bizy_migrate_tui.wizard.report_file import save_report, told
from bizy_migrate_tui.wizard.safe import safe, toned
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.env_diff import diff_text
from bizy_migrate_tui.wizard.widgets.facts import Facts, home_path
from bizy_migrate_tui.wizard.widgets.password_dialog import PasswordDialog
from bizy_migrate_tui.wizard.wording import outcome_summary

HIDDEN = "•" * 12


class FinishScreen(StepScreen):
    """Everything is done by now; Enter leaves."""

    STEP = Step.FINISH
    CSS_PATH = "finish.tcss"
    LEAD = "What was done, and what is left to you."
    HELP = (
        "The temporary password was made for this run and is written nowhere: it is gone when you leave, unless you saved "
        "it. p shows it, copies it or saves it to a file that only you can read.\n\n"
        "e writes DATABASE_URL into the back end's .env; the old file is kept beside it. u takes the whole run back."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Leave"),
        Binding("p", "password", "Password"),
        Binding("e", "write_env", "Write .env"),
        Binding("s", "save", "Save report"),
        Binding("u", "undo", "Undo", show=False),
        Binding("escape", "back", "Back", show=False),
    ]

    def __init__(self, state: WizardState, core: Core) -> None:
        super().__init__(state, core)
        self._change: EnvChange | None = None
        self._env_problem = ""
        self._env_written = False
        self._env_kept: Path | None = None
        self._warned = False

    def compose_step(self) -> ComposeResult:
        """Done; password; settings; what comes next."""
        yield Static("", id="done", markup=False)
        yield Facts(id="results")
        yield Static("", id="env-title", classes="heading", markup=False)
        yield Static("", id="env-diff", markup=False)
        yield Static("What comes next", id="next-title", classes="heading", markup=False)
        yield Static("", id="next-steps", markup=False)

    def arrive(self) -> None:
        """Show what was done; look what `.env` would become."""
        self._warned = False
        outcome = self.state.outcome
        self.query_one("#done", Static).update(toned(*_done(outcome)))
        self._draw()
        if outcome is None:
            self.say("Enter leaves.")
            return
        self._look_at_env()
        self.say("Press Enter to leave.", "good")

    def why_not(self) -> str | None:
        """Leaving is possible; the first time it is said what would be lost."""
        if self.state.password_is_unseen and not self._warned:
            self._warned = True
            return "Nobody has looked at the password yet, and it is gone when you leave. p shows it; Enter again leaves."
        return None

    def action_next(self) -> None:
        """Leave; the password is forgotten."""
        reason = self.why_not()
        if reason is not None:
            self.say(reason, "warning")
            return
        if self.state.committed is not None:
            self.state.committed = replace(self.state.committed, password=None)
        self.end(Turn.NEXT)

    def action_password(self) -> None:
        """Show the password; copy or save it."""
        run = self.state.committed
        if run is not None and run.password is not None:
            self.state.password_seen = True
            dialog = PasswordDialog(run.user.email, run.password, self.state.sqlite_path.parent)
            self.say("The password is gone when you leave; p shows it until then.")
            self.app.push_screen(dialog, lambda said: self.say(said, "good") if said else None)

    def action_write_env(self) -> None:
        """Point the back end at PostgreSQL; the old file is kept."""
        change = self._change
        if change is not None:
            self.work_on(
                lambda _on_event, _cancel: env_file.apply(change, now=datetime.now()),
                then=self._env_is_written,
                failed=self._env_is_not_written,
            )

    def action_save(self) -> None:
        """Save the report as Markdown and JSON."""
        state = self.state
        self.work_on(
            lambda _on_event, _cancel: save_report(state, datetime.now()),
            then=lambda path: self.say(told(path), "good"),
            failed=lambda error: self.say(f"The report could not be saved. {error.cause}", "bad"),
        )

    def action_undo(self) -> None:
        """Take the run back: a step of its own that asks first."""
        self.end(Turn.ROLL_BACK)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what there is."""
        if action == "password":
            return self._password is not None
        if action == "write_env":
            return self._change is not None and self._change.is_needed and not self._env_written and not self.jobs
        if action in ("save", "undo"):
            return self.state.outcome is not None
        return super().check_action(action, parameters)

    @property
    def _password(self) -> object:
        return self.state.committed.password if self.state.committed is not None else None

    @property
    def _place(self) -> Path:
        return env_file.place_for(self.state.env_file, Path.cwd())

    def _look_at_env(self) -> None:
        place, target = self._place, self.state.target
        if target is not None:
            self.work_on(
                lambda _on_event, _cancel: env_file.point_at(place, target), then=self._env_known, failed=self._env_unreadable
            )

    def _env_known(self, change: EnvChange) -> None:
        self._change, self._env_problem = change, ""
        self._env_written = False
        self._draw()

    def _env_unreadable(self, error: MigrationError) -> None:
        self._change, self._env_problem = None, f"{error.cause} {error.remedy}"
        self._draw()

    def _env_is_not_written(self, error: MigrationError) -> None:
        self.say(f"{error.cause} {error.remedy}", "bad")
        self._look_at_env()

    def _env_is_written(self, kept: Path | None) -> None:
        self._env_written, self._env_kept = True, kept
        self.say("The web back end's settings were written. Restart it to let it use them.", "good")
        self._draw()

    def _draw(self) -> None:
        self.query_one("#results", Facts).show(self._results())
        title, diff = self._env_words()
        self.query_one("#env-title", Static).update(title)
        self.query_one("#env-diff", Static).update(diff)
        steps = self._next_steps()
        self.query_one("#next-steps", Static).update(steps)
        self.query_one("#next-title").display = bool(steps.plain)
        self.refresh_bindings()

    def _results(self) -> dict[str, str]:
        outcome, snapshot = self.state.outcome, self.state.snapshot
        if outcome is None:
            return {}
        facts = {"User": f"{outcome.user.email} (user name {outcome.user.username})"}
        if self._password is not None:
            facts["Password"] = f"{HIDDEN}  temporary; p shows it"
        if snapshot is not None and snapshot.is_backup:
            facts["Backup"] = home_path(snapshot.path)
        return facts

    def _env_words(self) -> tuple[Content, Content]:
        change = self._change
        if self._env_problem:
            return Content("The web back end's settings"), toned("warning", self._env_problem)
        if change is None:
            return Content(""), Content("")
        place = home_path(change.path)
        if self._env_written or not change.is_needed:
            old = f" The old file is kept as {self._env_kept.name}." if self._env_kept is not None else ""
            return Content("The web back end's settings"), toned("good", f"{place} points at this database.{old}")
        return safe(f"The web back end's settings: e writes this into {place}"), diff_text(change.diff())

    def _next_steps(self) -> Content:
        outcome = self.state.outcome
        if outcome is None:
            return Content("")
        steps = next_steps(
            outcome.user.email,
            account_is_new=outcome.user.created,
            tables_are_new=not outcome.plan.state.tables,
            env_hint="press e" if self.check_action("write_env", ()) else None,
        )
        lines = []
        for number, step in enumerate(steps, 1):
            lines.append(Content.assemble((f"{number}. ", "$text-muted"), safe(step.title)))
            lines += [Content.assemble("   ", (command, "$text-accent")) for command in step.commands]
        return Content("\n").join(lines)


def _done(outcome: Outcome | None) -> tuple[str, str]:
    """The tone and the sentence that says what was done."""
    if outcome is None:
        return "note", "There is no run to tell of: it was taken back, or none was made."
    if outcome.status is Status.NOTHING_TO_DO:
        return "good", "Everything was there already; nothing was written."
    return "good", outcome_summary(outcome.tables, outcome.seconds)
