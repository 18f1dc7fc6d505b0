"""How rows that are in the target already stand to the source's: the same, kept as they are there, or somebody else's."""

import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import and_, delete, func, insert, select, update

from bizy_migrate_tui.migration.comparison.comparison import Comparison, Scope, Side
from bizy_migrate_tui.migration.ledger import ledger, web_changes
from bizy_migrate_tui.migration.plan.recorded import taken_at_of
from bizy_migrate_tui.migration.postgresql.target import TargetState
from bizy_migrate_tui.migration.rules.catalogue import DELETED
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, WebTable
from bizy_migrate_tui.migration.source.evidence import Sighting
from bizy_migrate_tui.migration.source.reading import Reading
from bizy_migrate_tui.migration.source.workbook import (
    GONE,
    LEFT_OUT,
    PLACEHOLDER,
    PRESENT,
    SourceTable,
    Standing,
    count,
    to_sql,
)

_SHOWN = 1000


_FINDINGS = {
    "kept-on-web": (Standing.KEPT, Standing.KEPT_PRESERVED),
    "edited-since": (Standing.EDITED,),
    "read-otherwise": (Standing.READ_OTHERWISE,),
    "id-taken": (Standing.TAKEN,),
}


def find_gone(workbook: sqlite3.Connection, server: PgConnection, state: TargetState) -> None:
    """Fill GONE with the ids that runs have brought and that the target has no more."""
    for table, gone in GONE.items():
        workbook.execute(to_sql(delete(gone)))
        add = to_sql(insert(gone).prefix_with("OR IGNORE").values(id=PLACEHOLDER))
        for run in ledger.list_runs(server) if state.has_ledger and table in state.tables else ():
            if run.status == ledger.MIGRATED:
                workbook.execute("BEGIN")
                workbook.executemany(add, web_changes.gone_ids(server, run, table))
                workbook.execute("COMMIT")


def find_standing(
    workbook: sqlite3.Connection,
    tables: Mapping[str, SourceTable],
    reading: Reading,
    sha256: str,
    server: PgConnection,
    state: TargetState,
    user_id: int | None,
) -> Mapping[str, Mapping[str, Sighting]]:
    """Fill PRESENT; for each table the rows that deserve a finding, by the finding's code.

    A row that differs is kept where it is the user's and an earlier run of ours brought it: then the web interface or the
    source (whose SHA-256 is given) changed it since; a run that was rolled back still lists the rows that it had to keep.
    Otherwise its id belongs to somebody else.
    """
    runs = ledger.list_runs(server) if state.has_ledger else ()
    result: dict[str, dict[str, Sighting]] = {}
    for home in WEB_TABLES:
        workbook.execute(to_sql(delete(PRESENT[home.name])))
        if home.name not in tables or home.name not in state.tables:
            continue
        list_present(workbook, tables[home.name], server, home)
        result[home.name] = {DELETED: _gone(workbook, tables[home.name], home)}
        if not count(workbook, PRESENT[home.name]):
            continue
        with server.cursor() as rows:
            differing = _differing(Side(workbook, tables, reading), rows, home, user_id or 0, runs)
            others = _of_others(rows, home, user_id or 0, differing)
            found = dict.fromkeys(differing, Standing.TAKEN)
            for run in reversed(runs):  # where several brought an id, the newest did last
                found |= _since(rows, run, home, _among(differing - others, run.inserted(home.name)), sha256)
        for id_, standing in found.items():
            _mark(workbook, home, id_, standing)
        result[home.name] |= {code: _sighting(workbook, home, standings) for code, standings in _FINDINGS.items()}
    return {table: {code: seen for code, seen in kinds.items() if seen.count} for table, kinds in result.items()}


