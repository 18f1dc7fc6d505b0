"""Whatever tables and columns somebody's file has, they are preserved; wherever careful rows stand, every row arrives."""

import random
import sqlite3
import string
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.errors import SourceError
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Status
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import TABLES, make_source
from tests.conftest import fresh_database
from tests.core.moving import Row, ask, move, target_rows

STRANGE = [
    'a "quoted" name', "it's", "select", "two words", "täble 😀", "100%", "%s", "{c}", "semi;colon", "back\\slash", "new\nline",
    "\x1b[31mred", ":name", "?", "n" * 500,
]  # fmt: skip
OURS = [
    "users",
    "runs",
    "preserved",
    "created_tables",
    "staged_originals",
    "alembic_version",
    "present_tasks",
    "cut_goals",
    "copy of tasks",
]

MOST = 2_000
"""Columns that SQLite allows a table."""


@pytest.fixture(scope="module")
def shared(server: EmbeddedServer) -> Iterator[Target]:
    with fresh_database(server) as target:
        yield target


@pytest.fixture
def target(shared: Target) -> Target:
    ask(shared, "DROP SCHEMA IF EXISTS bizy_migrate CASCADE")
    ask(shared, "DROP TABLE IF EXISTS public.tasks, public.goals, public.users")
    return shared


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def change(source: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(source)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()
    return source


def preserved(target: Target, table: str) -> list[Row]:
    kept = ask(
        target, "SELECT original FROM bizy_migrate.preserved WHERE source_table = %s ORDER BY source_key, reason DESC", [table]
    )
    return [row["original"] for row in kept]


def test_tables_and_columns_of_any_name(tmp_path: Path, target: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{}])
    columns = ", ".join(map(quoted, STRANGE))
    row = {name: f"value of {name}" for name in STRANGE}
    values = ", ".join("'" + value.replace("'", "''") + "'" for value in row.values())
    for name in (*STRANGE, *OURS):
        change(source, f"CREATE TABLE {quoted(name)} ({columns})", f"INSERT INTO {quoted(name)} VALUES ({values})")
    for name, value in row.items():
        change(source, f"ALTER TABLE tasks ADD COLUMN {quoted(name)}")
        with closing(sqlite3.connect(source)) as database:
            database.execute(f"UPDATE tasks SET {quoted(name)} = ?", (value,))
            database.commit()
    assert move(source, target).status is Status.MIGRATED
    for name in (*STRANGE, *OURS):
        assert preserved(target, name) == [row], name
    assert preserved(target, "tasks") == [row]
    assert verify(source, target).passed


def test_a_key_of_any_length(tmp_path: Path, target: Target) -> None:
    source = make_source(tmp_path / "tasks.db", goals=[{}], tasks=[{}])
    key = "".join(random.Random(1).choices(string.ascii_letters, k=9_000))  # nothing that could be compressed
    change(source, "CREATE TABLE notes (id TEXT, body TEXT)", f"INSERT INTO notes VALUES ('{key}', 'mine')")
    move(source, target)
    assert preserved(target, "notes") == [{"id": key, "body": "mine"}]
    assert verify(source, target).passed
    assert move(source, target).status is Status.NOTHING_TO_DO


def test_names_in_capital_letters_are_the_same_names(tmp_path: Path, target: Target) -> None:
    """SQLite does not tell them apart, and neither does `bizy`."""
    source = tmp_path / "tasks.db"
    change(
        source,
        "CREATE TABLE Goals (ID INTEGER PRIMARY KEY, Title TEXT, Horizon TEXT, Status TEXT, Metrics TEXT)",
        "CREATE TABLE TASKS (Id Integer PRIMARY KEY, TITLE TEXT, Status TEXT, Parent_Goal_Id INTEGER, Mine TEXT)",
        "INSERT INTO Goals VALUES (3, 'A goal', 'weekly', 'active', '{}')",
        "INSERT INTO TASKS VALUES (1, 'A task', 'pending', 3, 'own'), (2, '', 'Done', 9, NULL)",
    )
    assert move(source, target).tables["tasks"].inserted == 2
    assert [(row["title"], row["status"], row["parent_goal_id"]) for row in target_rows(target, "tasks")] == [
        ("A task", "pending", 3),
        ("(untitled)", "completed", None),
    ]
    assert {"Mine": "own"} in preserved(target, "tasks")
    assert verify(source, target).passed


