"""What the app's own script does wrong (facts, "What the app's own script does today") is one test each that passes here."""

import json
import math
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Status
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import Schema, make_source
from tests.core.moving import Row, ask, everything_in, move, source_rows, target_rows
from tests.target.back_end import create_all

STATUSES = {
    "tasks": {"pending", "in_progress", "completed", "blocked"},
    "goals": {"active", "completed", "on_hold", "cancelled"},
}


def is_hours(value: Any) -> bool:
    return value is None or (math.isfinite(value) and value >= 0)


def is_list_of(kind: type, text: str | None) -> bool:
    items = None if text is None else json.loads(text)
    return items is None or (isinstance(items, list) and all(type(item) is kind for item in items))


def breaks_a_list(table: str, row: Row) -> bool:
    """Whether the web interface would answer 500 to the list that this row is in (facts, "What the web interface accepts")."""
    good = 1 <= len(row["title"]) <= 500 and row["status"] in STATUSES[table] and row["created_at"] and row["updated_at"]
    if table == "goals":
        metrics = json.loads(row["metrics"] or "null")
        good = (
            good and row["horizon"] in {"yearly", "quarterly", "monthly", "weekly"} and math.isfinite(row["progress_percentage"])
        )
        return not (good and (metrics is None or isinstance(metrics, dict)))
    good = good and row["priority"] in range(1, 6) and len(row["category"] or "") <= 100
    good = good and is_hours(row["estimated_hours"]) and is_hours(row["actual_hours"])
    return not (good and is_list_of(int, row["dependencies"]) and is_list_of(str, row["tags"]))


def test_it_does_not_stop_at_a_database_of_a_released_bizy(source: Path, database: Target) -> None:
    assert "project_name" not in source_rows(source, "goals")[0]
    outcome = move(source, database)
    assert (outcome.status, outcome.tables["tasks"].inserted) == (Status.MIGRATED, 3)


def test_a_dry_run_makes_no_user(source: Path, database: Target) -> None:
    create_all(database)
    assert move(source, database, dry_run=True).user.created
    assert target_rows(database, "users") == []


def test_a_dry_run_commits_nothing_and_the_real_run_after_it_succeeds(source: Path, database: Target) -> None:
    before = everything_in(database)
    assert move(source, database, dry_run=True).status is Status.DRY_RUN
    assert everything_in(database) == before
    assert move(source, database).status is Status.MIGRATED


def test_the_web_interface_lists_every_row_though_one_has_priority_9(source: Path, database: Target) -> None:
    assert 9 in {row["priority"] for row in source_rows(source, "tasks")}
    move(source, database)
    for table in ("tasks", "goals"):
        assert [row for row in target_rows(database, table) if breaks_a_list(table, row)] == []


@pytest.mark.parametrize("table", ["tasks", "goals"])
def test_the_web_interface_can_make_a_task_and_a_goal(source: Path, database: Target, table: str) -> None:
    move(source, database)
    before = {row["id"] for row in target_rows(database, table)}
    new = ask(
        database,
        f"INSERT INTO {table} (user_id, title, created_at, updated_at) SELECT id, 'new', now(), now() FROM users RETURNING id",
    )
    assert new[0]["id"] == max(before) + 1


