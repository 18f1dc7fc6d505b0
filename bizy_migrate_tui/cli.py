"""The command line (design, "The command line"): each command is a few lines over the core.

Heavy libraries are imported inside the functions, so that `--help` and `--version` answer at once.
"""

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from bizy_migrate_tui import __version__
from bizy_migrate_tui.options import clocks, of_a_move, shared

if TYPE_CHECKING:
    from bizy_migrate_tui.settings import Flags

_USAGE, _CANCELLED = 2, 130

_SETTINGS: Final = ("sqlite_path", "postgres_url", "env_file", "timezone", "created_at_utc_until", "user_email", "user_name")


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bizy-migrate-tui")
@shared
@of_a_move
@click.pass_context
def cli(context: click.Context, /, **_options: object) -> None:
    """Move a Bizy AI database from SQLite to PostgreSQL.

    Without a command it opens the wizard; the options fill its fields.
    """
    if context.invoked_subcommand is None:
        context.exit(_open_wizard(context))


@cli.command()
@click.option("--keep", is_flag=True, help="Leave server and files in place at the end, and say where.")
@click.pass_context
def demo(context: click.Context, /, keep: bool) -> None:
    """Open the wizard on sample data and a PostgreSQL of its own."""
    _need_terminal()
    from bizy_migrate_tui.demo import run_demo
    from bizy_migrate_tui.wizard.readiness import calm_collector

    calm_collector()
    context.exit(_told(lambda: run_demo(keep=keep)))


@cli.command()
@shared
@click.pass_context
def check(context: click.Context, /, **_options: object) -> None:
    """Look at everything a move needs; one line each, with the remedy."""
    from bizy_migrate_tui import headless

    _perform(context, headless.check)


@cli.command()
@shared
@click.option("--admin-user", metavar="ROLE", help="The administrator. [default: postgres]")
@click.pass_context
def setup(context: click.Context, /, admin_user: str | None, **_options: object) -> None:
    """Make role, database, grants and tables where they are missing.

    The administrator's password comes from POSTGRES_ADMIN_PASSWORD or is asked for.
    """
    from bizy_migrate_tui import chores

    _perform(context, lambda settings, report, _: chores.setup(settings, report, admin_user=admin_user))


@cli.command()
@shared
@clocks
@click.option("--table", metavar="TABLE", help="Only this table of the source.")
@click.pass_context
def census(context: click.Context, /, table: str | None, **_options: object) -> None:
    """Say what is really in each column of the source; needs no PostgreSQL."""
    from bizy_migrate_tui import column_report

    as_json = bool(_option(context, "as_json"))
    _perform(context, lambda settings, report, signals: column_report.census(settings, report, signals, table, as_json=as_json))


@cli.command()
@shared
@of_a_move
@click.option("--dry-run", is_flag=True, help="Do everything, prove it, and take it back.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--write-env", is_flag=True, help="Point DATABASE_URL in the back end's .env at the target afterwards.")
@click.option("--on", "choices", metavar="CODE=CHOICE", multiple=True, help="A finding's choice: adjust, leave-out or stop.")
@click.pass_context
def migrate(
    context: click.Context,
    /,
    dry_run: bool,
    yes: bool,
    write_env: bool,
    choices: tuple[str, ...],
    **_options: object,
) -> None:
    """Move the data, without a screen; asks before it writes."""
    from bizy_migrate_tui import headless
    from bizy_migrate_tui.migration.findings import Choice

    on = {}
    for text in choices:
        code, _, choice = text.partition("=")
        if not code or choice not in list(Choice):
            raise click.BadParameter(f"“{text}” is not CODE={'|'.join(Choice)}.", context, param_hint="--on")
        on[code] = Choice(choice)
    work = headless.Migration(
        dry_run=dry_run,
        backup=_option(context, "backup"),
        yes=yes,
        write_env=write_env,
        as_json=bool(_option(context, "as_json")),
        on=on,
    )
    _perform(context, work, only_errors=dry_run)


@cli.command()
@shared
@click.option("--run", "run_id", type=int, metavar="RUN", help="The run to look at. [default: all that were not rolled back]")
@click.pass_context
def verify(context: click.Context, /, run_id: int | None, **_options: object) -> None:
    """Compare source and target again, cell by cell."""
    from bizy_migrate_tui import headless

    _perform(context, lambda settings, report, signals: headless.verify(settings, report, signals, run_id=run_id))


@cli.command()
@shared
@click.pass_context
def runs(context: click.Context, /, **_options: object) -> None:
    """List the runs that the target knows of."""
    from bizy_migrate_tui import chores

    _perform(context, lambda settings, report, _: chores.runs(settings, report))


