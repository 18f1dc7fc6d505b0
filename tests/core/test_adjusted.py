"""The proof judges adjusted cells by itself: it takes every answer of the repairs, and none that is a little off."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bizy_migrate_tui.migration import clock
from bizy_migrate_tui.migration.comparison.adjusted import Adjusted, is_right
from bizy_migrate_tui.migration.comparison.lines import shortest_number, time_text
from bizy_migrate_tui.migration.errors import ProofFailed
from bizy_migrate_tui.migration.findings import Severity
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.rules import repairs
from bizy_migrate_tui.migration.rules.catalogue import KINDS
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, Column, Form, WebTable
from bizy_migrate_tui.migration.rules.repairs import Mended, Row, Value
from bizy_migrate_tui.migration.rules.values import Raw, RawText
from bizy_migrate_tui.migration.source.reading import Reading
from tests.bizy_source import make_source
from tests.core.moving import ZONE, everything_in, move

COLUMNS = [(home, column) for home in WEB_TABLES for column in home.columns if column.form is not Form.MADE]
TAKEN = datetime(2026, 11, 22, 10, 20, 30, 120000)
LOADED = datetime(2026, 11, 22, 10, 21)

numbers = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(-3, 12), st.floats(), st.floats(0, 5e15), st.floats(2.4e6, 2.5e6)
)
dates = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))
near_changes = st.integers(-7200, 7200).map(lambda off: datetime(2025, 3, 9, 2, 30) + timedelta(seconds=off))
forms = st.sampled_from(
    ["%Y-%m-%d", "%Y%m%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y%m%dT%H%M%S", "%Y-%m-%d %H"]
)
offsets = st.sampled_from(["", "", "Z", " UTC", "+05:30", "-0800", " +02", "z"])
times = st.builds(lambda time, form, offset: time.strftime(form) + offset, dates | near_changes, forms, offsets)
figures = st.from_regex(r"[ a]?[-+]?[0-9]{0,3}[.,]?[0-9]{0,3}(e[-+]?[0-9]{1,2})?[ h%]{0,2}", fullmatch=True)
words = st.one_of(
    st.text(max_size=30), st.text("ab\0 é", min_size=95, max_size=520), figures, times, st.sampled_from(["", '[1, 2.0, "x 7"]'])
)
texts = st.one_of(words.map(lambda word: word.encode("utf-8", "surrogatepass")), st.binary(max_size=20))
raws = st.one_of(st.none(), numbers, texts.map(RawText), texts)


def row_of(cells: dict[str, Raw], zone: str, utc_until: int | None) -> Row:
    return Row(7, cells, ZoneInfo(zone), utc_until, TAKEN, LOADED, goal_exists=lambda _goal: True, closes_cycle=False)


def written(value: Value) -> str | None:
    """As PostgreSQL shows it."""
    if isinstance(value, datetime):
        return time_text(value)
    return shortest_number(value) if isinstance(value, float) else None if value is None else str(value)


def judged(home: WebTable, column: Column, mended: Mended, row: Row) -> bool:
    found = {one.name: written(one.repair(row.cells.get(one.name), row).value) for one in home.columns if one.name in row.cells}
    cell = Adjusted(
        column.name,
        row.cells[column.name],
        found | {column.name: written(mended.value)},
        Reading(row.zone, row.utc_until, row.taken_at, row.loaded_at),
        is_local=column.form is Form.LOCAL_TIME and not (column.name == "created_at" and row.utc_until is not None),
        is_calendar=column.repair is repairs.calendar_time,
    )
    return is_right(mended.code or "", cell)


@settings(max_examples=1500, deadline=None)
@given(
    where=st.sampled_from(COLUMNS),
    raw=raws,
    completed=raws,
    zone=st.sampled_from([ZONE, "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]),
    utc_until=st.sampled_from([None, None, 9]),
)
def test_what_the_repairs_answer_is_right(
    where: tuple[WebTable, Column], raw: Raw, completed: Raw, zone: str, utc_until: int | None
) -> None:
    home, column = where
    row = row_of({"created_at": raw, "completed_at": completed, column.name: raw}, zone, utc_until)
    mended = column.repair(raw, row)
    if mended.code is not None and KINDS[mended.code].severity is Severity.ADJUSTS:
        assert judged(home, column, mended, row), (mended, row.cells)


def test_ids_beyond_every_number_are_no_reason_to_stop() -> None:
    home, column = next((home, column) for home, column in COLUMNS if column.name == "dependencies")
    raw = RawText(f'[1, {10**400}, "x"]'.encode())
    row = row_of({"dependencies": raw}, ZONE, None)
    assert judged(home, column, column.repair(raw, row), row)


def text(word: str) -> RawText:
    return RawText(word.encode("utf-8", "surrogatepass"))


WRONG: list[tuple[str, Raw, Value]] = [
    ("tasks.title", text("x" * 501), "x" * 498 + "…"),
    ("tasks.title", text("x" * 501), "x" * 498 + "y…"),
    ("tasks.title", text(""), "(no title)"),
    ("tasks.notes", text("a\0b"), "ab"),
    ("tasks.notes", 12, "13"),
    ("tasks.priority", 9, 4),
    ("tasks.priority", text("high"), 1),
    ("tasks.priority", text("2.4"), 3),
    ("tasks.parent_goal_id", text("12"), 1),
    ("tasks.estimated_hours", text("2.5 h"), 2.0),
    ("tasks.estimated_hours", text("2.5 h"), None),
    ("tasks.actual_hours", 2**60 + 1, 2.0**59),
    ("goals.progress_percentage", text("50 %"), 5.0),
    ("tasks.dependencies", text("[1, \"2\"]"), "[1, 3]"),
    ("tasks.created_at", text("2025-03-09 02:30:00"), datetime(2025, 3, 9, 14, 30)),
    ("tasks.created_at", text("2025-01-01T10:00:00"), datetime(2025, 1, 1, 10, 0)),
    ("tasks.created_at", None, LOADED),
    ("tasks.due_date", 1_740_000_000, datetime(2025, 2, 19, 21, 20)),
    ("goals.updated_at", None, LOADED),
]  # fmt: skip


@pytest.mark.parametrize(("where", "raw", "wrong"), WRONG, ids=[f"{where}: {str(raw)[:20]}" for where, raw, _ in WRONG])
def test_an_answer_that_is_a_little_off_is_not(where: str, raw: Raw, wrong: Value) -> None:
    table, name = where.split(".")
    home = next(home for home in WEB_TABLES if home.name == table)
    column = next(one for one in home.columns if one.name == name)
    row = row_of({"created_at": None, name: raw}, ZONE, None)
    right = column.repair(raw, row)
    assert right.code is not None
    assert judged(home, column, right, row)
    assert not judged(home, column, Mended(wrong, right.code), row)


def test_a_clock_that_is_wrong_for_adjusted_times_alone_never_commits(
    tmp_path: Path, database: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source(
        tmp_path / "tasks.db",
        tasks=[{"created_at": "2025-03-09 02:30:00"}, {"created_at": "2025-01-01T10:00:00"}, {"created_at": 1_740_000_000}],
    )
    before = everything_in(database)
    real = clock.to_utc
    monkeypatch.setattr(clock, "to_utc", lambda local, zone: real(local, zone) + timedelta(hours=7))
    with pytest.raises(ProofFailed) as failed:
        move(source, database)
    assert {(one.id, one.column) for one in failed.value.differences} == {("1", "created_at"), ("2", "created_at")}
    assert everything_in(database) == before
