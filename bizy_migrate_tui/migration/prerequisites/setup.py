"""Makes what a move needs on the server: role, database, grants and tables (the guide's setup_postgres.sh)."""

from contextlib import closing
from dataclasses import dataclass
from typing import Final

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection, encrypt_password, make_dsn

from bizy_migrate_tui.migration.advice.advice import error_for, explain
from bizy_migrate_tui.migration.errors import TargetError, UsageError
from bizy_migrate_tui.migration.postgresql import schema
from bizy_migrate_tui.migration.postgresql.target import (
    WEB_TABLES,
    Target,
    TargetState,
    connect,
    refuse_unusable,
    survey,
    unwritable,
)
from bizy_migrate_tui.migration.secret import Secret

ADMIN_USER: Final = "postgres"
ADMIN_DATABASE: Final = "postgres"

_NEEDS_ADMIN: Final = frozenset(
    {"role-missing", "database-missing", "schema-privilege", "password-rejected", "no-password", "login-refused"}
)


@dataclass(frozen=True, slots=True)
class SetupOutcome:
    """What was made; `steps` tells it in plain sentences, in order."""

    role_created: bool
    database_created: bool
    schema_created: bool
    steps: tuple[str, ...]


def admin_target(target: Target, user: str | None, password: Secret | None) -> Target:
    """The same server as `target`, for its administrator."""
    parts = {**target.parts(), "user": user or ADMIN_USER, "dbname": ADMIN_DATABASE}
    return Target(make_dsn(**parts), password)


def set_up(target: Target, admin: Target) -> SetupOutcome:
    """Make role, database, grants and tables where they are missing; a second call changes nothing.

    The administrator is asked only when the target's own login does not suffice. A role that exists keeps its password.
    Raises UsageError "no-user" or "no-database" when the target does not name them, TargetError otherwise.
    """
    role, dbname = _named(target)
    steps: list[str] = []
    role_created = database_created = False
    lacking = _lacking(target)
    if lacking == "database-missing":
        admin = _own_login_if_it_may(target) or admin
    if lacking:
        try:
            with closing(_connect_as(admin)) as server:
                server.autocommit = True
                role_created = _make_role(server, role, target.password, steps)
                database_created = _make_database(server, role, dbname, steps)
            with closing(connect(_in_database(admin, dbname))) as database:
                _grant(database, role, dbname, steps)
        except psycopg2.Error as error:
            raise explain(error) from None
    schema_created = _make_tables(target, steps)
    return SetupOutcome(role_created, database_created, schema_created, tuple(steps))


def _connect_as(admin: Target) -> connection:
    """Log in as the administrator; a refusal tells where an administrator's name and password come from."""
    try:
        return connect(admin)
    except TargetError as error:
        if error.code not in _NEEDS_ADMIN:
            raise
        remedy = error_for("admin-refused", user=admin.user or ADMIN_USER).remedy
        raise TargetError(error.code, error.cause, remedy) from None


def _named(target: Target) -> tuple[str, str]:
    if not target.user:
        raise UsageError("no-user", "The target names no user to make.", "Name one: postgresql://bizy@host/bizy_dev.")
    if not target.dbname:
        raise UsageError("no-database", "The target names no database to make.", "Name one: …@host:5432/bizy_dev.")
    return target.user, target.dbname


def _lacking(target: Target) -> str | None:
    """The code of what the target's own login lacks, None where it suffices for the rest."""
    try:
        with closing(connect(target)) as own:
            refuse_unusable(survey(own))
    except TargetError as error:
        if error.code in _NEEDS_ADMIN:
            return error.code
        raise
    return None


def _own_login_if_it_may(target: Target) -> Target | None:
    """The target's own login where it may make databases: in PostgreSQL's Docker image there is no other."""
    own = _in_database(target, ADMIN_DATABASE)
    try:
        with closing(connect(own)) as server, server.cursor() as rows:
            rows.execute("SELECT rolsuper OR rolcreatedb FROM pg_catalog.pg_roles WHERE rolname = current_user")
            return own if rows.fetchone() == (True,) else None
    except TargetError:
        return None


def _make_role(server: connection, role: str, password: Secret | None, steps: list[str]) -> bool:
    with server.cursor() as rows:
        rows.execute("SELECT FROM pg_catalog.pg_roles WHERE rolname = %s", (role,))
        if rows.rowcount:
            steps.append(f"The role {role} exists; its password was left alone.")
            return False
        create = sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role))
        if password:
            # the server gets, and may log, the SCRAM verifier only
            verifier = encrypt_password(password.reveal(), role, server, "scram-sha-256")
            create += sql.SQL(" PASSWORD {}").format(sql.Literal(verifier))
        rows.execute(create)
    steps.append(f"The role {role} was created.")
    return True


def _make_database(server: connection, role: str, dbname: str, steps: list[str]) -> bool:
    with server.cursor() as rows:
        rows.execute("SELECT FROM pg_catalog.pg_database WHERE datname = %s", (dbname,))
        if rows.rowcount:
            steps.append(f"The database {dbname} exists.")
            return False
        rows.execute("SELECT rolsuper OR rolname = %s FROM pg_catalog.pg_roles WHERE rolname = current_user", (role,))
        if rows.fetchone() != (True,):  # who is no superuser must be a member of the role to give it something
            rows.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
        create = sql.SQL("CREATE DATABASE {} OWNER {} ENCODING 'UTF8' TEMPLATE template0")
        rows.execute(create.format(sql.Identifier(dbname), sql.Identifier(role)))
    steps.append(f"The database {dbname} was created, owned by {role}.")
    return True


def _in_database(login: Target, dbname: str) -> Target:
    return Target(make_dsn(**{**login.parts(), "dbname": dbname}), login.password)


def _grant(database: connection, role: str, dbname: str, steps: list[str]) -> None:
    """What the role lacks in an existing database; since PostgreSQL 15 not everybody may create in schema public."""
    with database, database.cursor() as rows:
        rows.execute(
            "SELECT has_schema_privilege(%(role)s, 'public', 'USAGE')"
            " AND has_schema_privilege(%(role)s, 'public', 'CREATE'),"
            " has_database_privilege(%(role)s, current_database(), 'CREATE')",
            {"role": role},
        )
        in_public, in_database = rows.fetchone() or (False, False)
        if not in_public:
            rows.execute(sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {}").format(sql.Identifier(role)))
            steps.append(f"{role} may now create tables in schema public.")
        if not in_database:
            grant = sql.SQL("GRANT CREATE ON DATABASE {} TO {}")
            rows.execute(grant.format(sql.Identifier(dbname), sql.Identifier(role)))
            steps.append(f"{role} may now create the ledger's schema.")
        for name in unwritable(rows, role):
            kind = sql.SQL("SEQUENCE" if name not in WEB_TABLES else "TABLE")
            grant = sql.SQL("GRANT ALL ON {} {} TO {}")
            rows.execute(grant.format(kind, sql.Identifier("public", name), sql.Identifier(role)))
            steps.append(f"{role} may now write into {name}.")


def _make_tables(target: Target, steps: list[str]) -> bool:
    with closing(connect(target)) as own:
        before = survey(own)
        refuse_unusable(before)
        if _is_complete(before):
            schema.check_web_tables(own)
            steps.append("The tables exist.")
            return False
        schema.upgrade(own)
        own.commit()
    steps.append("The tables were created.")
    return True


def _is_complete(state: TargetState) -> bool:
    return state.has_ledger and state.tables.keys() >= set(WEB_TABLES)
