import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from psycopg2 import sql

from bizy_migrate_tui.embedded import EmbeddedServer, embedded_server
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.secret import Secret
from tests.bizy_source import create_tables, run_bizy_commands

AWKWARD_PASSWORD = "p@ss:w/rd%#"


@pytest.fixture(scope="session")
def server() -> Iterator[EmbeddedServer]:
    """PostgreSQL 18 on a socket, one for each worker."""
    with embedded_server(18) as running:
        yield running


@pytest.fixture(scope="session")
def server16() -> Iterator[EmbeddedServer]:
    """PostgreSQL 16 on a socket."""
    with embedded_server(16) as running:
        yield running


@pytest.fixture(scope="session")
def tcp_target() -> Iterator[Target]:
    """The administrator of a PostgreSQL 18 that listens on TCP and asks for a password."""
    with embedded_server(18, password=Secret(AWKWARD_PASSWORD)) as running:
        yield running.target()


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[Target]:
    """A fresh, empty database on PostgreSQL 18."""
    with fresh_database(server) as target:
        yield target


@pytest.fixture
def database16(server16: EmbeddedServer) -> Iterator[Target]:
    """A fresh, empty database on PostgreSQL 16."""
    with fresh_database(server16) as target:
        yield target


@pytest.fixture(scope="session")
def bizy_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that the real `bizy` made and filled; the same file for all: copy it before you change anything."""
    home = tmp_path_factory.mktemp("bizy")
    return fill_with_bizy(home)


def fill_with_bizy(home: Path) -> Path:
    """A small database, written by running `bizy`, with the blemishes that ordinary use leaves."""
    database = home / "tasks.db"
    create_tables(database)
    run_bizy_commands(
        database,
        [
            ["goal", "add", "Grow the garden", "-h", "quarterly"],
            ["goal", "add", "Water each day", "-h", "weekly"],
            ["task", "add", "Buy seeds [bold]now[/bold] 🌱", "-p", "1", "-c", "marketing", "-g", "1"],
            ["task", "add", "Priority beyond the scale", "-p", "9"],
            ["task", "add", "Task of a goal that is gone", "-g", "77"],
            ["task", "complete", "1"],
        ],
    )
    return database


@contextmanager
def fresh_database(server: EmbeddedServer) -> Iterator[Target]:
    name = f"test_{uuid.uuid4().hex}"
    with closing(connect(server.target())) as admin:
        admin.autocommit = True
        with admin.cursor() as rows:
            rows.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            yield server.target(name)
            rows.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
