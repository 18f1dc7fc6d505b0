"""The guide's six errors (guide, "Troubleshooting"), each met for real by a migration: its cause and its remedy are told."""

from pathlib import Path

import pytest

from bizy_migrate_tui.migration.errors import MigrationError, ProofFailed, SchemaMismatch
from bizy_migrate_tui.migration.load.load import Loader
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Status
from bizy_migrate_tui.migration.secret import Secret
from tests.bizy_source import make_source
from tests.core.moving import ask, everything_in, move, target_rows
from tests.target.back_end import create_all


@pytest.fixture
def source(tmp_path: Path) -> Path:
    tasks = [{"title": f"Task {number}", "parent_goal_id": 77 if number == 2 else None} for number in range(1, 68)]
    return make_source(tmp_path / "tasks.db", tasks=tasks, goals=[{}])


def refused(source: Path, target: Target) -> MigrationError:
    with pytest.raises(MigrationError) as raised:
        move(source, target)
    return raised.value


def with_other(target: Target, *, port: int | None = None, dbname: str | None = None, password: str | None = None) -> Target:
    return Target.from_fields(
        host=target.host,
        port=port or target.port,
        dbname=dbname or target.dbname,
        user=target.user,
        password=Secret(password) if password else target.password,
    )


def test_could_not_connect_to_server(source: Path, tcp_target: Target) -> None:
    error = refused(source, with_other(tcp_target, port=1))
    assert error.code == "server-unreachable"
    for command in (
        "brew services start postgresql@16",
        "sudo systemctl start postgresql",
        "docker start bizy-postgres",
    ):
        assert command in error.remedy


def test_password_authentication_failed(source: Path, tcp_target: Target) -> None:
    error = refused(source, with_other(tcp_target, password="wrong one"))
    assert error.code == "password-rejected"
    assert ".env" in error.remedy
    for command in ("psql -d postgres", "sudo -u postgres psql", "docker exec -it bizy-postgres psql -U postgres"):
        assert f"{command} -c '\\password \"{tcp_target.user}\"'" in error.remedy
    assert "wrong one" not in error.cause + error.remedy


def test_database_does_not_exist(source: Path, database: Target) -> None:
    error = refused(source, with_other(database, dbname="bizy_dev"))
    assert (error.code, "bizy_dev" in error.cause) == ("database-missing", True)
    assert "bizy-migrate-tui setup" in error.remedy
    assert error.remedy.count('CREATE DATABASE "bizy_dev"') >= 3


def test_column_user_id_does_not_exist(source: Path, database: Target) -> None:
    create_all(database)
    ask(database, "ALTER TABLE public.tasks DROP COLUMN user_id")
    before = everything_in(database)
    error = refused(source, database)
    assert isinstance(error, SchemaMismatch)
    assert "tasks.user_id is missing" in error.cause
    assert "alembic upgrade head" in error.remedy
    assert everything_in(database) == before


def test_task_count_mismatch(source: Path, database: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    finished = Loader._finished
    before = everything_in(database)

    def losing_a_row(self: Loader, chunk: tuple[int, bytes]) -> tuple[int, bytes]:
        rows, text = finished(self, chunk)
        return rows, b"".join(line for line in text.splitlines(keepends=True) if b"Task 40" not in line)

    monkeypatch.setattr(Loader, "_finished", losing_a_row)
    error = refused(source, database)
    assert isinstance(error, ProofFailed)
    assert [(one.table, one.id, one.column) for one in error.differences] == [("tasks", "40", "id")]
    assert [check.detail for check in error.checks if not check.passed]
    assert error.remedy
    assert everything_in(database) == before


def test_orphaned_tasks(source: Path, database: Target) -> None:
    outcome = move(source, database)
    found = {one.code: one for one in outcome.plan.findings}
    assert (found["parent-missing"].ids, outcome.status) == (("2",), Status.MIGRATED)
    assert target_rows(database, "tasks")[1]["parent_goal_id"] is None
    assert ask(
        database,
        "SELECT count(*) AS orphans FROM tasks t LEFT JOIN goals g ON t.parent_goal_id = g.id"
        " WHERE t.parent_goal_id IS NOT NULL AND g.id IS NULL",
    ) == [{"orphans": 0}]
