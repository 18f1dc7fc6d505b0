"""Targets that are not empty: what is there stays as it is, what is new comes in, what is somebody else's stops the run."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bizy_migrate_tui.migration.errors import MigrationError, PlanBlocked, SchemaMismatch
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.rollback.rollback import roll_back
from bizy_migrate_tui.migration.run.outcome import Status
from bizy_migrate_tui.migration.verification import verification
from tests.bizy_source import make_source
from tests.core.moving import ZONE, Row, ask, everything_in, move, plan_for, target_rows
from tests.target.back_end import create_all

ME = Choices(zone=ZONE, email="me@example.org", username="me")
ON_THE_WEB = "updated_at = now() AT TIME ZONE 'UTC'"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Two goals and six tasks, some of which have to be mended, and a log that has no home."""
    tasks: list[Row] = [
        {"parent_goal_id": 1},
        {"priority": 9},
        {"created_at": None},
        {},
        {"parent_goal_id": 77},
        {"notes": "\x1f"},
    ]
    logs = [{"date": "2025-03-01 00:00:00.000000", "wins": "many"}]
    return make_source(tmp_path / "tasks.db", goals=[{}, {"parent_goal_id": 1, "horizon": "daily"}], tasks=tasks, daily_logs=logs)


def add(source: Path, statement: str) -> None:
    with closing(sqlite3.connect(source)) as database:
        database.execute(statement)
        database.commit()


def a_user(target: Target, id_: int, email: str, username: str) -> None:
    ask(
        target,
        "INSERT INTO public.users (id, email, username, hashed_password, created_at, updated_at)"
        " VALUES (%s, %s, %s, 'their own', now(), now())",
        [id_, email, username],
    )


def a_task(target: Target, id_: int, user: int, title: str = "Theirs") -> None:
    ask(
        target,
        "INSERT INTO public.tasks (id, user_id, title, priority, status, created_at, updated_at)"
        " VALUES (%s, %s, %s, 3, 'pending', now(), now())",
        [id_, user, title],
    )


def contents(target: Target) -> list[object]:
    """Everything that the tables hold, the sequences' places included."""
    tables: list[object] = [target_rows(target, table) for table in ("users", "goals", "tasks")]
    sequences = [ask(target, f"SELECT last_value, is_called FROM public.{table}_id_seq") for table in ("users", "goals", "tasks")]
    return [*tables, *sequences]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("ALTER TABLE tasks DROP COLUMN tags", ("tasks", "tags", "missing")),
        ("ALTER TABLE goals ALTER COLUMN title TYPE text", ("goals", "title", "text")),
        ("ALTER TABLE users ADD COLUMN tenant integer NOT NULL", ("users", "tenant")),
    ],
)
def test_other_tables_are_refused_with_the_exact_difference(
    source: Path, database: Target, change: str, words: tuple[str, ...]
) -> None:
    create_all(database)
    ask(database, change)
    before = everything_in(database), contents(database)
    with pytest.raises(SchemaMismatch) as refusal:
        move(source, database)
    assert all(word in refusal.value.cause for word in words), refusal.value.cause
    assert (everything_in(database), contents(database)) == before


def test_an_account_in_another_case_is_used_and_keeps_its_password(source: Path, database: Target) -> None:
    create_all(database)
    a_user(database, 41, "Me@Example.ORG", "somebody")
    before = target_rows(database, "users")
    outcome = move(source, database, ME)
    assert (outcome.user.id, outcome.user.created, outcome.password) == (41, False, None)
    assert target_rows(database, "users") == before
    assert {row["user_id"] for table in ("goals", "tasks") for row in target_rows(database, table)} == {41}


def test_a_user_name_that_is_taken_is_told_before_anything_is_written(source: Path, database: Target) -> None:
    create_all(database)
    a_user(database, 1, "other@example.org", "me")
    before = everything_in(database), contents(database)
    plan = plan_for(source, database, ME)
    assert [finding.code for finding in plan.blocked] == ["username-taken"]
    with pytest.raises(PlanBlocked, match="user name"):
        move(source, database, ME)
    assert (everything_in(database), contents(database)) == before


def kept_of_task_4(target: Target) -> list[Row]:
    found = ask(target, "SELECT original FROM bizy_migrate.preserved WHERE source_table = 'tasks' AND source_key = '4'")
    return [one["original"] for one in found]


