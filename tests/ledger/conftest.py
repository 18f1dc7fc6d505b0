import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from psycopg2.extensions import connection

from bizy_migrate_tui.migration.postgresql.target import Target, connect
from tests.core.moving import move
from tests.ledger.planted import plant


@pytest.fixture
def source(bizy_db: Path, tmp_path: Path) -> Path:
    """A copy of what the real `bizy` wrote."""
    return Path(shutil.copy(bizy_db, tmp_path / "tasks.db"))


@pytest.fixture
def moved(source: Path, database: Target) -> Target:
    """A database into which the source was moved, tables and account included, by run 1."""
    move(source, database)
    return database


@pytest.fixture
def planted(moved: Target) -> Target:
    """`moved` after run 2 brought a family of goals and tasks for the same user (see `planted`)."""
    plant(moved)
    return moved


@pytest.fixture
def opened(database: Target) -> Iterator[connection]:
    """A connection to the database of the test."""
    with closing(connect(database)) as server:
        yield server
