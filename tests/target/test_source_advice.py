"""What SQLite and the operating system say about a file, provoked with files."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import SourceError


def opening(path: Path) -> str:
    with pytest.raises((FileNotFoundError, IsADirectoryError, PermissionError)) as raised:
        path.open("rb").close()
    error = explain(raised.value)
    assert isinstance(error, SourceError)
    return error.code


def reading(path: Path, statement: str = "SELECT * FROM tasks") -> str:
    with closing(sqlite3.connect(path, timeout=0)) as source, pytest.raises(sqlite3.Error) as raised:
        source.execute(statement)
    error = explain(raised.value)
    assert isinstance(error, SourceError)
    return error.code


def test_a_missing_file(tmp_path: Path) -> None:
    assert opening(tmp_path / "tasks.db") == "source-missing"


def test_a_folder(tmp_path: Path) -> None:
    assert opening(tmp_path) == ("source-unreadable" if os.name == "nt" else "source-is-directory")


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a user whom file modes bind")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    path.touch(mode=0)
    assert opening(path) == "source-unreadable"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    path.write_text("not a database at all\n" * 100)
    assert reading(path) == "source-not-sqlite"


def test_somebody_elses_database(tmp_path: Path) -> None:
    assert reading(tmp_path / "tasks.db") == "source-not-bizy"


def test_a_database_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.Error) as raised:
        sqlite3.connect(tmp_path / "nowhere" / "tasks.db")
    assert explain(raised.value).code == "source-unreadable"


def test_a_locked_database(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE tasks (id)")
        other.execute("BEGIN EXCLUSIVE")
        assert reading(path) == "source-locked"


def test_a_damaged_database(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    with closing(sqlite3.connect(path)) as source, source:
        source.execute("CREATE TABLE tasks (id, title)")
        source.executemany("INSERT INTO tasks VALUES (?, ?)", [(n, "x" * 500) for n in range(100)])
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    assert reading(path, "SELECT count(title) FROM tasks") == "source-damaged"


def test_a_disk_without_room(tmp_path: Path) -> None:
    path = tmp_path / "tasks.db"
    with closing(sqlite3.connect(path)) as source:
        source.execute("PRAGMA max_page_count = 1")
        with pytest.raises(sqlite3.Error) as raised:
            source.execute("CREATE TABLE tasks (id)")
    assert explain(raised.value).code == "disk-full"
