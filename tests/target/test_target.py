import socket
import threading
from contextlib import closing

import pytest
from psycopg2.extensions import connection

from bizy_migrate_tui.migration.errors import Cancelled, TargetError
from bizy_migrate_tui.migration.events import Cancellation
from bizy_migrate_tui.migration.postgresql import schema
from bizy_migrate_tui.migration.postgresql.target import Target, WebUser, connect, refuse_unusable, survey


def setting(opened: connection, name: str) -> str:
    with opened.cursor() as rows:
        rows.execute("SELECT current_setting(%s)", (name,))
        return str((rows.fetchone() or ("",))[0])


def test_a_session_is_made_for_the_work(target: Target) -> None:
    with closing(connect(target)) as opened:
        assert setting(opened, "TimeZone") == "UTC"
        assert setting(opened, "statement_timeout") == "0"
        assert setting(opened, "idle_in_transaction_session_timeout") == "0"
        assert setting(opened, "lock_timeout") == "10s"
        assert setting(opened, "client_encoding") == "UTF8"
        assert setting(opened, "application_name") == "bizy-migrate-tui"


@pytest.mark.parametrize("variable", ["PGTZ", "PGCLIENTENCODING", "PGOPTIONS"])
def test_the_environment_does_not_unmake_it(database: Target, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "PGTZ": "Asia/Tokyo",
        "PGCLIENTENCODING": "LATIN1",
        "PGOPTIONS": "-c statement_timeout=1 -c TimeZone=Asia/Tokyo",
    }
    monkeypatch.setenv(variable, values[variable])
    with closing(connect(database)) as opened:
        assert setting(opened, "TimeZone") == "UTC"
        assert setting(opened, "statement_timeout") == "0"
        assert setting(opened, "client_encoding") == "UTF8"
        with opened.cursor() as rows:
            rows.execute("SELECT %s", ("€ 語 🙂",))
            assert rows.fetchone() == ("€ 語 🙂",)


def test_every_transaction_is_settled_and_the_session_is_left_as_it_was(database: Target) -> None:
    with closing(connect(database)) as opened:
        for end in (opened.commit, opened.rollback):
            assert setting(opened, "lock_timeout") == "10s"
            end()
        opened.autocommit = True
        assert setting(opened, "lock_timeout") == "0"


def test_nobody_who_wants_to_stop_waits_for_a_server_that_takes_connections_and_says_nothing() -> None:
    cancel = Cancellation()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = Target.from_url(f"postgresql://bizy:x@127.0.0.1:{silent.getsockname()[1]}/bizy")

        def ask_to_stop() -> None:
            caller, _ = silent.accept()
            with caller:
                caller.recv(1)  # the client waits for an answer now
                cancel.request()
                ended.wait(60)

        ended = threading.Event()
        asking = threading.Thread(target=ask_to_stop)
        asking.start()
        with pytest.raises(Cancelled):  # without `cancel`, libpq gives up after ten seconds: a TargetError
            connect(target, cancel=cancel)
        ended.set()
        asking.join()


def test_a_connection_that_is_made_for_one_who_may_stop_is_like_any_other(target: Target) -> None:
    with closing(connect(target, readonly=True, cancel=Cancellation())) as opened:
        assert setting(opened, "transaction_read_only") == "on"


def test_a_survey_tells_what_is_there(target: Target) -> None:
    with closing(connect(target)) as opened:
        empty = survey(opened)
        assert (empty.tables, empty.has_ledger, empty.users) == ({}, False, ())
        assert (empty.encoding, empty.in_recovery, empty.dbname) == ("UTF8", False, target.dbname)
        assert empty.version_num // 10000 == int(empty.server_version.split(".")[0])
        schema.upgrade(opened)
        opened.cursor().execute(
            "INSERT INTO public.users (id, email, username, hashed_password, created_at, updated_at)"
            " SELECT n, n || '@b.c', 'u' || n, 'x', now(), now() FROM generate_series(1, 150) AS n"
        )
        opened.commit()
        full = survey(opened)
    assert full.tables == {"users": 150, "goals": 0, "tasks": 0}
    assert full.has_ledger
    assert full.users[0] == WebUser(1, "1@b.c", "u1")
    assert len(full.users) == 100


def test_a_survey_of_strange_tables_still_answers(database: Target) -> None:
    with closing(connect(database)) as opened, opened.cursor() as rows:
        rows.execute("CREATE TABLE public.users (name text); CREATE VIEW public.tasks AS SELECT 1 AS id")
        assert survey(opened).tables == {"users": 0}


def test_a_survey_leaves_the_callers_transaction_alone(database: Target) -> None:
    with closing(connect(database)) as opened, opened.cursor() as rows:
        rows.execute("CREATE TABLE public.mine ()")
        survey(opened)
        opened.commit()
        rows.execute("SELECT to_regclass('public.mine') IS NOT NULL")
        assert rows.fetchone() == (True,)


def test_a_standby_is_refused(standby: Target) -> None:
    with closing(connect(standby)) as opened:
        state = survey(opened)
        assert state.in_recovery
        with pytest.raises(TargetError) as raised:
            refuse_unusable(state)
        assert raised.value.code == "read-only-replica"
        with pytest.raises(TargetError) as again:
            schema.upgrade(opened)
        assert again.value.code == "read-only-replica"
