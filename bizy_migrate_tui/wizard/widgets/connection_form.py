"""The form of the connection: source, target, clock and account; URL and fields follow each other."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import available_timezones

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from bizy_migrate_tui.migration.errors import UsageError
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.settings import Origin, Setting
from bizy_migrate_tui.wizard import target_form as form
from bizy_migrate_tui.wizard.safe import safe
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.facts import home_path
from bizy_migrate_tui.wizard.widgets.field import Field, PasswordField

URL_HINT: Final = "postgresql://bizy@localhost:5432/bizy_dev"


@dataclass(frozen=True, slots=True)
class Answers:
    """What the form says, once nothing in it is wrong."""

    source: Path
    target: Target | None
    zone: str
    utc_until: int | None
    email: str
    username: str
    password: Secret | None


class ConnectionForm(Vertical):
    """Four groups of fields."""

    DEFAULT_CSS = "ConnectionForm, ConnectionForm .group { height: auto; }"

    @dataclass
    class Edited(Message):
        """The user typed into the field with that id."""

        field: str

    def __init__(self, state: WizardState) -> None:
        super().__init__(id="form")
        self._state = state

    def compose(self) -> ComposeResult:
        """Where from; where to; which clock; whose."""
        with Vertical(classes="group"):
            path = home_path(self._state.sqlite_path)
            origin = origin_words(self._state.settings.sqlite_path)
            yield Field("SQLite file", path, id="source", check=form.path_complaint, origin=origin)
        with Vertical(classes="group"):
            yield from self._target_fields()
        with Vertical(classes="group migrating"):
            yield from self._clock_fields()
        with Vertical(classes="group migrating"):
            yield from self._account_fields()

    def _target_fields(self) -> ComposeResult:
        target, origin = self._state.target, origin_words(self._state.settings.target)
        url = target.masked_url() if target else ""
        yield Field("PostgreSQL", url, id="url", check=form.url_complaint, origin=origin, placeholder=URL_HINT)
        parts = form.fields_of(target)
        yield Field("  Host", parts["host"], id="host", placeholder="this machine")
        yield Field("  Port", parts["port"], id="port", check=form.port_complaint, placeholder="5432")
        yield Field("  Database", parts["dbname"], id="dbname", placeholder="the user's name")
        yield Field("  User", parts["user"], id="user", placeholder="your name on this machine")
        secret = target.password.reveal() if target and target.password else ""
        yield PasswordField("  Password", secret, id="password", placeholder="from ~/.pgpass, or none")
        modes = SuggestFromList(form.SSL_MODES)
        check = form.sslmode_complaint
        yield Field("  sslmode", parts["sslmode"], id="sslmode", check=check, placeholder="prefer", suggester=modes)

    def _clock_fields(self) -> ComposeResult:
        state = self._state
        zones = SuggestFromList(sorted(available_timezones()), case_sensitive=False)
        origin = origin_words(state.settings.zone)
        yield Field("Time zone", state.zone, id="zone", check=form.zone_complaint, origin=origin, suggester=zones)
        until = "" if state.utc_until is None else str(state.utc_until)
        last = "id of the last task created in UTC, or none"
        yield Field("UTC until", until, id="until", check=form.id_complaint, placeholder=last)

    def _account_fields(self) -> ComposeResult:
        state, settings = self._state, self._state.settings
        email, name = origin_words(settings.user_email), origin_words(settings.user_name)
        yield Field("E-mail", state.email, id="email", check=form.email_complaint, origin=email)
        yield Field("User name", state.username, id="username", check=form.username_complaint, origin=name)
        hint = "a temporary one, shown at the end"
        yield PasswordField("New password", id="new-password", check=form.password_complaint, placeholder=hint)

    def field(self, name: str) -> Field:
        """The field with that id."""
        return self.query_one(f"#{name}", Field)

    def note(self, name: str, text: str) -> None:
        """Say something beside the field with that id, where its origin stands at first."""
        self.field(name).query_one(".field-origin", Static).update(safe(text))

    def follow_clock(self) -> None:
        """Fill in the zone and “UTC until” that hold now; the preview may have changed them."""
        until = "" if self._state.utc_until is None else str(self._state.utc_until)
        for name, value in (("zone", self._state.zone), ("until", until)):
            if self.field(name).value != value:
                self.field(name).set_value(value, "from the preview")

    def complaint(self) -> str | None:
        """The first thing that is wrong, which gets the cursor; every field that is wrong says so."""
        asked = self.query(Field).exclude(".-target-only .migrating Field")
        wrong = [field for field in asked if field.validate_answer()]
        if not wrong:
            return None
        wrong[0].focus_input()
        return wrong[0].validate_answer()

    def answers(self) -> Answers:
        """What the form says. Raises UsageError where it cannot be read: nothing of it is to be taken then."""
        for field in self.query(Field):
            if wrong := field.validate_answer():
                raise UsageError("bad-answer", wrong, "See the marked field.")
        value = {field.id or "": field.value for field in self.query(Field)}
        return Answers(
            source=form.typed_path(value["source"]),
            target=form.target_of(value["url"], value, value["password"]),
            zone=value["zone"],
            utc_until=int(value["until"]) if value["until"] else None,
            email=value["email"],
            username=value["username"],
            password=Secret(value["new-password"]) if value["new-password"] else None,
        )

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if not event.input.has_focus:  # Textual also tells of the value that an input begins with
            return
        field = next(ancestor for ancestor in event.input.ancestors if isinstance(ancestor, Field))
        if field.id == "url":
            self._fields_follow(field.value)
        elif field.id in form.FIELDS:
            self._url_follows()
        self.post_message(self.Edited(field.id or ""))

    @on(events.DescendantBlur)
    def _left(self) -> None:
        """A password that was typed into the URL does not stay in sight."""
        self._hide_password()

    def _fields_follow(self, url: str) -> None:
        try:
            target = Target.from_url(url)
        except UsageError:
            return
        for name, text in form.fields_of(target).items():
            self.field(name).set_value(text, "")
        if target.password:
            self.field("password").set_value(target.password.reveal(), "from the URL")

    def _url_follows(self) -> None:
        value = {field.id or "": field.value for field in self.query(Field)}
        if form.port_complaint(value["port"]):
            return
        # Options that have no field come from the URL that was there, if it can be read.
        target = form.target_of("" if form.url_complaint(value["url"]) else value["url"], value, "")
        self.field("url").set_value(target.masked_url() if target else "", "")

    def _hide_password(self) -> None:
        url = self.field("url")
        try:
            target = Target.from_url(url.value)
        except UsageError:
            return
        if target.password:
            url.set_value(target.masked_url())


def origin_words(setting: Setting[Target] | Setting[Path] | Setting[str] | None) -> str:
    """Where a value came from, short enough to stand beside it: “--timezone”, “.env DATABASE_URL”, “$DATABASE_URL”."""
    if setting is None:
        return ""
    named = {
        Origin.FLAG: setting.name,
        Origin.ENVIRONMENT: f"${setting.name}",
        Origin.ENV_FILE: f".env {setting.name}",
        Origin.REMEMBERED: "from last time",
    }
    return named.get(setting.origin, "the default")
