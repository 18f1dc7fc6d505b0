import csv
import io
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from tests.bizy_source import make_source
from tests.cli.conftest import Command, Ran


@pytest.fixture
def migrated(command: Command, tmp_path: Path, database: Target) -> Target:
    """A target that one run went into: two tasks, a goal, a daily log and an adjusted priority."""
    source = make_source(
        tmp_path / "home" / "tasks.db",
        tasks=[{"id": 1, "title": "First", "parent_goal_id": 1}, {"id": 2, "title": "Second", "priority": 9}],
        goals=[{"id": 1, "title": "A goal"}],
        daily_logs=[{"id": 5, "date": "2025-03-01 00:00:00.000000", "wins": 'ran\n10 km, "fast"'}],
    )
    ended = command("migrate", *into(database), "--sqlite-path", str(source), "--timezone", "UTC", "--yes", "--json")
    assert ended.code == 0, ended.err
    return database


def into(target: Target) -> tuple[str, str]:
    return "--postgres-url", target.url().reveal()


def execute(target: Target, statement: str) -> list[Any]:
    with closing(connect(target)) as server, server.cursor() as rows:
        rows.execute(statement)
        server.commit()
        return rows.fetchall() if rows.description else []


def verify(command: Command, target: Target) -> Ran:
    return command("verify", *into(target), "--sqlite-path", "tasks.db", "--json")


def test_verify_says_that_all_is_as_it_should_be(command: Command, migrated: Target) -> None:
    ended = verify(command, migrated)

    assert (ended.code, ended.report["status"], ended.report["error"]) == (0, "verified", None)
    assert ended.report["run_id"] == 1
    assert ended.report["timezone"] == "UTC"
    assert ended.report["tables"]["tasks"]["inserted"] == 2
    assert ended.report["user"]["email"] == "admin@bizy.local"
    assert all(check["passed"] for check in ended.report["checks"])


def test_verify_names_the_cell_that_was_spoiled(command: Command, migrated: Target) -> None:
    execute(migrated, "UPDATE public.tasks SET title = 'Spoiled' WHERE id = 2")

    ended = verify(command, migrated)

    assert (ended.code, ended.report["status"], ended.report["error"]["code"]) == (1, "failed", "differences-found")
    assert {"table": "tasks", "id": "2", "column": "title", "expected": "Second", "found": "Spoiled"} in (
        ended.report["differences"]
    )


def test_verify_tells_a_change_on_the_web_from_a_difference(command: Command, migrated: Target) -> None:
    execute(
        migrated,
        "UPDATE public.tasks SET title = 'Edited', updated_at = now() AT TIME ZONE 'UTC' + interval '1 s' WHERE id = 2",
    )

    ended = verify(command, migrated)

    assert (ended.code, ended.report["status"]) == (0, "verified")
    assert ended.report["web_changes"]["changed"]["tasks"] == [2]


def test_verify_without_a_run_says_so(command: Command, database: Target) -> None:
    ended = command("verify", *into(database), "--json")

    assert (ended.code, ended.report["error"]["code"]) == (1, "no-such-run")


def test_runs_lists_the_ledger(command: Command, migrated: Target) -> None:
    ended = command("runs", *into(migrated), "--json")

    [run] = ended.report["runs"]
    assert ended.code == 0
    assert (run["id"], run["status"], run["inserted_tasks"], run["inserted_goals"]) == (1, "migrated", 2, 1)


def test_runs_of_an_empty_database_are_none(command: Command, database: Target) -> None:
    ended = command("runs", *into(database), "--json")

    assert (ended.code, ended.report["runs"]) == (0, [])


def test_preserved_gives_the_originals_back_as_json(command: Command, migrated: Target) -> None:
    ended = command("preserved", *into(migrated), "--table", "daily_logs")

    [row] = json.loads(ended.out)
    assert (row["source_table"], row["source_key"]) == ("daily_logs", "5")
    assert row["original"]["wins"] == 'ran\n10 km, "fast"'