@pytest.mark.parametrize(
    "names", [["key"], ["rowid"], ["rowid", "_rowid_"], ["ROWID", "OID"], ["label", "line", "clean", "texts", "created"]]
)
def test_columns_with_the_names_that_queries_use(tmp_path: Path, target: Target, names: list[str]) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"priority": 9}, {}], goals=[{}])
    for table in ("tasks", "goals", "daily_logs"):
        for name in names:
            change(source, f"ALTER TABLE {table} ADD COLUMN {quoted(name)}")
    change(source, *(f"UPDATE tasks SET {quoted(name)} = 100 - id" for name in names))
    change(source, "INSERT INTO daily_logs (date) VALUES ('2025-01-01')")
    assert move(source, target).status is Status.MIGRATED
    assert [row["id"] for row in target_rows(target, "tasks")] == [1, 2]
    assert [original for original in preserved(target, "tasks") if "priority" not in original] == [
        dict.fromkeys(names, 100 - id_) for id_ in (1, 2)
    ]
    assert verify(source, target).passed


@pytest.mark.parametrize(
    ("columns", "ending"), [(["c0"], ")"), (["rowid", "_rowid_", "oid"], ", PRIMARY KEY (c1999)) WITHOUT ROWID")]
)
def test_a_table_of_as_many_columns_as_sqlite_allows(tmp_path: Path, target: Target, columns: list[str], ending: str) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{}])
    names = [*columns, *(f"c{number}" for number in range(len(columns), MOST))]
    values = ", ".join(map(str, range(MOST)))
    change(source, f"CREATE TABLE wide ({', '.join(names)}{ending}", f"INSERT INTO wide VALUES ({values})")
    assert move(source, target).status is Status.MIGRATED
    assert preserved(target, "wide") == [{name: number for number, name in enumerate(names)}]
    assert verify(source, target).passed


def test_a_web_table_of_as_many_columns_as_sqlite_allows(tmp_path: Path, target: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{}], goals=[{}])
    *body, key = TABLES["tasks"]
    more = [f"more_{number}" for number in range(MOST - len(body))]
    ours = ", ".join(line.split()[0] for line in body)
    change(
        source,
        "ALTER TABLE tasks RENAME TO old",
        f"CREATE TABLE tasks ({', '.join([*body, *more, key])})",
        f"INSERT INTO tasks ({ours}) SELECT * FROM old",
        "DROP TABLE old",
        f"UPDATE tasks SET status = 'odd', more_7 = 'seven', {more[-1]} = 'last'",
    )
    assert move(source, target).status is Status.MIGRATED
    assert preserved(target, "tasks") == [{"more_7": "seven", more[-1]: "last"}, {"status": "odd"}]
    assert verify(source, target).passed


def test_a_table_whose_columns_take_every_name_of_the_row_key(tmp_path: Path, target: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{}])
    change(source, "CREATE TABLE taken (rowid, _rowid_, oid)", "INSERT INTO taken VALUES (1, 2, 3), (1, 2, 3)")
    assert move(source, target).status is Status.MIGRATED
    assert preserved(target, "taken") == [{"rowid": 1, "_rowid_": 2, "oid": 3}] * 2


@pytest.mark.parametrize("name", ["rowid", "_rowid_", "key____"])
def test_a_table_without_row_keys_but_with_a_column_of_that_name(tmp_path: Path, target: Target, name: str) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{}])
    change(source, f"CREATE TABLE taken (word PRIMARY KEY, {name}) WITHOUT ROWID", "INSERT INTO taken VALUES ('a', 2)")
    assert move(source, target).status is Status.MIGRATED
    assert preserved(target, "taken") == [{"word": "a", name: 2}]


