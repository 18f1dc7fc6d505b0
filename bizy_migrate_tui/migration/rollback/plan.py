"""What a rollback would do, seen beforehand; looks only, so that it can be shown at leisure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.ledger.ledger import ROLLED_BACK, Run
from bizy_migrate_tui.migration.rollback.account import decide_account
from bizy_migrate_tui.migration.rollback.removal import KEPT_SHOWN, KeptRow, Removal, choose


@dataclass(frozen=True, slots=True)
class RollbackPlan:
    """What a rollback removes and keeps.

    `remove` counts tasks, goals, preserved and users; `already_gone` counts tasks and goals that are not there any more (or
    that a later run brought again); `kept` holds at most KEPT_SHOWN rows, `kept_counts` is exact. `drops_tables` says that
    the ledger and `created_tables`, the web tables which runs had made, go too. `removals` has the ids. Where a later run
    stands (`heir`), the originals stay, as that run's: it did not write again what was preserved already. `is_last` where no
    other run stands, so that the web interface has nothing of ours afterwards.
    """

    run: Run
    remove: Mapping[str, int]
    already_gone: Mapping[str, int]
    kept: tuple[KeptRow, ...]
    kept_counts: Mapping[str, int]
    removes_account: bool
    account_reason: str
    drops_tables: bool
    created_tables: tuple[str, ...]
    removals: Mapping[str, Removal]
    is_last: bool
    heir: int | None = None


def plan_rollback(server: PgConnection, run_id: int | None, *, include_changed: bool = False) -> RollbackPlan:
    """Look what a rollback would do; writes nothing. None is the newest run that was not rolled back.

    Raises MigrationError (no-such-run, already-rolled-back) and whatever the server gives cause for.
    """
    try:
        with server.cursor() as rows:
            return make_plan(server, rows, run_id, include_changed=include_changed)
    except psycopg2.Error as error:
        raise explain(error) from None


def make_plan(server: PgConnection, rows: Cursor, run_id: int | None, *, include_changed: bool) -> RollbackPlan:
    """What `plan_rollback` says, inside a transaction of the caller's."""
    runs = ledger.list_runs(server)
    run = ledger.get_run(server, run_id)
    if run.status == ROLLED_BACK and not (run.inserted_tasks or run.inserted_goals):
        raise MigrationError("already-rolled-back", f"Run {run.id} was rolled back already.", "There is nothing to do.")
    tasks, goals = choose(rows, run, include_changed=include_changed)
    removals = {"tasks": tasks, "goals": goals}
    removes, reason = decide_account(rows, run, runs, tasks, goals, include_changed=include_changed)
    remove = {table: one.going_count for table, one in removals.items()}
    heir = min((one.id for one in runs if one.id > run.id and one.status != ROLLED_BACK), default=None)
    remove |= {"preserved": 0 if heir else _count_preserved(rows, run, removals), "users": int(removes)}
    return RollbackPlan(
        run=run,
        remove=remove,
        already_gone={table: one.brought - one.present for table, one in removals.items()},
        kept=(*tasks.rows, *goals.rows)[:KEPT_SHOWN],
        kept_counts={table: one.kept_count for table, one in removals.items()},
        removes_account=removes,
        account_reason=reason,
        drops_tables=_leaves_nothing(rows, run, runs, remove),
        created_tables=tuple(sorted({name for one in runs for name in one.counts.get("created_tables", ())})),
        removals=removals,
        is_last=all(one.id == run.id or one.status == ROLLED_BACK for one in runs),
        heir=heir,
    )


OF_NO_KEPT_ROW: Final = sql.SQL(
    """
run_id = %(run)s AND NOT CASE
  WHEN source_table NOT IN ('tasks', 'goals') OR source_key !~ '^-?[0-9]{1,18}$' THEN false
  WHEN source_table = 'tasks' THEN source_key::bigint <@ %(tasks)s::int8multirange
  ELSE source_key::bigint <@ %(goals)s::int8multirange END
"""
)
"""The preserved originals of a run, without those that belong to rows which stay in the web tables."""


def kept_ids(run: Run, removals: Mapping[str, Removal]) -> dict[str, object]:
    """The run and the ids it keeps, as values for OF_NO_KEPT_ROW."""
    return {"run": run.id, **{table: one.kept for table, one in removals.items()}}


def _count_preserved(rows: Cursor, run: Run, removals: Mapping[str, Removal]) -> int:
    rows.execute(sql.SQL("SELECT count(*) FROM bizy_migrate.preserved WHERE {}").format(OF_NO_KEPT_ROW), kept_ids(run, removals))
    return int((rows.fetchone() or (0,))[0])


def _leaves_nothing(rows: Cursor, run: Run, runs: tuple[Run, ...], remove: Mapping[str, int]) -> bool:
    """Whether we made the ledger, and after the rollback neither it nor the web tables hold anything."""
    if not any(one.counts.get("created_ledger") for one in runs):
        return False
    if any(one.id != run.id and one.status != ROLLED_BACK for one in runs):
        return False
    rows.execute(
        "SELECT (SELECT count(*) FROM public.tasks), (SELECT count(*) FROM public.goals),"
        " (SELECT count(*) FROM bizy_migrate.preserved), (SELECT count(*) FROM public.users)"
    )
    return tuple(rows.fetchone() or ()) == tuple(remove[table] for table in ("tasks", "goals", "preserved", "users"))
