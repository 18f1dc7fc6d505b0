from pathlib import Path

import pytest

from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.telling import tell_next_steps
from tests.core.moving import move
from tests.target.back_end import create_all


@pytest.mark.parametrize("are_there", [False, True])
def test_the_back_ends_alembic_is_told_of_tables_that_the_run_made(
    bizy_db: Path, database: Target, capsys: pytest.CaptureFixture[str], are_there: bool
) -> None:
    if are_there:
        create_all(database)
    tell_next_steps(move(bizy_db, database), Path("backend/.env"))
    told = capsys.readouterr().err
    assert "curl http://localhost:8000/health" in told
    assert ("alembic stamp head" in told) is not are_there
