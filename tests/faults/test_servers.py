"""Old and new servers, replicas, poolers in transaction mode, and users who may not do everything."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg2
import pytest

from bizy_migrate_tui.embedded import EmbeddedServer, embedded_server
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.postgresql import target as targets
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.rollback.rollback import roll_back
from bizy_migrate_tui.migration.verification.verification import verify
from tests.conftest import fresh_database
from tests.core.moving import ask
from tests.faults.harness import attempt, move, standing
from tests.faults.servers import BOUNCER, bouncer_before, installed, server_of, standby_of, wait_until_replayed


def there_and_back(source: Path, target: Target) -> None:
    """Migrate, verify, come again, roll back; afterwards the database is as it was."""
    before = standing(target)
    run = move(source, target)
    assert run.status == "migrated"
    assert all(check.passed for check in run.checks), run.checks
    assert verify(source, target).passed
    assert move(source, target).status == "nothing-to-do"
    assert all(check.passed for check in roll_back(target, run.run_id).checks)
    assert standing(target) == before


@pytest.mark.skipif(not installed(), reason="no PostgreSQL of the system's packages")
@pytest.mark.parametrize("program", installed(), ids=lambda program: program.parents[1].name)
def test_every_installed_version_serves(program: Path, source: Path, scratch: Path) -> None:
    with server_of(program.parent) as server, fresh_database(server) as target:
        there_and_back(source, target)


@pytest.fixture(scope="module", params=[16, 18])
def primary(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    with embedded_server(request.param) as running:
        yield running


def test_a_streaming_replica_is_refused_for_writing_and_serves_verify(
    primary: EmbeddedServer, source: Path, scratch: Path
) -> None:
    with fresh_database(primary) as target, ExitStack() as stack:
        run = move(source, target)
        standby = stack.enter_context(standby_of(primary))
        wait_until_replayed(primary, standby)
        replica = standby.target(str(target.dbname))
        assert verify(source, replica).passed
        with pytest.raises(MigrationError) as refused:
            move(source, replica)
        assert refused.value.code == "read-only-replica"
        with pytest.raises(MigrationError) as refused:
            roll_back(replica, run.run_id)
        assert refused.value.code == "read-only-replica"
        assert verify(source, target).passed


needs_bouncer = pytest.mark.skipif(BOUNCER is None, reason="pgbouncer is not installed")


@needs_bouncer
def test_a_pooler_in_transaction_mode_serves(primary: EmbeddedServer, source: Path, scratch: Path) -> None:
    with fresh_database(primary) as target, bouncer_before(primary, target) as pooled:
        there_and_back(source, pooled)


@needs_bouncer
def test_a_pooler_hands_none_of_our_settings_on_to_others(primary: EmbeddedServer) -> None:
    """They stay in the pooler's sessions, which the web back end gets next."""
    shown = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s) ORDER BY name"
    names = (list(targets._SETTINGS),)
    with fresh_database(primary) as target, bouncer_before(primary, target) as pooled:
        before = [tuple(row.values()) for row in ask(target, shown, names)]
        with closing(connect(pooled)) as ours, ours.cursor() as rows:
            rows.execute("SELECT")
            ours.rollback()
            with closing(psycopg2.connect(pooled.dsn)) as one, closing(psycopg2.connect(pooled.dsn)) as other:
                for web in (one, other):  # within a transaction each has one of the pooler's two sessions
                    assert _shown(web, shown, names) == before


def _shown(web: "psycopg2.extensions.connection", statement: str, values: tuple[list[str]]) -> list[tuple[object, ...]]:
    with web.cursor() as rows:
        rows.execute(statement, values)
        return rows.fetchall()


def test_a_user_without_create_on_public_is_told_the_grant_and_served_after_it(
    server: EmbeddedServer, source: Path, scratch: Path
) -> None:
    with fresh_database(server) as target:
        ask(target, "CREATE ROLE plain LOGIN")
        plain = Target.from_fields(host=target.host, port=target.port, dbname=target.dbname, user="plain", password=None)
        try:
            before = standing(target)
            error = attempt(lambda: move(source, plain))
            assert isinstance(error, MigrationError)
            assert error.code == "schema-privilege"
            assert standing(target) == before
            for statement in (line.strip(" ;") for line in error.remedy.splitlines() if "GRANT" in line and "ALL" not in line):
                ask(target, statement)  # the remedy as it stands
            there_and_back(source, plain)
        finally:
            ask(target, "DROP OWNED BY plain CASCADE; DROP ROLE plain")
