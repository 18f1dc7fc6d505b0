"""The wizard's app: holds the state, decides where to go, and leaves the terminal as it found it."""

import asyncio
import importlib
import os
import signal
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual import events, on
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.screen import Screen

from bizy_migrate_tui import remembered
from bizy_migrate_tui.migration.errors import ExitCode
from bizy_migrate_tui.settings import Settings
from bizy_migrate_tui.wizard import theme
from bizy_migrate_tui.wizard.core import Core
from bizy_migrate_tui.wizard.core_adapter import RealCore
from bizy_migrate_tui.wizard.flow import PATHS, Step, Turn, Way, step_after
from bizy_migrate_tui.wizard.no_color import WithoutColours
from bizy_migrate_tui.wizard.readiness import WARM_UP_AFTER, warm_up
from bizy_migrate_tui.wizard.screens.step import PATIENCE, StepScreen
from bizy_migrate_tui.wizard.small_window import SmallWindow, too_small
from bizy_migrate_tui.wizard.state import Failure, WizardState
from bizy_migrate_tui.wizard.stylesheet import KeptStylesheet
from bizy_migrate_tui.wizard.terminal import driver_class, let_go_of_a_lost_terminal
from bizy_migrate_tui.wizard.widgets.step_rail import StepRail

if TYPE_CHECKING:
    from bizy_migrate_tui.wizard.jobs import Job

SCREENS: Final[Mapping[Step, str]] = {step: f"{step.name.capitalize()}Screen" for step in Step}
"""The class of each step's screen, in the module `screens.<step>`; imported when the step is first come to."""

SIGNALS: Final = {"SIGINT": 130, "SIGTERM": 143, "SIGHUP": 129}
"""Exit codes of the signals that end a program: 128 and the signal's number."""