def list_present(workbook: sqlite3.Connection, source: SourceTable, server: PgConnection, home: WebTable) -> None:
    """Fill PRESENT with the ids that the target has and the source too, in a row that is not left out.

    They stand as SAME until they are compared.
    """
    present = PRESENT[home.name]
    add = to_sql(insert(present).values(id=PLACEHOLDER, standing=Standing.SAME.value))
    with server.cursor(name="present_ids") as rows:
        rows.itersize = 50_000
        rows.execute(sql.SQL("SELECT id FROM {}").format(sql.Identifier("public", home.name)))
        workbook.execute("BEGIN")
        workbook.executemany(add, rows)
        workbook.execute("COMMIT")
    loaded = select(source.column("id")).select_from(source.table).where(source.column("id").is_not(None))
    loaded = loaded.where(source.key.not_in(select(LEFT_OUT[home.name].c.key)))
    workbook.execute(to_sql(delete(present).where(present.c.id.not_in(loaded))))


def _differing(side: Side, server: Cursor, home: WebTable, user_id: int, runs: tuple[ledger.Run, ...]) -> set[int]:
    """The ids whose rows differ from what the run that brought them would load today, under today's choices.

    A creation time that had to be made up was made up from the time of that run.
    """

    def comparison(taken_at: datetime) -> Comparison:
        read = replace(side, reading=replace(side.reading, taken_at=taken_at))
        return Comparison(read, server, home, user_id, scope=Scope.PRESENT, made=False)

    taken = taken_at_of(runs[-1]) if runs else side.reading.taken_at
    with comparison(taken) as compared:
        differing = {int(difference.id) for difference in compared.differences()}
    for run in runs[:-1]:
        brought = _among(differing, run.inserted(home.name))
        differing -= brought - {int(difference.id) for difference in comparison(taken_at_of(run)).differences_of(brought)}
    return differing


def _of_others(server: Cursor, home: WebTable, user_id: int, ids: set[int]) -> set[int]:
    """Those of the ids whose rows are another user's."""
    statement = sql.SQL("SELECT id FROM {} WHERE id = ANY(%s) AND user_id <> %s").format(sql.Identifier("public", home.name))
    server.execute(statement, (list(ids), user_id))
    return {id_ for (id_,) in server.fetchall()}


def _since(server: Cursor, run: ledger.Run, home: WebTable, ids: set[int], sha256: str) -> dict[int, Standing]:
    """How rows that a run brought, and that differ by now, stand."""
    is_same = run.source_sha256 == sha256
    changed = Standing.KEPT if is_same else Standing.KEPT_PRESERVED
    others = Standing.READ_OTHERWISE if is_same else Standing.EDITED
    moved = web_changes.ids_moved(server, run, home.name, ids)
    return {id_: changed if id_ in moved else others for id_ in ids}


def _among(ids: set[int], spans: Iterable[tuple[int, int]]) -> set[int]:
    """Those of the ids that lie in one of the spans (first and last, both included)."""
    ordered = sorted(ids)
    found: set[int] = set()
    for first, last in spans:
        found.update(ordered[bisect_left(ordered, first) : bisect_right(ordered, last)])
    return found


def _gone(workbook: sqlite3.Connection, source: SourceTable, home: WebTable) -> Sighting:
    """The rows of the source that are to come again, although a run has brought them before."""
    id_ = source.column("id")
    comes_again = and_(id_.in_(select(GONE[home.name].c.id)), source.key.not_in(select(LEFT_OUT[home.name].c.key)))
    ids = select(id_).select_from(source.table).where(func.typeof(id_) == "integer", comes_again).distinct().order_by(id_)
    found = [row[0] for row in workbook.execute(to_sql(ids)).fetchall()]
    return Sighting(len(found), tuple(found[:_SHOWN]))


def _mark(workbook: sqlite3.Connection, home: WebTable, id_: int, standing: Standing) -> None:
    present = PRESENT[home.name]
    statement = update(present).where(present.c.id == PLACEHOLDER).values(standing=standing.value)
    workbook.execute(to_sql(statement), (id_,))


def _sighting(workbook: sqlite3.Connection, home: WebTable, standings: Sequence[Standing]) -> Sighting:
    present = PRESENT[home.name]
    of_these = present.c.standing.in_([standing.value for standing in standings])
    total = workbook.execute(to_sql(select(func.count()).select_from(present).where(of_these))).fetchone()[0]
    ids = workbook.execute(to_sql(select(present.c.id).where(of_these).order_by(present.c.id).limit(_SHOWN))).fetchall()
    return Sighting(total, tuple(row[0] for row in ids))
