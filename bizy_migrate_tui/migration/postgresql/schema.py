"""Brings the target's tables to where the product needs them, inside the caller's transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import TargetError
from bizy_migrate_tui.migration.postgresql.schema_check import check_web_tables, web_tables_present
from bizy_migrate_tui.migration.postgresql.target import WEB_TABLES

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = (
    "HEAD",
    "LEDGER_SCHEMA",
    "check_web_tables",
    "downgrade",
    "ensure_ledger_schema",
    "upgrade",
    "web_tables_present",
)

HEAD: Final = "0002"
"""The newest revision in `alembic/versions`; known here so that a target that is there already costs no import."""

LEDGER_SCHEMA: Final = "bizy_migrate"
_BEFORE_WEB_TABLES: Final = "0001"
_VERSION_TABLE: Final = sql.Identifier(LEDGER_SCHEMA, "alembic_version")


def upgrade(lent: connection) -> None:
    """Create the ledger and the web tables that are missing, adopt those that are there. Idempotent.

    Works in the transaction that `lent` is in and does not end it. Raises SchemaMismatch when a web table is there but
    different, TargetError when the server refuses.
    """
    with _explained():
        check_web_tables(lent)
        if _is_current(lent):
            return
        _wait_for_others(lent)
        if _is_current(lent):
            return
        ensure_ledger_schema(lent)
        _run_alembic(lent, _again if _version(lent) == HEAD else _to_head)


def downgrade(lent: connection) -> None:
    """Take away what `upgrade` made: the ledger, and the web tables that are ours and hold nothing.

    Works in the transaction that `lent` is in. Raises TargetError "ledger-in-use" while the ledger holds runs that were
    not rolled back, or preserved originals.
    """
    with _explained():
        if _version(lent) is None:
            return
        _wait_for_others(lent)
        _run_alembic(lent, _to_base)
        _drop_ledger_schema(lent)


def ensure_ledger_schema(lent: connection) -> None:
    """Create schema bizy_migrate where it is missing.

    CREATE SCHEMA IF NOT EXISTS asks for the right to create even where the schema exists, made by an administrator.
    """
    with lent.cursor() as rows:
        rows.execute("SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s", (LEDGER_SCHEMA,))
        if rows.rowcount == 0:
            rows.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(LEDGER_SCHEMA)))


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except psycopg2.Error as error:
        raise explain(error) from None


def _is_current(lent: connection) -> bool:
    return _version(lent) == HEAD and web_tables_present(lent) == frozenset(WEB_TABLES)


def _version(lent: connection) -> str | None:
    """The revision the target is at: empty before the first, None where there is not even a version table."""
    with lent.cursor() as rows:
        rows.execute(
            "SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = %s AND c.relname = 'alembic_version'",
            (LEDGER_SCHEMA,),
        )
        if rows.rowcount == 0:
            return None
        rows.execute(sql.SQL("SELECT version_num FROM {}").format(_VERSION_TABLE))
        found = rows.fetchone()
        return str(found[0]) if found else ""


def _wait_for_others(lent: connection) -> None:
    """Two people may set up one database at the same moment; the lock ends with the transaction."""
    with lent.cursor() as rows:
        rows.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"{LEDGER_SCHEMA}.schema",))


def _run_alembic(lent: connection, command: Callable[["Config"], None]) -> None:
    # Alembic takes half a second to import, and most calls need nothing of it
    from alembic.config import Config
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError

    from bizy_migrate_tui.migration.postgresql.borrowed import borrow

    with borrow(lent) as borrowed:
        config = Config(attributes={"connection": borrowed})
        config.set_main_option("script_location", str(_script_location()).replace("%", "%%"))
        try:
            command(config)
        except DBAPIError as error:
            raise explain(error) from None
        except CommandError as error:
            raise _refused(error) from None


def _to_head(config: "Config") -> None:
    from alembic import command

    command.upgrade(config, "head")


def _again(config: "Config") -> None:
    """Somebody dropped a web table after us: the revision that creates what is missing runs once more."""
    from alembic import command

    command.stamp(config, _BEFORE_WEB_TABLES)
    command.upgrade(config, "head")


def _to_base(config: "Config") -> None:
    from alembic import command

    command.downgrade(config, "base")


def _refused(error: Exception) -> TargetError:
    message = str(error)
    if "locate revision" in message:
        return TargetError(
            "ledger-newer",
            "The ledger in this database was made by a newer version of this program.",
            "Upgrade bizy-migrate-tui, then try again.",
        )
    return TargetError("ledger-in-use", message, "Roll back first: bizy-migrate-tui rollback")


def _drop_ledger_schema(lent: connection) -> None:
    """Drop the version table, and the schema where it is ours and empty by now."""
    with lent.cursor() as rows:
        rows.execute(sql.SQL("DROP TABLE {}").format(_VERSION_TABLE))
        rows.execute("SAVEPOINT drop_schema")
        try:
            rows.execute(sql.SQL("DROP SCHEMA {} RESTRICT").format(sql.Identifier(LEDGER_SCHEMA)))
        except (psycopg2.errors.DependentObjectsStillExist, psycopg2.errors.InsufficientPrivilege):
            rows.execute("ROLLBACK TO SAVEPOINT drop_schema")
        rows.execute("RELEASE SAVEPOINT drop_schema")


def _script_location() -> Path:
    """The revisions: inside the package in a wheel, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent.parent
    inside = package / "alembic"
    return inside if inside.is_dir() else package.parent / "alembic"
