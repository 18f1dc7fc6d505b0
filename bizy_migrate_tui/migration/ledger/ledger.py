"""The ledger: one row a run in `bizy_migrate.runs`, which knows every id the run brought."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection

from bizy_migrate_tui.migration.advice.advice import error_for, explain
from bizy_migrate_tui.migration.errors import MigrationError

LOCK_KEY = 0x62697A79
"""The advisory lock under which runs and rollbacks of one database follow each other ("bizy" in ASCII)."""

HANDED = "of run "
"""Begins the reason of originals that a rollback handed to a later run."""

MIGRATED, ROLLED_BACK = "migrated", "rolled-back"

Ranges = tuple[tuple[int, int], ...]
"""Ids as ranges, both ends included."""


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is about to be noted; times are naive UTC, `loaded_at` is the value given to tasks.updated_at.

    `late_updates` are rows whose updated_at lay after loaded_at from the start: {"goals": {id: time}}.
    """

    tool_version: str
    source_path: str
    source_sha256: str
    backup_path: str | None
    user_id: int
    user_created: bool
    choices: Mapping[str, Any]
    inserted_goals: Ranges
    inserted_tasks: Ranges
    counts: Mapping[str, Any]
    started_at: datetime
    finished_at: datetime | None
    status: str
    account: Mapping[str, str | None]
    late_updates: Mapping[str, Mapping[str, str]]
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class Run(NewRun):
    """A run as the ledger has it."""

    id: int

    def inserted(self, table: str) -> Ranges:
        """The ids that the run brought into goals or tasks."""
        return self.inserted_tasks if table == "tasks" else self.inserted_goals

    def brought(self, table: str) -> int:
        """How many they are."""
        return sum(last - first + 1 for first, last in self.inserted(table))


@dataclass(frozen=True, slots=True)
class PreservedRow:
    """Something of the source that has no place in the web tables."""

    run_id: int
    source_table: str
    source_key: str
    reason: str
    original: Mapping[str, Any]


_COLUMNS = tuple(field.name for field in fields(NewRun))
_MULTIRANGES = ("inserted_goals", "inserted_tasks")
_JSON = ("choices", "counts", "account", "late_updates")


def multirange(ranges: Ranges) -> str:
    """The ranges as PostgreSQL writes an int8multirange."""
    return "{" + ",".join(f"[{first},{last}]" for first, last in ranges) + "}"


def record(server: PgConnection, run: NewRun) -> int:
    """Note a run, inside the caller's transaction; its id."""
    values = asdict(run)
    for name in _MULTIRANGES:
        values[name] = multirange(values[name])
    for name in _JSON:
        values[name] = json.dumps(values[name])
    statement = sql.SQL("INSERT INTO bizy_migrate.runs ({}) VALUES ({}) RETURNING id").format(
        sql.SQL(", ").join(map(sql.Identifier, _COLUMNS)), sql.SQL(", ").join(map(sql.Placeholder, _COLUMNS))
    )
    with server.cursor() as rows:
        rows.execute(statement, values)
        (id_,) = rows.fetchone() or (0,)
    return int(id_)


def await_others(server: PgConnection) -> None:
    """Wait until no run or rollback is under way: a COMMIT whose connection was lost may still be carried out.

    Raises psycopg2.Error where that takes longer than the session waits for locks, and TargetError on a replica, which may
    not know of it yet.
    """
    with server.cursor() as rows:
        rows.execute("SELECT pg_is_in_recovery()")
        if rows.fetchone() == (True,):
            raise error_for("read-only-replica")
        rows.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))


def list_runs(server: PgConnection) -> tuple[Run, ...]:
    """All runs, the newest first; none where there is no ledger. Raises MigrationError."""
    try:
        with server.cursor() as rows:
            rows.execute("SELECT to_regclass('bizy_migrate.runs') IS NOT NULL")
            if not (rows.fetchone() or (False,))[0]:
                return ()
        return _runs(server, sql.SQL("ORDER BY id DESC"))
    except psycopg2.Error as error:
        raise explain(error) from error


