"""What an administrator has set for a database, or for a role, changes nothing in how rows are moved, proven and taken back."""

import pytest

from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.rollback.rollback import roll_back
from bizy_migrate_tui.migration.run.outcome import Status
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import make_source
from tests.core.moving import ask, move

SETTINGS = [
    "standard_conforming_strings = off",
    "quote_all_identifiers = on",
    "bytea_output = 'escape'",
    "client_encoding = 'LATIN1'",
    "default_transaction_isolation = 'serializable'",
    "search_path = 'nowhere'",
    "statement_timeout = '50ms'",
    "transform_null_equals = on",
]


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_of_the_database_changes_nothing(
    setting: str, database: Target, tmp_path_factory: pytest.TempPathFactory
) -> None:
    task = {"title": "back\\slash 'q' \"d\" \t ü 😀", "estimated_hours": 0.1, "dependencies": "[2]", "tags": '["a\\\\b"]'}
    path = tmp_path_factory.mktemp("source") / "tasks.db"
    source = make_source(path, goals=[{}], tasks=[{**task, "parent_goal_id": 1}, {"priority": 9}, {"notes": "\0x"}])
    ask(database, f"ALTER DATABASE {database.dbname} SET {setting}")
    outcome = move(source, database)
    assert verify(source, database).passed
    assert move(source, database).status is Status.NOTHING_TO_DO
    assert all(check.passed for check in roll_back(database, outcome.run_id).checks)
