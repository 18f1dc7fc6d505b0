import subprocess
import sys

import pytest

from bizy_migrate_tui import __version__
from tests.cli.conftest import Command

HEAVY = {"sqlalchemy", "alembic", "textual", "psycopg2", "rich", "bcrypt"}

IMPORTED = """
import contextlib, io, sys
from bizy_migrate_tui.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main(sys.argv[1:])
print(*sys.modules, sep="\\n")
"""


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["migrate", "--help"], ["user", "add", "--help"]])
def test_help_and_version_import_nothing_heavy(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED, *arguments], capture_output=True, text=True, check=True)

    assert HEAVY.isdisjoint(done.stdout.split())


def test_the_version_is_told(command: Command) -> None:
    assert __version__ in command("--version").out


@pytest.mark.parametrize("name", ["demo", "check", "setup", "migrate", "verify", "runs", "preserved", "rollback", "user"])
def test_every_command_explains_itself(command: Command, name: str) -> None:
    ended = command(name, "--help")

    assert (ended.code, ended.err) == (0, "")
    assert "Usage: bizy-migrate-tui" in ended.out


def test_the_wizard_without_a_terminal_names_the_command_that_needs_none(command: Command) -> None:
    ended = command()

    assert ended.code == 2
    assert "bizy-migrate-tui migrate" in ended.err


@pytest.mark.parametrize("arguments", [["migrate", "--no-such-option"], ["rollback", "soon"], ["no-such-command"]])
def test_a_mistake_in_usage_is_an_object_too(command: Command, arguments: list[str]) -> None:
    ended = command(*arguments, "--json")

    assert (ended.code, ended.report["status"]) == (2, "failed")
    assert ended.report["error"]["cause"]
    assert ended.report.keys() >= {"run_id", "source", "target", "findings", "checks", "seconds"}


def test_a_url_that_cannot_be_read_is_a_mistake_in_usage(command: Command) -> None:
    ended = command("runs", "--postgres-url", "mysql://bizy:hush@host/bizy", "--json")

    assert (ended.code, ended.report["error"]["code"]) == (2, "bad-url")
    assert "hush" not in ended.out + ended.err


def test_options_before_the_command_hold_for_it(command: Command) -> None:
    ended = command("--sqlite-path", "elsewhere.db", "--json", "migrate", "--yes")

    assert ended.report["source"]["path"].endswith("elsewhere.db")
