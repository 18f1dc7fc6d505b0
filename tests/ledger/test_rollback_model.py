"""Rolls back random families of goals and tasks, and compares with what a few lines of Python say should stay."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import sql
from psycopg2.extensions import connection
from psycopg2.extras import execute_values

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.postgresql import schema
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.rollback.rollback import roll_back
from tests.conftest import fresh_database
from tests.core.moving import ask, target_rows

LOADED = "2026-01-02 03:04:05.678901"
LATER = "2026-01-02 03:04:05.678902"
NOTED = "2026-01-02 08:00:00"
EARLIER = "2025-12-31 00:00:00"
GOALS, TASKS = range(1, 13), range(1, 16)
ME, OTHER = 1, 2

by_run = st.sampled_from(["first", "first", "first", "second", "both", "web"])
updated = st.sampled_from([LOADED, LOADED, LOADED, EARLIER, LATER, NOTED])


@dataclass(frozen=True)
class Made:
    """A row: who brought it, whose it is, what it hangs on (0: nothing), when it changed, whether it is still there."""

    by: str
    user: int
    parent: int
    updated_at: str
    noted: bool
    there: bool


def made(parents: range) -> st.SearchStrategy[Made]:
    return st.builds(
        Made,
        by=by_run,
        user=st.sampled_from([ME, ME, ME, ME, ME, OTHER]),
        parent=st.integers(0, parents.stop - 1),
        updated_at=updated,
        noted=st.booleans(),
        there=st.sampled_from([True, True, True, True, False]),
    )


families = st.tuples(
    st.lists(made(GOALS), min_size=len(GOALS), max_size=len(GOALS)),
    st.lists(made(GOALS), min_size=len(TASKS), max_size=len(TASKS)),
)


@pytest.fixture(scope="module")
def emptied(server: EmbeddedServer) -> Iterator[Target]:
    """A database with all tables, which every example fills anew."""
    with fresh_database(server) as target:
        with closing(connect(target)) as opened:
            schema.upgrade(opened)
            opened.commit()
        yield target


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(family=families, include_changed=st.booleans())
def test_exactly_the_rows_of_the_run_go_and_all_that_stays_is_as_before(
    emptied: Target, family: tuple[list[Made], list[Made]], include_changed: bool
) -> None:
    goals = dict(zip(GOALS, family[0], strict=True))
    tasks = dict(zip(TASKS, family[1], strict=True))
    fill(emptied, goals, tasks)
    before = {table: target_rows(emptied, table) for table in ("goals", "tasks", "users")}
    going = {"tasks": going_tasks(tasks, include_changed)}
    going["goals"] = going_goals(goals, tasks, going["tasks"], include_changed)

    outcome = roll_back(emptied, 1, include_changed=include_changed)

    assert {name: outcome.removed[name] for name in going} == {name: len(ids) for name, ids in going.items()}
    for table, rows in before.items():
        assert target_rows(emptied, table) == [row for row in rows if row["id"] not in going.get(table, ())]
    assert outcome.plan.kept_counts == {
        "tasks": len(present(tasks)) - len(going["tasks"]),
        "goals": len(present(goals)) - len(going["goals"]),
    }


def present(rows: dict[int, Made]) -> set[int]:
    """The rows that are the first run's to take, if nothing speaks against it: a later run's are that run's."""
    return {id_ for id_, row in rows.items() if row.there and row.by == "first"}


def is_changed(row: Made, *, notes: bool) -> bool:
    was_so = notes and row.noted and row.updated_at == NOTED
    return row.updated_at > LOADED and not was_so


def going_tasks(tasks: dict[int, Made], include_changed: bool) -> set[int]:
    return {
        id_ for id_ in present(tasks) if tasks[id_].user == ME and (include_changed or not is_changed(tasks[id_], notes=False))
    }


def going_goals(goals: dict[int, Made], tasks: dict[int, Made], gone: set[int], include_changed: bool) -> set[int]:
    """The largest set whose members nobody who stays hangs on."""
    going = {
        id_ for id_ in present(goals) if goals[id_].user == ME and (include_changed or not is_changed(goals[id_], notes=True))
    }
    needed_by_tasks = {parent_of(task, goals) for id_, task in tasks.items() if task.there and id_ not in gone}
    while True:
        needed = {parent_of(goal, goals) for id_, goal in goals.items() if goal.there and id_ not in going}
        less = going - needed - needed_by_tasks
        if less == going:
            return going
        going = less


def parent_of(row: Made, goals: dict[int, Made]) -> int | None:
    return row.parent if row.parent and goals[row.parent].there else None


def fill(target: Target, goals: dict[int, Made], tasks: dict[int, Made]) -> None:
    ask(target, "TRUNCATE public.users, public.goals, public.tasks, bizy_migrate.runs, bizy_migrate.preserved RESTART IDENTITY")
    with closing(connect(target)) as server:
        with server.cursor() as rows:
            users = [(id_, f"{id_}@bizy.local", str(id_), "x", LOADED, LOADED) for id_ in (ME, OTHER)]
            execute_values(
                rows, "INSERT INTO public.users (id, email, username, hashed_password, created_at, updated_at) VALUES %s", users
            )
            for table, made_rows in (("goals", goals), ("tasks", tasks)):
                values = [
                    (id_, row.user, parent_of(row, goals), f"{table} {id_}", LOADED, row.updated_at)
                    for id_, row in made_rows.items()
                    if row.there
                ]
                statement = sql.SQL(
                    "INSERT INTO {} (id, user_id, parent_goal_id, title, created_at, updated_at) VALUES %s"
                ).format(sql.Identifier("public", table))
                if values:
                    execute_values(rows, statement, values)
        note(server, goals, tasks, ("first", "both"))
        note(server, goals, tasks, ("second", "both"))
        server.commit()


def note(server: connection, goals: dict[int, Made], tasks: dict[int, Made], brought_by: tuple[str, str]) -> None:
    with server.cursor() as rows:
        rows.execute(
            """
            INSERT INTO bizy_migrate.runs (tool_version, source_path, source_sha256, user_id, user_created, account, choices,
              inserted_goals, inserted_tasks, counts, late_updates, started_at, loaded_at, finished_at, status)
            VALUES ('1', 'tasks.db', 'x', %(user)s, false, '{}', '{}', %(goals)s, %(tasks)s, '{}',
              jsonb_build_object('goals', %(late)s::jsonb), %(at)s, %(at)s, %(at)s, 'migrated')
            """,
            {
                "user": ME,
                "goals": brought(goals, brought_by),
                "tasks": brought(tasks, brought_by),
                "late": "{" + ",".join(f'"{id_}": "{NOTED}"' for id_, goal in goals.items() if goal.noted) + "}",
                "at": LOADED,
            },
        )


def brought(rows: dict[int, Made], by: tuple[str, str]) -> str:
    return ledger.multirange(tuple((id_, id_) for id_, row in rows.items() if row.by in by))
