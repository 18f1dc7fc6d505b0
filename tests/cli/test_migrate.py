import hashlib
import socket
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import bcrypt
import pytest

from bizy_migrate_tui.migration.postgresql.target import Target, connect
from tests.bizy_source import copy_of, make_source
from tests.cli.conftest import Command
from tests.core.moving import ask
from tests.target.back_end import create_all

ZONE = "America/New_York"
KEYS = {
    *("status", "run_id", "source", "target", "backup", "timezone", "user", "tables", "preserved", "findings", "checks"),
    *("error", "seconds"),
}


@pytest.fixture
def source(home: Path, bizy_db: Path) -> Path:
    """What the real `bizy` wrote, where `bizy` keeps it."""
    folder = home / ".business-agent"
    folder.mkdir()
    return copy_of(bizy_db, folder)


def url(target: Target) -> str:
    return target.url().reveal()


def rows(target: Target, query: str) -> list[Any]:
    with closing(connect(target)) as server, server.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def schemas(target: Target) -> list[Any]:
    return rows(
        target,
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('public', 'bizy_migrate') ORDER BY 1, 2",
    )


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def backups(source: Path) -> list[Path]:
    return list(source.parent.glob("tasks_backup_*"))


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_bizy_wrote_arrives_and_the_source_stays_as_it_is(command: Command, source: Path, database: Target) -> None:
    before = hashlib.sha256(source.read_bytes()).hexdigest()

    ended = command("migrate", "--postgres-url", url(database), "--timezone", ZONE, "--yes", "--json")

    report = ended.report
    assert (ended.code, report["status"], report["error"]) == (0, "migrated", None)
    assert report.keys() >= KEYS
    assert report["checks"]
    assert all(check["passed"] for check in report["checks"])
    counts = {"source": 3, "inserted": 3, "unchanged": 0, "adjusted": 2, "skipped": 0, "kept": 0}
    assert report["tables"]["tasks"] == counts
    assert report["source"]["rows"]["tasks"] == 3
    assert {finding["code"] for finding in report["findings"]} >= {"priority-out-of-range", "parent-missing"}
    assert hashlib.sha256(source.read_bytes()).hexdigest() == before
    assert Path(report["backup"]).parent == source.parent
    assert Path(report["backup"]).stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(source)) as bizy:
        stored = bizy.execute("SELECT id, title, created_at FROM tasks ORDER BY id").fetchall()
    assert rows(database, "SELECT id, title, created_at FROM public.tasks ORDER BY id") == [
        (id_, title, in_utc(created)) for id_, title, created in stored
    ]


def in_utc(local: str) -> datetime:
    return datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC).replace(tzinfo=None)


def test_a_second_time_there_is_nothing_to_do(command: Command, source: Path, database: Target) -> None:
    arguments = ("migrate", "--postgres-url", url(database), "--timezone", ZONE, "--yes", "--json")
    command(*arguments)

    again = command(*arguments)

    assert (again.code, again.report["status"], again.report["run_id"]) == (0, "nothing-to-do", None)
    assert Path(again.report["backup"]).is_file()  # the copy that was promised stays, whatever was to do


def test_a_check_that_fails_after_commit_is_told_and_is_no_success(command: Command, source: Path, database: Target) -> None:
    create_all(database)
    ask(database, "DROP INDEX public.ix_tasks_user_status")

    ended = command("migrate", "--postgres-url", url(database), "--timezone", ZONE, "--yes", "--json")

    assert (ended.code, ended.report["status"], ended.report["error"]["code"]) == (1, "migrated", "check-failed")
    assert "ix_tasks_user_status is missing" in ended.report["error"]["cause"]
    assert "Done and verified" not in ended.err


def test_a_dry_run_leaves_nothing_behind(command: Command, source: Path, database: Target, home: Path) -> None:
    before = files_below(home), schemas(database)

    ended = command("migrate", "--postgres-url", url(database), "--dry-run", "--json")

    assert (ended.code, ended.report["status"], ended.report["backup"]) == (0, "dry-run", None)
    assert (files_below(home), schemas(database)) == before


def test_a_dry_run_makes_the_backup_that_was_asked_for(command: Command, source: Path, database: Target) -> None:
    ended = command("migrate", "--postgres-url", url(database), "--dry-run", "--backup", "--json")

    assert Path(ended.report["backup"]).is_file()


def test_the_temporary_password_is_shown_but_not_in_the_report(command: Command, source: Path, database: Target) -> None:
    ended = command("migrate", "--postgres-url", url(database), "--yes", "--json")

    [(stored,)] = rows(database, "SELECT hashed_password FROM public.users")
    words = [word for word in ended.err.split() if bcrypt_matches(word, stored)]
    assert words
    assert not any(word in ended.out for word in words)
    assert stored.startswith("$2b$12$")


