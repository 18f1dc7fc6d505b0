"""Whether a rollback takes the account too: where a run of ours made it, nobody uses it, and nothing else is its."""

from typing import Final

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.ledger.ledger import MIGRATED, Run
from bizy_migrate_tui.migration.postgresql.accounts import account_fingerprint
from bizy_migrate_tui.migration.rollback.removal import Removal, referring

_OF_A_LOGIN: Final = frozenset({"updated_at", "last_login_at", "email_verified_at", "is_verified"})
"""Columns that logging in or confirming the address changes: whoever tried the account out has not made it theirs."""

_WORDS: Final = {"hashed_password": "password", "email": "e-mail address", "username": "user name", "full_name": "name"}


def decide_account(
    rows: Cursor, run: Run, runs: tuple[Run, ...], tasks: Removal, goals: Removal, *, include_changed: bool
) -> tuple[bool, str]:
    """Whether the account of the run goes, and the reason as a sentence."""
    maker = next((one for one in runs if one.user_id == run.user_id and one.user_created), None)
    if maker is None:
        return False, "The account stays: it was there before the run."
    found = account_fingerprint(rows.connection, run.user_id)
    if "id" not in found:
        return False, "The account is gone already."
    if "email" not in maker.account:
        return False, "The account stays: the ledger does not say what it was like."
    other = next((one for one in runs if one.id != run.id and one.user_id == run.user_id and one.status == MIGRATED), None)
    if other is not None:
        return False, f"The account stays: it owns the rows of run {other.id}."
    changed = [n for n, value in maker.account.items() if n not in _OF_A_LOGIN and found.get(n) != value]
    if changed and not include_changed:
        named = ", ".join(_WORDS.get(name, name) for name in changed)
        return False, f"The account stays: somebody uses it ({named} changed since the run)."
    owner = _still_owns(rows, run, tasks, goals)
    if owner:
        return False, f"The account stays: {owner}."
    return True, "The account goes: the run made it, and it owns nothing else."


def _still_owns(rows: Cursor, run: Run, tasks: Removal, goals: Removal) -> str:
    """What would be without its user, or be deleted with it."""
    values = {"user": run.user_id, "tasks": tasks.going, "goals": goals.going}
    rows.execute(
        "SELECT (SELECT count(*) FROM public.tasks"
        "         WHERE user_id = %(user)s AND NOT id::bigint <@ %(tasks)s::int8multirange),"
        "       (SELECT count(*) FROM public.goals"
        "         WHERE user_id = %(user)s AND NOT id::bigint <@ %(goals)s::int8multirange)",
        values,
    )
    left_tasks, left_goals = rows.fetchone() or (0, 0)
    if left_tasks or left_goals:
        return f"it still owns other rows (tasks: {left_tasks:,}, goals: {left_goals:,})"
    for table, column in referring(rows, "users"):
        rows.execute(sql.SQL("SELECT FROM {} WHERE {} = %(user)s LIMIT 1").format(table, column), values)
        if rows.rowcount:
            return f"rows of {'.'.join(table.strings)} belong to it"
    return ""
