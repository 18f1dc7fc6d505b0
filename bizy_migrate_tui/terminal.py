"""How the headless commands speak, ask and show progress: everything here goes to standard error.

Standard output belongs to the result. Rich draws the bars; without a terminal each step is one line when it ends.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import click

from bizy_migrate_tui.display import group_digits, human_seconds, safe_text
from bizy_migrate_tui.logs import LOGGER
from bizy_migrate_tui.migration.errors import Cancelled, MigrationError, UsageError
from bizy_migrate_tui.migration.events import Event, OnEvent, PhaseFinished, PhaseStarted, Progress
from bizy_migrate_tui.migration.secret import Secret

_LOG: Final = logging.getLogger(LOGGER)


def say(text: str = "") -> None:
    """Lines for a person; text from a database cannot command the terminal here."""
    for line in text.split("\n"):
        click.echo(safe_text(line), err=True)


def say_error(error: MigrationError) -> None:
    """What went wrong and what to do about it."""
    click.secho(f"✗ {safe_text(error.cause)}", fg="red", bold=True, err=True)
    if error.remedy:
        say("\n".join(f"  {line}" for line in error.remedy.split("\n")))


def say_check(name: str, passed: bool, detail: str) -> None:
    """One line of a list of checks."""
    mark = click.style("✓", fg="green") if passed else click.style("✗", fg="red", bold=True)
    click.echo(f"{mark} {safe_text(name)}: {safe_text(detail)}", err=True)


def say_warning(name: str, detail: str) -> None:
    """A line of a list of checks that does not stop the move."""
    click.echo(f"{click.style('!', fg='yellow')} {safe_text(name)}: {safe_text(detail)}", err=True)


def refuse_silence(*, yes: bool) -> None:
    """Raise UsageError "needs-yes" where consent is wanted and nobody can be asked; better before the work than after."""
    if not (yes or can_ask()):
        raise UsageError("needs-yes", "This writes to the database, and there is no terminal to ask on.", "Add --yes.")


def confirm(question: str, *, yes: bool) -> None:
    """Go on only with consent. Raises Cancelled for a no, UsageError "needs-yes" where nobody can be asked."""
    refuse_silence(yes=yes)
    while not yes:
        click.echo(f"{question} [y/N]: ", nl=False, err=True)
        # Not input(): it forgets an exception that a signal's handler raises while it flushes, and the wish to stop with it.
        answer = sys.stdin.readline().strip().lower()
        if answer in {"", "n", "no"}:
            raise Cancelled()
        yes = answer in {"y", "yes"}


def can_ask() -> bool:
    """Whether somebody sits at standard input."""
    return sys.stdin.isatty()


def ask_password(prompt: str, *, twice: bool) -> Secret:
    """A password typed unseen, or the first line of standard input where that is no terminal."""
    if can_ask():
        return Secret(click.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True))
    return Secret(sys.stdin.readline().rstrip("\r\n"))


def say_password(email: str, password: Secret, *, as_json: bool) -> None:
    """Show a temporary password once: to the person at the terminal, else beside the result, never within it."""
    to_stderr = as_json or sys.stderr.isatty()
    click.echo(f"Temporary password of {safe_text(email)}: {password.reveal()}", err=to_stderr)
    say(f"It is shown only this once. Change it with: bizy-migrate-tui user passwd {email}")


@contextmanager
def drawn_progress() -> Iterator[OnEvent]:
    """What shows the work's events: bars on a terminal, else a line for each step that ended."""
    if not sys.stderr.isatty():
        yield _tell_line
        return
    from rich.console import Console  # noqa: PLC0415 (only where it is drawn)
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bars  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        ids = {}

        def draw(event: Event) -> None:
            if isinstance(event, PhaseStarted):
                ids[event.phase] = bars.add_task(str(event.phase), total=event.total, figures="")
            elif isinstance(event, Progress):
                if event.phase in ids:
                    bars.update(ids[event.phase], completed=event.done, figures=group_digits(event.done))
            else:
                if event.phase in ids:
                    bars.remove_task(ids.pop(event.phase))
                bars.console.print(_line(event), markup=False, highlight=False)
                _LOG.info("%s", _line(event))

        yield draw


def _tell_line(event: Event) -> None:
    if isinstance(event, PhaseFinished):
        say(_line(event))
        _LOG.info("%s", _line(event))


def _line(event: PhaseFinished) -> str:
    detail = f" — {safe_text(event.detail)}" if event.detail else ""
    return f"✓ {event.phase}: {human_seconds(event.seconds)}{detail}"
