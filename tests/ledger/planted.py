"""A run whose rows are known to the letter, so that a test can say which of them stay."""

from contextlib import closing

from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from tests.core.moving import ask

GRANDPARENT, PARENT, CHILD, ALONE = 901, 902, 903, 905
"""Goals of run 2: the first three hang on each other, ALONE has nobody."""

OF_CHILD, OF_ALONE, FREE = 901, 902, 910
"""Tasks of run 2."""

LOADED = "2026-01-02 03:04:05.678901"


def plant(target: Target) -> int:
    """Load the family and note it as a run of the user that run 1 made; the run's id."""
    first = _newest(target)
    for id_, parent in ((GRANDPARENT, None), (PARENT, GRANDPARENT), (CHILD, PARENT), (ALONE, None)):
        add_goal(target, id_, parent, user=first.user_id, at=LOADED)
    for id_, parent in ((OF_CHILD, CHILD), (OF_ALONE, ALONE), (FREE, None)):
        add_task(target, id_, parent, user=first.user_id, at=LOADED)
    run_id = ask(
        target,
        """
        INSERT INTO bizy_migrate.runs (tool_version, source_path, source_sha256, user_id, user_created, account, choices,
          inserted_goals, inserted_tasks, counts, late_updates, started_at, loaded_at, finished_at, status)
        SELECT tool_version, source_path, 'planted', user_id, false, account, choices, '{[901,904),[905,906)}',
          '{[901,903),[910,911)}', '{"created_tables": [], "created_ledger": false}', '{}', %s, %s, %s, 'migrated'
        FROM bizy_migrate.runs WHERE id = %s RETURNING id
        """,
        (LOADED, LOADED, LOADED, first.id),
    )[0]["id"]
    for table, key in (("tasks", "901"), ("tasks", "910"), ("goals", "902"), ("daily_logs", "901")):
        ask(
            target,
            "INSERT INTO bizy_migrate.preserved VALUES (%s, %s, %s, 'adjusted', '{\"x\": 1}')",
            (run_id, table, key),
        )
    return int(run_id)


def add_goal(target: Target, id_: int, parent: int | None, *, user: int, at: str) -> None:
    ask(
        target,
        "INSERT INTO public.goals (id, parent_goal_id, user_id, title, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s)",
        (id_, parent, user, f"goal {id_}", at, at),
    )


def add_task(target: Target, id_: int, parent: int | None, *, user: int, at: str) -> None:
    ask(
        target,
        "INSERT INTO public.tasks (id, parent_goal_id, user_id, title, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s)",
        (id_, parent, user, f"task {id_}", at, at),
    )


def change(target: Target, table: str, id_: int) -> None:
    """What the web interface does when somebody edits a row."""
    now = "now() AT TIME ZONE 'UTC'"
    ask(target, f"UPDATE public.{table} SET title = 'edited', updated_at = {now} WHERE id = %s", (id_,))


def ids(target: Target, table: str, above: int = 900) -> list[int]:
    rows = ask(target, f"SELECT id FROM public.{table} WHERE id > %s ORDER BY id", (above,))
    return [row["id"] for row in rows]


def _newest(target: Target) -> ledger.Run:
    with closing(connect(target)) as server:
        return ledger.get_run(server, None)
