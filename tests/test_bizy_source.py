import sqlite3
from contextlib import closing
from pathlib import Path

from tests.bizy_source import create_tables, make_source


def columns(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {table: database.execute("SELECT * FROM pragma_table_xinfo(?)", (table,)).fetchall() for table in tables}


def test_rows_are_written_into_exactly_the_tables_that_bizy_makes(tmp_path: Path) -> None:
    create_tables(tmp_path / "real.db")
    assert columns(make_source(tmp_path / "ours.db")) == columns(tmp_path / "real.db")


def test_the_real_program_leaves_its_ordinary_blemishes(bizy_db: Path) -> None:
    with closing(sqlite3.connect(bizy_db)) as database:
        tasks = database.execute("SELECT priority, parent_goal_id, status FROM tasks ORDER BY id").fetchall()
    assert tasks == [(1, 1, "completed"), (9, None, "pending"), (3, 77, "pending")]
