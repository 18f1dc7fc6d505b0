"""Where am I: all steps with their state, always in sight; one row on narrow screens, a sidebar on wide ones."""

from dataclasses import dataclass

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from bizy_migrate_tui.wizard.flow import SHORT, Step, StepState
from bizy_migrate_tui.wizard.state import WizardState

STALE_MARK = "↻"
SYMBOLS = {StepState.WAITING: "·", StepState.DONE: "✓", StepState.STALE: STALE_MARK, StepState.FAILED: "✗"}
STYLES = {
    StepState.WAITING: "$text-muted",
    StepState.DONE: "$text-success",
    StepState.STALE: "$text-warning",
    StepState.FAILED: "$text-error",
}
HERE = "▶"
FULL_FROM = 76
"""Columns from which every step has room for its short title."""


class StepRail(Widget):
    """Draws the steps of the way the user is on; a click asks for one."""

    @dataclass
    class Chosen(Message):
        """The user wants to go to a step."""

        step: Step

    def __init__(self, state: WizardState, here: Step) -> None:
        super().__init__(id="rail")
        self._state = state
        self._here = here

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps drawn; a rollback after the finish comes last. A failure is drawn where it happened."""
        path = self._state.path
        return path if self._here in path or self._failed in path else (*path, self._here)

    @property
    def _is_full(self) -> bool:
        """Whether a row has room for every title; a step beside the way is one too many."""
        return self.size.width >= FULL_FROM and self.steps == self._state.path

    @property
    def _failed(self) -> Step | None:
        """The step whose failure is being explained."""
        failure = self._state.failure if self._here is Step.FAILURE else None
        return failure.step if failure is not None else None

    def render(self) -> Content:
        """A column of steps, or a row."""
        if self.size.height > 1:
            return Content("\n").join(self._tall(number, step) for number, step in enumerate(self.steps))
        return Content(" ").join(self._mark(step, self._short(step)) for step in self.steps)

    def _short(self, step: Step) -> str:
        """The title in a row, empty where there is no room for it."""
        return SHORT.get(step, step) if self._is_full or step in (self._here, self._failed) else ""

    def _tall(self, number: int, step: Step) -> Content:
        key = f"F{number + 2}" if step in self._state.path else ""
        line = Content.assemble(self._mark(step, f"{step:<15}"), (f"{key:>3}", "$text-muted"))
        because = self._state.stale_because.get(step)
        if because is not None and step is not self._here:
            return Content.assemble(line, (f"\n  {because}", "$text-warning"))
        return line

    def _mark(self, step: Step, title: str) -> Content:
        state = self._state.state_of(step)
        if step is self._failed:
            return Content.assemble((f"{SYMBOLS[StepState.FAILED]} {title}", f"bold {STYLES[StepState.FAILED]}"))
        if step is self._here:
            symbol = HERE if state in (StepState.WAITING, StepState.DONE) else SYMBOLS[state]
            return Content.assemble((f"{symbol} {title}", "bold $text-accent"))
        style = STYLES[state]
        word = f" {title}" if title else ""
        return Content.assemble((SYMBOLS[state], style), (word, "" if state is StepState.DONE else style))

    def on_click(self, event: events.Click) -> None:
        """Go to the step under the pointer."""
        offset = event.get_content_offset(self)
        step = None if offset is None else self._step_at(offset.x, offset.y)
        if step is not None:
            self.post_message(self.Chosen(step))

    def _step_at(self, x: int, y: int) -> Step | None:
        if self.size.height > 1:
            lines = [step for step in self.steps for _ in range(self._tall(0, step).plain.count("\n") + 1)]
            return lines[y] if y < len(lines) else None
        place = 0
        for step in self.steps:
            width = self._mark(step, self._short(step)).cell_length + 1
            if place <= x < place + width:
                return step
            place += width
        return None
