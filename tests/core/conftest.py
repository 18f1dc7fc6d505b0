import shutil
from pathlib import Path

import pytest

from bizy_migrate_tui.migration.postgresql.target import Target


@pytest.fixture
def source(bizy_db: Path, tmp_path: Path) -> Path:
    """A copy of what the real `bizy` wrote."""
    return Path(shutil.copy(bizy_db, tmp_path / "tasks.db"))


@pytest.fixture(params=["database", "database16"])
def each_version(request: pytest.FixtureRequest) -> Target:
    """A fresh, empty database, on each version of PostgreSQL."""
    fresh: Target = request.getfixturevalue(request.param)
    return fresh
