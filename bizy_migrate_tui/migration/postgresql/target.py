"""Where the data goes: how the target is reached and looked at before anything is written."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, connection, cursor
from psycopg2.sql import Composable

from bizy_migrate_tui.migration.advice.advice import error_for, explain
from bizy_migrate_tui.migration.errors import TargetError
from bizy_migrate_tui.migration.events import Cancellation
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.migration.postgresql.patience import unless_cancelled

__all__ = (
    "WEB_TABLES",
    "Target",
    "TargetState",
    "WebUser",
    "connect",
    "refuse_encoding",
    "refuse_lack_of_privileges",
    "refuse_old_server",
    "refuse_unusable",
    "survey",
    "unwritable",
)

WEB_TABLES: Final = ("users", "goals", "tasks")
"""The tables of the web interface in schema `public`, parents first."""

OLDEST_SERVER: Final = 140000
"""PostgreSQL 14: the ledger's multiranges came with it."""

CONNECT_SECONDS: Final = 10
USERS_SHOWN: Final = 100

_SETTINGS: Final[Mapping[str, str]] = {
    "TimeZone": "UTC",
    "DateStyle": "ISO, YMD",
    "extra_float_digits": "3",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "lock_timeout": "10s",
    "standard_conforming_strings": "on",
    "quote_all_identifiers": "off",  # else the names of types come quoted
    "jit": "off",  # compiling costs more than it saves in statements that run once
}
_TRANSACTION_TIMEOUT_SINCE: Final = 170000


@dataclass(frozen=True, slots=True)
class WebUser:
    """One user of the web interface."""

    id: int
    email: str
    username: str


@dataclass(frozen=True, slots=True)
class TargetState:
    """What is in the target now.

    `tables` maps the web tables that exist to their exact row counts, `users` holds at most USERS_SHOWN of them, by id;
    `can_create_schema` says that the ledger can be made, in its schema where that exists already; `timezone` is the
    server's own; `latency_ms` is one round trip in milliseconds; `unwritable` names the web tables (and their id
    sequences) that are somebody else's and in which this user may not write.
    """

    server_version: str
    version_num: int
    encoding: str
    in_recovery: bool
    is_superuser: bool
    user: str
    dbname: str
    can_create_in_public: bool
    can_create_schema: bool
    tables: Mapping[str, int]
    has_ledger: bool
    users: tuple[WebUser, ...]
    latency_ms: float
    timezone: str
    unwritable: tuple[str, ...] = ()

    @property
    def round_trip(self) -> str:
        """`latency_ms` in words: `0.4 ms`."""
        return "less than 0.1 ms" if self.latency_ms < 0.1 else f"{self.latency_ms:.1f} ms"


def connect(
    target: Target,
    *,
    readonly: bool = False,
    application_name: str = "bizy-migrate-tui",
    cancel: Cancellation | None = None,
) -> connection:
    """A connection whose transactions write naive UTC and are not cut short by the server's timeouts.

    Raises TargetError, whatever the reason, and Cancelled without waiting for a server that does not answer.
    """
    if cancel is not None:
        return unless_cancelled(
            lambda: connect(target, readonly=readonly, application_name=application_name), cancel, discard=connection.close
        )
    defaults: dict[str, Any] = {"application_name": application_name, **_patience(target.parts())}
    try:
        made: connection = psycopg2.connect(
            target.dsn, password=target.password.reveal() if target.password else None, cursor_factory=_Settled, **defaults
        )
        if made.encoding != "UTF8":
            made.set_client_encoding("UTF8")
        if readonly:
            made.set_session(readonly=True)
    except (psycopg2.Error, OSError, UnicodeDecodeError) as error:
        advice = explain(error)
        if isinstance(advice, TargetError):
            raise advice from None
        raise TargetError(advice.code, advice.cause, advice.remedy) from None
    return made


class _Settled(cursor):
    """A cursor that begins each transaction with the settings that the work relies on.

    They end with the transaction: a pooler in transaction mode hands each one to another session, and the session to others.
    """

    def execute(self, query: str | bytes | Composable, vars: Any = None) -> None:  # noqa: A002 (psycopg2's name)
        """As psycopg2 does."""
        lender = self.connection
        if not lender.autocommit and lender.get_transaction_status() == TRANSACTION_STATUS_IDLE:
            _settle(lender)
        super().execute(query, vars)


def _settle(open_connection: connection) -> None:
    settings = dict(_SETTINGS)
    if open_connection.server_version >= _TRANSACTION_TIMEOUT_SINCE:
        settings["transaction_timeout"] = "0"
    with open_connection.cursor(cursor_factory=cursor) as rows:
        rows.execute(
            "SELECT set_config(name, value, true) FROM unnest(%s::text[], %s::text[]) AS setting(name, value)",
            (list(settings), list(settings.values())),
        )


def survey(open_connection: connection) -> TargetState:
    """Look at the target without changing it; ends the transaction it began. Raises TargetError."""
    was_idle = open_connection.get_transaction_status() == TRANSACTION_STATUS_IDLE
    try:
        with open_connection.cursor() as rows:
            return _survey(rows)
    except psycopg2.Error as error:
        raise explain(error) from None
    finally:
        if was_idle and not open_connection.closed:
            open_connection.rollback()


def refuse_unusable(state: TargetState) -> None:
    """Raise TargetError when nothing could be written into a target like this."""
    refuse_old_server(state)
    refuse_encoding(state)
    refuse_lack_of_privileges(state)


