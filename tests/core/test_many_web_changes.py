"""However much the web interface has changed since a run, `verify` tells it from the one cell that is wrong."""

from pathlib import Path

from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import make_source
from tests.core.moving import ask, move

ROWS = 2500
"""More than a finding lists, and more than a comparison opens to its cells."""

CHANGED_ON_THE_WEB = "UPDATE public.tasks SET title = 'New', updated_at = now() AT TIME ZONE 'UTC' WHERE id < %s"


def test_thousands_of_web_changes_are_no_differences(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"priority": 9 if id_ % 5 == 0 else 1} for id_ in range(ROWS)])
    move(source, database)
    ask(database, CHANGED_ON_THE_WEB, [ROWS])
    found = verify(source, database)
    assert (found.passed, found.differences) == (True, ())
    assert found.web_changes.changed_counts["tasks"] == ROWS - 1


def test_one_wrong_cell_among_thousands_of_web_changes_is_named(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{} for _ in range(ROWS)])
    move(source, database)
    ask(database, CHANGED_ON_THE_WEB, [ROWS])
    ask(database, "UPDATE public.tasks SET notes = '' WHERE id = %s", [ROWS])
    found = verify(source, database)
    assert [(one.table, one.id, one.column, one.expected, one.found) for one in found.differences] == [
        ("tasks", str(ROWS), "notes", None, "")
    ]


def test_rows_that_went_to_another_user_and_rows_that_are_gone(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{} for _ in range(3)])
    move(source, database)
    ask(
        database,
        "INSERT INTO public.users (id, email, username, hashed_password, created_at, updated_at)"
        " VALUES (99, 'b@example.org', 'b', 'x', now(), now())",
    )
    ask(database, "UPDATE public.tasks SET user_id = 99 WHERE id = 1")
    ask(database, "DELETE FROM public.tasks WHERE id = 2")
    found = verify(source, database)
    assert {(one.table, one.id, one.column) for one in found.differences} == {("tasks", "1", "user_id"), ("tasks", "2", "id")}
    assert not found.passed
