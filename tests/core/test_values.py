"""Whatever a row holds, the web interface can read it, and nothing of it is lost."""

import json
from pathlib import Path

from bizy_migrate_tui.migration.postgresql.target import Target
from tests.bizy_source import make_source
from tests.core.moving import (
    Row,
    ask,
    move,
    source_rows,
    target_rows,
)

# What the web interface refuses (facts, "What the web interface accepts"), each seen in somebody's file.
BLEMISHED_TASKS: list[Row] = [
    {"title": ""},
    {"title": "t" * 501},
    {"title": "NUL \0 inside"},
    *({"priority": value} for value in (9, 0, -3, None, "high", 2.5, "4")),
    *({"status": value} for value in (None, "done", "todo", "gibberish", 7)),
    {"category": "c" * 101},
    *({"estimated_hours": value} for value in (-1.0, float("inf"), "3 h", "soon", b"\xff")),
    *({"actual_hours": value} for value in (-0.5, float("-inf"))),
    *({"dependencies": value} for value in (None, "null", "[1, 2]", '["1"]', "{}", "[1,", "7", "[1.5]", "[true]")),
    *({"tags": value} for value in (None, "null", '["a", 1]', '{"a": 1}', "broken", '["\\u0000"]')),
    *({"created_at": value} for value in (None, "", "yesterday", "2025-03-01", 1740819600)),
    *({"completed_at": value, "status": "completed"} for value in ("never", "2025-03-09 02:30:00")),
    {"due_date": "someday"},
    {"parent_goal_id": 4711},
    {"parent_goal_id": "1"},
]
BLEMISHED_GOALS: list[Row] = [
    {"title": "Root"},
    *({"horizon": value} for value in ("daily", None, "someday")),
    *({"status": value} for value in (None, "done", "paused")),
    *({"progress_percentage": value} for value in (None, float("inf"), "50 %", "half")),
    *({"metrics": value} for value in (None, "null", "[]", "broken", '{"a": NaN}')),
    {"created_at": None, "updated_at": None},
    {"updated_at": None},
    {"id": 100, "parent_goal_id": 101},
    {"id": 101, "parent_goal_id": 100},
    {"id": 102, "parent_goal_id": 102},
    {"parent_goal_id": 1e22},
]

WEB_RULES = {
    "tasks": "length(title) BETWEEN 1 AND 500 AND priority BETWEEN 1 AND 5"
    " AND status IN ('pending', 'in_progress', 'completed', 'blocked')"
    " AND coalesce(length(category), 0) <= 100"
    " AND coalesce(estimated_hours, 0) >= 0 AND coalesce(estimated_hours, 0) < 'Infinity'"
    " AND coalesce(actual_hours, 0) >= 0 AND coalesce(actual_hours, 0) < 'Infinity'",
    "goals": "length(title) BETWEEN 1 AND 500 AND horizon IN ('yearly', 'quarterly', 'monthly', 'weekly')"
    " AND status IN ('active', 'completed', 'on_hold', 'cancelled')"
    " AND progress_percentage > '-Infinity' AND progress_percentage < 'Infinity'",
}


def is_list_of(text: str | None, kind: type) -> bool:
    value = json.loads(text or "null")
    return value is None or (isinstance(value, list) and all(type(item) is kind for item in value))


def test_every_rule_of_the_web_interface_holds_for_every_row(tmp_path: Path, each_version: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=BLEMISHED_TASKS, goals=BLEMISHED_GOALS)
    outcome = move(source, each_version)
    assert (outcome.tables["tasks"].inserted, outcome.tables["goals"].inserted) == (
        len(BLEMISHED_TASKS),
        len(BLEMISHED_GOALS),
    )
    for table, rule in WEB_RULES.items():
        assert ask(each_version, f"SELECT id FROM {table} WHERE ({rule}) IS NOT TRUE") == []
    for task in target_rows(each_version, "tasks"):
        assert is_list_of(task["dependencies"], int), task
        assert is_list_of(task["tags"], str), task
    for goal in target_rows(each_version, "goals"):
        assert isinstance(json.loads(goal["metrics"] or "{}"), dict | None), goal


def test_a_circle_of_goals_is_cut_however_their_parents_are_stored(tmp_path: Path, database: Target) -> None:
    goals: list[Row] = [{"parent_goal_id": b" 2"}, {"parent_goal_id": b"3"}, {"parent_goal_id": 1}, {"parent_goal_id": "goal 1"}]
    source = make_source(tmp_path / "tasks.db", goals=goals)
    outcome = move(source, database)
    assert [row["parent_goal_id"] for row in target_rows(database, "goals")] == [None, 3, 1, None]
    codes = {one.code: one.ids for one in outcome.plan.findings if one.column == "parent_goal_id"}
    assert codes == {"parent-cycle": ("1",), "parent-rewritten": ("2",), "parent-missing": ("4",)}


