"""The source moves on, and so does the web interface: what a later run brings, keeps, and refuses."""

import sqlite3
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import connection as PgConnection

from bizy_migrate_tui.migration.errors import PlanBlocked
from bizy_migrate_tui.migration.findings import Choice
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql import schema
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.rollback.rollback import roll_back
from bizy_migrate_tui.migration.run import run
from bizy_migrate_tui.migration.run.outcome import Status
from bizy_migrate_tui.migration.verification import verification
from tests.bizy_source import make_source
from tests.core.moving import ZONE, Row, ask, move, plan_for, target_rows
from tests.target.back_end import create_all

ME = Choices(zone=ZONE, email="me@example.org", username="me")
NEW_TASK = (
    "INSERT INTO tasks (id, title, priority, status, created_at, parent_goal_id)"
    " VALUES ({}, 'New', 3, 'pending', '2025-05-05 05:05:05', {})"
)


def change(source: Path, *statements: str) -> None:
    with closing(sqlite3.connect(source)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def on_the_web(target: Target, title: str) -> int:
    """A task that the web interface makes for the first user; its id."""
    made = ask(
        target,
        "INSERT INTO public.tasks (user_id, title, priority, status, created_at, updated_at)"
        " SELECT min(id), %s, 3, 'pending', now(), now() FROM public.users RETURNING id",
        [title],
    )
    return int(made[0]["id"])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make_source(tmp_path / "tasks.db", goals=[{}], tasks=[{}, {"parent_goal_id": 1}])


@pytest.fixture
def moved(source: Path, database: Target) -> Target:
    move(source, database, ME)
    return database


def test_new_goals_come_with_the_new_tasks_that_hang_on_them(source: Path, moved: Target) -> None:
    change(
        source,
        "INSERT INTO goals (title, horizon, status, progress_percentage, created_at, updated_at, parent_goal_id)"
        " VALUES ('New', 'weekly', 'active', 0.0, '2025-05-05 05:05:05', '2025-05-05 05:05:05', 1)",
        NEW_TASK.format(3, 2),
        "INSERT INTO daily_logs (date) VALUES ('2025-05-05 00:00:00')",
    )
    outcome = move(source, moved, ME)
    assert {name: (one.inserted, one.unchanged) for name, one in outcome.tables.items()} == {"goals": (1, 1), "tasks": (1, 2)}
    assert outcome.preserved == {"daily_logs": 1}
    assert [row["parent_goal_id"] for row in target_rows(moved, "tasks")] == [None, 1, 2]
    assert move(source, moved, ME).status is Status.NOTHING_TO_DO


def test_a_row_deleted_from_the_source_stays_on_the_web(source: Path, moved: Target) -> None:
    change(source, "DELETE FROM tasks WHERE id = 2", NEW_TASK.format(9, "NULL"))
    assert move(source, moved, ME).tables["tasks"].inserted == 1
    assert [row["id"] for row in target_rows(moved, "tasks")] == [1, 2, 9]


def test_a_row_deleted_on_the_web_comes_again_and_is_named_before(source: Path, moved: Target) -> None:
    ask(moved, "DELETE FROM public.tasks WHERE id = 2")
    outcome = move(source, moved, ME)
    assert [(one.code, one.table, one.ids) for one in outcome.plan.findings] == [("deleted-on-web", "tasks", ("2",))]
    assert (outcome.tables["tasks"].inserted, outcome.tables["tasks"].unchanged) == (1, 1)
    assert verification.verify(source, moved).passed


LET_GO = replace(ME, on={"deleted-on-web": Choice.LEAVE_OUT})


def test_rows_deleted_on_the_web_can_be_left_out_and_are_preserved_whole(source: Path, moved: Target) -> None:
    ask(moved, "DELETE FROM public.tasks WHERE id = 1")
    ask(moved, "DELETE FROM public.goals WHERE id = 1")
    change(source, NEW_TASK.format(3, 1))
    assert not verification.verify(source, moved).passed
    outcome = move(source, moved, LET_GO)
    assert {name: (one.inserted, one.skipped) for name, one in outcome.tables.items()} == {"goals": (0, 1), "tasks": (1, 1)}
    assert [(row["id"], row["parent_goal_id"]) for row in target_rows(moved, "tasks")] == [(2, None), (3, None)]
    preserved = ask(moved, "SELECT source_table, source_key, original FROM bizy_migrate.preserved WHERE reason LIKE 'left out%%'")
    assert {(row["source_table"], row["source_key"], row["original"]["title"]) for row in preserved} == {
        ("goals", "1", "A goal"),
        ("tasks", "1", "A task"),
    }
    assert verification.verify(source, moved).passed
    assert move(source, moved, LET_GO).status is Status.NOTHING_TO_DO


def test_rows_left_out_so_can_come_again_later(source: Path, moved: Target) -> None:
    ask(moved, "DELETE FROM public.tasks WHERE id = 1")
    move(source, moved, LET_GO)
    assert move(source, moved, ME).tables["tasks"].inserted == 1
    assert [row["id"] for row in target_rows(moved, "tasks")] == [1, 2]
    assert verification.verify(source, moved).passed


def test_an_original_of_a_row_left_out_so_is_verified_too(source: Path, moved: Target) -> None:
    ask(moved, "DELETE FROM public.tasks WHERE id = 1")
    move(source, moved, LET_GO)
    ask(moved, "UPDATE bizy_migrate.preserved SET original = '{}' WHERE reason LIKE 'left out%%'")
    assert not verification.verify(source, moved).passed


def test_once_that_run_is_rolled_back_the_rows_are_missed_again(source: Path, moved: Target) -> None:
    ask(moved, "DELETE FROM public.tasks WHERE id = 1")
    roll_back(moved, move(source, moved, LET_GO).run_id)
    assert [check.name for check in verification.verify(source, moved).checks if not check.passed] == ["tasks: counts match"]


def test_rows_deleted_on_the_web_can_stop_the_run(source: Path, moved: Target) -> None:
    ask(moved, "DELETE FROM public.tasks WHERE id = 1")
    with pytest.raises(PlanBlocked):
        move(source, moved, replace(ME, on={"deleted-on-web": Choice.STOP}))
    assert [row["id"] for row in target_rows(moved, "tasks")] == [2]


def test_an_id_that_the_web_interface_gave_meanwhile_blocks_before_anything_is_written(source: Path, moved: Target) -> None:
    assert on_the_web(moved, "Made on the web") == 3
    change(source, NEW_TASK.format(3, "NULL"))
    before = [target_rows(moved, "tasks"), ask(moved, "TABLE bizy_migrate.runs")]
    assert [(one.code, one.ids) for one in plan_for(source, moved, ME).blocked] == [("id-taken", ("3",))]
    with pytest.raises(PlanBlocked):
        move(source, moved, ME)
    assert [target_rows(moved, "tasks"), ask(moved, "TABLE bizy_migrate.runs")] == before


def test_rows_made_on_the_web_beside_ours_change_nothing(source: Path, moved: Target) -> None:
    made = on_the_web(moved, "Made on the web")
    assert move(source, moved, ME).status is Status.NOTHING_TO_DO
    assert verification.verify(source, moved).passed
    assert target_rows(moved, "tasks")[-1]["id"] == made


def test_of_accounts_that_differ_in_case_the_exact_one_is_used(source: Path, database: Target) -> None:
    create_all(database)
    for id_, email in ((5, "ME@example.org"), (6, "me@example.org")):
        ask(
            database,
            "INSERT INTO public.users (id, email, username, hashed_password, created_at, updated_at)"
            " VALUES (%s, %s, %s, 'x', now(), now())",
            [id_, email, str(id_)],
        )
    outcome = move(source, database, ME)
    assert (outcome.user.id, outcome.user.created) == (6, False)
    assert {row["user_id"] for row in target_rows(database, "tasks")} == {6}


def rows_by_another_tool(target: Target, title: str) -> None:
    """The same tasks for the same user, as another program left them: no run of ours knows of them."""
    create_all(target)
    ask(
        target,
        "INSERT INTO public.users (id, email, username, hashed_password, created_at, updated_at)"
        " VALUES (1, 'me@example.org', 'me', 'x', now(), now())",
    )
    ask(
        target,
        "INSERT INTO public.tasks (id, user_id, title, priority, status, dependencies, tags, created_at, updated_at)"
        " VALUES (1, 1, %s, 3, 'pending', '[]', '[]', '2025-03-01 14:00:00', now())",
        [title],
    )


def test_equal_rows_that_another_tool_brought_are_unchanged(source: Path, database: Target) -> None:
    rows_by_another_tool(database, "A task")
    outcome = move(source, database, ME)
    assert (outcome.tables["tasks"].unchanged, outcome.tables["tasks"].inserted) == (1, 1)
    assert verification.verify(source, database).passed


def test_rows_that_another_tool_brought_and_that_differ_block(source: Path, database: Target) -> None:
    rows_by_another_tool(database, "Something else")
    before: list[Row] = target_rows(database, "tasks")
    with pytest.raises(PlanBlocked) as refusal:
        move(source, database, ME)
    assert refusal.value.code == "id-taken"
    assert target_rows(database, "tasks") == before


def test_a_row_of_the_first_run_is_still_compared_after_the_second(source: Path, moved: Target) -> None:
    change(source, NEW_TASK.format(9, "NULL"))
    move(source, moved, ME)
    ask(moved, "UPDATE public.tasks SET title = 'Damaged' WHERE id = 1")
    found = verification.verify(source, moved)
    assert not found.passed
    assert [(one.table, one.id, one.column) for one in found.differences] == [("tasks", "1", "title")]
    assert [(one.run.id, one.is_unchanged) for one in found.runs] == [(2, True), (1, False)]
    failed = [check.name for check in found.checks if not check.passed]
    assert failed == ["run 1: every cell is as in the source", "run 1: samples side by side"]


def test_each_of_two_files_is_compared_with_its_own_run_while_it_is_here(source: Path, moved: Target, tmp_path: Path) -> None:
    other = make_source(tmp_path / "other.db", goals=[{"id": 50}], tasks=[{"id": 60}])
    move(other, moved, ME)
    assert [(one.source, one.is_compared) for one in verification.verify(source, moved).runs] == [(other, True), (source, True)]
    ask(moved, "UPDATE public.tasks SET title = 'Damaged' WHERE id = 60")
    assert not verification.verify(source, moved).passed
    ask(moved, "UPDATE public.tasks SET title = 'A task' WHERE id = 60")
    source.unlink()
    found = verification.verify(other, moved)
    assert found.passed
    assert [(one.source, one.is_compared) for one in found.runs] == [(other, True), (source, False)]


def test_a_source_that_was_worked_on_since_is_told_as_the_likely_reason(source: Path, moved: Target) -> None:
    change(source, "UPDATE tasks SET status = 'completed' WHERE id = 1")
    found = verification.verify(source, moved)
    failed = next(check for check in found.checks if not check.passed)
    assert failed.name == "every cell is as in the source"
    assert "tasks.db has changed since the run" in failed.detail


def test_rows_that_the_source_has_no_more_cannot_be_compared_and_are_not_called_right(source: Path, moved: Target) -> None:
    change(source, "DELETE FROM tasks WHERE id = 2")
    (failed,) = [check for check in verification.verify(source, moved).checks if not check.passed]
    assert failed.detail == "1 of the run's rows could not be compared: tasks.db no longer has them"


@pytest.mark.parametrize("moment", ["survey", "upgrade"])
def test_who_writes_between_plan_and_run_is_seen_or_waits(
    source: Path, moved: Target, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    change(source, NEW_TASK.format(9, "NULL"))
    module = {"survey": run, "upgrade": schema}[moment]
    real = getattr(module, moment)

    def later(server: PgConnection) -> object:
        with suppress(psycopg2.errors.LockNotAvailable):
            ask(moved, "SET lock_timeout = 100; INSERT INTO public.tasks (id, user_id, title, priority, status, created_at,"
                       " updated_at) VALUES (50, 1, 'web', 3, 'pending', now(), now())")  # fmt: skip
        return real(server)

    monkeypatch.setattr(module, moment, later)
    assert move(source, moved, ME).status is Status.MIGRATED
    assert [row["id"] for row in target_rows(moved, "tasks")] == [1, 2, 9]


def test_another_zone_is_told_as_such_and_not_as_a_change_on_the_web(source: Path, moved: Target) -> None:
    outcome = move(source, moved, replace(ME, zone="Asia/Kolkata"))
    assert [(one.code, one.table, one.count) for one in outcome.plan.findings] == [("read-otherwise", "tasks", 2)]
    assert outcome.status is Status.NOTHING_TO_DO
    ask(moved, "UPDATE public.tasks SET title = 'Web', updated_at = now() + interval '1 day' WHERE id = 1")
    findings = move(source, moved, replace(ME, zone="Asia/Kolkata")).plan.findings
    assert [(one.code, one.ids) for one in findings] == [("kept-on-web", ("1",)), ("read-otherwise", ("2",))]
