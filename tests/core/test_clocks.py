"""Local times become UTC, whatever the server and the source's past."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Status
from tests.bizy_source import make_source
from tests.core.moving import (
    ZONE,
    ask,
    in_utc,
    moment,
    move,
    plan_for,
    source_rows,
    target_rows,
)

SUNDAYS = {
    1974: ("01-06", "10-27"), 2019: ("03-10", "11-03"), 2029: ("03-11", "11-04"), 2060: ("03-14", "11-07"),
    9000: ("03-09", "11-02"),
}  # fmt: skip
"""The days on which summer time began and ended in New York."""


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/St_Johns"])
def test_the_servers_own_time_zone_changes_nothing(source: Path, database: Target, zone: str) -> None:
    ask(database, f"ALTER DATABASE {database.dbname} SET timezone = '{zone}'")
    ask(database, f"ALTER DATABASE {database.dbname} SET datestyle = 'German, DMY'")
    move(source, database)
    created = [row["created_at"] for row in target_rows(database, "tasks")]
    assert created == [in_utc(row["created_at"]) for row in source_rows(source, "tasks")]


def test_times_up_to_the_upgrade_are_utc_already(tmp_path: Path, database: Target) -> None:
    times = ["2025-03-01 15:00:00", "2025-03-01 11:00:00"]
    source = make_source(tmp_path / "tasks.db", tasks=[{"created_at": time} for time in times])
    move(source, database, Choices(zone=ZONE, created_at_utc_until=1))
    created = [row["created_at"] for row in target_rows(database, "tasks")]
    assert created == [datetime(2025, 3, 1, 15), datetime(2025, 3, 1, 16)]


def test_utc_as_the_zone_moves_no_time(source: Path, database: Target) -> None:
    move(source, database, Choices(zone="UTC"))
    created = [row["created_at"] for row in target_rows(database, "tasks")]
    assert created == [moment(row["created_at"]) for row in source_rows(source, "tasks")]


def test_hours_that_the_clock_showed_twice_or_never(tmp_path: Path, database: Target) -> None:
    times = ["2024-11-03 01:30:00", "2025-03-09 02:30:00"]
    source = make_source(tmp_path / "tasks.db", tasks=[{"created_at": time} for time in times])
    plan = plan_for(source, database)
    assert {(f.code, f.ids) for f in plan.findings} == {("hour-doubled", ("1",)), ("hour-missing", ("2",))}
    move(source, database)
    created = [row["created_at"] for row in target_rows(database, "tasks")]
    assert created == [datetime(2024, 11, 3, 5, 30), datetime(2025, 3, 9, 7, 30)]


def test_the_guides_two_made_up_columns(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{}], goals=[{}, {"status": "completed"}])
    before = ask(database, "SELECT now() AT TIME ZONE 'UTC' AS now")[0]["now"]
    move(source, database)
    (task,) = target_rows(database, "tasks")
    assert timedelta(0) <= task["updated_at"] - before < timedelta(minutes=5)
    assert [goal["completed_at"] for goal in target_rows(database, "goals")] == [None, None]


@pytest.mark.parametrize("time", ["2025-02-29 00:00:00", "2025-04-31 10:00:00", "2025-01-01 24:00:00", "2025-13-01 00:00:00"])
def test_days_and_hours_that_do_not_exist(tmp_path: Path, database: Target, time: str) -> None:
    task = {"due_date": time, "created_at": time, "completed_at": "2025-01-02 12:00:00"}
    source = make_source(tmp_path / "tasks.db", tasks=[task], goals=[{"target_date": time, "updated_at": time}])
    move(source, database)
    (found,) = target_rows(database, "tasks")
    assert (found["due_date"], found["created_at"]) == (None, datetime(2025, 1, 2, 17))
    (goal,) = target_rows(database, "goals")
    assert (goal["target_date"], goal["updated_at"]) == (None, goal["created_at"])


@pytest.mark.parametrize("zone", ["Africa/Monrovia", "Asia/Kolkata", "Pacific/Auckland"])
def test_the_first_and_the_last_day_of_the_calendar(tmp_path: Path, database: Target, zone: str) -> None:
    times = ["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999"]
    source = make_source(tmp_path / "tasks.db", tasks=[{"due_date": time, "completed_at": time} for time in times])
    assert move(source, database, Choices(zone=zone)).status is Status.MIGRATED
    assert [row["due_date"] for row in target_rows(database, "tasks")] == [moment(time) for time in times]


@pytest.mark.parametrize("year", SUNDAYS)
def test_odd_hours_far_from_the_creation_times_are_announced_and_preserved(tmp_path: Path, database: Target, year: int) -> None:
    begin, end = SUNDAYS[year]
    skipped, doubled = f"{year}-{begin} 02:30:00", f"{year}-{end} 01:30:00"
    times = [skipped, doubled, f"{year}-06-01 12:00:00"]
    source = make_source(tmp_path / "tasks.db", tasks=[{"completed_at": time} for time in times])
    outcome = move(source, database)
    found = {(one.code, one.ids) for one in outcome.plan.findings}
    assert found == {("hour-missing", ("1",)), ("hour-doubled", ("2",))}
    kept = ask(database, "SELECT source_key, original FROM bizy_migrate.preserved")
    assert [(row["source_key"], row["original"]) for row in kept] == [("1", {"completed_at": skipped})]


@pytest.mark.parametrize("zone", ["Australia/Lord_Howe", "America/New_York"])
def test_creation_times_from_the_first_to_the_last_year(tmp_path: Path, database: Target, zone: str) -> None:
    times = ["0002-01-01 00:00:00", "1850-06-01 12:00:00", "2025-03-01 09:00:00", "9998-12-31 23:59:59"]
    source = make_source(tmp_path / "tasks.db", tasks=[{"created_at": time} for time in times])
    assert move(source, database, Choices(zone=zone)).status is Status.MIGRATED
    assert [row["created_at"] for row in target_rows(database, "tasks")] == [in_utc(time, zone) for time in times]
