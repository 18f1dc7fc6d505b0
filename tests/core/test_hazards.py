"""One row for each hazard of the field guide: all that can be kept is kept, and each mended value is the one stated here."""

import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Status
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import Schema, make_source
from tests.cli.conftest import Ran, run_program
from tests.conftest import fresh_database
from tests.core.equation import missing, rows_in
from tests.core.moving import ZONE, Row, ask, move, target_rows


class Hazard(NamedTuple):
    """What stands in a row of the source, what has to stand in the target, and the finding that says so."""

    row: Mapping[str, Any]
    becomes: Mapping[str, Any]
    code: str | None


NOON = datetime(2025, 3, 1, 17)
"""12:00 of 1 March 2025 in New York, in UTC."""
MENDED = "\ufffd"
BROKEN = b"caf\xe9"
BROKEN_LOG = b"log\xe9"
LONG = "é" * 501
DAY = "2025-03-01 00:00:00"
UNREADABLE = (*("", "0", 0, "0000-00-00", "0000-00-00 00:00:00", "2025-02-30 10:00:00", "soon", b"\xff", -1, 1e300, "2025-W10"),)
TO_THE_LETTER = (
    *("NULL", "\\N", "\\.", "", " ", "\t\n\r\b\f\v\\", "\x1b[2J\x1b]0;x\x07", "\x1c\x1d\x1e\x1f"),
    *("\x7f\x85\u2028\u202e\ufeff\ufffd", "[bold]x[/bold]", "'); DROP TABLE tasks;--", "\U0001f469\u200d\U0001f4bb"),
)