def test_every_value_that_was_adjusted_is_preserved_as_it_was(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"title": "x", "priority": 9}, {"title": "y" * 501}])
    move(source, database)
    kept = ask(database, "SELECT source_table, source_key, original FROM bizy_migrate.preserved ORDER BY source_key")
    assert next((row["source_key"], row["original"].get("priority")) for row in kept) == ("1", 9)
    assert kept[1]["original"]["title"] == "y" * 501


def test_metrics_nested_however_deep_arrive_mended_or_are_preserved(tmp_path: Path, database: Target) -> None:
    documents = ['{"a": ' + "[" * depth + "]" * depth + ', "b": "\\u0000 \\\\u0000"}' for depth in (300, 480, 950, 5000)]
    source = make_source(tmp_path / "tasks.db", goals=[{"metrics": document} for document in documents])
    move(source, database)
    found = [goal["metrics"] for goal in target_rows(database, "goals")]
    assert [text and json.loads(text)["b"] for text in found] == ["\ufffd \\u0000", "\ufffd \\u0000", None, None]
    kept = ask(database, "SELECT original FROM bizy_migrate.preserved ORDER BY source_key")
    assert [row["original"]["metrics"] for row in kept] == documents


def test_tables_without_a_home_are_preserved_row_by_row(tmp_path: Path, database: Target) -> None:
    logs = [{"date": f"2025-03-0{day} 00:00:00.000000", "wins": f"Win {day} 🎉"} for day in (1, 2, 3)]
    source = make_source(
        tmp_path / "tasks.db",
        daily_logs=logs,
        research=[{"title": "R", "tags": '["a"]'}],
        metrics=[{"metric_name": "MRR", "value": 1.1}],
        business_plans=[{"name": "Plan", "is_active": 1}],
    )
    outcome = move(source, database)
    assert outcome.preserved == {"daily_logs": 3, "research": 1, "metrics": 1, "business_plans": 1}
    for table in outcome.preserved:
        kept = ask(
            database,
            "SELECT original FROM bizy_migrate.preserved WHERE source_table = %s ORDER BY source_key::int",
            (table,),
        )
        assert [row["original"] for row in kept] == source_rows(source, table)


def test_ids_need_not_be_without_gaps(tmp_path: Path, database: Target) -> None:
    ids = [3, 2**31 - 2]
    source = make_source(tmp_path / "tasks.db", tasks=[{"id": id_} for id_ in ids])
    move(source, database)
    assert [row["id"] for row in target_rows(database, "tasks")] == ids


def test_an_id_that_postgresql_cannot_hold_is_preserved_whole(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"id": 1}, {"id": 2**31}, {"id": -5}])
    outcome = move(source, database)
    assert 2**31 not in [row["id"] for row in target_rows(database, "tasks")]
    kept = ask(database, "SELECT original FROM bizy_migrate.preserved WHERE source_key = %s", (str(2**31),))
    assert kept[0]["original"] == source_rows(source, "tasks")[-1]
    assert outcome.tables["tasks"].skipped >= 1


def test_text_arrives_to_the_letter(tmp_path: Path, database: Target) -> None:
    texts = [
        "[bold]markup[/bold] 🌱",
        "tab\tnewline\nreturn\r\\N \\. \\",
        "é e\u0301 \u202e rtl",
        "'; DROP TABLE tasks; --",
        "%s",
    ]
    source = make_source(
        tmp_path / "tasks.db", tasks=[{"title": text, "notes": text, "tags": json.dumps([text])} for text in texts]
    )
    move(source, database)
    found = target_rows(database, "tasks")
    assert [(row["title"], row["notes"]) for row in found] == [(text, text) for text in texts]
    assert [row["tags"] for row in found] == [json.dumps([text]) for text in texts]


def test_numbers_arrive_to_the_last_digit_and_times_to_the_microsecond(tmp_path: Path, database: Target) -> None:
    numbers = [0.1, 1 / 3, 1e-300, 123456789.123456789]
    source = make_source(
        tmp_path / "tasks.db",
        tasks=[{"estimated_hours": number, "created_at": f"2025-01-02 03:04:05.00000{i}"} for i, number in enumerate(numbers)],
    )
    move(source, database)
    found = target_rows(database, "tasks")
    assert [row["estimated_hours"] for row in found] == numbers
    assert [row["created_at"].microsecond for row in found] == [0, 1, 2, 3]


def test_sql_null_stays_null_and_json_null_stays_json(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"tags": None, "dependencies": None}, {"tags": "null"}])
    move(source, database)
    found = target_rows(database, "tasks")
    assert [(row["tags"], row["dependencies"]) for row in found] == [(None, None), ("null", "[]")]