def get_run(server: PgConnection, run_id: int | None) -> Run:
    """The run with that id; None is the newest that was not rolled back. Raises MigrationError (no-such-run)."""
    runs = list_runs(server)
    for run in runs:
        if run.id == run_id or (run_id is None and run.status == MIGRATED):
            return run
    known = ", ".join(str(run.id) for run in runs)
    if not runs:
        cause = "The ledger knows of no run: nothing here was brought by one."
    elif run_id is None:
        cause = f"Every run that the ledger knows of was rolled back ({known})."
    else:
        cause = f"The ledger has no run {run_id} (known runs: {known})."
    raise MigrationError("no-such-run", cause, "See them all with `bizy-migrate-tui runs`.")


def find_run(server: PgConnection, source_sha256: str, loaded_at: datetime) -> Run | None:
    """The run that loaded that source at that very time, if it was committed."""
    return next((run for run in list_runs(server) if run.source_sha256 == source_sha256 and run.loaded_at == loaded_at), None)


def get_own(server: PgConnection, run_id: int | None) -> tuple[Run, ...]:
    """The run, or (None) all that were not rolled back, the newest first, each without ids that a later one brought again.

    Raises MigrationError (no-such-run).
    """
    named = get_run(server, run_id)
    try:
        if run_id is not None:
            return _runs(server, sql.SQL("WHERE id = {}").format(sql.Literal(named.id)), of_column=_read_own)
        return _runs(server, sql.SQL("WHERE status = {} ORDER BY id DESC").format(sql.Literal(MIGRATED)), of_column=_read_own)
    except psycopg2.Error as error:
        raise explain(error) from error


def _runs(
    server: PgConnection, rest: sql.Composable, of_column: Callable[[str], sql.Composable] = sql.Identifier
) -> tuple[Run, ...]:
    columns = [_read(name, of_column(name)) for name in ("id", *_COLUMNS)]
    statement = sql.SQL("SELECT {} FROM bizy_migrate.runs {}").format(sql.SQL(", ").join(columns), rest)
    with server.cursor() as rows:
        rows.execute(statement)
        return tuple(_run(dict(zip(("id", *_COLUMNS), row, strict=True))) for row in rows.fetchall())


def _read(name: str, column: sql.Composable) -> sql.Composable:
    if name in _MULTIRANGES:
        one = "(SELECT coalesce(json_agg(json_build_array(lower(r), upper(r) - 1) ORDER BY r), '[]') FROM unnest({}) r)"
        return sql.SQL(one).format(column)
    return column


def _read_own(name: str) -> sql.Composable:
    if name not in _MULTIRANGES:
        return sql.Identifier(name)
    again = (
        "{ids} - coalesce((SELECT range_agg(span) FROM bizy_migrate.runs later, unnest(later.{ids}) span"
        " WHERE later.id > runs.id AND later.status = {migrated}), '{{}}')"
    )
    return sql.SQL(again).format(ids=sql.Identifier(name), migrated=sql.Literal(MIGRATED))


def _run(values: dict[str, Any]) -> Run:
    for name in _MULTIRANGES:
        values[name] = tuple((first, last) for first, last in values[name])
    return Run(**values)


def preserved_rows(server: PgConnection, *, table: str | None = None, run_id: int | None = None) -> Iterator[PreservedRow]:
    """What is preserved, in the order of tables and keys, a few at a time from the server; of a table or of a run."""
    with server.cursor(name="preserved_rows") as rows:
        rows.execute(
            "SELECT run_id, source_table, source_key, reason, original FROM bizy_migrate.preserved"
            " WHERE (%(table)s IS NULL OR source_table = %(table)s) AND (%(run)s IS NULL OR run_id = %(run)s)"
            " ORDER BY source_table, length(source_key), source_key, run_id",
            {"table": table, "run": run_id},
        )
        for row in rows:
            yield PreservedRow(*row)


def keys_preserved(server: PgConnection, run_id: int, table: str, reason: str) -> list[tuple[str]]:
    """The source's keys of what a run preserved of a table for that reason."""
    with server.cursor() as rows:
        rows.execute(
            "SELECT source_key FROM bizy_migrate.preserved WHERE run_id = %s AND source_table = %s AND reason = %s",
            (run_id, table, reason),
        )
        return rows.fetchall()


def count_preserved(server: PgConnection, run_id: int) -> int:
    """How many originals a run preserved itself."""
    with server.cursor() as rows:
        rows.execute(
            "SELECT count(*) FROM bizy_migrate.preserved WHERE run_id = %s AND NOT starts_with(reason, %s)", (run_id, HANDED)
        )
        return int((rows.fetchone() or (0,))[0])
