import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.prerequisites.prerequisites import (
    PREREQUISITES,
    CheckState,
    PrerequisiteResult,
    check_all,
)
from tests.target.back_end import create_all

PASSED, WARNING, FAILED = CheckState.PASSED, CheckState.WARNING, CheckState.FAILED


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.db"
    with closing(sqlite3.connect(path)) as made:
        made.execute("CREATE TABLE tasks (id INTEGER PRIMARY KEY)")
    return path


def checked(source: Path, target: Target | None, env_file: Path | None = None) -> Mapping[str, PrerequisiteResult]:
    heard: list[str] = []
    results = check_all(source, target, lambda result: heard.append(result.code), env_file=env_file)
    assert [result.code for result in results] == [one.code for one in PREREQUISITES]
    assert sorted(heard) == sorted(one.code for one in PREREQUISITES)
    for result in results:
        assert bool(result.remedy) == (result.state is not PASSED)
    return {result.code: result for result in results}


def test_everything_is_there(source: Path, target: Target) -> None:
    results = checked(source, target, source.parent / ".env")
    assert {result.state for result in results.values()} == {PASSED}
    assert results["tables"].fix == "schema"


def test_tables_that_are_there_are_counted(source: Path, database: Target) -> None:
    create_all(database)
    assert checked(source, database)["tables"].detail == "users: 0 rows; goals: 0 rows; tasks: 0 rows."


def test_tables_that_differ_fail(source: Path, database: Target) -> None:
    with closing(connect(database)) as opened, opened:
        opened.cursor().execute("CREATE TABLE public.tasks (id serial PRIMARY KEY)")
    result = checked(source, database)["tables"]
    assert result.state is FAILED
    assert "tasks.user_id is missing" in result.detail


def test_no_target_is_named(source: Path) -> None:
    results = checked(source, None)
    assert results["target"].state is FAILED
    assert results["source"].state is PASSED
    assert results["tables"].state is WARNING


def test_no_server_is_there(source: Path, database: Target) -> None:
    gone = Target.from_fields(host="/nonexistent", port=None, dbname="d", user="u", password=None)
    results = checked(source, gone)
    assert (results["server"].state, results["login"].state, results["tables"].state) == (FAILED, WARNING, WARNING)


def test_a_missing_database_can_be_set_up(source: Path, database: Target) -> None:
    gone = Target.from_fields(host=database.host, port=None, dbname="gone", user=database.user, password=None)
    results = checked(source, gone)
    assert (results["server"].state, results["login"].state, results["login"].fix) == (PASSED, FAILED, "setup")


def test_a_failed_check_passes_once_it_is_mended(source: Path, database: Target) -> None:
    missing = source.with_name("missing.db")
    assert checked(missing, database)["source"].state is FAILED
    source.rename(missing)
    assert checked(missing, database)["source"].state is PASSED


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0 but no more"])
def test_what_is_no_source_fails(source: Path, content: bytes) -> None:
    source.write_bytes(content)
    assert checked(source, None)["source"].state is FAILED


def test_a_source_of_somebody_else_fails(source: Path) -> None:
    with closing(sqlite3.connect(source)) as made:
        made.execute("DROP TABLE tasks")
    assert "no table of tasks" in checked(source, None)["source"].detail


def test_looking_at_a_source_writes_nothing_beside_it(source: Path) -> None:
    with closing(sqlite3.connect(source)) as made:
        made.execute("PRAGMA journal_mode = WAL")
    before = (source.read_bytes(), sorted(path.name for path in source.parent.iterdir()))
    assert checked(source, None)["source"].state is PASSED
    assert (source.read_bytes(), sorted(path.name for path in source.parent.iterdir())) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom file modes bind")
def test_an_env_file_that_cannot_be_written_is_a_warning(source: Path) -> None:
    env_file = source.parent / ".env"
    env_file.touch(mode=0o400)
    assert checked(source, None, env_file)["env-file"].state is WARNING
