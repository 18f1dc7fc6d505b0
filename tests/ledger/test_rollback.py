import threading
from contextlib import closing
from pathlib import Path

import pytest
from psycopg2.extensions import connection

from bizy_migrate_tui.migration.errors import Cancelled, MigrationError
from bizy_migrate_tui.migration.events import Cancellation, Event, Phase, PhaseFinished
from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.postgresql import accounts
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.rollback.rollback import KeptRow, plan_rollback, roll_back
from bizy_migrate_tui.migration.secret import Secret
from tests.core.moving import ask, everything_in, move, plan_for, target_rows
from tests.ledger.planted import (
    ALONE,
    CHILD,
    FREE,
    GRANDPARENT,
    OF_ALONE,
    OF_CHILD,
    PARENT,
    add_goal,
    add_task,
    change,
    ids,
)

TOMORROW = "2030-01-01 00:00:00"


def reasons(kept: tuple[KeptRow, ...]) -> dict[tuple[str, int], str]:
    return {(row.table, row.id): row.reason for row in kept}


@pytest.mark.parametrize("version", ["database", "database16"])
def test_a_rollback_leaves_an_empty_database_as_it_was(version: str, source: Path, request: pytest.FixtureRequest) -> None:
    target: Target = request.getfixturevalue(version)
    before = everything_in(target)
    move(source, target)
    outcome = roll_back(target, None)
    assert everything_in(target) == before
    assert outcome.removed["users"] == 1
    assert outcome.checks
    assert all(check.passed for check in outcome.checks)


def test_a_database_can_be_moved_into_again_after_a_rollback(source: Path, database: Target) -> None:
    move(source, database)
    roll_back(database, None)
    assert move(source, database).run_id == 1


def test_the_plan_writes_nothing_and_says_what_is_then_removed(planted: Target) -> None:
    with closing(connect(planted, readonly=True)) as server:
        plan = plan_rollback(server, 2)
    assert plan.remove == {"tasks": 3, "goals": 4, "preserved": 4, "users": 0}
    assert (plan.kept, plan.already_gone) == ((), {"tasks": 0, "goals": 0})
    assert roll_back(planted, 2).removed == plan.remove


def test_only_the_rows_of_the_run_go(planted: Target) -> None:
    others = [[row for row in target_rows(planted, table) if row["id"] < 900] for table in ("goals", "tasks", "users")]
    roll_back(planted, None)
    assert [target_rows(planted, table) for table in ("goals", "tasks", "users")] == others
    with closing(connect(planted)) as server:
        assert [(run.id, run.status) for run in ledger.list_runs(server)] == [(2, "rolled-back"), (1, "migrated")]


def test_a_changed_task_stays_with_all_goals_above_it(planted: Target) -> None:
    change(planted, "tasks", OF_CHILD)
    outcome = roll_back(planted, 2)
    assert ids(planted, "tasks") == [OF_CHILD]
    assert ids(planted, "goals") == [GRANDPARENT, PARENT, CHILD]
    told = reasons(outcome.plan.kept)
    assert told.pop(("tasks", OF_CHILD)).startswith("changed on the web on ")
    assert told == {("goals", goal): "a kept row belongs to it" for goal in (GRANDPARENT, PARENT, CHILD)}
    assert outcome.plan.kept_counts == {"tasks": 1, "goals": 3}


def test_the_originals_of_kept_rows_stay_preserved(planted: Target) -> None:
    change(planted, "tasks", OF_CHILD)
    roll_back(planted, 2)
    left = ask(planted, "SELECT source_table, source_key FROM bizy_migrate.preserved WHERE run_id = 2 ORDER BY 1")
    assert [tuple(row.values()) for row in left] == [("goals", "902"), ("tasks", "901")]


def test_changed_rows_go_where_the_user_says_so(planted: Target) -> None:
    change(planted, "tasks", OF_CHILD)
    change(planted, "goals", PARENT)
    assert roll_back(planted, 2, include_changed=True).plan.kept == ()
    assert (ids(planted, "tasks"), ids(planted, "goals")) == ([], [])