def test_kinds_of_tables_that_bizy_never_makes(tmp_path: Path, target: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"title": "Seen"}])
    change(
        source,
        "CREATE TABLE keyed (word TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID",
        "INSERT INTO keyed VALUES ('b', 2), ('a', 1)",
        "CREATE TABLE computed (a INTEGER, b INTEGER GENERATED ALWAYS AS (a * 2) VIRTUAL, c GENERATED ALWAYS AS (a + 1) STORED)",
        "INSERT INTO computed (a) VALUES (21)",
        "CREATE VIEW seen AS SELECT title FROM tasks",
        "CREATE VIRTUAL TABLE words USING fts5(body)",
        "INSERT INTO words VALUES ('needle in a haystack')",
        "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT)",
        "INSERT INTO counted VALUES (7)",
        "CREATE TABLE empty (a)",
        "CREATE TRIGGER never AFTER INSERT ON tasks BEGIN DELETE FROM tasks; END",
        "CREATE INDEX by_title ON tasks (upper(title)) WHERE title <> ''",
    )
    assert move(source, target).status is Status.MIGRATED
    assert preserved(target, "keyed") == [{"word": "a", "n": 1}, {"word": "b", "n": 2}]
    assert preserved(target, "computed") == [{"a": 21, "b": 42, "c": 22}]
    assert preserved(target, "words_content") == [{"id": 1, "c0": "needle in a haystack"}]
    assert preserved(target, "counted") == [{"id": 7}]
    assert verify(source, target).passed


def test_a_file_without_one_of_the_tables(tmp_path: Path, target: Target) -> None:
    source = change(make_source(tmp_path / "tasks.db", tasks=[{"parent_goal_id": 1}, {}]), "DROP TABLE goals")
    outcome = move(source, target)
    assert (outcome.status, outcome.tables["tasks"].inserted) == (Status.MIGRATED, 2)
    assert [row["parent_goal_id"] for row in target_rows(target, "tasks")] == [None, None]
    assert preserved(target, "tasks") == [{"parent_goal_id": 1}]
    assert verify(source, target).passed


def test_a_file_in_another_encoding_is_refused_with_the_way_out(tmp_path: Path, target: Target) -> None:
    with closing(sqlite3.connect(tmp_path / "wide.db")) as database:
        database.execute("PRAGMA encoding = 'UTF-16'")
        database.execute("CREATE TABLE tasks (id INTEGER PRIMARY KEY, title TEXT)")
        database.commit()
    with pytest.raises(SourceError) as refusal:
        move(tmp_path / "wide.db", target)
    assert (refusal.value.code, ".dump" in refusal.value.remedy) == ("source-encoding", True)


def test_somebody_elses_file_is_refused(tmp_path: Path, target: Target) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("CREATE TABLE bookmarks (id INTEGER PRIMARY KEY, url TEXT)")
        database.execute("INSERT INTO bookmarks (url) VALUES ('https://example.org')")
        database.commit()
    with pytest.raises(SourceError) as refusal:
        move(tmp_path / "other.db", target)
    assert refusal.value.code == "source-not-bizy"
    assert ask(target, "SELECT to_regclass('public.tasks') AS found") == [{"found": None}]


def test_ids_that_are_no_key(tmp_path: Path, target: Target) -> None:
    source = make_source(tmp_path / "tasks.db", goals=[{}])
    rows = [
        (1, "first"),
        (1, "second"),
        ("2", "text"),
        (None, "none"),
        (2**31, "large"),
        (2.5, "real"),
        (3, "third"),
        (2**31 - 1, "last"),
    ]
    change(source, "DROP TABLE tasks", "CREATE TABLE tasks (id, title TEXT, created_at TEXT, priority INT, status TEXT)")
    with closing(sqlite3.connect(source)) as database:
        database.executemany("INSERT INTO tasks VALUES (?, ?, '2025-01-01 00:00:00', 3, 'pending')", rows)
        database.commit()
    outcome = move(source, target)
    assert [(row["id"], row["title"]) for row in target_rows(target, "tasks")] == [(1, "first"), (3, "third")]
    assert (outcome.tables["tasks"].inserted, outcome.tables["tasks"].skipped) == (2, 6)
    assert {(row["id"], row["title"]) for row in preserved(target, "tasks")} == set(rows) - {(1, "first"), (3, "third")}
    assert verify(source, target).passed
    again = move(source, target)
    assert (again.status, again.tables["tasks"].unchanged, again.tables["tasks"].skipped) == (Status.NOTHING_TO_DO, 2, 6)
