import uuid
from contextlib import closing
from dataclasses import fields

import pytest
from psycopg2.extensions import connection

from bizy_migrate_tui.migration.errors import TargetError
from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.ledger.web_changes import changed_since
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from tests.core.moving import ask
from tests.ledger.planted import ALONE, FREE, OF_CHILD, add_goal, add_task, change


def test_a_database_without_a_ledger_has_no_runs(opened: connection) -> None:
    assert ledger.list_runs(opened) == ()


def test_what_is_recorded_comes_back_the_same(planted: Target) -> None:
    with closing(connect(planted)) as server:
        (first, *_) = ledger.list_runs(server)
        names = [field.name for field in fields(ledger.NewRun)]
        again = ledger.NewRun(**{name: getattr(first, name) for name in names})
        id_ = ledger.record(server, again)
        read = ledger.get_run(server, id_)
    assert {name: getattr(read, name) for name in names} == {name: getattr(first, name) for name in names}
    assert first.inserted_tasks == ((901, 902), (910, 910))


def test_the_newest_run_is_taken_unless_another_is_named(planted: Target) -> None:
    with closing(connect(planted)) as server:
        assert [run.id for run in ledger.list_runs(server)] == [2, 1]
        assert (ledger.get_run(server, None).id, ledger.get_run(server, 1).id) == (2, 1)


def test_a_run_is_found_by_its_source_and_its_time(planted: Target) -> None:
    with closing(connect(planted)) as server:
        newest = ledger.get_run(server, None)
        found = ledger.find_run(server, "planted", newest.loaded_at)
        assert found == newest
        assert ledger.find_run(server, "another", newest.loaded_at) is None


def test_preserved_rows_can_be_read_by_table_and_by_run(planted: Target) -> None:
    with closing(connect(planted)) as server:
        tasks = list(ledger.preserved_rows(server, table="tasks", run_id=2))
        everything = list(ledger.preserved_rows(server, run_id=2))
    assert [(row.source_key, row.original) for row in tasks] == [("901", {"x": 1}), ("910", {"x": 1})]
    assert len(everything) == 4


def test_what_the_web_did_since_is_told_from_what_it_left(planted: Target) -> None:
    change(planted, "tasks", OF_CHILD)
    ask(planted, "UPDATE public.goals SET updated_at = now() + interval '2 days' WHERE id = %s", (ALONE,))
    ask(planted, "DELETE FROM public.tasks WHERE id = %s", (FREE,))
    add_task(planted, 950, None, user=1, at="2026-06-01")
    add_goal(planted, 951, None, user=1, at="2020-01-01")  # was there before the run
    with closing(connect(planted, readonly=True)) as server:
        changes = changed_since(server, ledger.get_run(server, 2))
    assert changes.changed == {"goals": (), "tasks": (OF_CHILD,)}
    assert changes.missing == {"goals": (), "tasks": (FREE,)}
    assert changes.added == {"goals": 0, "tasks": 1}
    assert (changes.changed_counts["tasks"], changes.missing_counts["tasks"]) == (1, 1)


def test_nothing_has_changed_right_after_a_run(moved: Target) -> None:
    with closing(connect(moved, readonly=True)) as server:
        changes = changed_since(server, ledger.get_run(server, None))
    for kind in (changes.changed_counts, changes.missing_counts, changes.added):
        assert kind == {"goals": 0, "tasks": 0}


def test_a_ledger_that_may_not_be_read_is_explained(planted: Target) -> None:
    role = f"reader_{uuid.uuid4().hex}"
    ask(planted, f"CREATE ROLE {role}")
    with closing(connect(planted)) as server:
        server.autocommit = True
        with server.cursor() as rows:
            rows.execute("SELECT set_config('role', %s, false)", (role,))
        with pytest.raises(TargetError) as caught:
            ledger.list_runs(server)
    ask(planted, f"DROP ROLE {role}")
    assert caught.value.code == "schema-privilege"
