"""The census says of every column of every table what is really in it, and names the rows that want attention."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bizy_migrate_tui.migration.errors import UsageError
from bizy_migrate_tui.migration.plan.column_census import ColumnCensus, TableCensus
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.rules.values import RawText
from bizy_migrate_tui.migration.session import Session
from tests.bizy_source import make_source
from tests.core.moving import ZONE, Row, digest, plan_for


def census(source: Path, table: str | None = None) -> dict[str, TableCensus]:
    with Session(source) as session:
        inventory = session.take_inventory(session.take_snapshot(backup=False), ZONE)
        return {one.name: one for one in session.take_column_census(inventory, Choices(zone=ZONE), table)}


def column(found: dict[str, TableCensus], table: str, name: str) -> ColumnCensus:
    return next(column for column in found[table].columns if column.name == name)


def classes(column: ColumnCensus) -> dict[str, int]:
    return {kind: count for kind, count in column.classes.items() if count}


def troubles(column: ColumnCensus) -> dict[str, tuple[int, list[str]]]:
    return {code: (one.count, one.ids) for code, one in column.troubles.items()}


def filled(source: Path, create: str, rows: list[tuple[object, ...]]) -> None:
    with closing(sqlite3.connect(source)) as database:
        database.execute(create)
        name = create.split(" (", maxsplit=1)[0].removeprefix("CREATE TABLE ")
        database.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        database.commit()


def test_what_bizy_writes(source: Path) -> None:
    before = digest(source)
    found = census(source)
    assert set(found) == {"tasks", "goals", "daily_logs", "research", "metrics", "business_plans"}
    assert (found["tasks"].rows, found["tasks"].has_home, found["daily_logs"].has_home) == (3, True, False)
    priority, title = column(found, "tasks", "priority"), column(found, "tasks", "title")
    assert (classes(priority), priority.low, priority.high) == ({"integer": 3}, 1, 9)
    assert troubles(priority) == {"priority-out-of-range": (1, ["2"])}
    assert (title.declared, title.limit, title.beyond, title.longest) == ("VARCHAR(500)", 500, 0, 28)
    assert troubles(column(found, "tasks", "parent_goal_id")) == {"parent-missing": (1, ["3"])}
    assert classes(column(found, "tasks", "completed_at")) == {"null": 2, "text": 1}
    assert classes(column(found, "research", "title")) == {}
    assert digest(source) == before


CELLS: list[tuple[str, Any, str]] = [
    ("title", "é" * 501, "title-too-long"),
    ("title", "", "title-empty"),
    ("status", "shelved", "status-unknown"),
    ("due_date", "2025-02-30 10:00:00", "date-unreadable"),
    ("created_at", None, "created-missing"),
    ("completed_at", "2025-03-09 02:30:00", "hour-missing"),
    ("tags", "[1", "tags-invalid"),
    ("dependencies", "[4711]", "dependency-missing"),
    ("estimated_hours", float("inf"), "hours-invalid"),
    ("parent_goal_id", 77, "parent-missing"),
    ("notes", b"\xff", "text-type"),
    ("id", 2**31, "id-unusable"),
]


def test_what_the_rules_say_about_a_column_stands_with_it(tmp_path: Path) -> None:
    rows: list[Row] = [{"id": id_, name: cell} for id_, (name, cell, _) in enumerate(CELLS, 1)]
    source = make_source(tmp_path / "tasks.db", tasks=rows)
    found = census(source)
    expected: dict[str, dict[str, tuple[int, list[str]]]] = {}
    for id_, (name, cell, code) in enumerate(CELLS, 1):
        expected.setdefault(name, {})[code] = (1, [str(cell if name == "id" else id_)])
    assert {one.name: troubles(one) for one in found["tasks"].columns if one.troubles} == expected


def test_the_counts_are_those_of_the_plans_findings(tmp_path: Path, database: Any) -> None:
    goals: list[Row] = [{"parent_goal_id": 2}, {"parent_goal_id": 1}, {"horizon": "daily"}, {"metrics": "[]"}]
    tasks: list[Row] = [{"priority": 9, "status": str(number)} for number in range(2_600)]
    source = make_source(tmp_path / "tasks.db", goals=goals, tasks=tasks)
    planned = {(one.table, one.column, one.code): one.count for one in plan_for(source, database).findings}
    found = census(source)
    counted = {
        (table.name, column.name, code): one.count
        for table in found.values()
        for column in table.columns
        for code, one in column.troubles.items()
    }
    assert counted == planned
    assert column(found, "tasks", "priority").troubles["priority-out-of-range"].ids == [str(id_) for id_ in range(1, 11)]


def test_ranges_lengths_and_kinds_across_many_rows(tmp_path: Path) -> None:
    source = make_source(tmp_path / "tasks.db")
    rows: list[tuple[object, ...]] = [(number, "x" * (number % 100)) for number in range(6_000)]
    filled(source, "CREATE TABLE many (id INTEGER PRIMARY KEY, mixed)", [*rows, (9_000, -1.5), (9_001, b"\xff"), (9_002, None)])
    id_, mixed = census(source, "many")["many"].columns
    assert (id_.low, id_.high, classes(id_)) == (0, 9_002, {"integer": 6_003})
    assert classes(mixed) == {"null": 1, "real": 1, "text": 6_000, "blob": 1}
    assert (mixed.low, mixed.high, mixed.longest) == (-1.5, b"\xff", 99)


def test_lengths_are_of_characters_also_behind_a_nul(tmp_path: Path) -> None:
    titles = ["😀" * 500, "a\0" + "b" * 600, "é" * 501, "short"]
    source = make_source(tmp_path / "tasks.db", tasks=[{"title": title} for title in titles])
    title = column(census(source), "tasks", "title")
    assert (title.longest, title.beyond) == (602, 2)
    assert troubles(title)["holds-nul"] == (1, ["2"])


def test_columns_that_the_web_interface_does_not_have(tmp_path: Path) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{}])
    rows: list[tuple[object, ...]] = [
        (1, "2025-03-01", "[1]", "fine"),
        (2, "soon", "{", b"caf\xe9"),
        (3, 1740848400, '["\\u0000"]', "a\0b"),
        (4, None, None, None),
        (5, b"\xff", b"[]", "é"),
    ]
    filled(source, "CREATE TABLE notes (id INTEGER PRIMARY KEY, seen DATETIME, body JSON, word TEXT)", rows)
    with closing(sqlite3.connect(source)) as database:
        database.execute("UPDATE notes SET word = CAST(word AS TEXT)")
        database.execute("ALTER TABLE tasks ADD COLUMN updated_at TIMESTAMP")
        database.execute("UPDATE tasks SET updated_at = 'never'")
        database.commit()
    found = census(source)
    assert troubles(column(found, "notes", "seen")) == {"date-unreadable": (2, ["2", "5"])}
    assert troubles(column(found, "notes", "body")) == {"json-invalid": (3, ["2", "3", "5"])}
    assert troubles(column(found, "notes", "word")) == {"not-utf8": (1, ["2"]), "holds-nul": (1, ["3"])}
    assert troubles(column(found, "tasks", "updated_at")) == {"date-unreadable": (1, ["1"])}


HOSTILE = ['a "quoted" name', "it's", "select", "%s", "{c}", ":name", "?", "new\nline", "\x1b[31m", "rowid", "null", "typeof(x)"]


def test_hostile_names_views_and_virtual_tables(tmp_path: Path) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{}])
    quoted = ['"' + name.replace('"', '""') + '"' for name in HOSTILE]
    for name in quoted:
        filled(source, f"CREATE TABLE {name} ({', '.join(quoted)})", [tuple(range(len(HOSTILE)))])
    wide = ", ".join(f"c{number} DATETIME" for number in range(600))
    filled(source, f"CREATE TABLE wide ({wide})", [tuple(f"value {number}" for number in range(600))])
    filled(source, "CREATE TABLE keyed (word TEXT PRIMARY KEY, seen DATETIME) WITHOUT ROWID", [("a", "soon")])
    with closing(sqlite3.connect(source)) as database:
        database.execute("CREATE VIEW broken AS SELECT absent FROM nowhere")
        database.execute("CREATE VIRTUAL TABLE words USING fts5(body)")
        database.execute("CREATE TABLE computed (a INTEGER, b GENERATED ALWAYS AS (a * 2) VIRTUAL)")
        database.execute("INSERT INTO computed (a) VALUES (21)")
        database.commit()
    found = census(source)
    for name in HOSTILE:
        assert [(one.name, one.low, classes(one)) for one in found[name].columns] == [
            (other, place, {"integer": 1}) for place, other in enumerate(HOSTILE)
        ]
    assert [one.low for one in found["wide"].columns] == [RawText(f"value {number}".encode()) for number in range(600)]
    assert all(troubles(one) == {"date-unreadable": (1, ["1"])} for one in found["wide"].columns)
    assert troubles(column(found, "keyed", "seen")) == {"date-unreadable": (1, ["1"])}
    assert column(found, "computed", "b").high == 42
    assert not {"broken", "words"} & set(found)


def test_long_values_are_cut_between_characters(tmp_path: Path) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"notes": "😀" * 1_000}])
    notes = column(census(source), "tasks", "notes")
    assert (notes.low, notes.longest) == (RawText(("😀" * 59 + "…").encode()), 1_000)


def test_a_table_that_is_not_there(source: Path) -> None:
    with pytest.raises(UsageError) as refusal:
        census(source, "nope")
    assert refusal.value.code == "no-such-table"
    assert "daily_logs" in refusal.value.remedy