def test_rows_that_were_kept_can_be_taken_later(planted: Target) -> None:
    change(planted, "tasks", OF_CHILD)
    roll_back(planted, 2)
    assert roll_back(planted, 2, include_changed=True).removed == {"tasks": 1, "goals": 3, "preserved": 2, "users": 0}
    assert (ids(planted, "tasks"), ids(planted, "goals")) == ([], [])


@pytest.mark.parametrize("include_changed", [False, True])
def test_a_goal_stays_under_what_the_web_made(planted: Target, include_changed: bool) -> None:
    add_task(planted, 950, ALONE, user=1, at=TOMORROW)
    add_goal(planted, 951, PARENT, user=1, at=TOMORROW)
    outcome = roll_back(planted, 2, include_changed=include_changed)
    assert ids(planted, "goals") == [GRANDPARENT, PARENT, ALONE, 951]
    assert ids(planted, "tasks") == [950]
    web_made = "a task or goal that is not of this run belongs to it"
    assert reasons(outcome.plan.kept) == {
        ("goals", GRANDPARENT): "a kept row belongs to it",
        ("goals", PARENT): web_made,
        ("goals", ALONE): web_made,
    }
    parents = {row["id"]: row["parent_goal_id"] for row in target_rows(planted, "goals")}
    assert parents[951] == PARENT


def test_a_time_that_was_late_from_the_start_is_no_change(planted: Target) -> None:
    ask(planted, "UPDATE public.goals SET updated_at = '2031-01-01' WHERE id IN (%s, %s)", (ALONE, CHILD))
    ask(
        planted,
        """UPDATE bizy_migrate.runs SET late_updates = '{"goals": {"905": "2031-01-01 00:00:00"}}' WHERE id = 2""",
    )
    roll_back(planted, 2)
    assert ids(planted, "goals") == [GRANDPARENT, PARENT, CHILD]


def test_rows_that_are_gone_already_are_counted(planted: Target) -> None:
    ask(planted, "DELETE FROM public.tasks WHERE id = %s", (FREE,))
    outcome = roll_back(planted, 2)
    assert (outcome.plan.already_gone, outcome.removed["tasks"]) == ({"tasks": 1, "goals": 0}, 2)


def test_a_row_that_a_later_run_brought_again_is_the_later_runs(planted: Target) -> None:
    ask(planted, "UPDATE bizy_migrate.runs SET inserted_tasks = '{[901,903),[910,911)}' WHERE id = 1")
    before = ids(planted, "tasks")
    roll_back(planted, 1)
    assert ids(planted, "tasks") == before


def test_a_row_that_another_user_has_now_stays(planted: Target) -> None:
    other = accounts.add_user(planted, email="b@bizy.local", username="b", password=Secret("long enough"))
    ask(planted, "UPDATE public.tasks SET user_id = %s WHERE id = %s", (other.id, FREE))
    outcome = roll_back(planted, 2)
    assert reasons(outcome.plan.kept) == {("tasks", FREE): "it belongs to another user now"}
    assert ids(planted, "tasks") == [FREE]


def test_rows_of_a_table_beside_the_web_interfaces_are_not_swept_along(planted: Target) -> None:
    ask(
        planted,
        'CREATE TABLE public."com ments" ("of" int REFERENCES public.tasks ON DELETE CASCADE, made_by int'
        " REFERENCES public.users ON DELETE CASCADE)",
    )
    ask(planted, 'INSERT INTO public."com ments" VALUES (%s, 1)', (OF_ALONE,))
    kept = reasons(roll_back(planted, 2).plan.kept)
    assert kept == {
        ("tasks", OF_ALONE): "rows of another table belong to it",
        ("goals", ALONE): "a kept row belongs to it",
    }
    outcome = roll_back(planted, 1)
    assert outcome.removed["users"] == 0
    assert len(ask(planted, 'SELECT made_by FROM public."com ments"')) == 1


