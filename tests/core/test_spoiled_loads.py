"""A loader made to write one wrong value, in any column, never commits."""

from collections.abc import Iterator

import pytest
from sqlalchemy import JSON, DateTime, Float, Integer

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.errors import ProofFailed, RunFailed
from bizy_migrate_tui.migration.load.load import Loader
from bizy_migrate_tui.migration.plan.plan import Choices, Plan
from bizy_migrate_tui.migration.postgresql.web_schema import METADATA
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.source.reading import CarefulRow
from tests.bizy_source import make_source
from tests.conftest import fresh_database
from tests.core.moving import ZONE, everything_in
from tests.core.test_verification import GOAL, TASK

CELLS = [(home.name, number, name) for home in WEB_TABLES for number, name in enumerate(home.names)]
NULL, BETWEEN = b"\x1d", b"\x1f"


def another(table: str, column: str, cell: bytes) -> bytes:
    """A value that is very nearly the right one."""
    kind = METADATA.tables[table].c[column].type
    if cell == NULL:
        return b"2025-01-01 00:00:00"  # goals.completed_at is the only one
    if isinstance(kind, Integer):
        return str(int(cell) + 1).encode()
    if isinstance(kind, Float):
        return cell + b"1"
    if isinstance(kind, DateTime):
        return cell[:-1] + (b"7" if cell.endswith(b"8") else b"8")
    return cell + (b" " if isinstance(kind, JSON) else b"x")


@pytest.fixture(scope="module", params=["clean", "careful"])
def planned(
    request: pytest.FixtureRequest, server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Session, Plan]]:
    """One plan for all, of rows that take the fast path or (a cell of each being adjusted) the careful one.

    Each run that is taken back leaves the target as it was.
    """
    task, goal = (TASK, GOAL) if request.param == "clean" else ({**TASK, "notes": b"note"}, {**GOAL, "description": b"Why"})
    path = tmp_path_factory.mktemp("source") / "tasks.db"
    source = make_source(path, tasks=[task, {**task, "id": 6}], goals=[{**goal, "id": 2, "parent_goal_id": None}, goal])
    with fresh_database(server) as target, Session(source) as session:
        inventory = session.take_inventory(session.take_snapshot(backup=False), ZONE)
        plan = session.make_plan(inventory, target, Choices(zone=ZONE))
        assert [table.adjusted for table in plan.tables.values()] == ([0, 0] if request.param == "clean" else [2, 2])
        yield session, plan


@pytest.mark.parametrize(("table", "number", "column"), CELLS, ids=[f"{table}.{column}" for table, _, column in CELLS])
def test_one_wrong_value_is_never_committed(
    planned: tuple[Session, Plan], monkeypatch: pytest.MonkeyPatch, table: str, number: int, column: str
) -> None:
    session, plan = planned
    before = everything_in(plan.target)
    finished, careful = Loader._finished, Loader._careful_line
    spoiled: list[bytes] = []

    def spoil(line: bytes) -> bytes:
        cells = line.split(BETWEEN)
        cells[number] = another(table, column, cells[number])
        spoiled.append(cells[number])
        return BETWEEN.join(cells)

    def chunk_with_a_spoiled_row(self: Loader, chunk: tuple[int, bytes]) -> tuple[int, bytes]:
        rows, text = finished(self, chunk)
        *first, line = text.removesuffix(b"\n").split(b"\n")
        return rows, b"\n".join([*first, spoil(line) if self._home.name == table else line]) + b"\n"

    def spoiled_row(self: Loader, row: CarefulRow) -> bytes:
        line = careful(self, row).removesuffix(b"\n")
        return (spoil(line) if self._home.name == table and row.id in {6, 3} else line) + b"\n"

    monkeypatch.setattr(Loader, "_finished", chunk_with_a_spoiled_row)
    monkeypatch.setattr(Loader, "_careful_line", spoiled_row)
    with pytest.raises((ProofFailed, RunFailed)) as refusal:
        session.run(plan)
    assert len(spoiled) == 1
    if isinstance(refusal.value, ProofFailed):
        assert {(one.table, one.column) for one in refusal.value.differences} == {(table, column)}
    else:
        assert column in {"id", "user_id", "parent_goal_id"}  # a user or goal is missing then, which PostgreSQL says by itself
    assert everything_in(plan.target) == before
