"""Runs the revisions on the connection that the product hands over, or on DATABASE_URL for the `alembic` command."""

import os
from contextlib import closing

import sqlalchemy as sa
from alembic import context
from alembic.util import CommandError

from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.postgresql.borrowed import borrow
from bizy_migrate_tui.migration.postgresql.schema import LEDGER_SCHEMA, check_web_tables, ensure_ledger_schema
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.postgresql.web_schema import METADATA


def run(connection: sa.Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        version_table_schema=LEDGER_SCHEMA,
        include_name=lambda name, kind, _parents: kind != "table" or name in METADATA.tables,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_on_database_url() -> None:
    url = os.environ.get("DATABASE_URL")
    if not url:
        raise CommandError("Set DATABASE_URL to the PostgreSQL database, as in postgresql://bizy@localhost/bizy_dev.")
    try:
        with closing(connect(Target.from_url(url))) as raw:
            check_web_tables(raw)
            ensure_ledger_schema(raw)
            with borrow(raw) as connection:
                run(connection)
            raw.commit()
    except MigrationError as error:
        raise CommandError(f"{error.cause}\n{error.remedy}") from None


if context.is_offline_mode():
    raise CommandError("These revisions look at the database they run on, so they cannot be written out with --sql.")
handed = context.config.attributes.get("connection")
if handed is None:
    run_on_database_url()
else:
    run(handed)
