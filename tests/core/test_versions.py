"""Every line of `bizy` migrates, whatever columns it had."""

from pathlib import Path

from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Status
from tests.bizy_source import Schema, make_source
from tests.core.moving import (
    ask,
    move,
    source_rows,
)


def test_the_first_version_of_bizy(tmp_path: Path, database: Target) -> None:
    source = make_source(
        tmp_path / "tasks.db", tasks=[{}], schema=Schema.V1_0_0, business_plans=[{"version": "1", "is_active": True}]
    )
    outcome = move(source, database)
    assert outcome.status is Status.MIGRATED
    kept = ask(database, "SELECT original FROM bizy_migrate.preserved WHERE source_table = 'business_plans'")
    assert [row["original"] for row in kept] == source_rows(source, "business_plans")


def test_the_line_of_bizy_with_projects(tmp_path: Path, database: Target) -> None:
    project = {"project_name": "Garden", "repository_path": "~/garden"}
    source = make_source(tmp_path / "tasks.db", tasks=[project, {}], goals=[project], schema=Schema.PROJECTS)
    outcome = move(source, database)
    assert (outcome.tables["tasks"].inserted, outcome.tables["goals"].inserted) == (2, 1)
    kept = ask(database, "SELECT source_table, source_key, original FROM bizy_migrate.preserved ORDER BY 1")
    assert [(row["source_table"], row["source_key"]) for row in kept] == [("goals", "1"), ("tasks", "1")]
    assert all(row["original"].items() >= project.items() for row in kept)
