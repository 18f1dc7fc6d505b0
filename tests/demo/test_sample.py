import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bizy_migrate_tui.migration.findings import Severity
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.sample import TASKS, UTC_UNTIL, ZONE, write_sample
from tests.bizy_source import make_source, run_bizy
from tests.core.moving import move, source_rows, target_rows

# Before, at and after each change of the owner's clock, a leap day, and the turn of a year.
DAYS = ["2024-02-29", "2025-03-10", "2025-04-20", "2025-06-15", "2025-11-03", "2025-12-20", "2026-01-01"]


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    write_sample(tmp_path / "tasks.db")
    return tmp_path / "tasks.db"


def schema(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")]
        return [(name, *column) for name in names for column in database.execute("SELECT * FROM pragma_table_xinfo(?)", (name,))]


def test_it_has_the_schema_of_bizy(sample: Path, tmp_path: Path) -> None:
    assert schema(sample) == schema(make_source(tmp_path / "bizy.db"))


def test_bizy_reads_it(sample: Path) -> None:
    assert "Take Sunday off" in run_bizy(sample, "task", "list")


def test_it_has_the_size_of_the_guides(sample: Path) -> None:
    assert (len(source_rows(sample, "tasks")), len(source_rows(sample, "goals"))) == (TASKS, 4)
    for table in ("daily_logs", "research", "metrics", "business_plans"):
        assert source_rows(sample, table)


@pytest.mark.parametrize("day", DAYS)
def test_the_clocks_tell_of_the_upgrade_and_of_nothing_else(tmp_path: Path, day: str, database: Target) -> None:
    write_sample(tmp_path / "tasks.db", datetime.fromisoformat(f"{day}T12:00:00").replace(tzinfo=UTC))
    with Session(tmp_path / "tasks.db") as session:
        inventory = session.take_inventory(session.take_snapshot(backup=False), ZONE)
        plan = session.make_plan(inventory, database, Choices(zone=ZONE, created_at_utc_until=UTC_UNTIL))
    assert inventory.evidence.utc_until(ZoneInfo(ZONE)) == UTC_UNTIL
    assert inventory.evidence.later_than_snapshot.count == 0
    assert inventory.evidence.completed_before_created.count > 0
    assert inventory.evidence.updated_before_created.count > 0
    assert {(finding.code, finding.count) for finding in plan.findings if finding.severity is not Severity.NOTES} == {
        ("horizon-unknown", 1),
        ("parent-missing", 1),
        ("priority-out-of-range", 1),
    }
    assert {finding.code for finding in plan.findings if finding.severity is Severity.NOTES} == {"table-without-home"}


def test_with_the_upgrade_named_no_task_is_finished_before_it_was_made(sample: Path, database: Target) -> None:
    move(sample, database, Choices(zone=ZONE, created_at_utc_until=UTC_UNTIL))
    tasks = target_rows(database, "tasks")
    assert [task["id"] for task in tasks if task["completed_at"] and task["completed_at"] < task["created_at"]] == []
    made = [task["created_at"] for task in tasks]
    assert made == sorted(made)
    assert datetime.now(UTC).replace(tzinfo=None) - made[-1] < timedelta(days=3)


def test_the_texts_are_the_same_every_day(tmp_path: Path) -> None:
    titles = []
    for day in (1, 2):
        write_sample(tmp_path / f"{day}.db", datetime(2025, 6, day, tzinfo=UTC))
        titles.append([row["title"] for row in source_rows(tmp_path / f"{day}.db", "tasks")])
    assert titles[0] == titles[1]
