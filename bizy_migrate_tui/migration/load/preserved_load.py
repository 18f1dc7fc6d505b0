"""Writes what has to be preserved into `bizy_migrate.preserved`, each original once, and proves it."""

import base64
import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.findings import Difference
from bizy_migrate_tui.migration.ledger.ledger import HANDED
from bizy_migrate_tui.migration.load.ahead import ahead
from bizy_migrate_tui.migration.load.batches import in_batches, size_of
from bizy_migrate_tui.migration.load.copy_stream import CopyStream
from bizy_migrate_tui.migration.load.preserving import Original, count_originals, originals
from bizy_migrate_tui.migration.postgresql.target import TargetState
from bizy_migrate_tui.migration.rules.values import Raw, RawText
from bizy_migrate_tui.migration.source.inventory import Inventory
from bizy_migrate_tui.migration.source.reading import CarefulReader
from bizy_migrate_tui.migration.source.workbook import SourceTable

_CHARACTERS_A_CHUNK = 500_000
_PLAIN = json.JSONEncoder(ensure_ascii=False)
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))


def _lines(items: Iterator[Original], prefix: str, counted: Counter[str]) -> Iterator[tuple[int, bytes]]:
    """The originals as COPY reads them, in chunks of bounded size; each line begins with `prefix`, each table is counted."""
    lines: list[str] = []
    size = 0
    for item in items:
        beginning = "\t".join(map(_escaped, (item.table, item.key, item.reason, "")))
        lines.append("".join((prefix, beginning, _escaped(item.as_json()), "\n")))  # at once: it may be very long
        counted[item.table] += 1
        size += len(lines[-1])
        if size > _CHARACTERS_A_CHUNK:
            yield len(lines), "".join(lines).encode()
            lines, size = [], 0
    if lines:
        yield len(lines), "".join(lines).encode()


def _copy(
    server: Cursor, columns: sql.Composable, items: Iterator[Original], advance: Callable[[int], None], prefix: str = ""
) -> dict[str, int]:
    """COPY the originals into a table with those columns, which are written while PostgreSQL reads; how many of each table."""
    counted: Counter[str] = Counter()
    with ahead(_lines(items, prefix, counted)) as chunks:
        server.copy_expert(sql.SQL("COPY {} FROM STDIN").format(columns), CopyStream(chunks, advance))
    return dict(counted)


def _escaped(cell: str) -> str:
    for character, escape in _ESCAPES:
        cell = cell.replace(character, escape)
    return cell


def _stage(server: Cursor, items: Iterator[Original], advance: Callable[[int], None] = lambda _rows: None) -> None:
    """Put the originals into a temporary table that lasts as long as the transaction."""
    server.execute(
        "CREATE TEMPORARY TABLE staged_originals (source_table text, source_key text, reason text, original jsonb) ON COMMIT DROP"
    )
    _copy(server, sql.SQL("pg_temp.staged_originals"), items, advance)


_NEW = sql.SQL("""
FROM pg_temp.staged_originals s WHERE NOT EXISTS (
  SELECT FROM bizy_migrate.preserved p
  WHERE p.source_table = s.source_table AND p.source_key = s.source_key AND p.original = s.original)
""")


def count_new(
    workbook: sqlite3.Connection,
    inventory: Inventory,
    tables: Mapping[str, SourceTable],
    reader: CarefulReader,
    server: PgConnection,
    state: TargetState,
) -> dict[str, int]:
    """How many originals of each table are not preserved yet."""
    with server.cursor() as rows:
        if not state.has_ledger or not _holds_any(rows):
            return count_originals(workbook, inventory, tables, reader)
        _stage(rows, originals(workbook, inventory, tables, reader))
        rows.execute(sql.SQL("SELECT s.source_table, count(*) {} GROUP BY 1").format(_NEW))
        counted = dict(rows.fetchall())
        rows.execute("DROP TABLE pg_temp.staged_originals")
    return counted


def _holds_any(rows: Cursor) -> bool:
    rows.execute("SELECT EXISTS (SELECT FROM bizy_migrate.preserved)")
    found = rows.fetchone()
    return bool(found and found[0])


