"""Connection: where the data comes from, where it goes, with which clock, and to whom."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.clock import zone_named
from bizy_migrate_tui.migration.errors import MigrationError, TargetError, UsageError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.migration.postgresql.target import TargetState, WebUser, refuse_unusable
from bizy_migrate_tui.wizard.clock_words import evidence_lines
from bizy_migrate_tui.wizard.core import Core
from bizy_migrate_tui.wizard.flow import Step, StepState, Turn, Way
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.target_words import database_facts, database_sentence, first_advice
from bizy_migrate_tui.wizard.widgets.connection_form import ConnectionForm
from bizy_migrate_tui.wizard.widgets.facts import Facts
from bizy_migrate_tui.wizard.widgets.user_dialog import UserDialog

if TYPE_CHECKING:  # SQLAlchemy is imported after the first paint
    from bizy_migrate_tui.migration.source.inventory import Inventory

SET_UP_HELPS: Final = frozenset({"role-missing", "database-missing", "schema-privilege", "password-rejected"})
NO_TARGET: Final = "Say where the data should go: a URL, or host, database and user."


class ConnectionScreen(StepScreen):
    """A form. Enter tests the connection; once it is good, Enter goes on."""

    STEP = Step.CONNECTION
    CSS_PATH = "connection.tcss"
    LEAD = "Where the data comes from, where it goes, with which clock, and to whom."
    HELP = (
        "Give the target as a URL or in its fields; each follows the other. What you leave empty, PostgreSQL's own rules "
        "decide: ~/.pgpass, service files, PG* variables, sockets. A password typed into the URL moves to its own field, "
        "where it stays hidden.\n\n"
        "The time zone is the one in which bizy wrote its times, usually this machine's own. Below the form stands what "
        "the times themselves say about it.\n\n"
        "The rows go to one user of the web interface: a new one, or one who is there already."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+t", "test", "Test"),
        Binding("ctrl+l", "users", "Users"),
        Binding("ctrl+o", "propose", "Use proposal"),
    ]

    def __init__(self, state: WizardState, core: Core) -> None:
        super().__init__(state, core)
        self._tested: Target | None = None
        self._testing: Target | None = None
        self._looked_at: Inventory | None = None
        self._complained = False

    def compose_step(self) -> ComposeResult:
        """The form, then what was found."""
        yield ConnectionForm(self.state)
        yield Facts(id="found-there")
        yield Facts(id="found-clock")

    @property
    def form(self) -> ConnectionForm:
        """The form."""
        return self.query_one(ConnectionForm)

    def arrive(self) -> None:
        """Test what is known already, and look at the clocks."""
        self._testing = None
        self.form.set_class(self.state.way is not Way.MIGRATE, "-target-only")
        self.form.follow_clock()
        if self.state.target is None:
            self.say(f"{NO_TARGET} Enter tests it.")
        else:
            self.action_test()
        self._look_at_clocks()
        if self.focused is None:
            self.form.field("url").focus_input()

    def retry(self) -> None:
        """Back from a failure: the same form, tested anew."""
        self._tested = None
        self.arrive()

    def why_not(self) -> str | None:
        """Going on needs good answers and a server that answered."""
        if self.state.target is None:
            return NO_TARGET
        return None if self._tested == self.state.target else "The connection has not been tested yet."

    def action_next(self) -> None:
        """Go on when the connection is good; else test it."""
        complaint = self.form.complaint()
        if complaint:
            self._complain(complaint)
            return
        self._take_answers()
        if self.why_not() is None:
            self.end(Turn.NEXT)
        else:
            self.action_test()

    def action_test(self) -> None:
        """Connect, and look at what is there."""
        complaint = self.form.complaint()
        if not complaint:
            self._take_answers()
        target = self.state.target
        if complaint or target is None:
            self._complain(complaint or NO_TARGET)
        elif self._testing != target:
            self._testing, self._tested = target, None
            self.say(f"Connecting to {target.host or 'PostgreSQL'} …", "busy")
            self.work_on(
                lambda _on_event, _cancel: self._survey(target),
                then=lambda found: self._connected(target, found),
                failed=lambda error: self._refused(target, error),
            )

    def action_users(self) -> None:
        """Choose one of the users who are there."""
        if self.state.target_state is not None:
            self.app.push_screen(UserDialog(self.state.target_state.users), self._user_chosen)

    def action_propose(self) -> None:
        """Take what the evidence proposes for the clock."""
        if self._proposal is not None:
            self.form.field("until").set_value(str(self._proposal), "as proposed")
            self._take_answers()
            self._show_clocks()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Users and a proposal only where there are some."""
        if action == "users":
            found = self.state.target_state
            return found is not None and bool(found.users) and self.state.way is Way.MIGRATE
        if action == "propose":
            return self._proposal is not None and self._proposal != self.state.utc_until
        return super().check_action(action, parameters)

    @on(ConnectionForm.Edited)
    def _edited(self, event: ConnectionForm.Edited) -> None:
        if event.field == "email":
            self._show_account()
        if self._complained:
            self._complained = False
            self.say("Enter looks at it again.")
        elif self._tested is not None and event.field not in {"zone", "until", "username", "new-password", "source"}:
            self.say("Changed. Enter tests the connection.")

    def leave(self) -> None:
        """What was typed counts, if it can be read."""
        if complaint := self._take_answers():
            self.notify(safe_text(f"{complaint} The answers before it hold."), severity="warning", markup=False)

    def _complain(self, complaint: str) -> None:
        self._complained = True
        self.say(complaint, "warning")

    def _survey(self, target: Target) -> TargetState:
        """Runs in a thread. Where the prerequisites have not passed with these settings, they have to pass now."""
        found = self.core.survey(target)
        if self.state.way is not Way.MIGRATE:
            return found
        refuse_unusable(found)
        if self.state.state_of(Step.PREREQUISITES) is not StepState.DONE:
            results = self.core.check_all(self.state.sqlite_path, target, self.state.env_file, lambda _result: None)
            for result in results:
                if result.state == "failed":
                    raise TargetError(result.code, f"{result.title}: {result.detail}", result.remedy)
        return found

    def _connected(self, target: Target, found: TargetState) -> None:
        if target != self._testing:
            return
        self._testing, self._tested = None, target
        self.state.target_state = found
        if self.state.way is Way.MIGRATE:
            self.state.complete(Step.PREREQUISITES)
        self.query_one("#found-there", Facts).show(database_facts(found))
        self._show_account()
        self.say(f"{database_sentence(found)} Enter goes on.", "good")
        self.refresh_bindings()

    def _refused(self, target: Target, error: MigrationError) -> None:
        if target != self._testing:
            return
        self._testing = None
        told = {"Failed": error.cause, **_continued("What to do", error.remedy.splitlines())}
        self.query_one("#found-there", Facts).show(told)
        more = "The step Prerequisites can set it up." if error.code in SET_UP_HELPS else first_advice(error.remedy)
        happened, dot, _detail = error.cause.partition(". ")
        self.say(f"{happened}{dot.strip()} {more}", "bad")

    def _take_answers(self) -> str | None:
        """Hand what is typed to the state, which makes stale what no longer fits; or tell what cannot be read of it."""
        try:
            answers = self.form.answers()
        except UsageError as error:
            return error.cause
        state = self.state
        if answers.source != state.sqlite_path:
            state.sqlite_path = answers.source
            self._looked_at = self._tested = None
            state.source_changed()
            self._look_at_clocks()
        if answers.target != state.target:
            state.target = answers.target
            self._tested = None
            state.target_changed()
            state.reopen(self.STEP)
        if (answers.zone, answers.utc_until) != (state.zone, state.utc_until):
            state.zone, state.utc_until = answers.zone, answers.utc_until
            state.choices_changed("time zone changed")
            self._show_clocks()
        account = (answers.email, answers.username, answers.password)
        if account != (state.email, state.username, state.password):
            state.email, state.username, state.password = account
            state.choices_changed("user changed")
        return None

    def _show_account(self) -> None:
        """Say beside the address whether that user is there, and fill in what is known of them."""
        found = self.state.target_state
        if found is None:
            return
        email = self.form.field("email").value.lower()
        user = next((user for user in found.users if user.email.lower() == email), None)
        self.form.note("email", "new user" if user is None else "is there; stays as is")
        for name in ("username", "new-password"):
            self.form.field(name).input.disabled = user is not None
        hint = "a temporary one, shown at the end" if user is None else "their own, as it is"
        self.form.field("new-password").input.placeholder = hint
        if user is not None:
            self.form.field("username").set_value(user.username, "")

    def _user_chosen(self, user: WebUser | None) -> None:
        if user is not None:
            self.form.field("email").set_value(user.email)
            self._show_account()
            self._take_answers()

    @property
    def _proposal(self) -> int | None:
        """The last task that the evidence takes for UTC."""
        inventory = self._looked_at
        try:
            return inventory.evidence.utc_until(zone_named(self.state.zone)) if inventory else None
        except UsageError:
            return None

    def _look_at_clocks(self) -> None:
        """Copy the source aside for a moment, and see what its times say about the zone."""
        if self.state.way is not Way.MIGRATE or self._looked_at is not None:
            self._show_clocks()
            return
        if self.state.inventory is not None:
            self._looked_at = self.state.inventory
            self._show_clocks()
            return
        source, zone = self.state.sqlite_path, self.state.zone

        def look(on_event: OnEvent, cancel: Cancellation) -> "Inventory":
            work = self.core.open_work(source)
            try:
                snapshot = work.take_snapshot(backup=False, on_event=on_event, cancel=cancel)
                return work.take_inventory(snapshot, zone, on_event=on_event, cancel=cancel)
            finally:
                work.close()

        self.work_on(look, then=self._clocks_seen, failed=self._no_clocks)

    def _clocks_seen(self, inventory: "Inventory") -> None:
        if inventory.snapshot.source == self.state.sqlite_path:
            self._looked_at = inventory
            self._show_clocks()

    def _no_clocks(self, error: MigrationError) -> None:
        self.query_one("#found-clock", Facts).show({"Clocks": f"Not looked at: {error.cause}"})

    def _show_clocks(self) -> None:
        if self._looked_at is None:
            return
        try:
            lines = evidence_lines(self._looked_at.evidence, self.state.zone)
        except UsageError as error:  # remembered, or from elsewhere, and not known here
            lines = (error.cause,)
        self.query_one("#found-clock", Facts).show(_continued("Clocks", lines))
        if self._proposal is not None and self._proposal != self.state.utc_until:
            self.form.note("until", f"evidence: {self._proposal} (^o)")
        self.refresh_bindings()


def _continued(label: str, lines: Sequence[str]) -> dict[str, str]:
    """Several lines under one label."""
    return {label if number == 0 else " " * number: line for number, line in enumerate(lines)}
