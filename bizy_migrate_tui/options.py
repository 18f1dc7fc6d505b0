"""The options that commands share; as light as the command line itself."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_LEVELS: Final = ("debug", "info", "warning", "error")

_SHARED: Final = (
    click.option("--sqlite-path", metavar="PATH", help="Bizy's database. [default: ~/.business-agent/tasks.db]"),
    click.option("--postgres-url", metavar="URL", help="Where the data goes: postgresql://user:password@host:5432/name."),
    click.option("--env-file", metavar="PATH", help="The back end's .env. [default: ./.env, else ./backend/.env]"),
    click.option("--json", "as_json", is_flag=True, help="Print one JSON object, and nothing else, to standard output."),
    click.option("--log-level", type=click.Choice(_LEVELS), help="How much goes into the log file. [default: info]"),
)
_CLOCKS: Final = (
    click.option("--timezone", metavar="ZONE", help="The zone of the source's local times. [default: this machine's]"),
    click.option(
        "--created-at-utc-until",
        type=click.IntRange(min=0),
        metavar="ID",
        help="Tasks up to this id have created_at in UTC already.",
    ),
)
_OF_A_MOVE: Final = (
    click.option("--backup/--no-backup", default=None, help="Keep a copy of the source beside it. [default: backup]"),
    *_CLOCKS,
    click.option("--user-email", metavar="EMAIL", help="Who the rows belong to. [default: admin@bizy.local]"),
    click.option("--user-name", metavar="NAME", help="The user name of a new account. [default: admin]"),
)


def _with(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


shared = _with(*_SHARED)
clocks = _with(*_CLOCKS)
of_a_move = _with(*_OF_A_MOVE)