class WizardApp(App[None]):
    """Screens post how their step ended; the app knows the way."""

    TITLE = "Bizy AI → PostgreSQL"
    CSS_PATH = "wizard.tcss"
    ENABLE_COMMAND_PALETTE = True
    DEFAULT_MODE = "wizard"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 (Textual declares it so)
        (0, "-narrow"),
        (110, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 (the same)
        (0, "-low"),
        (22, "-high"),
        (28, "-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f1", "help", "Help"),
        Binding("ctrl+q", "quit", "Quit", priority=True),
        Binding("ctrl+c", "quit", "Quit", show=False, system=True),
        *(Binding(f"f{number + 2}", f"visit({number})", show=False) for number in range(len(PATHS[Way.MIGRATE]))),
    ]

    def __init__(self, state: WizardState, core: Core, *, look: str | None = None) -> None:
        super().__init__(driver_class=driver_class())
        if self.no_color:
            self._filters = [WithoutColours(theme.DARK)]
        self.state = state
        self.core = core
        self._look = look
        self._dress()
        self._screens: dict[Step, StepScreen] = {}
        self._leaving = False
        self._former_handlers: dict[int, Any] = {}
        state.changed = self._redraw_rail
        self.add_mode(self.DEFAULT_MODE, self._first_screen)

    def _dress(self) -> None:
        """The look, before the first sheet is read: one that changes afterwards has every sheet read again."""
        self.register_theme(theme.DARK)
        self.register_theme(theme.LIGHT)
        self.set_reactive(App.ansi_theme_dark, theme.DARK_PALETTE)
        self.set_reactive(App.ansi_theme_light, theme.LIGHT_PALETTE)
        self.set_class(self.no_color, "-no-color")
        look = theme.DARK.name if self.no_color else self._look
        if look is not None and look in self.available_themes:
            self.set_reactive(App.theme, look)
        self._refresh_truecolor_filter(self.ansi_theme)
        self.stylesheet = KeptStylesheet(variables=self.get_css_variables())

    @property
    def step_screen(self) -> StepScreen:
        """The step in sight, below any dialog."""
        return next(screen for screen in reversed(self.screen_stack) if isinstance(screen, StepScreen))

    def _first_screen(self) -> StepScreen:
        """The welcome stays below all other steps: over Textual's own, an empty one, it would be laid out second."""
        screen = self._screen_for(Step.WELCOME)
        screen.arriving = "arrive"
        return screen

    async def on_mount(self) -> None:
        """What is heavy is imported after the first paint."""
        self._listen_to_signals()
        self.set_timer(WARM_UP_AFTER, partial(self.run_worker, warm_up, thread=True, exit_on_error=False))

    # Where to go

    @on(StepScreen.Ended)
    def _step_ended(self, event: StepScreen.Ended) -> None:
        if event.turn is Turn.NEXT:
            self.state.complete(event.step)
        failed = self.state.failure.step if self.state.failure else None
        following = step_after(self.state.way, event.step, event.turn, failed)
        if following is None:
            self._leave(self.state.exit_code)
        else:
            self.go_to(following, retry=event.turn is Turn.RETRY)

    @on(StepScreen.Failed)
    def _step_failed(self, event: StepScreen.Failed) -> None:
        self.state.fail(Failure(event.step, event.error, event.meaning))
        self.go_to(Step.FAILURE)

    @on(StepRail.Chosen)
    def _step_chosen(self, event: StepRail.Chosen) -> None:
        self.visit(event.step)

    def action_visit(self, number: int) -> None:
        """Go to the step with that place on the way."""
        if number < len(self.state.path):
            self.visit(self.state.path[number])

    def visit(self, step: Step) -> None:
        """Go to a step if it may be gone to; else say why not."""
        here = self.step_screen
        if step is here.STEP:
            return
        if any(job.critical for job in here.jobs):
            here.say("Cancel first: the target is being written to.", "warning")
        elif not self.state.can_visit(step):
            here.say(f"{step} comes later. Enter goes on from here.", "warning")
        else:
            self.go_to(step)

    def go_to(self, step: Step, *, retry: bool = False) -> None:
        """Show a step; what was typed and found there the last time is still there."""
        screen = self._screen_for(step)
        screen.arriving = "retry" if retry else "arrive"
        while not isinstance(self.screen, StepScreen):
            self.pop_screen()
        if self.screen is screen:
            screen.come()
            return
        self.screen.leave()
        self.screen.drop_jobs()
        if step is Step.WELCOME:
            self.pop_screen()
        elif self.screen is self.screen_stack[0]:
            self.push_screen(screen)
        else:
            self.switch_screen(screen)
        self._cover(self.size)

    def on_resize(self, event: events.Resize) -> None:
        """A window that has become too small says so."""
        self._cover(event.size)

    def _cover(self, window: Size) -> None:
        if too_small(window) and not any(isinstance(screen, SmallWindow) for screen in self.screen_stack):
            self.push_screen(SmallWindow())

    def _screen_for(self, step: Step) -> StepScreen:
        if step not in self._screens:
            module = importlib.import_module(f"bizy_migrate_tui.wizard.screens.{step.name.lower()}")
            screen: StepScreen = getattr(module, SCREENS[step])(self.state, self.core)
            screen.add_class(*self._room())  # Textual does so after it has laid the screen out once without
            self.install_screen(screen, step.name)
            self._screens[step] = screen
        return self._screens[step]

    def _room(self) -> Iterable[str]:
        """The classes that say how much room there is."""
        for length, breakpoints in zip(self.size, (self.HORIZONTAL_BREAKPOINTS, self.VERTICAL_BREAKPOINTS), strict=True):
            yield max((least, name) for least, name in breakpoints if least <= length)[1]

    def _redraw_rail(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, StepScreen):
                screen.redraw_rail()

    # Help and palette

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The palette has no room in a window without room for a step."""
        if action == "command_palette" and isinstance(self.screen, SmallWindow):
            return False
        return super().check_action(action, parameters)

    def action_help(self) -> None:
        """What this step is about, and the keys that do something now."""
        from bizy_migrate_tui.wizard.help_screen import HelpScreen, keys_of  # noqa: PLC0415

        screen = self.step_screen
        self.push_screen(HelpScreen(screen.STEP, screen.HELP, keys_of(self.screen)))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Only what can be done now."""
        step = self.step_screen
        for key, active in screen.active_bindings.items():
            binding = active.binding
            textuals_own = "." in binding.action  # such as app.focus_next
            if active.enabled and binding.description and active.node is step and not textuals_own:
                action = partial(self.run_action, binding.action, active.node)
                yield SystemCommand(binding.description, f"The same as the key {self.get_key_display(binding) or key}", action)
        for other in self.state.path:
            if other is not step.STEP and self.state.can_visit(other):
                yield SystemCommand(f"Go to {other}", f"This step is {self.state.state_of(other)}", partial(self.visit, other))
        yield SystemCommand("Help", "What this step is about, and its keys", self.action_help)
        if not self.no_color:
            yield SystemCommand("Theme", "Dark, light, or the terminal's own colours", self.action_change_theme)
        yield SystemCommand("Quit", "Leave; a run is asked about first", self.action_quit)

    # Leaving

    async def action_quit(self) -> None:
        """Leave; ask first when the target is being written to, or when a password would be lost."""
        if self._leaving:
            return
        if any(job.critical for job in self._jobs()):
            what = f"{self.step_screen.WRITING} is under way. Stopping takes back all it did; the target is as it was before."
            self._ask_to_leave("Stop and leave?", what, "Stop and leave", ExitCode.CANCELLED)
        elif self.state.password_is_unseen:
            what = "Nobody has looked at the temporary password yet, and it is gone when you leave. The step Finish shows it."
            self._ask_to_leave("Leave without the password?", what, "Leave", self.state.exit_code)
        else:
            self._leave(self.state.exit_code)

    def _ask_to_leave(self, title: str, question: str, yes: str, code: int) -> None:
        from bizy_migrate_tui.wizard.widgets.confirm import ConfirmModal  # noqa: PLC0415

        if not isinstance(self.screen, ConfirmModal):
            modal = ConfirmModal(title, question, yes=yes, no="Go on")
            self.push_screen(modal, lambda sure: self._leave(code) if sure else None)

    def _leave(self, code: int) -> None:
        if not self._leaving:
            self._leaving = True
            self.run_worker(self._stop_and_exit(code), exit_on_error=True)

    async def _stop_and_exit(self, code: int) -> None:
        """Ask every job to stop, wait for those that write, and go."""
        jobs = self._jobs()
        for job in jobs:
            job.cancel.request()
        if any(job.critical for job in jobs):
            from bizy_migrate_tui.wizard.widgets.confirm import WaitModal  # noqa: PLC0415

            self.push_screen(WaitModal("Stopping…", "Waiting for PostgreSQL to take back what was done."))
        for job in jobs:
            await asyncio.to_thread(job.join, None if job.critical else PATIENCE)
        self._remember()
        await asyncio.to_thread(self.state.close_work)
        self.exit(return_code=code)

    def run(self, *arguments: Any, **named: Any) -> Any:
        """As Textual does; afterwards nothing waits for a terminal that has gone meanwhile."""
        result = super().run(*arguments, **named)
        let_go_of_a_lost_terminal()
        return result

    def _jobs(self) -> "list[Job[object]]":
        return [job for screen in self._screens.values() for job in screen.jobs]

    def _remember(self) -> None:
        if self.state.demo:
            return
        values = {
            "sqlite_path": str(self.state.sqlite_path),
            "timezone": self.state.zone,
            "user_email": self.state.email,
            "user_name": self.state.username,
            "theme": (self._look if self.no_color else None) or self.theme,
        }
        if self.state.target is not None:
            values["postgres_url"] = self.state.target.masked_url()
        with suppress(OSError):
            remembered.save(values)

    def _listen_to_signals(self) -> None:
        """Leave with care when a signal says so. The loop's own handlers would be gone with the loop: a terminal that
        closes sends SIGHUP twice, and the second one must not strike while the demo clears away."""
        loop = asyncio.get_running_loop()
        for name, code in SIGNALS.items():
            number = getattr(signal, name, None)
            if number is not None:
                with suppress(ValueError):  # outside the main thread
                    self._former_handlers[number] = signal.signal(number, partial(self._signalled, loop, code))

    def _signalled(self, loop: asyncio.AbstractEventLoop, code: int, _number: int, _frame: FrameType | None) -> None:
        with suppress(RuntimeError):  # the loop has ended: leaving already
            loop.call_soon_threadsafe(self._leave, code)

    def on_unmount(self) -> None:
        """Signals do again what they did before; unless one of them ends the program, which is then not hurried."""
        if self.return_code not in SIGNALS.values():
            for number, handler in self._former_handlers.items():
                signal.signal(number, handler)

    def _fatal_error(self) -> None:
        """Textual's, without the values of local variables: there are passwords among them."""
        import rich  # noqa: PLC0415 (the traceback brings Pygments, which the first paint does not need)
        from rich.segment import Segments  # noqa: PLC0415
        from rich.traceback import Traceback  # noqa: PLC0415

        self.bell()
        traceback = Traceback(show_locals=False, width=None, suppress=[rich])
        self._exit_renderables.append(Segments(self.console.render(traceback, self.console.options)))
        self._close_messages_no_wait()


def run_wizard(settings: Settings, *, demo: bool = False, backup: bool = True) -> int:
    """Run the wizard on this terminal; its exit code. The terminal is as before when it returns."""
    state = WizardState.from_settings(settings, backup=backup, demo=demo)
    app = WizardApp(state, RealCore(), look=os.environ.get("TEXTUAL_THEME") or remembered.load().get("theme") or theme.DEFAULT)
    app.run()
    return ExitCode.FAILED if app.return_code is None else app.return_code
