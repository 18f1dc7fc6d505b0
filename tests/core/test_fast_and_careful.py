"""The fast path equals the careful path: rows that SQLite itself writes become what they become when each is read on its own.

Most cells here are fine or very nearly so, because only such ones can slip through.
"""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql import schema
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.source import workbook
from bizy_migrate_tui.migration.source.inventory import Inventory
from tests.bizy_source import GOAL, TABLES, TASK
from tests.conftest import fresh_database
from tests.core.moving import Row, ask, target_rows

ZONES = ["Australia/Lord_Howe", "America/New_York", "Africa/Monrovia", "Pacific/Apia", "UTC"]
ROWS_A_CHUNK = 3

DAY_AFTER_THE_LAST = ["01-32", "02-30", "03-32", "04-31", "05-32", "06-31", "07-32", "08-32", "09-31", "10-32", "11-31", "12-32"]
TIMES = [
    *(f"2024-{day} 10:00:00.000000" for day in DAY_AFTER_THE_LAST),
    "2024-02-29 00:00:00", "2023-02-29 00:00:00", "2024-04-30 23:59:59.999999", "2024-04-31 00:00:00.000000",
    "2025-01-01 24:00:00.000000", "2025-01-01 23:60:00.000000", "2025-01-01 23:59:60.000000", "2025-1-01 00:00:00.0000000",
    "2025-01-01 00:00:00.500000", "2025-01-01 00:00:00.50000", "2025-01-01 00:00:00.5000000", "2025-01-01 00:00:00,500000",
    "2025-01-01T00:00:00.500000", "2025-01-01 00:00:00.50000a", "2025-01-01 00:00:00.-00001", "2025-00-10 00:00:00.000000",
    "2025-13-01 00:00:00.000000", "2025-06-00 00:00:00.000000", "0999-06-01 00:00:00.000000", "9000-06-01 00:00:00.000000",
    "0002-01-01 00:00:00.000000", "9998-12-31 23:59:59.999999", "0001-01-01 00:00:00", "9999-12-31 23:59:59.999999",
    "2024-04-07 01:45:00.000000", "2024-10-06 02:15:00.000000", "1981-03-01 00:15:00.000000", "2060-04-04 01:30:00",
    "2011-12-30 12:00:00.000000", "2025-03-09 02:30:00.000000", "2024-11-03 01:30:00", "1972-01-07 00:20:00.000000",
    " 2025-01-01 00:00:00.00000", "2025-01-01 00:00:00.000000 ", "２０２５-01-01 00:00:00", "2025-01-01 00:00:00\0junk",
    "2025-01-01 00:00:00.500000\0", "2025-01-01 00:00:00\x1e000000", "",
]  # fmt: skip
TEXTS = [
    "", " ", "x" * 500, "x" * 501, "😀" * 500, "é" * 100, "é" * 101, "a\0b", "\x1c", "\x1d", "\x1e", "\x1f", "a\x1fb", "\\",
    "\\N", "\\.", "\\x41", "\r\n", "tab\t", "%s%d", "NULL", "'", '"', "\u2028", "\ufeff", "\x7f\x85", "trailing  ", "PENDING",
]  # fmt: skip
NUMBERS = [
    0, 1, 5, 6, -1, 3.0, 2.5, 0.1, -0.0, 0.1 + 0.2, 1e15, 1e15 - 1, 1e6, 999999.984375, 123456.7, 1 / 3, 5e-324, 1e22, -1e15,
    2**53 + 1, 2**63 - 1, float("inf"), "3", "2.5", "3 ",
]  # fmt: skip
DOCUMENTS = [
    "[]", "[ ]", "[1]", "[1, 2]", "[1,2]", "[01]", "[1.0]", "[-1]", "[1e3]", "[true]", "[null]", "null", "NULL", " null ", "{}",
    '{"a": 1}', '{"a": NaN}', '["a"]', '["\\u00e9"]', '["\\u0000"]', '["\\ud83d\\ude00"]', '["\\ud800"]', '["a\x1eb"]',
    "[1]\x1e[2]",    "[1", "]", "", '["\t"]', '["%s", "\\\\"]', "[12345678901234567890123]",
    '["a", 1]', '"a"', "[[1]]", "\ufeff[]", "[1]\n",
]  # fmt: skip
WORDS = ["pending", "completed", "Completed", "active", "pending ", "weekly", "WEEKLY", "on_hold", "", "PENDING"]
PARENTS = [1, 2, 2**31, 77, 1.0, "1", "x", 0, -1]

OTHERS = [None, b"", b"\xff", b"[]", b"pending", b"2025-01-01 00:00:00", 3, 2.5, "text"]
STRANGE = st.one_of(st.sampled_from([*TIMES, *TEXTS, *DOCUMENTS, *WORDS]), st.sampled_from(NUMBERS), st.sampled_from(OTHERS))
POOLS: dict[str, list[Any]] = {
    **dict.fromkeys(("due_date", "created_at", "completed_at", "target_date", "updated_at"), TIMES),
    **dict.fromkeys(("priority", "estimated_hours", "actual_hours", "progress_percentage"), NUMBERS),
    **dict.fromkeys(("dependencies", "tags", "metrics"), DOCUMENTS),
    **dict.fromkeys(("status", "horizon"), WORDS),
    "parent_goal_id": PARENTS,
}
COLUMNS = {
    table: [line.split()[0] for line in TABLES[table] if not line.startswith(("PRIMARY", "UNIQUE"))]
    for table in ("goals", "tasks")
}
FINE: dict[str, Row] = {
    "goals": {**dict.fromkeys(COLUMNS["goals"]), **GOAL},
    "tasks": {**dict.fromkeys(COLUMNS["tasks"]), **TASK, "estimated_hours": 1.5, "completed_at": "2025-03-02 09:00:00.000000"},
}
DECLARATIONS = ["as bizy", "", "TEXT COLLATE NOCASE", "BLOB COLLATE RTRIM"]