@cli.command("preserved")
@shared
@click.option("--table", metavar="TABLE", help="Only rows of this table of the source.")
@click.option("--run", "run_id", type=int, metavar="RUN", help="Only rows of this run.")
@click.option("--format", "style", type=click.Choice(("json", "csv")), default="json", show_default=True)
@click.pass_context
def print_preserved(context: click.Context, /, table: str | None, run_id: int | None, style: str, **_options: object) -> None:
    """Print what was kept beside the web tables, as it was in SQLite."""
    from bizy_migrate_tui import chores

    _perform(
        context,
        lambda settings, report, _: chores.preserved(
            settings, report, table=table, run_id=run_id, style=style, as_json=bool(_option(context, "as_json"))
        ),
    )


@cli.command()
@click.argument("run_id", metavar="[RUN]", type=int, required=False)
@shared
@click.option("--include-changed", is_flag=True, help="Remove rows too that were changed on the web since.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def rollback(context: click.Context, /, run_id: int | None, include_changed: bool, yes: bool, **_options: object) -> None:
    """Remove exactly what a run brought in. [default: the newest run]"""
    from bizy_migrate_tui import headless

    _perform(
        context,
        lambda settings, report, signals: headless.rollback(
            settings, report, signals, run_id=run_id, include_changed=include_changed, yes=yes
        ),
    )


@cli.group()
def user() -> None:
    """Make users of the web interface and change their passwords."""


@user.command("add")
@click.argument("email", required=False)
@shared
@click.option("--user-name", metavar="NAME", help="[default: the e-mail address up to the @]")
@click.option("--full-name", metavar="NAME")
@click.pass_context
def user_add(context: click.Context, /, email: str | None, full_name: str | None, **_options: object) -> None:
    """Make a user. The password is asked for, or read from standard input."""
    from bizy_migrate_tui import chores

    _perform(context, lambda settings, report, _: chores.add_user(settings, report, email=email, full_name=full_name))


@user.command("passwd")
@click.argument("email", required=False)
@shared
@click.pass_context
def user_passwd(context: click.Context, /, email: str | None, **_options: object) -> None:
    """Change a user's password. It is asked for, or read from standard input."""
    from bizy_migrate_tui import chores

    _perform(context, lambda settings, report, _: chores.change_password(settings, report, email=email))


def main(arguments: list[str] | None = None) -> None:
    """The program; ends the process with one of the stable exit codes."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = cli.main(given, prog_name="bizy-migrate-tui", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = _USAGE
        _print_error(given, "usage", error.format_message(), "See --help.", status="failed")
    except click.Abort:
        click.echo("Cancelled.", err=True)
        code = _CANCELLED
        _print_error(given, "cancelled", "Cancelled.", "Start again whenever you like.", status="cancelled")
    sys.exit(code if isinstance(code, int) else 0)


def _print_error(given: list[str], code: str, cause: str, remedy: str, *, status: str) -> None:
    """With --json, what ended a command before it could report is an object too."""
    if "--json" in given:
        from bizy_migrate_tui.report import Report

        report = Report().as_dict(0.0) | {"status": status, "error": {"code": code, "cause": cause, "remedy": remedy}}
        click.echo(json.dumps(report, indent=2))


def _open_wizard(context: click.Context) -> int:
    if _option(context, "as_json"):
        raise click.UsageError("--json goes with a command, such as migrate.", context)
    _need_terminal()
    from bizy_migrate_tui.wizard.readiness import calm_collector

    calm_collector()
    from bizy_migrate_tui import remembered
    from bizy_migrate_tui.beginning import begin
    from bizy_migrate_tui.wizard.app import run_wizard

    backup = _option(context, "backup")
    level = _option(context, "log_level") or "info"
    return _told(
        lambda: run_wizard(begin("wizard", _flags(context), level, remembered=remembered.load()), backup=backup is not False)
    )


def _told(work: Callable[[], int]) -> int:
    """The work's exit code; an error before the first screen is told as a command tells it."""
    from bizy_migrate_tui.migration.errors import MigrationError

    try:
        return work()
    except MigrationError as error:
        from bizy_migrate_tui.terminal import say_error

        say_error(error)
        return int(error.exit_code)


def _need_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("The wizard needs a terminal. Without one, use: bizy-migrate-tui migrate")


def _perform(context: click.Context, body: "Callable[[Any, Any, Any], int]", *, only_errors: bool = False) -> None:
    from bizy_migrate_tui import headless

    context.exit(
        headless.perform(
            context.info_name or "",
            _flags(context),
            body,
            as_json=bool(_option(context, "as_json")),
            log_level=_option(context, "log_level") or "info",
            only_errors=only_errors,
        )
    )


def _flags(context: click.Context) -> "Flags":
    from bizy_migrate_tui.settings import Flags

    return Flags(**{name: _option(context, name) for name in _SETTINGS})


def _option(context: click.Context, name: str) -> Any:
    """An option of this command, else of the one it belongs to: `bizy-migrate-tui --json migrate` works as well."""
    place: click.Context | None = context
    while place is not None:
        value = place.params.get(name)
        if value is not None and (value is not False or name == "backup"):
            return value
        place = place.parent
    return None