def test_without_a_terminal_the_text_tells_the_temporary_password(command: Command, source: Path, database: Target) -> None:
    ended = command("migrate", "--postgres-url", url(database), "--yes")

    [(stored,)] = rows(database, "SELECT hashed_password FROM public.users")
    assert any(bcrypt_matches(word, stored) for word in ended.out.split())


def bcrypt_matches(word: str, stored: str) -> bool:
    return word.count("-") == 3 and len(word) == 23 and bcrypt.checkpw(word.encode(), stored.encode())


def test_without_a_terminal_it_needs_yes_before_anything_is_done(
    command: Command, source: Path, database: Target, home: Path
) -> None:
    ended = command("migrate", "--postgres-url", url(database), "--json")

    assert (ended.code, ended.report["error"]["code"]) == (2, "needs-yes")
    assert backups(source) == []
    assert schemas(database) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "source-missing"), (b"", "source-empty"), (b"no database at all", "source-not-sqlite")],
)
def test_an_unusable_source_has_its_own_error(
    command: Command, tmp_path: Path, database: Target, content: bytes | None, code: str
) -> None:
    path = tmp_path / "tasks.db"
    if content is not None:
        path.write_bytes(content)

    ended = command("migrate", "--sqlite-path", str(path), "--postgres-url", url(database), "--yes", "--json")

    assert (ended.code, ended.report["status"], ended.report["error"]["code"]) == (3, "failed", code)
    assert ended.report["error"]["remedy"]
    assert ended.report["source"]["path"] == str(path)


def test_a_folder_as_source_has_its_own_error(command: Command, tmp_path: Path, database: Target) -> None:
    ended = command("migrate", "--sqlite-path", str(tmp_path), "--postgres-url", url(database), "--yes", "--json")

    assert (ended.code, ended.report["error"]["code"]) == (3, "source-is-directory")


def test_a_foreign_database_as_source_has_its_own_error(command: Command, tmp_path: Path, database: Target) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE songs (id INTEGER)")
        other.commit()

    ended = command("migrate", "--sqlite-path", str(tmp_path / "other.db"), "--postgres-url", url(database), "--yes", "--json")

    assert (ended.code, ended.report["error"]["code"]) == (3, "source-not-bizy")


def test_a_server_that_is_down_has_its_own_error_and_no_backup_is_left(command: Command, source: Path) -> None:
    ended = command("migrate", "--postgres-url", f"postgresql://bizy@127.0.0.1:{free_port()}/bizy_dev", "--yes", "--json")

    assert (ended.code, ended.report["error"]["code"]) == (3, "server-unreachable")
    assert backups(source) == []


def test_a_wrong_password_has_its_own_error(command: Command, source: Path, tcp_target: Target) -> None:
    wrong = url(tcp_target).replace(tcp_target.url().reveal().split("@")[0].rpartition(":")[2], "not-it")

    ended = command("migrate", "--postgres-url", wrong, "--yes", "--json")

    assert (ended.code, ended.report["error"]["code"]) == (3, "password-rejected")
    assert "not-it" not in ended.out + ended.err


def test_a_database_that_is_missing_has_its_own_error(command: Command, source: Path, database: Target) -> None:
    missing = url(database).replace(database.dbname or "", "nowhere")

    ended = command("migrate", "--postgres-url", missing, "--yes", "--json")

    assert (ended.code, ended.report["error"]["code"]) == (3, "database-missing")


def test_no_target_at_all_has_its_own_error(command: Command, source: Path) -> None:
    ended = command("migrate", "--yes", "--json")

    assert (ended.code, ended.report["error"]["code"]) == (3, "no-target")


def test_rows_are_left_out_where_the_user_says_so(command: Command, source: Path, database: Target) -> None:
    ended = command(*("migrate", "--postgres-url", url(database), "--on", "priority-out-of-range=leave-out", "--yes", "--json"))

    assert (ended.code, ended.report["tables"]["tasks"]["skipped"]) == (0, 1)
    assert rows(database, "SELECT count(*) FROM public.tasks WHERE title = 'Priority beyond the scale'") == [(0,)]


def test_a_finding_can_stop_the_run_and_the_report_names_it(command: Command, source: Path, database: Target) -> None:
    ended = command("migrate", "--postgres-url", url(database), "--on", "priority-out-of-range=stop", "--yes", "--json")

    assert (ended.code, ended.report["error"]["code"]) == (1, "priority-out-of-range")
    assert ended.report["source"]["rows"]["tasks"] == 3
    assert any(finding["severity"] == "blocks" for finding in ended.report["findings"])
    assert schemas(database) == []


