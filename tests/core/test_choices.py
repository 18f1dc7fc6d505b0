"""What the user decides about a finding is done, and nothing is lost by it."""

from pathlib import Path

import pytest

from bizy_migrate_tui.migration.errors import PlanBlocked
from bizy_migrate_tui.migration.findings import Choice
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Status
from tests.bizy_source import make_source
from tests.core.moving import ZONE, ask, everything_in, move, source_rows, target_rows


def deciding(**on: Choice) -> Choices:
    return Choices(zone=ZONE, on={code.replace("_", "-"): choice for code, choice in on.items()})


def test_rows_that_are_left_out_are_preserved_whole(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"priority": 9}, {}])
    outcome = move(source, database, deciding(priority_out_of_range=Choice.LEAVE_OUT))
    assert (outcome.tables["tasks"].inserted, outcome.tables["tasks"].skipped) == (1, 1)
    assert [row["id"] for row in target_rows(database, "tasks")] == [2]
    kept = ask(database, "SELECT original FROM bizy_migrate.preserved WHERE source_table = 'tasks'")
    assert [row["original"] for row in kept] == source_rows(source, "tasks")[:1]


def test_what_hangs_on_a_goal_that_is_left_out_loses_it_or_goes_with_it(tmp_path: Path, database: Target) -> None:
    goals = [{"parent_goal_id": 77}, {"parent_goal_id": 1}, {}]
    source = make_source(tmp_path / "tasks.db", goals=goals, tasks=[{"parent_goal_id": goal} for goal in (1, 2, 3)])
    outcome = move(source, database, deciding(parent_missing=Choice.LEAVE_OUT))
    assert [row["id"] for row in target_rows(database, "goals")] == [3]
    assert [row["id"] for row in target_rows(database, "tasks")] == [3]
    assert (outcome.tables["goals"].skipped, outcome.tables["tasks"].skipped) == (2, 2)


def test_to_stop_forbids_the_run(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"priority": 9}])
    before = everything_in(database)
    with pytest.raises(PlanBlocked) as refusal:
        move(source, database, deciding(priority_out_of_range=Choice.STOP))
    assert refusal.value.code == "priority-out-of-range"
    assert everything_in(database) == before


def test_a_choice_about_something_that_does_not_occur_changes_nothing(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{}])
    assert move(source, database, deciding(title_empty=Choice.STOP)).status is Status.MIGRATED
