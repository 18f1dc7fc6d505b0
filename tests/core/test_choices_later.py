"""What was decided about a finding holds later too: for `verify`, and for a second run of the same source."""

from pathlib import Path

import pytest

from bizy_migrate_tui.migration.findings import Choice
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Status
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import make_source
from tests.core.moving import ZONE, Row, ask, move, source_rows, target_rows


def leaving_out(*codes: str) -> Choices:
    return Choices(zone=ZONE, on=dict.fromkeys(codes, Choice.LEAVE_OUT))


@pytest.fixture
def family(tmp_path: Path) -> Path:
    """Goal 1 has no title; goal 2 is its child, 3 is 2's; each has a task."""
    goals: list[Row] = [{"title": ""}, {"parent_goal_id": 1}, {"parent_goal_id": 2}]
    return make_source(tmp_path / "tasks.db", goals=goals, tasks=[{"parent_goal_id": goal} for goal in (1, 2, 3)])


def test_children_of_a_goal_that_is_left_out_lose_it_and_stay_proven(family: Path, database: Target) -> None:
    outcome = move(family, database, leaving_out("title-empty"))
    assert [(row["id"], row["parent_goal_id"]) for row in target_rows(database, "goals")] == [(2, None), (3, 2)]
    assert [(row["id"], row["parent_goal_id"]) for row in target_rows(database, "tasks")] == [(1, None), (2, 2), (3, 3)]
    assert (outcome.tables["goals"].skipped, outcome.tables["tasks"].skipped) == (1, 0)
    kept = ask(database, "SELECT source_table, source_key, original FROM bizy_migrate.preserved ORDER BY 1, 2")
    assert [(row["source_table"], row["source_key"]) for row in kept] == [("goals", "1"), ("goals", "2"), ("tasks", "1")]
    assert kept[0]["original"] == source_rows(family, "goals")[0]
    assert [row["original"] for row in kept[1:]] == [{"parent_goal_id": 1}] * 2
    assert verify(family, database).differences == ()
    again = move(family, database, leaving_out("title-empty"))
    assert (again.status, again.tables["tasks"].unchanged, again.tables["goals"].unchanged) == (Status.NOTHING_TO_DO, 3, 2)


def test_whole_families_that_are_left_out_stay_out(family: Path, database: Target) -> None:
    choices = leaving_out("title-empty", "parent-missing")
    outcome = move(family, database, choices)
    assert (target_rows(database, "goals"), target_rows(database, "tasks")) == ([], [])
    assert (outcome.tables["goals"].skipped, outcome.tables["tasks"].skipped) == (3, 3)
    assert verify(family, database).differences == ()
    again = move(family, database, choices)
    assert (again.status, again.tables["goals"].skipped, again.tables["tasks"].skipped) == (Status.NOTHING_TO_DO, 3, 3)


def test_a_row_that_came_before_and_is_to_be_left_out_now_stays_and_is_counted_once(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"priority": 9}, {}])
    move(source, database)
    outcome = move(source, database, leaving_out("priority-out-of-range"))
    assert [row["id"] for row in target_rows(database, "tasks")] == [1, 2]
    tasks = outcome.tables["tasks"]
    assert (tasks.source, tasks.inserted, tasks.unchanged, tasks.skipped, tasks.kept) == (2, 0, 1, 1, 0)


def test_a_row_that_was_left_out_before_comes_where_it_may_come_now(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"priority": 9}, {}])
    move(source, database, leaving_out("priority-out-of-range"))
    outcome = move(source, database)
    assert (outcome.tables["tasks"].inserted, outcome.tables["tasks"].unchanged) == (1, 1)
    assert [row["priority"] for row in target_rows(database, "tasks")] == [5, 3]
    assert verify(source, database).passed