@pytest.mark.parametrize("choice", ["no-such-code=adjust", "hour-doubled=stop", "priority-out-of-range=maybe", "adjust"])
def test_a_choice_that_there_is_not_is_a_mistake_in_usage(command: Command, source: Path, database: Target, choice: str) -> None:
    ended = command("migrate", "--postgres-url", url(database), "--on", choice, "--yes", "--json")

    assert (ended.code, ended.report["status"]) == (2, "failed")
    assert schemas(database) == []


def test_an_unknown_zone_is_a_mistake_in_usage(command: Command, source: Path, database: Target) -> None:
    ended = command("migrate", "--postgres-url", url(database), "--timezone", "Mars/Olympus", "--yes", "--json")

    assert (ended.code, ended.report["error"]["code"]) == (2, "unknown-zone")


def test_a_switch_of_clocks_is_hinted_at_with_the_flag_and_never_guessed(
    command: Command, tmp_path: Path, database: Target
) -> None:
    path = make_source(
        tmp_path / "tasks.db",
        tasks=[
            {"created_at": "2025-03-03 15:00:00.000000"},
            {"created_at": "2025-03-04 15:00:00.000000"},
            {"created_at": "2025-03-04 11:00:00.000000"},
        ],
    )

    ended = command(
        *("migrate", "--sqlite-path", str(path), "--postgres-url", url(database), "--timezone", ZONE, "--dry-run", "--json")
    )

    assert "--created-at-utc-until 2" in ended.err
    assert any("--created-at-utc-until 2" in hint for hint in ended.report["hints"])


def test_what_the_source_says_cannot_command_the_terminal(command: Command, tmp_path: Path, database: Target) -> None:
    path = make_source(tmp_path / "tasks.db", tasks=[{"id": 1, "title": "\x1b[2J\x1b]0;gone\x07", "priority": 9}])

    ended = command("migrate", "--sqlite-path", str(path), "--postgres-url", url(database), "--yes")

    assert ended.code == 0
    assert "\x1b" not in ended.out + ended.err


def test_the_env_file_is_pointed_at_the_target_and_taken_back(
    command: Command, source: Path, database: Target, home: Path
) -> None:
    env_file = home / ".env"
    env_file.write_text("# mine\nDATABASE_URL=sqlite:///~/.business-agent/tasks.db\nDEBUG=1\n")
    before = env_file.read_text()
    command("migrate", "--postgres-url", url(database), "--yes", "--write-env", "--json")
    written = env_file.read_text()

    ended = command("rollback", "--yes", "--json")  # the target is known from .env now

    assert url(database) in written
    assert written.startswith("# mine\n")
    assert (ended.code, ended.report["status"]) == (0, "rolled-back")
    assert env_file.read_text() == before
    assert schemas(database) == []


def test_the_env_file_stays_while_another_run_is_in_the_database(
    command: Command, source: Path, database: Target, home: Path
) -> None:
    command("migrate", "--postgres-url", url(database), "--yes", "--write-env")
    written = (home / ".env").read_text()
    with closing(sqlite3.connect(source)) as opened:
        opened.execute(
            "INSERT INTO tasks (title, priority, status, created_at) SELECT 'New', 3, 'pending', max(created_at) FROM tasks"
        )
        opened.commit()
    assert command("migrate", "--yes", "--json").report["status"] == "migrated"
    assert command("rollback", "--yes").code == 0
    assert (home / ".env").read_text() == written
    assert command("rollback", "--yes").code == 0
    assert not (home / ".env").exists()


def test_what_is_next_is_told_when_the_env_file_is_written_too(command: Command, source: Path, database: Target) -> None:
    told = command("migrate", "--postgres-url", url(database), "--yes", "--write-env").err
    assert "alembic stamp head" in told
    assert "Let the web back end use PostgreSQL" not in told


def test_the_decision_that_no_time_is_in_utc_silences_the_hint(command: Command, tmp_path: Path, database: Target) -> None:
    times = ["2025-03-01 17:00:00", "2025-03-01 17:10:00", "2025-03-01 12:20:00"]
    file = make_source(tmp_path / "tasks.db", tasks=[{"created_at": time} for time in times])
    arguments = (
        "migrate",
        "--sqlite-path",
        str(file),
        "--postgres-url",
        url(database),
        "--timezone",
        ZONE,
        "--dry-run",
        "--json",
    )
    assert command(*arguments).report["hints"]
    assert not command(*arguments, "--created-at-utc-until", "0").report.get("hints")


def test_the_remedy_for_a_finding_that_stops_names_the_choices_that_it_has(
    command: Command, tmp_path: Path, database: Target
) -> None:
    file = make_source(tmp_path / "tasks.db", tasks=[{"id": 2**40}])
    stop = ("--on", "id-unusable=stop", "--yes", "--json")
    error = command("migrate", "--sqlite-path", str(file), "--postgres-url", url(database), *stop).report["error"]
    assert error["remedy"].endswith("decide otherwise: --on id-unusable=leave-out.")