def test_a_task_of_a_missing_goal_aborts_nothing(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", goals=[{}], tasks=[{"parent_goal_id": goal} for goal in (1, 77, 1)])
    assert move(source, database).status is Status.MIGRATED
    assert [row["parent_goal_id"] for row in target_rows(database, "tasks")] == [1, None, 1]


def test_local_times_become_utc(tmp_path: Path, database: Target) -> None:
    times = {"created_at": "2025-07-01 22:03:00", "completed_at": "2025-12-31 23:30:00.5".ljust(26, "0")}
    source = make_source(tmp_path / "tasks.db", tasks=[times])
    move(source, database, Choices(zone="America/New_York"))
    (task,) = target_rows(database, "tasks")
    assert (task["created_at"], task["completed_at"]) == (datetime(2025, 7, 2, 2, 3), datetime(2026, 1, 1, 4, 30, 0, 500_000))


def test_tables_and_columns_without_a_home_are_kept(tmp_path: Path, database: Target) -> None:
    project = {"project_name": "Garden", "repository_path": "~/garden"}
    others: dict[str, list[Row]] = {
        "daily_logs": [{"date": "2025-03-01 00:00:00.000000", "wins": "many"}],
        "research": [{"title": "Soil", "tags": '["a"]'}],
        "metrics": [{"metric_name": "beds", "value": 4.5}],
        "business_plans": [{"name": "Garden", "is_active": True}],
    }
    source = make_source(tmp_path / "tasks.db", tasks=[project], goals=[project], schema=Schema.PROJECTS, **others)
    outcome = move(source, database)
    assert outcome.preserved == {"tasks": 1, "goals": 1} | dict.fromkeys(others, 1)
    kept = {row["source_table"]: row["original"] for row in ask(database, "TABLE bizy_migrate.preserved")}
    assert kept == {"tasks": project, "goals": project} | {table: source_rows(source, table)[0] for table in others}


def test_the_backup_holds_what_is_still_in_the_write_ahead_log(tmp_path: Path) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{}])
    with closing(sqlite3.connect(source)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("INSERT INTO tasks (title) VALUES ('only in the log')")
        writer.commit()
        assert b"only in the log" not in source.read_bytes()
        with Session(source) as session:
            backup = session.take_snapshot(backup=True).path
    assert [row["title"] for row in source_rows(backup, "tasks")] == ["A task", "only in the log"]


def test_66_of_67_corrupted_tasks_are_found_each_of_them(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"title": f"Task {number}"} for number in range(1, 68)])
    move(source, database)
    ask(database, "UPDATE tasks SET title = upper(title) WHERE id <> 1")
    found = verify(source, database)
    assert not found.passed
    assert {(one.table, one.id, one.column) for one in found.differences} == {
        ("tasks", str(id_), "title") for id_ in range(2, 68)
    }


@pytest.mark.parametrize(
    "row",
    [{"title": "x" * 501}, {"notes": "a\0b"}, {"tags": '["broken"'}],
    ids=["a title of 501 characters", "a NUL", "a broken JSON"],
)
def test_one_bad_value_keeps_no_row_from_arriving(tmp_path: Path, database: Target, row: Row) -> None:
    tasks: list[Row] = [{}, row, {}]
    outcome = move(make_source(tmp_path / "tasks.db", tasks=tasks), database)
    assert (outcome.status, outcome.tables["tasks"].inserted, outcome.tables["tasks"].adjusted) == (Status.MIGRATED, 3, 1)
    assert ask(database, "SELECT original FROM bizy_migrate.preserved WHERE source_key = '2'")


def test_one_id_above_int4_keeps_no_other_row_from_arriving(tmp_path: Path, database: Target) -> None:
    tasks: list[Row] = [{}, {"id": 2**31, "title": "Beyond"}, {"id": 7}]
    outcome = move(make_source(tmp_path / "tasks.db", tasks=tasks), database)
    assert (outcome.status, [row["id"] for row in target_rows(database, "tasks")]) == (Status.MIGRATED, [1, 7])
    (kept,) = ask(database, "SELECT source_key, original FROM bizy_migrate.preserved")
    assert (kept["source_key"], kept["original"]["title"]) == (str(2**31), "Beyond")


def test_null_stays_null_and_json_null_stays_json_null(tmp_path: Path, database: Target) -> None:
    tasks: list[Row] = [{"tags": None, "dependencies": None}, {"tags": "null", "dependencies": "null"}]
    goals: list[Row] = [{"metrics": None}, {"metrics": "null"}]
    move(make_source(tmp_path / "tasks.db", tasks=tasks, goals=goals), database)
    assert ask(database, "SELECT tags IS NULL AS tags, dependencies IS NULL AS dependencies FROM tasks ORDER BY id") == [
        {"tags": True, "dependencies": True},
        {"tags": False, "dependencies": False},
    ]
    assert ask(database, "SELECT metrics IS NULL AS metrics FROM goals ORDER BY id") == [{"metrics": True}, {"metrics": False}]
