"""The demo: sample data, a PostgreSQL of its own, and the ordinary wizard with its fields filled in."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Final

import click

from bizy_migrate_tui.embedded import EmbeddedServer, embedded_server
from bizy_migrate_tui.guard import removed_even_if_killed
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.sample import ZONE, write_sample
from bizy_migrate_tui.settings import DEFAULT_EMAIL, DEFAULT_USERNAME, Origin, Setting, Settings

ROLE: Final = "bizy"
DATABASE: Final = "bizy_dev"

_ENV: Final = """\
# The web back end's settings, as they are before the move.
DATABASE_URL=sqlite:///{source}
SECRET_KEY=a-key-for-the-demo-only

# Where the web interface is served from
CORS_ORIGINS=http://localhost:3000
"""


def run_demo(keep: bool = False) -> int:
    """Run the wizard on sample data and an embedded PostgreSQL; the wizard's exit code.

    Everything is removed at the end, unless `keep`: then it says where what is. Raises TargetError "embedded-missing" and
    "embedded-failed".
    """
    from bizy_migrate_tui.wizard.app import run_wizard

    with _removed_whatever_ends_it(), _folder(keep) as folder:
        click.echo("Starting a PostgreSQL for the demo…", err=True)
        with embedded_server(keep=keep) as server:
            try:
                return run_wizard(prepare(folder, server), demo=True)
            finally:
                if keep:
                    click.echo(_whereabouts(folder, server), err=True)


def prepare(folder: Path, server: EmbeddedServer) -> Settings:
    """Put the sample data and a back end's `.env` into `folder`, make role and database; what the wizard starts from."""
    source, env_file = folder / "tasks.db", folder / ".env"
    write_sample(source)
    env_file.write_text(_ENV.format(source=source), encoding="utf-8")
    return Settings(
        sqlite_path=Setting(source, Origin.DEFAULT),
        target=Setting(_make_database(server), Origin.DEFAULT),
        zone=Setting(ZONE, Origin.DEFAULT),
        created_at_utc_until=None,
        user_email=Setting(DEFAULT_EMAIL, Origin.DEFAULT),
        user_name=Setting(DEFAULT_USERNAME, Origin.DEFAULT),
        env_file=env_file,
        admin_password=server.password,
    )


def _make_database(server: EmbeddedServer) -> Target:
    """The role and its empty database, as the guide's script leaves them."""
    from psycopg2 import sql

    from bizy_migrate_tui.migration.postgresql.target import connect

    admin, password = server.target(), server.password
    with closing(connect(admin)) as connection:
        connection.autocommit = True
        with connection.cursor() as rows:
            create = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            rows.execute(create.format(sql.Identifier(ROLE), sql.Literal(password.reveal() if password else None)))
            rows.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0").format(sql.Identifier(DATABASE), sql.Identifier(ROLE))
            )
    return Target.from_fields(host=admin.host, port=admin.port, dbname=DATABASE, user=ROLE, password=password)


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    folder = Path(tempfile.gettempdir()).resolve() / f"bizy-demo-{os.urandom(4).hex()}"  # named before it is made
    with nullcontext() if keep else removed_even_if_killed(folder):
        try:
            folder.mkdir(0o700)
            yield folder
        finally:
            if not keep:
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _removed_whatever_ends_it() -> Iterator[None]:
    """Ctrl+C, a closed terminal or a polite kill unwinds the blocks within, once, instead of leaving a server behind."""
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

    def unwind(number: int, _frame: FrameType | None) -> None:
        for further in numbers:  # a terminal that closes sends two
            signal.signal(further, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, unwind) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _whereabouts(folder: Path, server: EmbeddedServer) -> str:
    target = server.target(DATABASE)
    return (
        "Everything was kept:\n"
        f"  files       {folder}\n"
        f"  PostgreSQL  {target.masked_url()}\n"
        f"  its folder  {server.folder}\n"
        f"  to stop it  {server.stop_command()}"
    )