TIME = [
    Hazard({"created_at": "2025-03-01T12:00:00"}, {"created_at": NOON}, "date-rewritten"),
    Hazard({"created_at": "2025-03-01 12:00"}, {"created_at": NOON}, "date-rewritten"),
    Hazard({"created_at": "2025-03-01T17:00:00Z"}, {"created_at": NOON}, "date-rewritten"),
    Hazard({"created_at": "2025-03-01 22:30:00+05:30"}, {"created_at": NOON}, "date-rewritten"),
    Hazard({"created_at": 1740848400}, {"created_at": NOON}, "date-rewritten"),
    Hazard({"created_at": 1740848400000}, {"created_at": NOON}, "date-rewritten"),
    Hazard({"created_at": 1740848400000000}, {"created_at": NOON}, "date-rewritten"),
    Hazard({"created_at": "1740848400"}, {"created_at": NOON}, "date-rewritten"),
    Hazard({"due_date": 1740848400}, {"due_date": datetime(2025, 3, 1, 12)}, "date-rewritten"),
    Hazard({"due_date": 2460735.5}, {"due_date": datetime(2025, 2, 28, 19)}, "date-rewritten"),
    Hazard({"due_date": "2025-03-01"}, {"due_date": datetime(2025, 3, 1)}, "date-rewritten"),
    *(Hazard({"due_date": time}, {"due_date": None}, "date-unreadable") for time in UNREADABLE),
    *(
        Hazard({"created_at": text, "completed_at": "2025-03-01 12:00:00"}, {"created_at": NOON, "completed_at": NOON}, code)
        for text, code in ((None, "created-missing"), ("", "created-unreadable"), ("2025-02-30 10:00:00", "created-unreadable"))
    ),
    Hazard({"completed_at": "9999-99-99 00:00:00"}, {"completed_at": None}, "date-unreadable"),
    Hazard({"created_at": "2024-11-03 01:30:00"}, {"created_at": datetime(2024, 11, 3, 5, 30)}, "hour-doubled"),
    Hazard({"created_at": "2025-03-09 02:30:00"}, {"created_at": datetime(2025, 3, 9, 7, 30)}, "hour-missing"),
    Hazard({"completed_at": "2025-03-01 12:00:00.000001"}, {"completed_at": NOON.replace(microsecond=1)}, None),
    Hazard({"due_date": "2025-03-01 12:00:00.999999"}, {"due_date": datetime(2025, 3, 1, 12, 0, 0, 999999)}, None),
    Hazard({"due_date": "0001-01-01 00:00:00"}, {"due_date": datetime(1, 1, 1)}, None),
    Hazard({"due_date": "9999-12-31 23:59:59.999999"}, {"due_date": datetime(9999, 12, 31, 23, 59, 59, 999999)}, None),
]
VALUES = [
    Hazard({"notes": "a\0b"}, {"notes": f"a{MENDED}b"}, "text-broken"),
    Hazard({"title": "\x1b[31m"}, {"title": "\x1b[31m"}, None),
    Hazard({"title": "\0"}, {"title": MENDED}, "text-broken"),
    Hazard({"title": ""}, {"title": "(untitled)"}, "title-empty"),
    Hazard({"title": LONG}, {"title": "é" * 499 + "…"}, "title-too-long"),
    Hazard({"title": "😀" * 500}, {"title": "😀" * 500}, None),
    Hazard({"title": "t" + " " * 500}, {"title": "t" + " " * 498 + "…"}, "title-too-long"),
    Hazard({"category": "c" * 101}, {"category": "c" * 99 + "…"}, "text-too-long"),
    Hazard({"category": "c" + " " * 100}, {"category": "c" + " " * 98 + "…"}, "text-too-long"),
    Hazard({"category": "c" + " " * 99}, {"category": "c" + " " * 99}, None),
    Hazard({"notes": BROKEN}, {"notes": "caf" + MENDED}, "text-broken"),
    Hazard({"notes": b"\xff\x00"}, {"notes": MENDED * 2}, "text-type"),
    Hazard({"description": 12.5}, {"description": "12.5"}, None),
    *(Hazard({"notes": text}, {"notes": text}, None) for text in TO_THE_LETTER),
    Hazard({"priority": 2**40}, {"priority": 5}, "priority-out-of-range"),
    Hazard({"priority": -(2**63)}, {"priority": 1}, "priority-out-of-range"),
    Hazard({"priority": None}, {"priority": 3}, "priority-not-a-number"),
    Hazard({"priority": "urgent"}, {"priority": 3}, "priority-not-a-number"),
    Hazard({"priority": 2.4}, {"priority": 2}, "priority-out-of-range"),
    Hazard({"status": None}, {"status": "pending"}, "status-unknown"),
    Hazard({"status": " Done "}, {"status": "completed"}, "status-unknown"),
    Hazard({"status": "To Do"}, {"status": "pending"}, "status-unknown"),
    Hazard({"status": 1}, {"status": "pending"}, "status-unknown"),
    Hazard({"estimated_hours": float("inf")}, {"estimated_hours": None}, "hours-invalid"),
    Hazard({"estimated_hours": -0.5}, {"estimated_hours": None}, "hours-invalid"),
    Hazard({"estimated_hours": "2,5 h"}, {"estimated_hours": 2.5}, "hours-invalid"),
    Hazard({"estimated_hours": "1.5"}, {"estimated_hours": 1.5}, None),
    Hazard({"estimated_hours": 5e-324}, {"estimated_hours": 5e-324}, None),
    Hazard({"estimated_hours": 1.7976931348623157e308}, {"estimated_hours": 1.7976931348623157e308}, None),
    Hazard({"estimated_hours": 0.1 + 0.2}, {"estimated_hours": 0.1 + 0.2}, None),
    Hazard({"tags": None}, {"tags": None}, None),
    Hazard({"tags": "null"}, {"tags": "null"}, None),
    Hazard({"tags": '[ "a" ,"b"]'}, {"tags": '[ "a" ,"b"]'}, None),
    Hazard(
        {"tags": '["\\u0000", "\\ud800", "\\u00e9"]'},
        {"tags": json.dumps([MENDED, MENDED, "é"], ensure_ascii=False)},
        "tags-invalid",
    ),
    Hazard({"tags": '["\\ud83d\\ude00"]'}, {"tags": '["\\ud83d\\ude00"]'}, None),
    Hazard({"tags": '["a", 1, null]'}, {"tags": '["a", "1"]'}, "tags-invalid"),
    Hazard({"tags": "urgent, later"}, {"tags": '["urgent", "later"]'}, "tags-invalid"),
    Hazard({"tags": ""}, {"tags": None}, "tags-invalid"),
    Hazard({"dependencies": "[NaN]"}, {"dependencies": None}, "dependencies-invalid"),
    Hazard({"dependencies": "[1, Infinity"}, {"dependencies": "[1]"}, "dependencies-invalid"),
    Hazard({"dependencies": '["1", 2.0, "x"]'}, {"dependencies": "[1, 2]"}, "dependencies-invalid"),
    Hazard({"dependencies": "[" * 100_000}, {"dependencies": None}, "dependencies-invalid"),
    Hazard({"dependencies": "[4711]"}, {"dependencies": "[4711]"}, "dependency-missing"),
    Hazard({"parent_goal_id": 4711}, {"parent_goal_id": None}, "parent-missing"),
    Hazard({"parent_goal_id": 2**40}, {"parent_goal_id": None}, "parent-missing"),
    Hazard({"parent_goal_id": "none"}, {"parent_goal_id": None}, "parent-missing"),
    Hazard({"parent_goal_id": 1}, {"parent_goal_id": 1}, None),
]
GOALS = [
    Hazard({"parent_goal_id": 2}, {"parent_goal_id": 2}, None),  # a child before its parent
    Hazard({}, {"parent_goal_id": None}, None),
    Hazard({"parent_goal_id": 3}, {"parent_goal_id": None}, "parent-cycle"),  # its own parent
    Hazard({"parent_goal_id": 5}, {"parent_goal_id": None}, "parent-cycle"),  # three in a circle
    Hazard({"parent_goal_id": 6}, {"parent_goal_id": 6}, None),
    Hazard({"parent_goal_id": 4}, {"parent_goal_id": 4}, None),
    Hazard({"parent_goal_id": 5}, {"parent_goal_id": 5}, None),  # leads into the circle
    Hazard({"parent_goal_id": 4711}, {"parent_goal_id": None}, "parent-missing"),
    Hazard({"horizon": "daily"}, {"horizon": "weekly"}, "horizon-unknown"),
    Hazard({"horizon": None}, {"horizon": "monthly"}, "horizon-unknown"),
    Hazard({"progress_percentage": None}, {"progress_percentage": 0.0}, "progress-invalid"),
    Hazard({"progress_percentage": "50 %"}, {"progress_percentage": 50.0}, "progress-invalid"),
    Hazard({"progress_percentage": float("-inf")}, {"progress_percentage": 0.0}, "progress-invalid"),
    Hazard({"progress_percentage": 150.5}, {"progress_percentage": 150.5}, None),
    Hazard({"metrics": '{"a": NaN}'}, {"metrics": None}, "metrics-invalid"),
    Hazard({"metrics": "[]"}, {"metrics": None}, "metrics-invalid"),
    Hazard({"metrics": '{"a": 1, "a": 2}'}, {"metrics": '{"a": 1, "a": 2}'}, None),
    Hazard({"metrics": '{"\\u0000": 1}'}, {"metrics": f'{{"{MENDED}": 1}}'}, "metrics-invalid"),
    Hazard({"updated_at": None}, {"updated_at": datetime(2025, 3, 1, 9)}, "updated-missing"),
    Hazard({"updated_at": "2020-01-01 00:00:00"}, {"updated_at": datetime(2020, 1, 1)}, None),
]
TABLES = {"tasks": [*TIME, *VALUES], "goals": GOALS}
NOTES = {"hour-doubled", "dependency-missing"}
"""Findings that change no value."""
BEYOND = [{"id": id_, "title": "Beyond int4", "notes": "kept whole"} for id_ in (2**31 - 1, 2**31, 2**62, -(2**31) - 1)]
"""The only rows that the web tables cannot hold; the first would leave no id for the next task."""
HOMELESS: dict[str, list[Row]] = {
    "business_plans": [{"name": "Plan", "is_active": flag} for flag in ("t", "false", 2, None)],
    "daily_logs": [{"date": DAY, "wins": BROKEN_LOG}, {"date": "soon", "wins": b"\x00\xff", "completion_rate": math.inf}],
    "research": [{"title": LONG, "raw_data": '{"a": NaN', "tags": '["\\ud800"]'}],
    "metrics": [{"metric_name": "Number as text", "value": "12,5 €"}, {"value": 2**62}, {"value": 5e-324}],
}


