"""Each error is provoked for real, by a server that refuses or breaks."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from psycopg2 import sql
from psycopg2.extensions import connection

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.advice.advice import RULES, error_for, explain, remedy_text
from bizy_migrate_tui.migration.advice.rule import Remedy
from bizy_migrate_tui.migration.errors import (
    Cancelled,
    MigrationError,
    RunFailed,
    SchemaMismatch,
    SourceError,
    TargetError,
)
from bizy_migrate_tui.migration.postgresql.target import Target, connect, refuse_unusable, survey
from bizy_migrate_tui.migration.secret import Secret, mask
from tests.target.back_end import create_all


def refused(target: Target) -> TargetError:
    with pytest.raises(TargetError) as raised:
        connect(target).close()
    return raised.value


def explained(opened: connection, statement: str) -> MigrationError:
    with pytest.raises(psycopg2.Error) as raised, opened.cursor() as rows:
        rows.execute(statement)
    return explain(raised.value)


def differently(target: Target, **changed: Any) -> Target:
    fields: dict[str, Any] = {
        "host": target.host,
        "port": target.port,
        "dbname": target.dbname,
        "user": target.user,
        "password": target.password,
    }
    return Target.from_fields(**(fields | changed))


@pytest.fixture
def role(admin: connection, database: Target) -> Iterator[Target]:
    """A login without any privilege of its own, on an empty database."""
    name = f"plain_{uuid.uuid4().hex}"
    with admin.cursor() as rows:
        rows.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        yield differently(database, user=name)
        rows.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_a_wrong_password(tcp_target: Target) -> None:
    error = refused(differently(tcp_target, password=Secret("hunter2")))
    assert error.code == "password-rejected"
    assert tcp_target.user is not None
    assert tcp_target.user in error.cause
    assert "hunter2" not in error.cause + error.remedy + str(error.__context__)


def test_no_password(tcp_target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSFILE", "/dev/null")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    assert refused(differently(tcp_target, password=None)).code == "no-password"


def test_the_right_password_however_odd(tcp_target: Target) -> None:
    with closing(connect(Target.from_url(tcp_target.url().reveal()))) as opened:
        refuse_unusable(survey(opened))


def test_encryption_that_the_server_lacks_is_never_given_up_in_silence(tcp_target: Target) -> None:
    assert refused(differently(tcp_target, sslmode="require")).code == "ssl-required"


def test_no_server_on_a_port(tcp_target: Target) -> None:
    error = refused(differently(tcp_target, port=1))
    assert error.code == "server-unreachable"
    assert "start" in error.remedy


def test_no_server_behind_a_socket(database: Target) -> None:
    assert refused(differently(database, host="/nonexistent")).code == "server-unreachable"


def test_an_unknown_host(database: Target) -> None:
    error = refused(differently(database, host="no-such-host.invalid"))
    assert error.code == "host-unknown"
    assert "no-such-host.invalid" in error.cause


def test_an_unknown_service() -> None:
    assert refused(Target.from_url("postgresql:///?service=no-such-service")).code == "service-unknown"


def test_a_missing_database(database: Target) -> None:
    error = refused(differently(database, dbname="no such"))
    assert error.code == "database-missing"
    assert "no such" in error.cause
    assert "setup" in error.remedy


@pytest.mark.parametrize("name", ["nobody", "no\"bo'dy"])
def test_a_missing_role(database: Target, name: str) -> None:
    error = refused(differently(database, user=name))
    assert error.code == "role-missing"
    assert name in error.cause
    assert "bo'dy" not in error.remedy, "a command to paste holds no quote of somebody else's making"


def test_a_role_that_may_not_log_in(admin: connection, role: Target) -> None:
    assert role.user
    with admin.cursor() as rows:
        rows.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(sql.Identifier(role.user)))
    error = refused(role)
    assert error.code == "role-no-login"
    assert role.user in error.cause
    assert f'ALTER ROLE "{role.user}" LOGIN' in error.remedy


def test_too_many_connections(admin: connection, role: Target) -> None:
    assert role.user
    with admin.cursor() as rows:
        rows.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT 0").format(sql.Identifier(role.user)))
    assert refused(role).code == "too-many-connections"


def test_no_privilege_to_create_in_public(role: Target) -> None:
    with closing(connect(role)) as opened:
        with pytest.raises(TargetError) as raised:
            refuse_unusable(survey(opened))
        assert raised.value.code == "schema-privilege"
        assert f'GRANT USAGE, CREATE ON SCHEMA public TO "{role.user}";' in raised.value.remedy
        error = explained(opened, "CREATE TABLE public.t ()")
    assert error.code == "schema-privilege"
    assert role.user is not None
    assert role.user in error.cause


def test_no_privilege_on_tables_of_somebody_else(admin: connection, database: Target, role: Target) -> None:
    create_all(database)
    with closing(connect(role)) as opened, pytest.raises(TargetError) as raised:
        refuse_unusable(survey(opened))
    assert raised.value.code == "schema-privilege"
    assert f'GRANT ALL ON ALL TABLES IN SCHEMA public TO "{role.user}";' in raised.value.remedy


def test_a_database_that_is_not_utf8(admin: connection, server: EmbeddedServer) -> None:
    with admin.cursor() as rows:
        name = sql.Identifier(f"ascii_{uuid.uuid4().hex}")
        create = sql.SQL("CREATE DATABASE {} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        rows.execute(create.format(name))
        try:
            with closing(connect(server.target(name.string))) as opened, pytest.raises(TargetError) as raised:
                refuse_unusable(survey(opened))
        finally:
            rows.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))
    assert raised.value.code == "encoding-unsupported"
    assert "SQL_ASCII" in raised.value.cause


def test_a_read_only_transaction(database: Target) -> None:
    with closing(connect(database, readonly=True)) as opened:
        assert explained(opened, "CREATE TABLE public.t ()").code == "read-only-replica"


def test_tables_older_than_the_web_interface(database: Target) -> None:
    with closing(connect(database)) as opened, opened.cursor() as rows:
        rows.execute("CREATE TABLE public.tasks (id serial)")
        error = explained(opened, "SELECT user_id FROM public.tasks")
    assert error.code == "schema-outdated"
    assert isinstance(error, SchemaMismatch)
    assert "alembic upgrade head" in error.remedy


def test_a_database_without_tables(database: Target) -> None:
    with closing(connect(database)) as opened:
        assert explained(opened, "SELECT * FROM public.tasks").code == "tables-missing"


@pytest.mark.parametrize(
    "statement",
    ["SELECT 'x'::int", "SELECT 2147483648::bigint::int", "INSERT INTO public.t VALUES ('too long')"],
)
def test_a_value_that_the_server_refuses(database: Target, statement: str) -> None:
    with closing(connect(database)) as opened:
        opened.cursor().execute("CREATE TABLE public.t (a varchar(3))")
        assert explained(opened, statement).code == "row-refused"


def test_a_statement_timeout(database: Target) -> None:
    with closing(connect(database)) as opened, opened.cursor() as rows:
        rows.execute("SET statement_timeout = 10")
        assert explained(opened, "SELECT pg_sleep(60)").code == "statement-timeout"


def test_a_lock_that_somebody_else_holds(database: Target) -> None:
    with closing(connect(database)) as one, closing(connect(database)) as other:
        one.cursor().execute("SELECT pg_advisory_xact_lock(1)")
        other.cursor().execute("SET lock_timeout = 10")
        assert explained(other, "SELECT pg_advisory_xact_lock(1)").code == "lock-timeout"


def test_a_value_that_is_too_long_for_the_server(database: Target) -> None:
    with closing(connect(database)) as opened:
        error = explained(opened, "SELECT repeat('x', 1 << 30)")
    assert (error.code, isinstance(error, RunFailed)) == ("value-too-long", True)


def test_a_deadlock(database: Target) -> None:
    codes = []

    def second_step(opened: connection, key: int) -> None:
        try:
            opened.cursor().execute("SELECT pg_advisory_xact_lock(%s)", (key,))
        except psycopg2.Error as error:
            codes.append(explain(error).code)
        opened.rollback()

    with closing(connect(database)) as one, closing(connect(database)) as other:
        for opened, key in ((one, 1), (other, 2)):
            opened.cursor().execute("SET deadlock_timeout = '10ms'; SELECT pg_advisory_xact_lock(%s)", (key,))
        thread = threading.Thread(target=second_step, args=(one, 2))
        thread.start()
        second_step(other, 1)
        thread.join()
    assert codes == ["deadlock"]


def test_a_backend_that_is_terminated(admin: connection, database: Target) -> None:
    with closing(connect(database)) as opened:
        admin.cursor().execute("SELECT pg_terminate_backend(%s, 10000)", (opened.info.backend_pid,))
        error = explained(opened, "SELECT 1")
    assert error.code == "connection-lost"
    assert isinstance(error, RunFailed)


def test_a_statement_that_the_user_cancelled(admin: connection, database: Target) -> None:
    with closing(connect(database)) as opened:
        opened.cursor().execute("SET statement_timeout = '60s'")
        timer = threading.Timer(0.05, opened.cancel)
        timer.start()
        error = explained(opened, "SELECT pg_sleep(60)")
        timer.join()
    assert isinstance(error, Cancelled)


def test_a_full_disk_of_the_server_is_known_by_its_state() -> None:
    class DiskFull(psycopg2.errors.DiskFull):
        pgcode = "53100"

    assert explain(DiskFull("could not extend file")).code == "disk-full-target"


def test_what_nobody_foresaw_is_told_as_it_is() -> None:
    error = explain(ZeroDivisionError("division by zero"))
    assert error.code == "unexpected"
    assert "division by zero" in error.cause


def test_a_typed_error_passes_through() -> None:
    error = SourceError("any", "cause", "remedy")
    assert explain(error) is error


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://u:hunter2@h/d",
        "host=h password=hunter2",
        "password='hunter2 x' host=h",
        "sslpassword = hunter2",
        "postgresql://h/d?user=u&password=hunter2",
    ],
)
def test_a_password_in_a_message_is_masked(text: str) -> None:
    assert "hunter2" not in mask(text)


def test_the_remedy_for_this_platform_comes_first() -> None:
    remedy = Remedy("All.", macos="brew", debian="systemctl", docker="docker", windows="net")
    assert remedy_text(remedy, "darwin").splitlines()[1] == "macOS:  brew"
    assert remedy_text(remedy, "linux").splitlines()[1] == "Debian, Ubuntu:  systemctl"
    assert remedy_text(remedy, "win32").splitlines()[1] == "Windows:  net"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_every_rule_can_be_worded_without_any_fact(rule: Any) -> None:
    error = error_for(rule.code)
    assert error.cause
    assert error.remedy
    assert "{" not in error.cause + error.remedy
