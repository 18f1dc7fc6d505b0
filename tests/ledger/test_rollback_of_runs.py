"""Rollbacks of runs that the program itself made, one after the other and into tables that were there before."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection

from bizy_migrate_tui.migration.errors import RunFailed, TargetError
from bizy_migrate_tui.migration.events import Event, Phase, PhaseStarted
from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.postgresql import accounts, schema
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.rollback import rollback
from bizy_migrate_tui.migration.rollback.rollback import roll_back
from bizy_migrate_tui.migration.run import commit
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.migration.verification.verification import verify
from tests.core.moving import ask, everything_in, move, plan_for, target_rows

TABLES = ("users", "goals", "tasks")


def rows_of(target: Target) -> dict[str, list[dict[str, object]]]:
    return {table: target_rows(target, table) for table in TABLES}


def add_to(source: Path) -> None:
    """What `bizy` does when somebody adds a goal and a task under it."""
    with closing(sqlite3.connect(source)) as database:
        database.execute(
            "INSERT INTO goals (id, title, horizon, status, progress_percentage, created_at, updated_at)"
            " VALUES (50, 'Harvest', 'yearly', 'active', 0, '2025-05-01 10:00:00', '2025-05-01 10:00:00')"
        )
        database.execute(
            "INSERT INTO tasks (id, title, priority, status, parent_goal_id, created_at)"
            " VALUES (60, 'Buy baskets', 2, 'pending', 50, '2025-05-01 10:00:00')"
        )
        database.commit()


def edit_on_the_web(target: Target, table: str, id_: int) -> None:
    ask(
        target,
        f"UPDATE public.{table} SET title = 'edited', updated_at = now() AT TIME ZONE 'UTC' WHERE id = %s",
        (id_,),
    )


@pytest.fixture
def adopted(database: Target) -> Target:
    """Web tables that somebody else made, without a ledger."""
    with closing(connect(database)) as server:
        schema.upgrade(server)
        with server.cursor() as rows:
            rows.execute("DROP SCHEMA bizy_migrate CASCADE")
        server.commit()
    return database


def test_a_second_run_is_taken_back_alone(source: Path, moved: Target) -> None:
    before = rows_of(moved)
    add_to(source)
    assert move(source, moved).run_id == 2
    outcome = roll_back(moved, None)
    assert (outcome.plan.run.id, outcome.removed["tasks"], outcome.removed["goals"]) == (2, 1, 1)
    assert rows_of(moved) == before


def test_a_later_run_keeps_the_originals_that_it_did_not_write_again(source: Path, moved: Target) -> None:
    with closing(sqlite3.connect(source)) as database:
        database.execute("INSERT INTO tasks (id, title, priority, status) VALUES (70, 'Whenever', 9, 'done')")
        database.commit()
    move(source, moved)
    add_to(source)
    move(source, moved)
    before = ask(moved, "SELECT source_table, source_key, original FROM bizy_migrate.preserved ORDER BY 1, 2, 3::text")
    assert len(before) > 1
    for run in (2, 1):
        assert roll_back(moved, run).plan.heir == 3
        kept = ask(moved, "SELECT source_table, source_key, original FROM bizy_migrate.preserved ORDER BY 1, 2, 3::text")
        assert kept == before
        assert verify(source, moved).passed
    assert roll_back(moved, 3).plan.heir is None
    assert not [found for found in everything_in(moved) if "bizy_migrate" in found["name"]]


def test_runs_can_be_taken_back_in_any_order(source: Path, moved: Target) -> None:
    add_to(source)
    move(source, moved)
    roll_back(moved, 1)
    assert [row["id"] for row in target_rows(moved, "tasks")] == [60]
    outcome = roll_back(moved, 2)
    assert outcome.plan.drops_tables
    assert not [found for found in everything_in(moved) if "bizy_migrate" in found["name"] or "tasks" in found["name"]]


def test_a_goal_under_which_a_later_run_put_a_task_stays(source: Path, moved: Target) -> None:
    with closing(sqlite3.connect(source)) as database:
        database.execute(
            "INSERT INTO tasks (id, title, priority, status, parent_goal_id, created_at)"
            " VALUES (60, 'Weed', 2, 'pending', 1, '2025-05-01 10:00:00')"
        )
        database.commit()
    move(source, moved)
    roll_back(moved, 1)
    assert [(row["id"], row["parent_goal_id"]) for row in target_rows(moved, "tasks")] == [(60, 1)]
    assert [row["id"] for row in target_rows(moved, "goals")] == [1]


def test_tables_of_somebody_else_keep_their_rows_and_themselves(source: Path, adopted: Target) -> None:
    theirs = accounts.add_user(adopted, email="me@bizy.local", username="me", password=Secret("long enough"))
    ask(
        adopted,
        "INSERT INTO public.tasks (id, user_id, title, created_at, updated_at) VALUES (7000, %s, 'mine', now(), now())",
        (theirs.id,),
    )
    before = rows_of(adopted)
    move(source, adopted)
    assert roll_back(adopted, None).removed["users"] == 1
    assert rows_of(adopted) == before


def test_empty_tables_of_somebody_else_stay_and_the_ledger_goes(source: Path, adopted: Target) -> None:
    before = everything_in(adopted)
    move(source, adopted)
    roll_back(adopted, None)
    assert everything_in(adopted) == before


def test_a_task_that_the_web_made_later_survives_with_its_account(source: Path, moved: Target) -> None:
    account = target_rows(moved, "users")[0]["id"]
    ask(
        moved,
        "INSERT INTO public.tasks (user_id, title, parent_goal_id, created_at, updated_at)"
        " VALUES (%s, 'new', 2, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC')",
        (account,),
    )
    outcome = roll_back(moved, None, include_changed=True)
    assert [(row["title"], row["parent_goal_id"]) for row in target_rows(moved, "tasks")] == [("new", 2)]
    assert [row["id"] for row in target_rows(moved, "goals")] == [2]
    assert not outcome.plan.removes_account


def test_after_a_rollback_that_kept_rows_the_same_source_can_be_moved_again(source: Path, moved: Target) -> None:
    edit_on_the_web(moved, "tasks", 1)
    everything = {table: len(rows) for table, rows in rows_of(moved).items()}
    roll_back(moved, None)
    assert plan_for(source, moved).blocked == ()
    move(source, moved)
    assert {table: len(rows) for table, rows in rows_of(moved).items()} == everything
    assert target_rows(moved, "tasks")[0]["title"] == "edited"


def test_a_connection_that_is_lost_before_commit_changed_nothing(moved: Target) -> None:
    before = rows_of(moved)

    def end_its_session(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase is Phase.COMMIT:
            ask(
                moved,
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'",
            )

    with pytest.raises(RunFailed) as caught:
        roll_back(moved, None, on_event=end_its_session)
    assert caught.value.code == "connection-lost"
    assert rows_of(moved) == before


class LosesItsAnswer(connection):
    """A connection that breaks after the server has committed and before it could say so."""

    def commit(self) -> None:
        super().commit()
        self.close()
        raise psycopg2.OperationalError("server closed the connection unexpectedly")


Connect = Callable[..., connection]


def one_after_the_other(first: Connect, then: Connect) -> Connect:
    """A way to connect that is `first` once, and `then` each time after it."""
    ways = iter([first])

    def connect_so(target: Target, **how: object) -> connection:
        way = next(ways, then)
        return way(target, **how)

    return connect_so


def loses_its_answer(target: Target, **_how: object) -> LosesItsAnswer:
    password = target.password.reveal() if target.password else None
    return psycopg2.connect(target.dsn, password=password, connection_factory=LosesItsAnswer)


@pytest.mark.parametrize("keeps_rows", [True, False])
def test_a_commit_whose_answer_was_lost_is_found_in_the_ledger(
    moved: Target, monkeypatch: pytest.MonkeyPatch, keeps_rows: bool
) -> None:
    if keeps_rows:
        edit_on_the_web(moved, "tasks", 1)
    monkeypatch.setattr(rollback, "connect", one_after_the_other(loses_its_answer, connect))
    outcome = roll_back(moved, None)
    assert outcome.plan.drops_tables is not keeps_rows
    assert all(check.passed for check in outcome.checks)


def test_a_commit_that_nobody_can_ask_about_is_called_in_doubt(moved: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_down(_target: Target, **_how: object) -> connection:
        raise TargetError("server-unreachable", "It is down.", "Start it.")

    monkeypatch.setattr(rollback, "connect", one_after_the_other(loses_its_answer, is_down))
    monkeypatch.setattr(commit, "connect", is_down)
    monkeypatch.setattr(commit, "PATIENCE", (0.0,))
    with pytest.raises(RunFailed) as caught:
        roll_back(moved, None)
    assert caught.value.code == "commit-in-doubt"
    with closing(connect(moved)) as server:
        assert ledger.list_runs(server) == ()
