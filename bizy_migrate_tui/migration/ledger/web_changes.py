"""What the web interface has done to the rows of a run since: told from `updated_at`, which every change through it sets."""

import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.findings import IDS_SHOWN
from bizy_migrate_tui.migration.ledger.ledger import Run, multirange

TABLES: Final = ("goals", "tasks")

MOVED: Final = sql.SQL(
    "(updated_at > %(loaded_at)s AND updated_at::text IS DISTINCT FROM (%(late)s::jsonb -> {table} ->> id::text))"
)
"""Whether a row of {table} was changed since the load; rows that came with a later time are noted in `late_updates`."""

PLAUSIBLE: Final = sql.SQL("updated_at <= now() AT TIME ZONE 'UTC' + interval '5 minutes'")
"""The back end's clock may be ahead of the server's by so much; a time beyond that was not written by a change."""


@dataclass(frozen=True, slots=True)
class WebChanges:
    """What changed since a run, for each of goals and tasks.

    `changed` and `missing` hold the first IDS_SHOWN ids, `changed_counts` and `missing_counts` the exact numbers; `added`
    counts the rows of the run's user that the web interface made since.
    """

    changed: Mapping[str, tuple[int, ...]]
    added: Mapping[str, int]
    missing: Mapping[str, tuple[int, ...]]
    changed_counts: Mapping[str, int]
    missing_counts: Mapping[str, int]

    @property
    def words(self) -> str:
        """All of it in one line."""
        kinds = ((self.changed_counts, "changed"), (self.added, "added"), (self.missing_counts, "gone"))
        return ", ".join(f"{table}: {n:,} {what}" for counts, what in kinds for table, n in counts.items() if n) or "none"


def together(runs: Sequence[WebChanges]) -> WebChanges:
    """The changes since several runs: each row is of one of them; what was added since the first was added by nobody's run."""

    def ids(found: Iterable[Mapping[str, tuple[int, ...]]]) -> dict[str, tuple[int, ...]]:
        each = list(found)
        return {table: tuple(sorted(id_ for one in each for id_ in one[table]))[:IDS_SHOWN] for table in TABLES}

    def counts(found: Iterable[Mapping[str, int]]) -> dict[str, int]:
        each = list(found)
        return {table: sum(one[table] for one in each) for table in TABLES}

    return WebChanges(
        changed=ids(one.changed for one in runs),
        added={table: max(one.added[table] for one in runs) for table in TABLES},
        missing=ids(one.missing for one in runs),
        changed_counts=counts(one.changed_counts for one in runs),
        missing_counts=counts(one.missing_counts for one in runs),
    )


def changed_since(server: PgConnection, run: Run) -> WebChanges:
    """Compare what the run brought with what is there. Raises MigrationError."""
    try:
        changed, missing, added = {}, {}, {}
        for table in TABLES:
            there, moved = _count(server, run, table)
            changed[table] = _ids(server, _CHANGED, run, table) if moved else ((), 0)
            missing[table] = _ids(server, _MISSING, run, table) if there < run.brought(table) else ((), 0)
            added[table] = _ids(server, _ADDED, run, table)[1]
    except psycopg2.Error as error:
        raise explain(error) from None
    return WebChanges(
        changed={table: ids for table, (ids, _) in changed.items()},
        added=added,
        missing={table: ids for table, (ids, _) in missing.items()},
        changed_counts={table: count for table, (_, count) in changed.items()},
        missing_counts={table: count for table, (_, count) in missing.items()},
    )


_COUNT: Final = sql.SQL(
    "SELECT count(*), count(*) FILTER (WHERE {moved} AND {plausible}) FROM {rows}"
    " WHERE id::bigint <@ %(own)s::int8multirange AND user_id = %(user)s"
)
"""Most often nothing is missing and nothing has changed; this says so in one quick look."""

_CHANGED: Final = sql.SQL(
    "SELECT id FROM {rows} WHERE id::bigint <@ %(own)s::int8multirange AND user_id = %(user)s AND {moved} AND {plausible}"
)

_MISSING: Final = sql.SQL(
    """
    SELECT generate_series(lower(gap), upper(gap) - 1) AS id FROM unnest(%(own)s::int8multirange - coalesce((
      SELECT range_agg(int8range(id, id, '[]')) FROM {rows}
      WHERE id::bigint <@ %(own)s::int8multirange AND user_id = %(user)s), '{{}}')) AS gap
    """
)