def test_equal_rows_are_unchanged_and_what_is_new_comes_alone(source: Path, database: Target) -> None:
    move(source, database, ME)
    before = {row["id"]: row for row in target_rows(database, "tasks")}
    add(source, "INSERT INTO tasks (title, priority, status, created_at) VALUES ('New', 9, 'pending', '2025-05-05 05:05:05')")
    outcome = move(source, database, ME)
    tasks = outcome.tables["tasks"]
    assert (outcome.status, tasks.source, tasks.inserted, tasks.unchanged, tasks.kept) == (Status.MIGRATED, 7, 1, 6, 0)
    assert (outcome.tables["goals"].inserted, outcome.tables["goals"].unchanged) == (0, 2)
    assert outcome.preserved == {"tasks": 1}
    after = {row["id"]: row for row in target_rows(database, "tasks")}
    assert {id_: row for id_, row in after.items() if id_ in before} == before
    assert after.keys() - before.keys() == {7}
    for run in ask(database, "SELECT id FROM bizy_migrate.runs"):
        assert verification.verify(source, database, run_id=run["id"]).passed


def test_what_two_runs_brought_is_unchanged_for_a_third(source: Path, database: Target) -> None:
    move(source, database, ME)
    add(source, "INSERT INTO tasks (title, priority, status) VALUES ('No time of creation', 3, 'pending')")
    assert move(source, database, ME).tables["tasks"].inserted == 1
    outcome = move(source, database, ME)
    assert (outcome.status, outcome.tables["tasks"].unchanged, outcome.tables["tasks"].kept) == (Status.NOTHING_TO_DO, 7, 0)


def test_the_same_source_again_has_nothing_to_do_and_moves_no_sequence(source: Path, each_version: Target) -> None:
    move(source, each_version, ME)
    before = (
        contents(each_version),
        ask(each_version, "TABLE bizy_migrate.runs"),
        ask(each_version, "TABLE bizy_migrate.preserved"),
    )
    outcome = move(source, each_version, ME)
    assert (outcome.status, outcome.run_id, outcome.preserved) == (Status.NOTHING_TO_DO, None, {})
    again = (
        contents(each_version),
        ask(each_version, "TABLE bizy_migrate.runs"),
        ask(each_version, "TABLE bizy_migrate.preserved"),
    )
    assert again == before


def test_a_dry_run_moves_no_sequence(source: Path, each_version: Target) -> None:
    create_all(each_version)
    a_user(each_version, 1, "me@example.org", "me")
    ask(each_version, "SELECT setval('public.tasks_id_seq', 500), setval('public.goals_id_seq', 600)")
    before = contents(each_version)
    assert move(source, each_version, ME, dry_run=True).status is Status.DRY_RUN
    assert contents(each_version) == before
    move(source, each_version, ME)
    assert ask(each_version, "SELECT nextval('public.tasks_id_seq') AS next") == [{"next": 501}]


def test_the_next_row_gets_the_id_after_the_highest(source: Path, each_version: Target) -> None:
    move(source, each_version, ME)
    assert ask(each_version, "SELECT nextval('public.tasks_id_seq') AS task, nextval('public.goals_id_seq') AS goal") == [
        {"task": 7, "goal": 3}
    ]


def test_rows_changed_on_the_web_are_kept_and_named(source: Path, database: Target) -> None:
    move(source, database, ME)
    ask(database, f"UPDATE public.tasks SET title = 'On the web', {ON_THE_WEB} WHERE id IN (2, 4)")
    ask(database, f"UPDATE public.goals SET status = 'completed', {ON_THE_WEB} WHERE id = 2")
    before = contents(database)
    outcome = move(source, database, ME)
    found = {(one.table, one.ids, one.count) for one in outcome.plan.findings if one.code == "kept-on-web"}
    assert found == {("tasks", ("2", "4"), 2), ("goals", ("2",), 1)}
    assert (outcome.status, outcome.tables["tasks"].kept, outcome.tables["tasks"].unchanged) == (Status.NOTHING_TO_DO, 2, 4)
    assert contents(database) == before


