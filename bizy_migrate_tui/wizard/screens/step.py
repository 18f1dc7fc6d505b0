"""The one layout of every step, and how a step works, ends and fails.

A subclass names its STEP, its LEAD (one sentence: what is this) and its HELP (F1), yields its body from
`compose_step`, and overrides the hooks `arrive`, `why_not` and `tick` as it needs. Its BINDINGS are its own keys only:
Enter and Back are here, Help and Quit are the app's.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Footer, Input, Static

from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, ignore
from bizy_migrate_tui.wizard.core import Core
from bizy_migrate_tui.wizard.flow import Step, Turn
from bizy_migrate_tui.wizard.jobs import Job
from bizy_migrate_tui.wizard.state import WizardState
from bizy_migrate_tui.wizard.widgets.status_line import StatusLine
from bizy_migrate_tui.wizard.widgets.step_rail import STALE_MARK, StepRail

T = TypeVar("T")

TICK = 0.1
"""Seconds between two looks at what a job has told."""
PATIENCE = 2.0
"""Seconds that a job which changes nothing gets to stop when its screen goes."""


class StepScreen(Screen[None]):
    """A step of the wizard. It posts what happened; the app alone decides where to go."""

    STEP: ClassVar[Step]
    LEAD: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    SCROLLS: ClassVar[bool] = True
    """Whether the body scrolls as a whole; a step whose parts scroll says False."""

    WRITING: ClassVar[str] = "The migration"
    """What its critical job is, to begin a sentence with."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "next", "Next"),
        Binding("enter", "say_why", show=False),
        Binding("escape", "back", "Back"),
    ]

    @dataclass
    class Ended(Message):
        """The step is over for now."""

        step: Step
        turn: Turn

    @dataclass
    class Failed(Message):
        """The step cannot be done; `meaning` says what that means for the user's data."""

        step: Step
        error: MigrationError
        meaning: str = "Nothing was changed."

    @dataclass
    class _JobEnded(Message):
        job: Job[Any]

    def __init__(self, state: WizardState, core: Core) -> None:
        super().__init__()
        self.state = state
        self.core = core
        self.jobs: list[Job[Any]] = []
        self.arriving: Literal["", "arrive", "retry"] = ""
        self._ticker: Timer | None = None
        self._was_shown = False

    # What a subclass fills in

    def compose_step(self) -> ComposeResult:
        """The body."""
        yield from ()

    def arrive(self) -> None:
        """The user comes to this step, for the first time or again."""

    def leave(self) -> None:
        """The user goes to another step, whichever way; called before that one hears that it is come to."""

    def retry(self) -> None:
        """The user comes from the screen of a failure to have the step done again."""
        self.arrive()

    def why_not(self) -> str | None:
        """Why Enter cannot go on now, None when it can."""
        return "Still at work. It goes on in a moment." if self.jobs else None

    def tick(self) -> None:
        """Draw the latest of the job under way; called ten times a second while there is one."""

    @property
    def heading(self) -> str:
        """The title above the step."""
        return str(self.STEP)

    # What a subclass uses

    def say(self, text: str, tone: str = "note") -> None:
        """Say how things stand, in one sentence or two."""
        self.query_one(StatusLine).say(text, tone)

    def end(self, turn: Turn = Turn.NEXT) -> None:
        """Leave the step."""
        self.post_message(self.Ended(self.STEP, turn))

    def fail(self, error: MigrationError, meaning: str = "Nothing was changed.") -> None:
        """Leave the step for the screen that explains what went wrong."""
        self.post_message(self.Failed(self.STEP, error, meaning))

    def work_on(
        self,
        call: Callable[[OnEvent, Cancellation], T],
        *,
        then: Callable[[T], None],
        failed: Callable[[MigrationError], None] | None = None,
        listen: OnEvent = ignore,
        critical: bool = False,
    ) -> Job[T]:
        """Make a call of the core in a thread; `then` or `failed` is called on the screen's side.

        `listen` is called in the thread with every event and must only note it under a lock (RunMeter.take, say); draw
        in `tick`. A `critical` job changes the target: leaving asks first, cancels it and waits for its end.
        """
        job = Job(call, listen=listen, then=then, failed=failed or self.fail, critical=critical)
        self.jobs.append(job)
        job.start(lambda ended: self.post_message(self._JobEnded(ended)))
        if self._ticker is not None:
            self._ticker.resume()
        self.refresh_bindings()
        return job

    def come(self) -> None:
        """Called by the app when it has shown the step; a dialog that closes is no coming."""
        how, self.arriving = self.arriving, ""
        if how:
            (self.retry if how == "retry" else self.arrive)()

    def drop_jobs(self) -> None:
        """Stop what is under way and forget what comes of it."""
        for job in self.jobs:
            job.cancel.request()
        self.jobs.clear()

    def redraw_rail(self) -> None:
        """The state of a step changed; a stale one says why beside its title."""
        for rail in self.query(StepRail):
            rail.refresh()
        because = self.state.stale_because.get(self.STEP)
        stale = ("", "") if because is None else (f"  {STALE_MARK} look again: {because}", "not bold $text-warning")
        for title in self.query("#title").results(Static):
            title.update(Content.assemble(self.heading, stale))

    # The layout

    def compose(self) -> ComposeResult:
        """Where am I, what is this, what did it find, what can I do."""
        with Horizontal(id="top"):
            yield Static("Bizy AI → PostgreSQL", id="product", markup=False)
            yield Static("demo: sample data" if self.state.demo else "", id="tag", markup=False)
        yield StepRail(self.state, self.STEP)
        with Vertical(id="main"):
            yield Static(self.heading, id="title", markup=False)
            yield Static(self.LEAD, id="lead", markup=False)
            with VerticalScroll(id="body", can_focus=False) if self.SCROLLS else Vertical(id="body"):
                yield from self.compose_step()
            yield StatusLine(id="status")
        yield Footer(show_command_palette=False, compact=True)

    def on_mount(self) -> None:
        """Ready to listen to jobs."""
        self._ticker = self.set_interval(TICK, self._tick, pause=not self.jobs)

    async def on_unmount(self) -> None:
        """No thread outlives its screen unasked."""
        jobs = list(self.jobs)
        self.drop_jobs()
        for job in jobs:
            await asyncio.to_thread(job.join, None if job.critical else PATIENCE)

    def action_next(self) -> None:
        """Go on when the step is good; else say why not."""
        reason = self.why_not()
        if reason is None:
            self.end(Turn.NEXT)
        else:
            self.say(reason, "warning")

    def action_say_why(self) -> None:
        """Enter cannot go on now, so the footer does not offer it."""
        self.say(self.why_not() or "", "warning")

    def action_back(self) -> None:
        """Go to the step before; everything that was answered stays."""
        if any(job.critical for job in self.jobs):
            self.say("Cancel first: the target is being written to.", "warning")
            return
        self.end(Turn.BACK)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only what can be done now is offered."""
        if action in ("next", "say_why"):
            return (action == "say_why") is any(job.critical for job in self.jobs)
        return not (action == "back" and self.STEP is Step.WELCOME)

    @on(Input.Submitted)
    def _enter_in_an_input(self) -> None:
        self.action_next()

    @on(_JobEnded)
    def _job_ended(self, event: _JobEnded) -> None:
        if event.job not in self.jobs:
            return
        self.tick()
        self.jobs.remove(event.job)
        if not self.jobs and self._ticker is not None:
            self._ticker.pause()
        event.job.deliver()
        self.refresh_bindings()

    @on(events.ScreenResume)
    def _resumed(self, event: events.ScreenResume) -> None:
        if not self._was_shown:
            event.refresh_styles = False  # every widget got its styles just now; half the time of a first showing
            self._was_shown = True
        self.redraw_rail()
        self.come()

    def _tick(self) -> None:
        if self.jobs and self.is_current:
            self.tick()
