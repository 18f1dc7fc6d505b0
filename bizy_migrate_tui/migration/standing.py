"""How rows that are in the target already stand to the source's: the same, kept as they are there, or somebody else's."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from sqlalchemy import delete, func, insert, select, update

from bizy_migrate_tui.migration import ledger
from bizy_migrate_tui.migration.comparison import Comparison, Scope, Side
from bizy_migrate_tui.migration.evidence import Sighting
from bizy_migrate_tui.migration.reading import Reading
from bizy_migrate_tui.migration.recorded import taken_at_of
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, WebTable
from bizy_migrate_tui.migration.target import TargetState
from bizy_migrate_tui.migration.workbook import PLACEHOLDER, PRESENT, SourceTable, count, to_sql

_SHOWN = 1000


class Standing(StrEnum):
    """What an id that is in the source and in the target means."""

    SAME = "same"
    KEPT = "kept"
    TAKEN = "taken"


_FINDINGS = {Standing.KEPT: "kept-on-web", Standing.TAKEN: "id-taken"}


def find_standing(
    workbook: sqlite3.Connection,
    tables: Mapping[str, SourceTable],
    reading: Reading,
    server: PgConnection,
    state: TargetState,
    user_id: int | None,
) -> Mapping[str, Mapping[str, Sighting]]:
    """Fill PRESENT; for each table the rows that deserve a finding, by the finding's code.

    A row that differs is kept where an earlier run of ours brought it (then the web interface or the source changed it
    since); otherwise its id belongs to somebody else.
    """
    runs = [run for run in ledger.list_runs(server) if run.status == "migrated"] if state.has_ledger else []
    result = {}
    for home in WEB_TABLES:
        workbook.execute(to_sql(delete(PRESENT[home.name])))
        if home.name not in tables or not state.tables.get(home.name):
            continue
        list_present(workbook, tables[home.name], server, home)
        if not count(workbook, PRESENT[home.name]):
            continue
        # A creation time that had to be made up was made up from the time of the run that brought the row.
        read = replace(reading, taken_at=taken_at_of(runs[-1])) if runs else reading
        differing = _differing(Side(workbook, tables, read), server, home, user_id)
        ours = _brought(home, runs)
        for id_ in differing:
            is_ours = any(low <= id_ <= high for low, high in ours)
            _mark(workbook, home, id_, Standing.KEPT if is_ours else Standing.TAKEN)
        result[home.name] = {code: _sighting(workbook, home, standing) for standing, code in _FINDINGS.items()}
    return {table: {code: seen for code, seen in kinds.items() if seen.count} for table, kinds in result.items()}


def list_present(workbook: sqlite3.Connection, source: SourceTable, server: PgConnection, home: WebTable) -> None:
    """Fill PRESENT with the ids that both the source and the target have, as SAME until they are compared."""
    present = PRESENT[home.name]
    add = to_sql(insert(present).values(id=PLACEHOLDER, standing=Standing.SAME.value))
    with server.cursor(name="present_ids") as rows:
        rows.itersize = 50_000
        rows.execute(sql.SQL("SELECT id FROM {}").format(sql.Identifier("public", home.name)))
        workbook.execute("BEGIN")
        workbook.executemany(add, rows)
        workbook.execute("COMMIT")
    workbook.execute(
        to_sql(
            delete(present).where(
                present.c.id.not_in(select(source.column("id")).select_from(source.table).where(source.column("id").is_not(None)))
            )
        )
    )


def _differing(side: Side, server: PgConnection, home: WebTable, user_id: int | None) -> list[int]:
    with server.cursor() as rows:
        comparison = Comparison(side, rows, home, user_id or 0, scope=Scope.PRESENT, made=False)
        return sorted({int(difference.id) for difference in comparison.differences()})


def _brought(home: WebTable, runs: list[ledger.Run]) -> list[tuple[int, int]]:
    return [span for run in runs for span in (run.inserted_tasks if home.name == "tasks" else run.inserted_goals)]


def _mark(workbook: sqlite3.Connection, home: WebTable, id_: int, standing: Standing) -> None:
    present = PRESENT[home.name]
    statement = update(present).where(present.c.id == PLACEHOLDER).values(standing=standing.value)
    workbook.execute(to_sql(statement), (id_,))


def _sighting(workbook: sqlite3.Connection, home: WebTable, standing: Standing) -> Sighting:
    present = PRESENT[home.name]
    of_this = present.c.standing == standing.value
    total = workbook.execute(to_sql(select(func.count()).select_from(present).where(of_this))).fetchone()[0]
    ids = workbook.execute(to_sql(select(present.c.id).where(of_this).order_by(present.c.id).limit(_SHOWN))).fetchall()
    return Sighting(total, tuple(row[0] for row in ids))
