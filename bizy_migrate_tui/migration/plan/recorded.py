"""What a run notes in the ledger, and how a later verification understands the source by it."""

from collections.abc import Mapping
from datetime import datetime

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui import __version__
from bizy_migrate_tui.migration.findings import Choice
from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.load.load import Loaded
from bizy_migrate_tui.migration.plan.plan import Choices, Plan
from bizy_migrate_tui.migration.postgresql import accounts
from bizy_migrate_tui.migration.postgresql.accounts import Account
from bizy_migrate_tui.migration.source.reading import Reading


def new_run(
    rows: Cursor,
    plan: Plan,
    user: Account,
    loaded: Mapping[str, Loaded],
    created: Mapping[str, object],
    loaded_at: datetime,
) -> ledger.NewRun:
    """The ledger's row for a run that is about to be proven."""
    snapshot, choices = plan.inventory.snapshot, plan.choices
    ranges = {table: tuple(loaded[table].ranges) if table in loaded else () for table in ("goals", "tasks")}
    rows.execute("SELECT clock_timestamp() AT TIME ZONE 'UTC'")
    finished_at: datetime = (rows.fetchone() or (loaded_at,))[0]
    return ledger.NewRun(
        tool_version=__version__,
        source_path=str(snapshot.source),
        source_sha256=snapshot.sha256,
        backup_path=str(snapshot.path) if snapshot.is_backup else None,
        user_id=user.id,
        user_created=user.created,
        choices={
            "timezone": choices.zone,
            "created_at_utc_until": choices.created_at_utc_until,
            "taken_at": snapshot.taken_at.replace(tzinfo=None).isoformat(" "),
            "on": {code: choice.value for code, choice in choices.on.items()},
        },
        inserted_goals=ranges["goals"],
        inserted_tasks=ranges["tasks"],
        counts={**created, **{name: {"source": t.source, "inserted": t.inserted, "unchanged": t.unchanged,
                "adjusted": t.adjusted, "skipped": t.skipped, "kept": t.kept} for name, t in plan.tables.items()},
                "preserved": dict(plan.preserved)},
        started_at=loaded_at,
        finished_at=finished_at,
        status="migrated",
        account=accounts.account_fingerprint(rows.connection, user.id),
        late_updates={"goals": _late_updates(rows, user.id, ranges["goals"], loaded_at)},
        loaded_at=loaded_at,
    )  # fmt: skip


def _late_updates(rows: Cursor, user_id: int, ranges: tuple[tuple[int, int], ...], loaded_at: datetime) -> dict[str, str]:
    """Goals whose updated_at lies after the load from the start (local time east of Greenwich), with that time."""
    if not ranges:
        return {}
    rows.execute(
        sql.SQL("SELECT id, updated_at::text FROM public.goals WHERE user_id = %s AND updated_at > %s"), (user_id, loaded_at)
    )
    return {str(id_): updated for id_, updated in rows.fetchall() if any(low <= id_ <= high for low, high in ranges)}


def choices_of(run: ledger.Run) -> Choices:
    """The choices under which a run read its source."""
    noted = run.choices
    return Choices(
        zone=noted["timezone"],
        created_at_utc_until=noted["created_at_utc_until"],
        email=run.account.get("email") or "",
        username=run.account.get("username") or "",
        on={code: Choice(choice) for code, choice in noted["on"].items()},
    )


def taken_at_of(run: ledger.Run) -> datetime:
    """When the run's snapshot was taken (naive UTC)."""
    return datetime.fromisoformat(run.choices["taken_at"])


def reading_of(run: ledger.Run) -> Reading:
    """How the run read its source."""
    return choices_of(run).reading(taken_at_of(run), run.loaded_at)