def numbered(rows: list[Hazard]) -> dict[int, Hazard]:
    return dict(enumerate(rows, 1))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def hazards(home: Path) -> Path:
    rows = {table: [{"id": id_, **one.row} for id_, one in numbered(found).items()] for table, found in TABLES.items()}
    source = make_source(home / "tasks.db", tasks=rows["tasks"] + BEYOND, goals=rows["goals"], schema=Schema.V1_1_1, **HOMELESS)
    with closing(sqlite3.connect(source)) as database:
        # Python binds bytes as BLOB; CAST makes TEXT of them that is no UTF-8.
        database.execute("UPDATE tasks SET notes = CAST(notes AS TEXT) WHERE notes = ?", (BROKEN,))
        database.execute("UPDATE daily_logs SET wins = CAST(wins AS TEXT) WHERE wins = ?", (BROKEN_LOG,))
        database.execute("ALTER TABLE tasks ADD COLUMN project_name VARCHAR(200)")
        database.execute("UPDATE tasks SET project_name = 'Garden' WHERE id = 1")
        database.execute("CREATE TABLE unheard_of (a, b)")
        database.executemany("INSERT INTO unheard_of VALUES (?, ?)", [(None, None), (b"\0", -0.0), ("x", 2**63 - 1)])
        database.commit()
    return source


