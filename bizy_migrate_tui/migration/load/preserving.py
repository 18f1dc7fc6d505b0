"""What has no place in the web tables, and how it is kept: rows of `bizy_migrate.preserved`.

Preserved are all rows of tables without a home, the values of columns without a home (where they are not NULL), the
original of every cell that is adjusted, and whole rows that are left out, or that the web interface has otherwise by now.
"""

import base64
import json
import math
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import and_, func, null, or_, select

from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, WebTable
from bizy_migrate_tui.migration.rules.values import Raw, RawText, as_text, is_sound
from bizy_migrate_tui.migration.source.inventory import Inventory
from bizy_migrate_tui.migration.source.reading import CarefulReader, CarefulRow
from bizy_migrate_tui.migration.source.whole_rows import WholeRows
from bizy_migrate_tui.migration.source.workbook import LEFT_OUT, PRESENT, PRESERVED_WHOLE, SourceTable

NO_TABLE = "no table for it"
NO_COLUMN = "no column for it"
KEPT = "kept: the web interface has the row otherwise"
LEFT_OUT_FOR = "left out: "
"""Begins the reason of a row that is left out; the finding's code ends it."""

_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Original:
    """Something of the source that is kept beside the web tables: column → cell, as SQLite has it."""

    table: str
    key: str
    reason: str
    cells: Mapping[str, Raw]

    def as_json(self) -> str:
        """The cells as a JSON object; bytes, and text that JSON cannot hold, as {"base64": "…"}."""
        return _JSON.encode({name: cell_as_json(cell) for name, cell in self.cells.items()})


def cell_as_json(cell: Raw) -> Any:
    """The cell as JSON holds it (design, "Ledger")."""
    if isinstance(cell, RawText) and is_sound(cell):
        return cell.decode()
    if isinstance(cell, bytes):
        return {"base64": base64.b64encode(cell).decode()}
    if isinstance(cell, float) and (not math.isfinite(cell) or repr(cell) == "-0.0"):  # jsonb has no such numbers
        return {"real": repr(cell)}
    return cell


def originals(
    workbook: sqlite3.Connection, inventory: Inventory, tables: Mapping[str, SourceTable], reader: CarefulReader
) -> Iterator[Original]:
    """Everything that has to be preserved, table by table."""
    homes = {home.name: home for home in WEB_TABLES}
    for name, table in inventory.tables.items():
        if not table.has_home:
            yield from _whole_rows(workbook, tables[name])
            continue
        if table.extra_columns:
            yield from _extra_columns(workbook, tables[name], table.extra_columns)
        yield from _kept_rows(workbook, tables[name])
        for row in reader.rows(homes[name]):
            yield from of_careful_row(homes[name], row)


def count_originals(
    workbook: sqlite3.Connection, inventory: Inventory, tables: Mapping[str, SourceTable], reader: CarefulReader
) -> dict[str, int]:
    """How many originals each table has; rows of tables without a home need not be read for that."""
    counted = Counter({name: table.rows for name, table in inventory.tables.items() if not table.has_home and table.rows})
    at_home = replace(inventory, tables={name: table for name, table in inventory.tables.items() if table.has_home})
    counted.update(item.table for item in originals(workbook, at_home, tables, reader))
    return dict(counted)


def of_careful_row(home: WebTable, row: CarefulRow) -> Iterator[Original]:
    """The originals of a row that is adjusted or left out."""
    if row.left_out is not None:
        yield Original(home.name, row.source_key, LEFT_OUT_FOR + row.left_out, row.cells)
        return
    if row.is_adjusted:
        cells = {name: row.cells.get(name) for name in row.adjusted}
        yield Original(home.name, row.source_key, "adjusted: " + ", ".join(sorted(set(row.adjusted.values()))), cells)


def _whole_rows(workbook: sqlite3.Connection, source: SourceTable) -> Iterator[Original]:
    for key, cells in WholeRows(source).read(workbook):
        yield Original(source.name, _source_key(key, cells), NO_TABLE, cells)


def _extra_columns(workbook: sqlite3.Connection, source: SourceTable, extra: tuple[str, ...]) -> Iterator[Original]:
    names = (*(name for name in ("id",) if name in source.columns), *extra)
    # SQLite takes a function of 100 values, but no expression of 1,000 levels.
    parts = (map(source.column, extra[start : start + 99]) for start in range(0, len(extra), 99))
    given = or_(*(func.coalesce(null(), *part).is_not(None) for part in parts))
    for key, cells in WholeRows(source, names, given).read(workbook):
        kept = {name: cells[name] for name in extra if cells[name] is not None}
        yield Original(source.name, _source_key(key, cells), NO_COLUMN, kept)


def _kept_rows(workbook: sqlite3.Connection, source: SourceTable) -> Iterator[Original]:
    present, id_ = PRESENT[source.name], source.column("id")
    kept = select(present.c.id).where(present.c.standing.in_([standing.value for standing in PRESERVED_WHOLE]))
    is_kept = and_(id_.in_(kept), source.key.not_in(select(LEFT_OUT[source.name].c.key)))
    for key, cells in WholeRows(source, None, is_kept).read(workbook):
        yield Original(source.name, _source_key(key, cells), KEPT, cells)


def _source_key(key: int, cells: Mapping[str, Raw]) -> str:
    return as_text(cells.get("id")) or str(key)