def test_preserved_gives_the_originals_back_as_csv(command: Command, migrated: Target) -> None:
    ended = command("preserved", *into(migrated), "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert {row["source_table"] for row in rows} == {"daily_logs", "tasks"}
    [priority] = [json.loads(row["original"]) for row in rows if row["source_table"] == "tasks"]
    assert priority == {"priority": 9}


def test_preserved_is_one_object_where_json_is_asked_for(command: Command, migrated: Target) -> None:
    ended = command("preserved", *into(migrated), "--json")

    assert ended.code == 0
    assert {row["source_table"] for row in ended.report["rows"]} == {"daily_logs", "tasks"}


def test_rollback_brings_the_target_back_to_what_it_was(command: Command, migrated: Target) -> None:
    ended = command("rollback", *into(migrated), "--yes", "--json")

    assert (ended.code, ended.report["status"], ended.report["run_id"]) == (0, "rolled-back", 1)
    assert ended.report["removed"] == {"tasks": 2, "goals": 1, "preserved": 2, "users": 1}
    assert execute(migrated, "SELECT to_regclass('public.tasks'), to_regnamespace('bizy_migrate')") == [(None, None)]


def test_rollback_keeps_what_was_changed_on_the_web_and_names_it(command: Command, migrated: Target) -> None:
    execute(migrated, "UPDATE public.tasks SET updated_at = now() AT TIME ZONE 'UTC' + interval '1 s' WHERE id = 1")

    ended = command("rollback", "1", *into(migrated), "--yes", "--json")

    assert ended.code == 0
    assert execute(migrated, "SELECT id FROM public.tasks") == [(1,)]
    assert {(row["table"], row["id"]) for row in ended.report["kept_rows"]} == {("tasks", 1), ("goals", 1)}


def test_rollback_without_a_terminal_needs_yes(command: Command, migrated: Target) -> None:
    ended = command("rollback", *into(migrated), "--json")

    assert (ended.code, ended.report["error"]["code"]) == (2, "needs-yes")
    assert execute(migrated, "SELECT count(*) FROM public.tasks") == [(2,)]


def test_rollback_of_a_run_that_there_is_not_says_so(command: Command, migrated: Target) -> None:
    ended = command("rollback", "77", *into(migrated), "--yes", "--json")

    assert (ended.code, ended.report["error"]["code"]) == (1, "no-such-run")


def test_setup_makes_everything_once(command: Command, server: EmbeddedServer) -> None:
    wanted = server.target("made_by_setup").url().reveal().replace("postgres@", "planner:pw@", 1)

    first = command("setup", "--postgres-url", wanted, "--json")
    second = command("setup", "--postgres-url", wanted, "--json")

    assert (first.code, second.code) == (0, 0), first.err + second.err
    assert "The role planner was created." in first.report["steps"]
    assert "The tables were created." in first.report["steps"]
    assert not any("created" in step for step in second.report["steps"])


def test_check_passes_where_nothing_is_missing(command: Command, source: Path, database: Target) -> None:
    ended = command("check", "--sqlite-path", str(source), *into(database), "--json")

    assert ended.code == 0, ended.err
    assert {check["name"] for check in ended.report["checks"]} >= {"source", "server", "login", "tables"}


def test_check_names_what_is_missing_with_its_remedy(command: Command, database: Target) -> None:
    ended = command("check", *into(database), "--json")

    assert (ended.code, ended.report["status"]) == (3, "failed")
    assert ended.report["error"]["remedy"]
    assert "tasks.db" in ended.err


def test_a_user_can_be_added_and_given_another_password(command: Command, migrated: Target) -> None:
    added = command("user", "add", "ada@example.com", *into(migrated), "--json", stdin="first secret\n")
    changed = command("user", "passwd", "ADA@example.com", *into(migrated), "--json", stdin="second secret\n")

    assert (added.code, changed.code) == (0, 0)
    assert added.report["user"]["username"] == "ada"
    [(stored,)] = execute(migrated, "SELECT hashed_password FROM public.users WHERE email = 'ada@example.com'")
    assert stored.startswith("$2b$12$")
    assert bcrypt.checkpw(b"second secret", stored.encode())
    assert "secret" not in added.out + added.err + changed.out + changed.err


@pytest.mark.parametrize(("typed", "code"), [("", "password-empty"), ("x" * 73 + "\n", "password-too-long")])
def test_a_password_that_bcrypt_cannot_take_is_refused(command: Command, migrated: Target, typed: str, code: str) -> None:
    ended = command("user", "add", "ada@example.com", *into(migrated), "--json", stdin=typed)

    assert (ended.code, ended.report["error"]["code"]) == (2, code)


def test_a_user_who_is_there_already_is_not_made_again(command: Command, migrated: Target) -> None:
    ended = command("user", "add", "Admin@bizy.local", *into(migrated), "--json", stdin="secret\n")

    assert (ended.code, ended.report["error"]["code"]) == (2, "user-exists")


def test_a_user_without_an_address_is_a_mistake_in_usage(command: Command, migrated: Target) -> None:
    ended = command("user", "add", *into(migrated), "--json", stdin="secret\n")

    assert (ended.code, ended.report["status"]) == (2, "failed")
