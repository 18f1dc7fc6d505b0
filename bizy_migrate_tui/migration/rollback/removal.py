"""Which rows of a run a rollback takes, and which it keeps and why.

Ids are held as PostgreSQL's int8multirange in text form, so that a million of them are one value.
"""

from dataclasses import dataclass
from typing import Any, Final

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.ledger.ledger import Run
from bizy_migrate_tui.migration.ledger.web_changes import MOVED, values_of

KEPT_SHOWN: Final = 1000
NONE: Final = "{}"

_REASONS: Final = {
    1: "changed on the web on {when} (UTC)",
    2: "it belongs to another user now",
    3: "rows of another table belong to it",
    4: "a task or goal that is not of this run belongs to it",
    5: "a kept row belongs to it",
}
"""Why a row stays, by rank: where there are several reasons the first is given."""


@dataclass(frozen=True, slots=True)
class KeptRow:
    """A row that the rollback leaves in the web table, and why."""

    table: str
    id: int
    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Removal:
    """What happens to one table: `going` and `kept` are ids (int8multirange); counts are exact, `rows` the first kept.

    `present` of the `brought` ids are still there.
    """

    going: str
    kept: str
    brought: int
    present: int
    kept_count: int
    rows: tuple[KeptRow, ...]

    @property
    def going_count(self) -> int:
        """How many rows go."""
        return self.present - self.kept_count


_OWN: Final = sql.SQL(
    """
    SELECT (r.{inserted} - coalesce(newer.ids, '{{}}'))::text,
           (SELECT coalesce(sum(upper(span) - lower(span)), 0)::bigint FROM unnest(r.{inserted}) AS span)
    FROM bizy_migrate.runs r, LATERAL (
      SELECT range_agg(span) AS ids FROM bizy_migrate.runs o, unnest(o.{inserted}) AS span
      WHERE o.id > r.id AND o.status = 'migrated') AS newer
    WHERE r.id = %(run)s
    """
)
"""The ids of a run, without those that a later run brought again: these are the later run's."""

_DIRECT: Final = sql.SQL(
    """
    SELECT id, 1 AS rank FROM {rows}
    WHERE id::bigint <@ %(own)s::int8multirange AND NOT %(include_changed)s AND user_id = %(user)s AND {moved}
    UNION ALL
    SELECT id, 2 FROM {rows} WHERE id::bigint <@ %(own)s::int8multirange AND user_id <> %(user)s
    {references}
    """
)

_HANGING: Final = sql.SQL(
    """
    UNION ALL
    SELECT parent_goal_id, CASE WHEN id::bigint <@ %(own_tasks)s::int8multirange THEN 5 ELSE 4 END FROM public.tasks
    WHERE parent_goal_id IS NOT NULL AND NOT id::bigint <@ %(going_tasks)s::int8multirange
    UNION ALL
    SELECT parent_goal_id, 4 FROM public.goals
    WHERE parent_goal_id IS NOT NULL AND NOT id::bigint <@ %(own)s::int8multirange
    """
)
"""Goals that a staying row names as its goal: without them its parent would be set to NULL."""

_UPWARD: Final = sql.SQL(
    "UNION SELECT g.parent_goal_id FROM up JOIN public.goals g ON g.id = up.id AND g.parent_goal_id IS NOT NULL"
)

_SELECTION: Final = sql.SQL(
    """
    WITH RECURSIVE seeds AS MATERIALIZED ({seeds}),
    up(id) AS (SELECT id FROM seeds {upward}),
    ranked AS (SELECT id, min(rank) AS rank FROM seeds GROUP BY id),
    kept AS MATERIALIZED (
      SELECT r.id, r.title, r.updated_at, coalesce(ranked.rank, 5) AS rank
      FROM {rows} r JOIN up ON up.id = r.id LEFT JOIN ranked ON ranked.id = r.id
      WHERE r.id::bigint <@ %(own)s::int8multirange),
    kept_ids AS MATERIALIZED (SELECT coalesce(range_agg(int8range(id, id, '[]')), '{{}}') AS ids, count(*) AS n FROM kept)
    SELECT (%(own)s::int8multirange - ids)::text, ids::text, n,
           (SELECT count(*) FROM {rows} WHERE id::bigint <@ %(own)s::int8multirange),
           ARRAY(SELECT json_build_array(id, title, rank, to_char(updated_at, 'YYYY-MM-DD HH24:MI')) FROM kept
                 ORDER BY id LIMIT %(shown)s)
    FROM kept_ids
    """
)


def choose(rows: Cursor, run: Run, *, include_changed: bool) -> tuple[Removal, Removal]:
    """What happens to the tasks and to the goals of a run."""
    own_tasks, brought_tasks = _own(rows, run, "tasks")
    values = values_of(run, "tasks") | {"own": own_tasks, "include_changed": include_changed, "shown": KEPT_SHOWN}
    tasks = _select(rows, "tasks", values, brought_tasks)
    own_goals, brought_goals = _own(rows, run, "goals")
    values |= {"own": own_goals, "own_tasks": own_tasks, "going_tasks": tasks.going}
    return tasks, _select(rows, "goals", values, brought_goals)


def _own(rows: Cursor, run: Run, table: str) -> tuple[str, int]:
    rows.execute(_OWN.format(inserted=sql.Identifier(f"inserted_{table}")), {"run": run.id})
    own, brought = rows.fetchone() or (NONE, 0)
    return str(own), int(brought)


def _select(rows: Cursor, table: str, values: dict[str, Any], brought: int) -> Removal:
    is_goals = table == "goals"
    name = sql.Identifier("public", table)
    seeds = _DIRECT.format(
        rows=name,
        moved=MOVED.format(table=sql.Literal(table)),
        references=sql.SQL(" ").join([*_references(rows, table), *([_HANGING] if is_goals else [])]),
    )
    statement = _SELECTION.format(seeds=seeds, rows=name, upward=_UPWARD if is_goals else sql.SQL("UNION SELECT id FROM seeds"))
    # How many rows a multirange holds cannot be estimated, and a nested loop over what was guessed to be one is endless.
    rows.execute("SET LOCAL enable_nestloop = off")
    rows.execute(statement, values)
    going, kept, kept_count, present, shown = rows.fetchone() or (NONE, NONE, 0, 0, [])
    named = (KeptRow(table, id_, title, _REASONS[rank].format(when=when)) for id_, title, rank, when in shown)
    return Removal(going, kept, brought, present, kept_count, tuple(named))


def _references(rows: Cursor, table: str) -> list[sql.Composable]:
    return [
        sql.SQL("UNION ALL SELECT {}, 3 FROM {} WHERE {} IS NOT NULL").format(column, other, column)
        for other, column in referring(rows, table)
    ]


def referring(rows: Cursor, table: str) -> list[tuple[sql.Identifier, sql.Identifier]]:
    """Tables beside the three of the web interface whose rows point at this one, each with its column."""
    rows.execute(
        """
        SELECT n.nspname::text, c.relname::text, a.attname::text
        FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS pair(from_column, to_column)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.from_column
        JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = pair.to_column AND b.attname = 'id'
        WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = format('public.%%I', %s::text)::regclass
          AND NOT (n.nspname = 'public' AND c.relname IN ('users', 'goals', 'tasks'))
        ORDER BY 1, 2, 3
        """,
        (table,),
    )
    return [(sql.Identifier(schema, other), sql.Identifier(column)) for schema, other, column in rows.fetchall()]
