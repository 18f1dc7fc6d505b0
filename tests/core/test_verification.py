"""One wrong cell anywhere in the target is found and named; what the web interface did is told from what is wrong."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.errors import ProofFailed
from bizy_migrate_tui.migration.events import Event, Phase, PhaseFinished, PhaseStarted
from bizy_migrate_tui.migration.load.load import Loader
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.postgresql.web_schema import METADATA
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.source.snapshot import Snapshot
from bizy_migrate_tui.migration.verification.verification import Verification, verify
from tests.bizy_source import make_source
from tests.conftest import fresh_database
from tests.core.moving import ZONE, ask, everything_in, move, target_rows

TIME = "2025-03-03 10:20:30.123456"
TASK = {
    "id": 5, "title": "Plan", "description": "All of it", "priority": 2, "status": "pending", "category": "work",
    "estimated_hours": 1.25, "actual_hours": 0.1, "due_date": TIME, "created_at": TIME, "completed_at": TIME,
    "parent_goal_id": 3, "dependencies": "[5]", "notes": "note", "tags": '["a"]',
}  # fmt: skip
GOAL = {
    "id": 3, "title": "Goal", "description": "Why", "horizon": "weekly", "target_date": TIME, "status": "active",
    "progress_percentage": 12.5, "success_criteria": "done", "parent_goal_id": 2, "created_at": TIME, "updated_at": TIME,
    "metrics": '{"a": 1}',
}  # fmt: skip
CHANGES = {
    "INTEGER": "{c} + 1", "VARCHAR": "coalesce({c}, '') || 'x'", "TEXT": "coalesce({c}, '') || ' '",
    "DATETIME": "coalesce({c}, now()) - interval '1 us'",
    "FLOAT": "{c} + 1e-15", "JSON": "(coalesce({c}::text, '') || ' ')::json", "BOOLEAN": "NOT {c}",
}  # fmt: skip
CELLS = [
    (table, column.name, CHANGES[str(column.type.__visit_name__).upper().replace("STRING", "VARCHAR")])
    for table in ("tasks", "goals", "users")
    for column in METADATA.tables[table].columns
    if column.name not in {"id", "last_login_at"}  # an id that changes is a row that is missing; a login is no change
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "tasks.db"
    log = {"id": 1, "date": TIME, "wins": "many"}
    make_source(
        path,
        tasks=[TASK, {**TASK, "id": 6, "priority": 9}],
        goals=[{**GOAL, "id": 2, "parent_goal_id": None}, GOAL],
        daily_logs=[log],
    )
    return path


@pytest.fixture(scope="module")
def moved(server: EmbeddedServer, source: Path) -> Iterator[Target]:
    """A target that everything was moved into, for tests that put back what they change."""
    with fresh_database(server) as target:
        move(source, target)
        yield target


def named(found: Verification) -> set[tuple[str, str, str]]:
    return {(one.table, one.id, one.column) for one in found.differences}


def test_what_was_moved_is_as_it_should_be(source: Path, moved: Target) -> None:
    found = verify(source, moved)
    assert found.passed
    assert named(found) == set()
    told = {check.name: check.detail for check in found.checks}
    assert told["samples side by side"].endswith(
        "tasks 5: “Plan” pending = “Plan” pending; tasks 6: “Plan” pending = “Plan” pending"
    )
    assert told["users: the rows' owner is there"] == "admin@bizy.local, active"


@pytest.mark.parametrize(("table", "column", "change"), CELLS, ids=[f"{table}.{column}" for table, column, _ in CELLS])
def test_one_changed_cell_is_named(source: Path, moved: Target, table: str, column: str, change: str) -> None:
    key = {"tasks": 5, "goals": 3, "users": 1}[table]
    (before,) = ask(moved, f"SELECT {column}::text AS value FROM public.{table} WHERE id = %s", [key])
    if column == "user_id":
        ask(moved, "INSERT INTO public.users (id, email, username, hashed_password, created_at, updated_at)"
                   " VALUES (2, 'b@c.d', 'b', 'x', now(), now()) ON CONFLICT DO NOTHING")  # fmt: skip
    new = "2" if column == "parent_goal_id" else change.format(c=column)
    if (table, column) == ("goals", "parent_goal_id"):
        new = "NULL"
    ask(moved, f"UPDATE public.{table} SET {column} = {new} WHERE id = %s", [key])
    try:
        found = verify(source, moved)
        if column == "user_id":
            assert not found.passed
        else:
            assert (table, str(key), column) in named(found)
        assert not found.passed
    finally:
        kind = METADATA.tables[table].c[column].type.compile()
        ask(
            moved,
            f"UPDATE public.{table} SET {column} = CAST(%s AS {kind.replace('DATETIME', 'TIMESTAMP')}) WHERE id = %s",
            [before["value"], key],
        )


@pytest.mark.parametrize(
    "change", ['original = original || \'{"wins": "few"}\'', "source_key = '2'", "source_table = 'daily'", "reason = 'other'"]
)
def test_a_changed_original_is_named(source: Path, moved: Target, change: str) -> None:
    ask(moved, "CREATE TABLE public.kept AS SELECT * FROM bizy_migrate.preserved")
    ask(moved, f"UPDATE bizy_migrate.preserved SET {change} WHERE source_table = 'daily_logs'")
    try:
        assert {table for table, _, _ in named(verify(source, moved))} == {"daily_logs"}
    finally:
        ask(moved, "DELETE FROM bizy_migrate.preserved")
        ask(moved, "INSERT INTO bizy_migrate.preserved SELECT * FROM public.kept")
        ask(moved, "DROP TABLE public.kept")


def test_a_change_through_the_web_is_told_and_is_not_wrong(source: Path, database: Target) -> None:
    move(source, database)
    ask(database, "UPDATE public.tasks SET title = 'New', updated_at = now() AT TIME ZONE 'UTC' WHERE id = 5")
    ask(database, "INSERT INTO public.tasks (user_id, title, status, priority, created_at, updated_at)"
                  " SELECT id, 'Web', 'pending', 3, utc, utc FROM public.users,"
                   " (SELECT now() AT TIME ZONE 'UTC' AS utc) AS made")  # fmt: skip
    found = verify(source, database)
    assert found.passed
    assert (found.web_changes.changed_counts["tasks"], found.web_changes.added["tasks"]) == (1, 1)


@pytest.mark.parametrize("when", ["now() - interval '10 years'", "now() + interval '2 days'"])
def test_a_time_of_change_that_cannot_be_is_wrong(source: Path, database: Target, when: str) -> None:
    move(source, database)
    ask(database, f"UPDATE public.tasks SET updated_at = {when} WHERE id = 5")
    assert ("tasks", "5", "updated_at") in named(verify(source, database))


def test_a_row_that_is_gone_is_named_apart_from_what_is_wrong(source: Path, database: Target) -> None:
    move(source, database)
    ask(database, "DELETE FROM public.tasks WHERE id = 6")
    found = verify(source, database)
    assert named(found) == {("tasks", "6", "id")}
    (failed,) = [check for check in found.checks if not check.passed]
    assert failed.name == "tasks: counts match"
    assert "gone (deleted on the web, or lost): 6" in failed.detail


def test_rows_that_the_deletion_of_their_goal_set_free_are_no_differences(source: Path, database: Target) -> None:
    move(source, database)
    ask(database, "DELETE FROM public.goals WHERE id = 3")
    found = verify(source, database)
    assert target_rows(database, "tasks")[0]["parent_goal_id"] is None
    assert named(found) == {("goals", "3", "id")}
    assert [check.name for check in found.checks if not check.passed] == ["goals: counts match"]


def test_a_goal_that_is_its_own_ancestor_is_wrong(source: Path, database: Target) -> None:
    move(source, database)
    ask(database, "UPDATE public.goals SET parent_goal_id = 5 - id, updated_at = now() AT TIME ZONE 'UTC'")
    (failed,) = [check for check in verify(source, database).checks if not check.passed]
    assert failed.name == "goals: none is its own ancestor"


def test_a_sequence_that_gives_ids_which_are_taken_is_a_failed_check(source: Path, database: Target) -> None:
    move(source, database)
    ask(database, "ALTER SEQUENCE public.tasks_id_seq RESTART WITH 5")
    (failed,) = [check for check in verify(source, database).checks if not check.passed]
    assert failed.name == "new rows can be made"
    assert "tasks_pkey" in failed.detail


@pytest.mark.parametrize("table", ["goals", "tasks"])
def test_a_ledger_that_lost_ids_is_wrong(source: Path, database: Target, table: str) -> None:
    move(source, database)
    ask(database, f"UPDATE bizy_migrate.runs SET inserted_{table} = '{{}}'")
    assert "the ledger agrees with itself" in [check.name for check in verify(source, database).checks if not check.passed]


def test_an_original_that_no_run_preserved_is_wrong(source: Path, database: Target) -> None:
    move(source, database)
    ask(database, "INSERT INTO bizy_migrate.preserved VALUES (1, 'tasks', '5', 'made up', '{\"title\": \"never\"}')")
    assert "the ledger agrees with itself" in [check.name for check in verify(source, database).checks if not check.passed]


def move_with_backup(source: Path, database: Target) -> Snapshot:
    with Session(source) as session:
        snapshot = session.take_snapshot(backup=True)
        session.run(session.make_plan(session.take_inventory(snapshot, ZONE), database, Choices(zone=ZONE)))
    return snapshot


def test_a_backup_that_was_changed_is_not_believed(source: Path, database: Target, tmp_path: Path) -> None:
    own = tmp_path / "tasks.db"
    snapshot = move_with_backup(Path(shutil.copy(source, own)), database)
    (whole,) = verify(own, database).runs
    assert (whole.source, whole.is_unchanged) == (snapshot.path, True)
    with closing(sqlite3.connect(snapshot.path)) as backup:
        backup.execute("UPDATE tasks SET title = 'Not what was moved'")
        backup.commit()
    (other,) = verify(own, database).runs
    assert (other.source, other.is_unchanged) == (own, True)


def test_an_unchanged_backup_is_read_where_it_lies(source: Path, database: Target, tmp_path: Path) -> None:
    own = tmp_path / "tasks.db"
    move_with_backup(Path(shutil.copy(source, own)), database)
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    told: list[Event] = []
    assert verify(own, database, on_event=told.append).passed
    details = {event.phase: event.detail for event in told if isinstance(event, PhaseFinished)}
    assert details[Phase.SNAPSHOT] == "The backup is as it was made."
    assert {file: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"Plan", b"Plam"),
        (b"1.25", b"1.26"),
        (b"[5]", b"[6]"),
        (b".123456", b".123457"),
        (b'["a"]', b'["b"]'),
        (b"work", b"\x1d"),
    ],
)
def test_a_loader_that_writes_one_wrong_value_never_commits(
    source: Path, database: Target, monkeypatch: pytest.MonkeyPatch, right: bytes, wrong: bytes
) -> None:
    finish = Loader._finished
    before = everything_in(database)

    def spoiled(self: Loader, chunk: tuple[int, bytes]) -> tuple[int, bytes]:
        rows, text = finish(self, chunk)
        return rows, text.replace(right, wrong, 1)

    monkeypatch.setattr(Loader, "_finished", spoiled)
    with pytest.raises(ProofFailed) as failed:
        move(source, database)
    assert failed.value.differences
    assert everything_in(database) == before


def test_what_the_web_interface_writes_while_verify_reads_is_no_difference(source: Path, database: Target) -> None:
    move(source, database)

    def edit(event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase is Phase.PROOF:
            ask(database, "UPDATE public.tasks SET title = 'edited', updated_at = now() AT TIME ZONE 'UTC' WHERE id = 5")

    assert verify(source, database, on_event=edit).passed
    again = verify(source, database)
    assert again.passed
    assert again.web_changes.changed["tasks"] == (5,)
