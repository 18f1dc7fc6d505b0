"""Rows are worked on in chunks: wherever careful, present or long rows stand, every row arrives, and no chunk is too long."""

import itertools
from pathlib import Path

import pytest

from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.source import census, workbook
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import make_source
from tests.core.moving import Row, move, target_rows


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "CHUNK", 3)


PAIRS = list(itertools.product([0, 1], repeat=6))
"""Which of six rows, two chunks, are careful: every pattern."""


@pytest.mark.usefixtures("small_chunks")
def test_careful_rows_at_every_place_of_a_chunk(tmp_path: Path, database: Target) -> None:
    careful = [is_careful for pair in PAIRS for is_careful in pair]
    rows: list[Row] = [
        {"id": id_ + id_ // 50, "title": f"Task {id_}", "notes": "\x1e" * one} for id_, one in enumerate(careful, 1)
    ]
    source = make_source(tmp_path / "tasks.db", tasks=rows)
    assert move(source, database).tables["tasks"].inserted == len(rows)
    assert [{name: row[name] for name in ("id", "title", "notes")} for row in target_rows(database, "tasks")] == rows
    assert verify(source, database).passed


@pytest.mark.usefixtures("small_chunks")
def test_rows_that_are_there_already_at_every_place_of_a_chunk(tmp_path: Path, database: Target) -> None:
    states = [state for triple in itertools.product("ncp", repeat=3) for state in triple]  # new, careful and new, present
    rows: list[Row] = [
        {"id": id_, "title": f"Task {id_}", "notes": "\x1e" if state == "c" else ""} for id_, state in enumerate(states, 1)
    ]
    (tmp_path / "before").mkdir()
    present = [row for row, state in zip(rows, states, strict=True) if state == "p"]
    move(make_source(tmp_path / "before" / "tasks.db", tasks=present), database)
    outcome = move(make_source(tmp_path / "tasks.db", tasks=rows), database)
    assert (outcome.tables["tasks"].inserted, outcome.tables["tasks"].unchanged) == (len(rows) - len(present), len(present))
    assert [{name: row[name] for name in ("id", "title", "notes")} for row in target_rows(database, "tasks")] == rows
    assert verify(tmp_path / "tasks.db", database).passed


@pytest.mark.parametrize("step", [1, 10_000])
def test_long_rows_are_worked_on_few_at_a_time_wherever_they_stand(
    tmp_path: Path, database: Target, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    most = 50_000
    for module in (workbook, census):
        monkeypatch.setattr(module, "CHUNK_BYTES", most)
    lengths = {id_ * step: 20_000 if 200 <= id_ < 220 else 90_000 if id_ == 300 else 10 for id_ in range(1, 401)}
    source = make_source(tmp_path / "tasks.db", tasks=[{"id": id_, "notes": "n" * long} for id_, long in lengths.items()])
    with Session(source) as session:
        chunks = session.take_inventory(session.take_snapshot(backup=False), None).tables["tasks"].chunks
    assert sum(chunk.rows for chunk in chunks) == len(lengths)
    for chunk in chunks:
        inside = [long for id_, long in lengths.items() if chunk.first <= id_ <= chunk.last]
        assert sum(inside) <= most or len(inside) == 1
    assert len(chunks) < 60
    assert move(source, database).tables["tasks"].inserted == len(lengths)
    assert verify(source, database).passed