def refuse_old_server(state: TargetState) -> None:
    """Raise TargetError "server-too-old"."""
    if state.version_num < OLDEST_SERVER:
        raise error_for("server-too-old", version=state.server_version)


def refuse_encoding(state: TargetState) -> None:
    """Raise TargetError "encoding-unsupported" unless the database can hold every character."""
    if state.encoding != "UTF8":
        raise error_for("encoding-unsupported", encoding=state.encoding, database=state.dbname)


def refuse_lack_of_privileges(state: TargetState) -> None:
    """Raise TargetError "read-only-replica" or "schema-privilege" when what is missing could not be created."""
    if state.in_recovery:
        raise error_for("read-only-replica")
    who = {"user": state.user, "database": state.dbname}
    if not state.can_create_in_public and not state.tables.keys() >= set(WEB_TABLES):
        raise error_for("schema-privilege", object="schema public", **who)
    if state.unwritable:
        raise error_for("schema-privilege", object=", ".join(state.unwritable), **who)
    if not state.can_create_schema and not state.has_ledger:
        raise error_for("schema-privilege", object=f"database {state.dbname}", **who)


def _patience(parts: Mapping[str, str]) -> dict[str, int]:
    """Seconds to wait for the server, unless the user, a variable or a service file says otherwise."""
    said = "connect_timeout" in parts or "service" in parts or {"PGCONNECT_TIMEOUT", "PGSERVICE"} & os.environ.keys()
    return {} if said else {"connect_timeout": CONNECT_SECONDS}


def unwritable(rows: cursor, role: str) -> tuple[str, ...]:
    """The web tables and their id sequences that exist and in which `role` may not write."""
    rows.execute(
        """
        SELECT c.relname::text
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        WHERE c.relname = ANY(%(tables)s) AND c.relkind IN ('r', 'p') AND NOT (
            has_table_privilege(%(role)s, c.oid, 'SELECT') AND has_table_privilege(%(role)s, c.oid, 'INSERT')
            AND has_table_privilege(%(role)s, c.oid, 'UPDATE') AND has_table_privilege(%(role)s, c.oid, 'DELETE'))
        UNION ALL
        SELECT s.relname::text
        FROM pg_catalog.pg_class s
        JOIN pg_catalog.pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
        JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relname = ANY(%(tables)s)
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        WHERE s.relkind = 'S' AND NOT (has_sequence_privilege(%(role)s, s.oid, 'SELECT')
            AND has_sequence_privilege(%(role)s, s.oid, 'USAGE') AND has_sequence_privilege(%(role)s, s.oid, 'UPDATE'))
        """,
        {"tables": list(WEB_TABLES), "role": role},
    )
    return tuple(name for (name,) in rows.fetchall())


_STATE: Final = """
    SELECT current_setting('server_version'), current_setting('server_version_num')::int,
           current_setting('server_encoding'), pg_is_in_recovery(),
           (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
           current_user::text, current_database()::text,
           coalesce((SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE')
                     FROM pg_catalog.pg_namespace WHERE nspname = 'public'), false),
           has_database_privilege(current_database(), 'CREATE')
           OR coalesce((SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE')
                        FROM pg_catalog.pg_namespace WHERE nspname = 'bizy_migrate'), false),
           EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = 'bizy_migrate' AND c.relname = 'runs'),
           (SELECT reset_val FROM pg_catalog.pg_settings WHERE name = 'TimeZone')
    """


def _survey(rows: cursor) -> TargetState:
    rows.execute("SELECT 1")  # begins the transaction, which takes round trips of its own
    began = time.perf_counter()
    rows.execute("SELECT 1")
    latency_ms = (time.perf_counter() - began) * 1000
    rows.execute(_STATE)
    found = rows.fetchone()
    assert found is not None  # noqa: S101 (a SELECT without FROM has one row)
    version, number, encoding, recovering, superuser, user, dbname, in_public, schemas, ledger, zone = found
    columns = _web_columns(rows)
    return TargetState(
        server_version=version.split()[0],
        version_num=number,
        encoding=encoding,
        in_recovery=recovering,
        is_superuser=superuser,
        user=user,
        dbname=dbname,
        can_create_in_public=in_public,
        can_create_schema=schemas,
        tables={name: _count(rows, name) for name in WEB_TABLES if name in columns},
        has_ledger=ledger,
        users=_users(rows) if {"id", "email", "username"} <= columns.get("users", frozenset()) else (),
        latency_ms=latency_ms,
        timezone=zone,
        unwritable=unwritable(rows, user),
    )


def _web_columns(rows: cursor) -> dict[str, frozenset[str]]:
    rows.execute(
        """
        SELECT c.relname::text, coalesce(array_agg(a.attname::text) FILTER (WHERE a.attname IS NOT NULL), '{}')
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relname = ANY(%s) AND c.relkind IN ('r', 'p')
        GROUP BY c.relname
        """,
        (list(WEB_TABLES),),
    )
    return {name: frozenset(columns) for name, columns in rows.fetchall()}


def _count(rows: cursor, table: str) -> int:
    rows.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", table)))
    found = rows.fetchone()
    return int(found[0]) if found else 0


def _users(rows: cursor) -> tuple[WebUser, ...]:
    rows.execute("SELECT id, email, username FROM public.users ORDER BY id LIMIT %s", (USERS_SHOWN,))
    return tuple(WebUser(*row) for row in rows.fetchall())