def test_rows_changed_in_the_source_stay_as_the_web_has_them_and_are_preserved_whole(source: Path, database: Target) -> None:
    move(source, database, ME)
    add(source, "UPDATE tasks SET title = 'Changed with bizy', notes = 'for years' WHERE id = 4")
    outcome = move(source, database, ME)
    assert (outcome.status, outcome.tables["tasks"].kept, outcome.tables["tasks"].inserted) == (Status.MIGRATED, 1, 0)
    assert [(one.code, one.ids) for one in outcome.plan.findings if one.code == "edited-since"] == [("edited-since", ("4",))]
    assert target_rows(database, "tasks")[3]["title"] == "A task"
    (kept,) = kept_of_task_4(database)
    assert (kept["title"], kept["notes"]) == ("Changed with bizy", "for years")
    again = move(source, database, ME)
    assert (again.status, again.tables["tasks"].kept, kept_of_task_4(database)) == (Status.NOTHING_TO_DO, 1, [kept])


def test_verify_misses_the_preserved_row_of_a_later_edit(source: Path, database: Target) -> None:
    move(source, database, ME)
    add(source, "UPDATE tasks SET title = 'Changed with bizy' WHERE id = 4")
    second = move(source, database, ME).run_id
    assert verification.verify(source, database, run_id=second).passed
    ask(database, """UPDATE bizy_migrate.preserved SET original = original || '{"title": "other"}' WHERE source_key = '4'""")
    found = verification.verify(source, database, run_id=second)
    assert [(one.table, one.id, one.column) for one in found.differences] == [("tasks", "4", "title")]


def test_rows_changed_on_both_sides_are_preserved_and_named_as_the_webs(source: Path, database: Target) -> None:
    move(source, database, ME)
    ask(database, f"UPDATE public.tasks SET title = 'On the web', {ON_THE_WEB} WHERE id = 4")
    add(source, "UPDATE tasks SET title = 'Changed with bizy' WHERE id = 4")
    outcome = move(source, database, ME)
    assert [one.code for one in outcome.plan.findings if "4" in one.ids] == ["kept-on-web"]
    assert [kept["title"] for kept in kept_of_task_4(database)] == ["Changed with bizy"]


def test_ids_of_somebody_elses_rows_block_before_anything_is_written(source: Path, database: Target) -> None:
    create_all(database)
    a_user(database, 1, "other@example.org", "other")
    a_task(database, 3, 1)
    a_task(database, 2000, 1)
    before = everything_in(database), contents(database)
    plan = plan_for(source, database, ME)
    assert [(one.code, one.table, one.ids) for one in plan.blocked] == [("id-taken", "tasks", ("3",))]
    with pytest.raises(MigrationError) as refusal:
        move(source, database, ME)
    assert refusal.value.code == "id-taken"
    assert (everything_in(database), contents(database)) == before


def test_rows_that_a_run_brought_for_another_user_are_somebody_elses(source: Path, database: Target) -> None:
    move(source, database, ME)
    before = contents(database)
    other = Choices(zone=ZONE, email="other@example.org", username="other")
    with pytest.raises(PlanBlocked) as refusal:
        move(source, database, other)
    assert refusal.value.code == "id-taken"
    assert contents(database) == before


def test_rows_of_others_stay_untouched_beside_ours(source: Path, database: Target) -> None:
    create_all(database)
    a_user(database, 1, "other@example.org", "other")
    a_task(database, 2000, 1)
    before = target_rows(database, "users"), target_rows(database, "tasks")
    outcome = move(source, database, ME)
    assert outcome.user.id == 2
    assert target_rows(database, "users")[:1] == before[0]
    assert [row for row in target_rows(database, "tasks") if row["user_id"] == 1] == before[1]
    assert ask(database, "SELECT nextval('public.tasks_id_seq') AS next") == [{"next": 2001}]


def test_rows_that_a_rollback_kept_are_kept_and_the_others_come_again(source: Path, database: Target) -> None:
    run = move(source, database, ME).run_id
    ask(database, f"UPDATE public.tasks SET title = 'On the web', {ON_THE_WEB} WHERE id = 1")
    roll_back(database, run)
    assert [row["id"] for row in target_rows(database, "tasks")] == [1]
    assert [row["id"] for row in target_rows(database, "goals")] == [1]
    outcome = move(source, database, ME)
    assert (outcome.tables["tasks"].kept, outcome.tables["tasks"].inserted) == (1, 5)
    assert (outcome.tables["goals"].unchanged, outcome.tables["goals"].inserted) == (1, 1)
    assert target_rows(database, "tasks")[0]["title"] == "On the web"
    assert verification.verify(source, database).passed