def test_the_account_stays_while_it_owns_another_runs_rows(planted: Target) -> None:
    outcome = roll_back(planted, 1)
    assert (outcome.removed["users"], outcome.plan.account_reason) == (0, "The account stays: it owns the rows of run 2.")
    assert roll_back(planted, 2).removed["users"] == 1


def test_an_account_whose_password_was_changed_is_in_use(moved: Target) -> None:
    accounts.change_password(moved, email="admin@bizy.local", password=Secret("my own words"))
    outcome = roll_back(moved, None)
    assert "password changed" in outcome.plan.account_reason
    assert (outcome.removed["users"], len(target_rows(moved, "users"))) == (0, 1)
    assert target_rows(moved, "tasks") == []


def test_logging_in_does_not_make_the_account_stay(moved: Target) -> None:
    ask(moved, "UPDATE public.users SET last_login_at = now(), updated_at = now()")
    assert roll_back(moved, None).removed["users"] == 1


def test_an_account_that_was_there_before_stays(source: Path, moved: Target) -> None:
    account = accounts.add_user(moved, email="me@bizy.local", username="me", password=Secret("long enough"))
    ask(moved, "UPDATE bizy_migrate.runs SET user_created = false")
    outcome = roll_back(moved, None)
    assert outcome.plan.account_reason == "The account stays: it was there before the run."
    assert account.id in {row["id"] for row in target_rows(moved, "users")}


def test_a_rollback_that_leaves_rows_of_others_leaves_the_tables(moved: Target) -> None:
    accounts.add_user(moved, email="me@bizy.local", username="me", password=Secret("long enough"))
    outcome = roll_back(moved, None)
    assert not outcome.plan.drops_tables
    with closing(connect(moved)) as server:
        (run,) = ledger.list_runs(server)
    assert (run.status, run.inserted_tasks) == ("rolled-back", ())
    assert run.counts["rolled_back"]["removed"] == outcome.removed


def test_a_run_is_rolled_back_once(planted: Target) -> None:
    roll_back(planted, 2)
    with pytest.raises(MigrationError, match="rolled back already") as caught:
        roll_back(planted, 2)
    assert caught.value.code == "already-rolled-back"


def test_where_all_was_rolled_back_the_newest_run_is_none(planted: Target) -> None:
    with closing(connect(planted)) as server, server, server.cursor() as rows:
        rows.execute("UPDATE bizy_migrate.runs SET status = 'rolled-back'")
    with pytest.raises(MigrationError, match=r"Every run that the ledger knows of was rolled back \(2, 1\)"):
        roll_back(planted, None)


@pytest.mark.parametrize("run_id", [None, 7])
def test_a_run_that_is_not_there_is_named(database: Target, run_id: int | None) -> None:
    with pytest.raises(MigrationError) as caught:
        roll_back(database, run_id)
    assert caught.value.code == "no-such-run"


def test_cancelling_while_another_session_holds_the_lock_changes_nothing(planted: Target, opened: connection) -> None:
    with opened.cursor() as rows:
        rows.execute("SELECT pg_advisory_xact_lock(%s)", (ledger.LOCK_KEY,))
    before = [target_rows(planted, table) for table in ("goals", "tasks", "users")]
    cancel = Cancellation()
    threading.Timer(0.2, cancel.request).start()
    with pytest.raises(Cancelled):
        roll_back(planted, 2, cancel=cancel)
    assert [target_rows(planted, table) for table in ("goals", "tasks", "users")] == before


def test_cancelling_just_before_commit_changes_nothing(planted: Target) -> None:
    cancel = Cancellation()

    def stop(event: Event) -> None:
        if isinstance(event, PhaseFinished) and event.phase is Phase.REMOVE:
            cancel.request()

    with pytest.raises(Cancelled):
        roll_back(planted, 2, on_event=stop, cancel=cancel)
    assert len(ids(planted, "tasks")) == 3


def test_what_was_rolled_back_can_be_planned_anew(source: Path, planted: Target) -> None:
    roll_back(planted, 2)
    assert plan_for(source, planted).blocked == ()