@pytest.fixture(scope="module")
def target(server: EmbeddedServer) -> Iterator[Target]:
    with fresh_database(server) as database:
        yield database


@pytest.fixture(scope="module")
def ended(home: Path, hazards: Path, target: Target) -> Ran:
    arguments = ("--postgres-url", target.url().reveal(), "--sqlite-path", str(hazards), "--timezone", ZONE)
    return run_program(home, "migrate", "--yes", "--no-backup", "--json", *arguments)


def test_it_ends_well_and_nothing_is_skipped_that_can_be_kept(ended: Ran) -> None:
    assert (ended.code, ended.report["status"]) == (0, "migrated"), ended.err
    assert [check for check in ended.report["checks"] if not check["passed"]] == []
    tables = ended.report["tables"]
    assert {table: (tables[table]["inserted"], tables[table]["skipped"]) for table in TABLES} == {
        "tasks": (len(TABLES["tasks"]), len(BEYOND)),
        "goals": (len(GOALS), 0),
    }


def test_no_text_of_the_source_commands_the_terminal(ended: Ran) -> None:
    assert not {"\x1b", "\x07", "\x85", "\u202e"} & set(ended.out + ended.err)


@pytest.mark.parametrize("table", TABLES)
def test_every_hazard_becomes_what_is_stated(ended: Ran, target: Target, table: str) -> None:
    found = {row["id"]: row for row in target_rows(target, table)}
    wrong = [
        (id_, dict(one.row), dict(one.becomes), {name: found[id_][name] for name in one.becomes})
        for id_, one in numbered(TABLES[table]).items()
        if one.becomes != {name: found[id_][name] for name in one.becomes}
    ]
    assert wrong == []


@pytest.mark.parametrize("table", TABLES)
def test_every_change_is_announced_with_its_row_and_nothing_else_is(ended: Ran, table: str) -> None:
    found = [finding for finding in ended.report["findings"] if finding["table"] == table]
    announced = {(id_, finding["code"]) for finding in found for id_ in finding["ids"]}
    stated = {(str(id_), one.code) for id_, one in numbered(TABLES[table]).items() if one.code}
    left_out = {(str(row["id"]), "id-unusable") for row in BEYOND} if table == "tasks" else set()
    assert announced == stated | left_out


@pytest.mark.parametrize("table", [*TABLES, *HOMELESS, "unheard_of"])
def test_the_source_is_the_web_tables_and_what_is_preserved(ended: Ran, hazards: Path, target: Target, table: str) -> None:
    kept = ask(target, "SELECT source_key, original FROM bizy_migrate.preserved WHERE source_table = %s", [table])
    web = target_rows(target, table) if table in TABLES else []
    assert list(missing(table, rows_in(hazards, table), web, kept, ZONE)) == []


@pytest.mark.parametrize("table", TABLES)
def test_no_original_is_preserved_that_did_not_change(ended: Ran, target: Target, table: str) -> None:
    kept = ask(target, "SELECT source_key, original FROM bizy_migrate.preserved WHERE source_table = %s", [table])
    changed = {str(id_) for id_, one in numbered(TABLES[table]).items() if one.code and one.code not in NOTES}
    beside = {"1", *(str(row["id"]) for row in BEYOND)} if table == "tasks" else set()
    assert {row["source_key"] for row in kept} == changed | beside


def test_it_can_be_verified_and_migrated_again(ended: Ran, hazards: Path, target: Target) -> None:
    assert verify(hazards, target).differences == ()
    again = move(hazards, target, Choices(zone=ZONE))
    assert (again.status, again.tables["tasks"].unchanged) == (Status.NOTHING_TO_DO, len(TABLES["tasks"]))