def preserve(server: Cursor, run_id: int, items: Iterator[Original], advance: Callable[[int], None]) -> dict[str, int]:
    """Write the originals that are not preserved yet; how many of each table."""
    if not _holds_any(server):
        columns = sql.SQL("bizy_migrate.preserved (run_id, source_table, source_key, reason, original)")
        return _copy(server, columns, items, advance, f"{run_id}\t")
    _stage(server, items, advance)
    server.execute(
        sql.SQL(
            "WITH added AS (INSERT INTO bizy_migrate.preserved (run_id, source_table, source_key, reason, original)"
            " SELECT %s, s.source_table, s.source_key, s.reason, s.original {} RETURNING source_table)"
            " SELECT source_table, count(*) FROM added GROUP BY 1"
        ).format(_NEW),
        (run_id,),
    )
    return dict(server.fetchall())


def missing_originals(server: Cursor, items: Iterator[Original], run_id: int) -> Iterator[Difference]:
    """Every cell that should be preserved and is not, read back and decoded without the code that wrote it.

    What the run itself preserved must say the right reason too; an earlier one may have had another.
    """
    for batch in in_batches(items, lambda item: size_of(item.cells)):
        yield from _missing(server, batch, run_id)


def _missing(server: Cursor, batch: list[Original], run_id: int) -> Iterator[Difference]:
    found: dict[tuple[str, str], list[_Kept]] = {}
    with server.connection.cursor() as rows:  # of its own: it gives back the answer's memory when it is closed
        # PostgreSQL thinks little of a hash for many keys, and would rather read the whole table for each batch.
        rows.execute("SET LOCAL enable_seqscan = off")
        rows.execute(
            "SELECT source_table, source_key, original::text,"
            " CASE WHEN run_id = %s AND NOT starts_with(reason, %s) THEN reason END"
            " FROM bizy_migrate.preserved WHERE source_table = ANY(%s) AND source_key = ANY(%s)",
            (run_id, HANDED, sorted({item.table for item in batch}), [item.key for item in batch]),
        )
        for table, key, original, reason in rows:
            found.setdefault((table, key), []).append((original, reason))
        rows.execute("SET LOCAL enable_seqscan = on")
    for item in batch:
        kept = found.get((item.table, item.key), [])
        plain = _as_jsonb_says(item)
        if not any(text == plain and reason in {None, item.reason} for text, reason in kept):
            yield from _look_closer(item, kept)


_Kept = tuple[str, str | None]
"""An original as the ledger has it, and its reason; None where it is another run's."""


def _look_closer(item: Original, kept: list[_Kept]) -> Iterator[Difference]:
    cells = [json.loads(text) for text, _reason in kept]
    reasons = [reason for one, (_text, reason) in zip(cells, kept, strict=True) if _holds_all(one, item)]
    if not reasons:
        yield _difference(item, cells)
    elif not {None, item.reason} & set(reasons):
        yield Difference(item.table, item.key, "(reason)", item.reason, reasons[0])


def _holds_all(kept: Mapping[str, Any], item: Original) -> bool:
    return set(kept) == set(item.cells) and all(_holds(kept[name], cell) for name, cell in item.cells.items())


def _as_jsonb_says(item: Original) -> str | None:
    """The text of the jsonb, as PostgreSQL writes it, where all cells are plain; None where one is none of JSON's values."""
    try:
        plain = {name: cell.decode() if isinstance(cell, RawText) else cell for name, cell in item.cells.items()}
        return _PLAIN.encode({name: plain[name] for name in _in_order_of_jsonb(tuple(plain))})
    except (UnicodeDecodeError, TypeError):
        return None


@lru_cache
def _in_order_of_jsonb(names: tuple[str, ...]) -> list[str]:
    return sorted(names, key=lambda name: (len(name.encode()), name.encode()))


def _difference(item: Original, kept: list[dict[str, Any]]) -> Difference:
    alike = next((one for one in kept if set(one) == set(item.cells)), None)
    if alike is None:
        return Difference(item.table, item.key, "(preserved)", item.as_json(), None)
    column = next(name for name, cell in item.cells.items() if not _holds(alike[name], cell))
    return Difference(item.table, item.key, column, repr(item.cells[column]), json.dumps(alike[column]))


def _holds(kept: Any, cell: Raw) -> bool:
    """Whether a JSON value is this cell."""
    if isinstance(cell, bytes):
        if isinstance(kept, str):
            return isinstance(cell, RawText) and kept.encode("utf-8", "surrogatepass") == cell
        return isinstance(kept, dict) and base64.b64decode(kept.get("base64", "")) == cell
    if isinstance(cell, float) and isinstance(kept, dict):
        return bool(kept == {"real": repr(cell)})
    if isinstance(kept, bool) or not isinstance(kept, (int, float)) or cell is None:
        return kept is None and cell is None
    number = float(kept) if isinstance(cell, float) else kept
    return bool(number == cell)
