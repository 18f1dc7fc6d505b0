"""Drives the core as the wizard and the commands do, and looks at both databases by ways of its own."""

import hashlib
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2
import psycopg2.extras

from bizy_migrate_tui.migration.plan.plan import Choices, Plan
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Outcome
from bizy_migrate_tui.migration.session import Session

ZONE = "America/New_York"
Row = dict[str, Any]


def move(source: Path, target: Target, choices: Choices | None = None, *, dry_run: bool = False) -> Outcome:
    """Snapshot, inventory, plan and run, with no backup."""
    choices = choices or Choices(zone=ZONE)
    with Session(source) as session:
        snapshot = session.take_snapshot(backup=False)
        inventory = session.take_inventory(snapshot, choices.zone)
        return session.run(session.make_plan(inventory, target, choices), dry_run=dry_run)


def plan_for(source: Path, target: Target, choices: Choices | None = None) -> Plan:
    """The plan alone."""
    choices = choices or Choices(zone=ZONE)
    with Session(source) as session:
        snapshot = session.take_snapshot(backup=False)
        return session.make_plan(session.take_inventory(snapshot, choices.zone), target, choices)


def source_rows(path: Path, table: str) -> list[Row]:
    """All rows of a table of the SQLite file, as SQLite holds them, in the order of their ids."""
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f'SELECT * FROM "{table}" ORDER BY id')]


def ask(target: Target, statement: str, values: Iterable[object] = ()) -> list[Row]:
    """The rows that a statement returns, over a plain connection that commits."""
    password = target.password.reveal() if target.password else None
    with closing(psycopg2.connect(target.dsn, password=password)) as server:
        server.autocommit = True
        with server.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(statement, tuple(values))
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []


def target_rows(target: Target, table: str) -> list[Row]:
    """All rows of a web table, JSON columns as the text that PostgreSQL keeps."""
    columns = ask(
        target,
        "SELECT column_name AS name, data_type AS type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position",
        (table,),
    )
    named = ", ".join(f'"{c["name"]}"::text' if c["type"] == "json" else f'"{c["name"]}"' for c in columns)
    return ask(target, f"SELECT {named} FROM public.{table} ORDER BY id")


def moment(text: str | None) -> datetime | None:
    """The naive time that bizy wrote."""
    return None if text is None else datetime.fromisoformat(text)


def in_utc(text: str | None, zone: str = ZONE) -> datetime | None:
    """The naive UTC instant of a local time that bizy wrote."""
    local = moment(text)
    return None if local is None else local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


def digest(path: Path) -> str:
    """The file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def everything_in(target: Target) -> list[Row]:
    """Every relation, schema and role that a run could leave behind."""
    return ask(
        target,
        "SELECT 'relation' AS kind, n.nspname || '.' || c.relname AS name FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname NOT LIKE 'pg_%%' AND n.nspname <> 'information_schema'"
        " UNION ALL SELECT 'schema', nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%%'"
        " UNION ALL SELECT 'role', rolname FROM pg_roles ORDER BY 1, 2",
    )