_ADDED: Final = sql.SQL(
    """
    SELECT id FROM {rows} WHERE user_id = %(user)s AND created_at > %(loaded_at)s AND NOT id::bigint <@ coalesce((
      SELECT range_agg(brought) FROM bizy_migrate.runs, unnest({inserted}) AS brought WHERE status = 'migrated'), '{{}}')
    """
)


def gone_ids(server: PgConnection, run: Run, table: str) -> Generator[tuple[int], None, None]:
    """The ids that the run brought and that nobody's row has now (a server-side cursor)."""
    if _count(server, run, table)[0] == run.brought(table):
        return
    with server.cursor(name="gone_ids") as rows:
        rows.itersize = 50_000
        rows.execute(_gone(table), values_of(run, table))
        yield from rows


def ids_let_go(server: PgConnection, run: Run, table: str, reason: str) -> set[int]:
    """The ids that the run brought, that are gone, and whose rows a standing run has preserved for that reason instead."""
    query = sql.SQL(
        "SELECT source_key FROM bizy_migrate.preserved JOIN bizy_migrate.runs ON id = run_id WHERE status = 'migrated'"
        " AND source_table = {table} AND reason = %(reason)s AND source_key IN (SELECT id::text FROM ({gone}) AS gone)"
    ).format(table=sql.Literal(table), gone=_gone(table))
    with server.cursor() as rows:
        rows.execute(query, values_of(run, table) | {"reason": reason})
        return {int(key) for (key,) in rows.fetchall()}


def changed_ids(server: PgConnection, run: Run, table: str) -> Generator[tuple[int], None, None]:
    """All ids of a table that `changed` counts, however many (a server-side cursor)."""
    with server.cursor(name="changed_ids") as rows:
        rows.itersize = 50_000
        rows.execute(_about(_CHANGED, table), values_of(run, table))
        yield from rows


def ids_moved(rows: Cursor, run: Run, table: str, ids: Iterable[int]) -> set[int]:
    """Those of the ids whose rows were changed since the run."""
    query = sql.SQL("SELECT id FROM {rows} WHERE id = ANY(%(ids)s) AND {moved}").format(
        rows=sql.Identifier("public", table), moved=MOVED.format(table=sql.Literal(table))
    )
    rows.execute(query, values_of(run, table) | {"ids": list(ids)})
    return {id_ for (id_,) in rows.fetchall()}


def _about(query: sql.SQL, table: str) -> sql.Composed:
    return query.format(
        rows=sql.Identifier("public", table),
        moved=MOVED.format(table=sql.Literal(table)),
        plausible=PLAUSIBLE,
        inserted=sql.Identifier(f"inserted_{table}"),
    )


def _gone(table: str) -> sql.Composed:
    """Missing, and no row of somebody else's has the id."""
    return sql.SQL(
        "SELECT id FROM ({missing}) AS missing WHERE NOT EXISTS (SELECT FROM {rows} AS o WHERE o.id = missing.id)"
    ).format(missing=_about(_MISSING, table), rows=sql.Identifier("public", table))


def _count(server: PgConnection, run: Run, table: str) -> tuple[int, int]:
    """How many of the run's rows are there, and how many of these have changed."""
    with server.cursor() as rows:
        rows.execute(_about(_COUNT, table), values_of(run, table))
        there, moved = rows.fetchone() or (0, 0)
    return int(there), int(moved)


def _ids(server: PgConnection, query: sql.SQL, run: Run, table: str) -> tuple[tuple[int, ...], int]:
    """The first ids that a query gives, and how many there are."""
    found = _about(query, table)
    statement = sql.SQL(
        "WITH found AS MATERIALIZED ({}) SELECT (SELECT count(*) FROM found),"
        " ARRAY(SELECT id FROM found ORDER BY id LIMIT %(shown)s)"
    ).format(found)
    with server.cursor() as rows:
        rows.execute(statement, values_of(run, table) | {"shown": IDS_SHOWN})
        count, ids = rows.fetchone() or (0, [])
    return tuple(ids), int(count)


def values_of(run: Run, table: str) -> dict[str, Any]:
    """What the queries about a run's rows of one table need to know."""
    return {
        "user": run.user_id,
        "own": multirange(run.inserted(table)),
        "loaded_at": run.loaded_at,
        "late": json.dumps(run.late_updates),
    }
