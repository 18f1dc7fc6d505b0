"""Takes a run back: exactly the rows it brought, in one transaction that is proven before COMMIT.

Rows that the web interface changed since stay (unless the user says otherwise), and so does a goal that a staying row
names as its parent: deleting it would set that parent to NULL. Where the run had created the tables and nothing is left in
them, they go too, so that the target is what it was before.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase, PhaseFinished, PhaseStarted, ignore, unheeded
from bizy_migrate_tui.migration.findings import Check
from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.ledger.ledger import HANDED, LOCK_KEY, ROLLED_BACK, Run
from bizy_migrate_tui.migration.postgresql import schema
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.rollback.checks import check_afterwards, prove, standing
from bizy_migrate_tui.migration.rollback.plan import OF_NO_KEPT_ROW, RollbackPlan, kept_ids, make_plan, plan_rollback
from bizy_migrate_tui.migration.rollback.removal import KeptRow
from bizy_migrate_tui.migration.run.commit import commit

__all__ = ("KeptRow", "RollbackOutcome", "RollbackPlan", "plan_rollback", "roll_back")


@dataclass(frozen=True, slots=True)
class RollbackOutcome:
    """What a rollback removed; `checks` are those before COMMIT and those of a fresh connection after it."""

    plan: RollbackPlan
    removed: Mapping[str, int]
    checks: tuple[Check, ...]
    seconds: float


def roll_back(
    target: Target,
    run_id: int | None,
    *,
    include_changed: bool = False,
    on_event: OnEvent = ignore,
    cancel: Cancellation | None = None,
) -> RollbackOutcome:
    """Take a run back, prove it, commit it, and look again over a fresh connection.

    Raises MigrationError, ProofFailed, RunFailed, TargetError and Cancelled; after each of them nothing has changed, but for
    RunFailed "commit-in-doubt", which says so.
    """
    started = time.perf_counter()
    cancel = cancel or Cancellation()
    with closing(connect(target, cancel=cancel)) as server, cancel.interrupting(server.cancel):
        try:
            with server.cursor() as rows:
                with _phase(on_event, Phase.PLAN):
                    _lock(server, rows)
                    plan = make_plan(server, rows, run_id, include_changed=include_changed)
                cancel.check()
                with _phase(on_event, Phase.REMOVE):
                    removed, checks = _remove(server, rows, plan)
            cancel.check()
            began = time.perf_counter()
            on_event(PhaseStarted(Phase.COMMIT))
        except MigrationError:
            raise
        except Exception as error:
            cancel.check()
            raise explain(error) from error
        commit(server, target, lambda again: _is_noted(ledger.list_runs(again), plan))
        on_event = unheeded(on_event)
        on_event(PhaseFinished(Phase.COMMIT, time.perf_counter() - began))
    with _phase(on_event, Phase.CHECKS):
        checks += _look_again(target, plan)
    return RollbackOutcome(plan, removed, checks, time.perf_counter() - started)


def _look_again(target: Target, plan: RollbackPlan) -> tuple[Check, ...]:
    """The checks of a fresh connection. The rollback is committed: no error undoes that."""
    try:
        return check_afterwards(target, plan)
    except Exception as error:
        detail = f"everything is committed, but: {explain(error).cause}"
        return (Check("a new connection sees the rollback", passed=False, detail=detail),)


@contextmanager
def _phase(on_event: OnEvent, phase: Phase) -> Iterator[None]:
    started = time.perf_counter()
    on_event(PhaseStarted(phase))
    yield
    on_event(PhaseFinished(phase, time.perf_counter() - started))


def _lock(server: PgConnection, rows: Cursor) -> None:
    """Keep other runs and the web interface from writing until the end."""
    rows.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK_KEY,))
    present = [table for table in ("users", "goals", "tasks") if table in schema.web_tables_present(server)]
    if present:
        names = sql.SQL(", ").join(sql.Identifier("public", table) for table in present)
        rows.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(names))


def _remove(server: PgConnection, rows: Cursor, plan: RollbackPlan) -> tuple[dict[str, int], tuple[Check, ...]]:
    before = standing(rows, plan)
    removed = {"preserved": _remove_preserved(rows, plan)}
    for table in ("tasks", "goals"):  # tasks first: a goal's deletion looks for tasks to set free
        rows.execute(
            sql.SQL("DELETE FROM {} WHERE id::bigint <@ %s::int8multirange AND user_id = %s").format(
                sql.Identifier("public", table)
            ),
            (plan.removals[table].going, plan.run.user_id),
        )
        removed[table] = rows.rowcount
    removed["users"] = 0
    if plan.removes_account:
        rows.execute("DELETE FROM public.users WHERE id = %s", (plan.run.user_id,))
        removed["users"] = rows.rowcount
    _note(rows, plan, removed)
    checks = prove(plan, removed, before, standing(rows, plan))
    if plan.drops_tables:
        schema.downgrade(server)
    return removed, checks


def _remove_preserved(rows: Cursor, plan: RollbackPlan) -> int:
    if plan.heir is not None:
        handed = sql.SQL(
            "UPDATE bizy_migrate.preserved SET run_id = %(heir)s, reason = CASE WHEN starts_with(reason, %(handed)s)"
            " THEN reason ELSE %(handed)s || %(run)s || ': ' || reason END WHERE {}"
        )
        rows.execute(handed.format(OF_NO_KEPT_ROW), kept_ids(plan.run, plan.removals) | {"heir": plan.heir, "handed": HANDED})
        return 0
    rows.execute(sql.SQL("DELETE FROM bizy_migrate.preserved WHERE {}").format(OF_NO_KEPT_ROW), kept_ids(plan.run, plan.removals))
    return rows.rowcount


def _note(rows: Cursor, plan: RollbackPlan, removed: Mapping[str, int]) -> None:
    """Let the ledger say what was done; the run's ids are from now on those that were kept."""
    done = {"removed": removed, "kept": plan.kept_counts, "already_gone": plan.already_gone}
    rows.execute(
        "UPDATE bizy_migrate.runs SET status = %(status)s, inserted_tasks = %(tasks)s::int8multirange,"
        " inserted_goals = %(goals)s::int8multirange, counts = counts || jsonb_build_object('rolled_back',"
        " %(done)s::jsonb || jsonb_build_object('at', (now() AT TIME ZONE 'UTC')::text)) WHERE id = %(run)s",
        {"status": ROLLED_BACK, "done": json.dumps(done), **kept_ids(plan.run, plan.removals)},
    )


def _is_noted(runs: tuple[Run, ...], plan: RollbackPlan) -> bool:
    """Whether the ledger says (or, gone with its tables, shows) that the rollback was done."""
    if plan.drops_tables:
        return not runs
    note = next((run.counts.get("rolled_back") for run in runs if run.id == plan.run.id), None)
    return note is not None and note != plan.run.counts.get("rolled_back")