def rows_of(table: str, most: int) -> st.SearchStrategy[list[Row]]:
    """Rows that are fine but for some cells of a few columns, so that whole chunks of a column are fine or nearly so."""

    def rows(names: list[str]) -> st.SearchStrategy[list[Row]]:
        cells = [st.tuples(st.just(name), st.one_of(st.sampled_from(POOLS.get(name, TEXTS)), STRANGE)) for name in names]
        odd = st.one_of(cells).map(lambda cell: FINE[table] | dict([cell]))
        return st.lists(st.one_of(st.just(FINE[table]), st.just(FINE[table]), odd), min_size=most // 2, max_size=most)

    return st.lists(st.sampled_from([name for name in COLUMNS[table] if name != "id"]), min_size=1, max_size=3).flatmap(rows)


def create(database: sqlite3.Connection, table: str, declaration: str) -> None:
    body = TABLES[table]
    if declaration != "as bizy":
        body = ("id INTEGER PRIMARY KEY", *(f"{name} {declaration}" for name in COLUMNS[table] if name != "id"))
    database.execute(f"CREATE TABLE {table} ({', '.join(body).replace(' NOT NULL', '')})")


def write(path: Path, declaration: str, source: dict[str, list[Row]]) -> None:
    with closing(sqlite3.connect(path)) as database:
        for table, rows in source.items():
            create(database, table, declaration)
            marks = ", ".join("?" * len(COLUMNS[table]))
            values = [tuple((row | {"id": id_})[name] for name in COLUMNS[table]) for id_, row in enumerate(rows, 1)]
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", values)
        database.commit()


def send_all_to_the_careful_path(inventory: Inventory) -> None:
    with closing(workbook.open_workbook(inventory.workbook, inventory.snapshot.path)) as connection:
        for name, source in workbook.source_tables(connection).items():
            keys = select(source.key).select_from(source.table)
            connection.execute(
                workbook.to_sql(insert(workbook.TROUBLED[name]).prefix_with("OR IGNORE").from_select(["key"], keys))
            )


def found_after(session: Session, inventory: Inventory, target: Target, choices: Choices) -> tuple[Any, ...]:
    """Findings and rows after a migration into empty tables."""
    ask(target, "TRUNCATE public.users, public.goals, public.tasks, bizy_migrate.runs, bizy_migrate.preserved RESTART IDENTITY")
    plan = session.make_plan(inventory, target, choices)
    session.run(plan)
    findings = {(one.code, one.table, one.column, one.count, one.ids) for one in plan.findings}
    kept = ask(target, "SELECT source_table, source_key, reason, original FROM bizy_migrate.preserved ORDER BY 1, 2, 3")
    tasks = [{name: value for name, value in row.items() if name != "updated_at"} for row in target_rows(target, "tasks")]
    return findings, target_rows(target, "goals"), tasks, kept


@pytest.fixture(scope="module")
def shared(server: EmbeddedServer) -> Iterator[Target]:
    """One database with the tables in it: making them takes longer than filling them."""
    with fresh_database(server) as target:
        with closing(connect(target)) as lent, lent:
            schema.upgrade(lent)
        yield target


@pytest.fixture(scope="module")
def small_chunks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workbook, "CHUNK", ROWS_A_CHUNK)
        yield


def assert_equal_both_ways(target: Target, declaration: str, source: dict[str, list[Row]], choices: Choices) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tasks.db"
        write(path, declaration, source)
        with Session(path) as session:
            inventory = session.take_inventory(session.take_snapshot(backup=False), choices.zone)
            fast = found_after(session, inventory, target, choices)
            send_all_to_the_careful_path(inventory)
            assert fast == found_after(session, inventory, target, choices)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("declaration", DECLARATIONS[:2])
def test_each_odd_cell_alone_in_a_chunk_of_fine_ones(shared: Target, declaration: str) -> None:
    source: dict[str, list[Row]] = {}
    for table, names in COLUMNS.items():
        odd = [{name: cell} for name in names if name != "id" for cell in (*POOLS.get(name, TEXTS), *OTHERS)]
        source[table] = [row for cell in odd for row in (FINE[table], FINE[table] | cell, FINE[table])]
    assert_equal_both_ways(shared, declaration, source, Choices(zone="Australia/Lord_Howe"))


@pytest.mark.usefixtures("small_chunks")
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    declaration=st.sampled_from(DECLARATIONS),
    goals=rows_of("goals", 10),
    tasks=rows_of("tasks", 40),
    choices=st.builds(Choices, st.sampled_from(ZONES), st.sampled_from([None, None, 5, 20])),
)
def test_both_paths_give_equal_tables(
    shared: Target, declaration: str, goals: list[Row], tasks: list[Row], choices: Choices
) -> None:
    assert_equal_both_ways(shared, declaration, {"goals": goals, "tasks": tasks}, choices)
