"""Nothing is lost: source = web tables + preserved, value by value, for databases made up to be as hostile as possible."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql.target import Target
from tests.bizy_source import TABLES
from tests.conftest import fresh_database
from tests.core.equation import Broken, missing, rows_in
from tests.core.moving import Row, ask, move, target_rows

ZONE = "Australia/Lord_Howe"
TIMES = {"due_date", "created_at", "completed_at", "target_date", "updated_at"}
COLUMNS = {
    table: [line.split()[0] for line in TABLES[table] if not line.startswith(("PRIMARY", "UNIQUE"))]
    for table in ("tasks", "goals", "daily_logs")
}

texts = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="\\\t\n\r\x1d\x1e\x1f\x00\"',[]{}\u202e\x1b😀é", max_size=12),
    st.sampled_from(
        ["", "NULL", "\\N", "\\.", "null", "x" * 501, "é" * 101, " " * 600, "[bold]x[/bold]", "'); DROP TABLE tasks;--"]
    ),
)
numbers = st.one_of(
    st.integers(-5, 12),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.sampled_from([0.1 + 0.2, 1e22, 5e-324, -0.0, 1.7976931348623157e308]),
)
times = st.one_of(
    st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59)).map(lambda time: time.isoformat(" ")),
    st.datetimes(datetime(2019, 1, 1), datetime(2027, 1, 1)).map(lambda time: time.isoformat(" ", "microseconds")),
    st.datetimes(datetime(2024, 4, 7), datetime(2024, 4, 7, 4)).map(lambda time: time.isoformat(" ")),
    st.datetimes(datetime(2024, 10, 6), datetime(2024, 10, 6, 4)).map(lambda time: time.isoformat(" ")),
    st.sampled_from(
        [
            "",
            "0",
            "0000-00-00",
            "2023-02-30 00:00:00",
            "2024-01-01T10:00:00Z",
            "2024-01-01 10:00:00+05:30",
            "20240101",
            "2024-01-01",
            "yesterday",
            "1700000000",
            "1700000000000",
            "2460000.5",
            "2024-01-01 24:00:00",
        ]
    ),
    st.integers(0, 2**41),
)
documents = st.one_of(
    st.lists(st.integers(-9, 99), max_size=4).map(str),
    st.lists(
        st.sampled_from(['"a"', '"überfällig"', '"\\u0000"', '"\\ud800"', "1", "1.0", "null", "true", "[]"]), max_size=4
    ).map(lambda items: f"[{', '.join(items)}]"),
    st.sampled_from(
        [
            '{"a": NaN}',
            '{"a": 1e999}',
            '{"a": "€"}',
            "{}",
            "[",
            "null",
            "",
            "[01]",
            "nonsense",
            '{"\\u0000": 1}',
            '"a, b"',
            "[1,]",
        ]
    ),
)
anything = st.one_of(st.none(), texts, numbers, times, documents, st.binary(max_size=8), st.just(b"\xff\xfe\x00"))
broken_text = st.sampled_from([b"\xff", b"caf\xe9", b"\xed\xa0\x80", b"ok\x00no"])


def cells(column: str) -> st.SearchStrategy[Any]:
    """What may stand in a column: mostly what belongs there, sometimes anything."""
    usual: st.SearchStrategy[Any] = texts
    if column in TIMES or column == "date":
        usual = times
    elif column in {"dependencies", "tags", "metrics"}:
        usual = documents
    elif column in {"priority", "parent_goal_id", "estimated_hours", "actual_hours", "progress_percentage"}:
        usual = numbers
    elif column == "status":
        usual = st.sampled_from(["pending", "active", "completed", "Done", "todo", "nonsense"])
    elif column == "horizon":
        usual = st.sampled_from(["weekly", "daily", "YEARLY", "sometime"])
    return st.one_of(st.none(), usual, usual, usual, anything, broken_text.map(Broken))


def rows_of(table: str) -> st.SearchStrategy[list[Row]]:
    """A few rows; their ids may be missing, twice, text or too large."""
    ids = st.one_of(st.integers(1, 6), st.integers(1, 6), st.none(), st.sampled_from([2**31, -1, "7", 2.5, b"1", 2**31 - 1]))
    columns = {name: cells(name) for name in (*COLUMNS[table], "project_name", 'a "strange" name') if name != "id"}
    return st.lists(st.fixed_dictionaries({"id": ids, **columns}), max_size=4)


sources = st.fixed_dictionaries({table: rows_of(table) for table in COLUMNS})


def write(path: Path, source: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """Write the rows into tables without types, so that SQLite keeps each value as it is; what SQLite then holds."""
    with closing(sqlite3.connect(path)) as database:
        for table, rows in source.items():
            names = [*COLUMNS[table], "project_name", 'a "strange" name']
            quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
            database.execute(f"CREATE TABLE {table} ({quoted})")
            for row in rows:
                given = [row[name] for name in names]
                marks = ", ".join("CAST(? AS TEXT)" if isinstance(value, Broken) else "?" for value in given)
                values = [value.bytes if isinstance(value, Broken) else value for value in given]
                database.execute(f"INSERT INTO {table} VALUES ({marks})", values)
        database.commit()
    return {table: rows_in(path, table) for table in source}


@pytest.fixture(scope="module")
def shared(server: EmbeddedServer) -> Iterator[Target]:
    """One database for all examples: making one takes longer than an example."""
    with fresh_database(server) as target:
        yield target


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
@given(source=sources)
@example(source={"tasks": [], "goals": [], "daily_logs": []})
def test_source_equals_web_tables_plus_preserved(shared: Target, source: dict[str, list[Row]]) -> None:
    ask(shared, "DROP SCHEMA IF EXISTS bizy_migrate CASCADE")
    ask(shared, "DROP TABLE IF EXISTS public.tasks, public.goals, public.users")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tasks.db"
        held = write(path, source)
        move(path, shared, Choices(zone=ZONE))
    preserved = ask(shared, "SELECT source_table, source_key, original FROM bizy_migrate.preserved")
    for table, rows in held.items():
        web = target_rows(shared, table) if table != "daily_logs" else []
        of_table = [row for row in preserved if row["source_table"] == table]
        assert list(missing(table, rows, web, of_table, ZONE)) == []
