"""Proves a rollback: before COMMIT, that exactly what was planned is gone; after it, that it is committed."""

from collections.abc import Mapping
from contextlib import closing

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import ProofFailed
from bizy_migrate_tui.migration.findings import Check
from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.ledger.ledger import ROLLED_BACK
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.rollback.plan import RollbackPlan


def standing(rows: Cursor, plan: RollbackPlan) -> dict[str, int]:
    """Rows of each table, and how many rows that stay have a parent goal."""
    found = {}
    for table in ("tasks", "goals"):
        rows.execute(
            sql.SQL("SELECT count(*), count(parent_goal_id) FILTER (WHERE NOT id::bigint <@ %s::int8multirange) FROM {}").format(
                sql.Identifier("public", table)
            ),
            (plan.removals[table].going,),
        )
        found[table], found[f"{table} with a goal"] = rows.fetchone() or (0, 0)
    rows.execute("SELECT (SELECT count(*) FROM public.users), (SELECT count(*) FROM bizy_migrate.preserved)")
    found["users"], found["preserved"] = rows.fetchone() or (0, 0)
    return found


def prove(
    plan: RollbackPlan, removed: Mapping[str, int], before: Mapping[str, int], after: Mapping[str, int]
) -> tuple[Check, ...]:
    """What remains is what was there less what was planned, and no row that stays lost its goal. Raises ProofFailed."""
    checks = []
    for name, count in before.items():
        planned = plan.remove.get(name, 0)
        holds = after[name] == count - planned and removed.get(name, planned) == planned
        checks.append(Check(f"{name} that remain", holds, f"{after[name]:,} of {count:,}, {planned:,} removed"))
    if not all(check.passed for check in checks):
        raise ProofFailed(
            "rollback-differs",
            "The rollback would have removed something else than planned; it was undone.",
            "Nothing was changed. Please report it with the log file.",
            (),
            tuple(checks),
        )
    return tuple(checks)


def check_afterwards(target: Target, plan: RollbackPlan) -> tuple[Check, ...]:
    """What only a fresh connection shows: it is committed."""
    with closing(connect(target, readonly=True)) as server:
        try:
            with server.cursor() as rows:
                if plan.drops_tables:
                    return (_tables_are_gone(rows, plan),)
                return (_rows_are_gone(rows, plan), _run_is_noted(server, plan))
        except psycopg2.Error as error:
            raise explain(error) from None


def _tables_are_gone(rows: Cursor, plan: RollbackPlan) -> Check:
    rows.execute(
        "SELECT n.nspname || '.' || c.relname FROM pg_catalog.pg_class c"
        " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'bizy_migrate' OR (n.nspname = 'public' AND c.relname = ANY(%s)) ORDER BY 1",
        (list(plan.created_tables),),
    )
    left = [name for (name,) in rows.fetchall()]
    return Check("the tables that runs had made are gone", not left, ", ".join(left) or "nothing is left of them")


def _rows_are_gone(rows: Cursor, plan: RollbackPlan) -> Check:
    rows.execute(
        "SELECT (SELECT count(*) FROM public.tasks WHERE id::bigint <@ %(tasks)s::int8multirange)"
        " + (SELECT count(*) FROM public.goals WHERE id::bigint <@ %(goals)s::int8multirange)",
        {table: one.going for table, one in plan.removals.items()},
    )
    left = int((rows.fetchone() or (0,))[0])
    return Check("the rows of the run are gone", left == 0, f"{left:,} are left")


def _run_is_noted(server: PgConnection, plan: RollbackPlan) -> Check:
    status = ledger.get_run(server, plan.run.id).status
    return Check("the ledger knows of the rollback", status == ROLLED_BACK, f"run {plan.run.id}: {status}")
