"""How the source is read under the user's choices: the careful path, a row at a time, for rows that need it."""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from bizy_migrate_tui.migration.findings import Choice, Severity
from bizy_migrate_tui.migration.rules.catalogue import DELETED, KINDS
from bizy_migrate_tui.migration.rules.clean import INT4_MAX, INT4_MIN
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, WebTable
from bizy_migrate_tui.migration.rules.repairs import Row, Value
from bizy_migrate_tui.migration.rules.values import Raw, as_text
from bizy_migrate_tui.migration.source.whole_rows import WholeRows
from bizy_migrate_tui.migration.source.workbook import CAREFUL, CUT, GONE, LEFT_OUT, PLACEHOLDER, SourceTable, to_sql


@dataclass(frozen=True, slots=True)
class Reading:
    """What decides how a row of the source is understood; times are naive UTC.

    `taken_at` is the snapshot's time, `loaded_at` the time given to columns that the source does not have.
    """

    zone: ZoneInfo
    utc_until: int | None
    taken_at: datetime
    loaded_at: datetime
    on: Mapping[str, Choice] = field(default_factory=dict)

    @property
    def years(self) -> tuple[int, int]:
        """The first and the last year for which the clock's changes are worked out; times beyond them are read with care."""
        return self.taken_at.year - 50, self.taken_at.year + 1

    def choice(self, code: str) -> Choice:
        """What is done about a finding of that code."""
        return self.on.get(code, KINDS[code].default)


@dataclass(frozen=True, slots=True)
class CarefulRow:
    """A row read cell by cell: what SQLite holds, what PostgreSQL gets (in the order of the web table's columns).

    `codes` names the finding of each changed or noted column; `left_out` the one for which the row is not loaded.
    """

    key: int
    id: int | None
    source_key: str
    cells: Mapping[str, Raw]
    values: tuple[Value, ...]
    codes: Mapping[str, str]
    left_out: str | None

    @property
    def adjusted(self) -> Mapping[str, str]:
        """The columns whose originals have to be preserved, with the codes of their findings."""
        return {name: code for name, code in self.codes.items() if KINDS[code].severity is Severity.ADJUSTS}

    @property
    def is_adjusted(self) -> bool:
        """Whether any cell is changed."""
        return bool(self.adjusted)


class CarefulReader:
    """Reads rows of the snapshot under a Reading."""

    def __init__(self, connection: sqlite3.Connection, tables: Mapping[str, SourceTable], reading: Reading) -> None:
        self._connection = connection
        self._tables = tables
        self.reading = reading
        self._goal_sql = _goal_sql(tables.get("goals"))
        self._first_sql = {home.name: _first_sql(tables[home.name]) for home in WEB_TABLES if home.name in tables}
        self._row = {
            home.name: WholeRows(tables[home.name], None, tables[home.name].key == PLACEHOLDER)
            for home in WEB_TABLES
            if home.name in tables
        }
        self._cut_sql = to_sql(select(CUT.c.key).where(CUT.c.key == PLACEHOLDER))
        self._gone_sql = {name: to_sql(select(ids.c.id).where(ids.c.id == PLACEHOLDER)) for name, ids in GONE.items()}

    def rows(self, home: WebTable) -> Iterator[CarefulRow]:
        """The rows of the plan's careful path, in key order."""
        source = self._tables[home.name]
        yield from self._read(home, source, WholeRows(source, None, source.key.in_(select(CAREFUL[home.name].c.key))))

    def row(self, home: WebTable, key: int) -> CarefulRow:
        """The row with that key, whichever path it takes."""
        return next(self._read(home, self._tables[home.name], self._row[home.name], (key,)))

    def row_with_id(self, home: WebTable, id_: int) -> CarefulRow:
        """The first row with that id, which is there."""
        return self.row(home, self._first_key(home, id_) or 0)

    def find(self, home: WebTable, id_: int) -> CarefulRow | None:
        """The first row with that id, if there is one."""
        key = self._first_key(home, id_)
        return None if key is None else self.row(home, key)

    def _first_key(self, home: WebTable, id_: int) -> int | None:
        (key,) = self._connection.execute(self._first_sql[home.name], (id_,)).fetchone()
        return None if key is None else int(key)

    def _read(self, home: WebTable, source: SourceTable, rows: WholeRows, values: tuple[int, ...] = ()) -> Iterator[CarefulRow]:
        for key, cells in rows.read(self._connection, values):
            yield self._mend(home, source, key, cells)

    def _mend(self, home: WebTable, source: SourceTable, key: int, cells: Mapping[str, Raw]) -> CarefulRow:
        id_ = cells.get("id")
        usable = id_ if isinstance(id_, int) and INT4_MIN <= id_ <= INT4_MAX else None
        row = Row(
            id=usable,
            cells=cells,
            zone=self.reading.zone,
            utc_until=self.reading.utc_until,
            taken_at=self.reading.taken_at,
            loaded_at=self.reading.loaded_at,
            goal_exists=self._goal_exists,
            closes_cycle=home.name == "goals" and self._closes_cycle(key),
        )
        mended = [column.repair(cells.get(column.name), row) for column in home.columns]
        codes = {column.name: cell.code for column, cell in zip(home.columns, mended, strict=True) if cell.code}
        left_out = (
            self._row_trouble(source, key, usable)
            or self._deleted(home, usable)
            or next((code for code in codes.values() if self.reading.choice(code) is Choice.LEAVE_OUT), None)
        )
        source_key = as_text(id_) if id_ is not None else str(key)
        return CarefulRow(key, usable, source_key or str(key), cells, tuple(cell.value for cell in mended), codes, left_out)

    def _row_trouble(self, source: SourceTable, key: int, usable: int | None) -> str | None:
        if usable is None:
            return "id-unusable"
        if source.id_is_key:
            return None
        (first,) = self._connection.execute(self._first_sql[source.name], (usable,)).fetchone()
        return None if first == key else "id-duplicate"

    def _deleted(self, home: WebTable, id_: int | None) -> str | None:
        if self.reading.choice(DELETED) is not Choice.LEAVE_OUT:
            return None
        return None if self._connection.execute(self._gone_sql[home.name], (id_,)).fetchone() is None else DELETED

    def _goal_exists(self, goal: int) -> bool:
        if self._goal_sql is None or not INT4_MIN <= goal <= INT4_MAX:
            return False
        return self._connection.execute(self._goal_sql, (goal,)).fetchone() is not None

    def _closes_cycle(self, key: int) -> bool:
        return self._connection.execute(self._cut_sql, (key,)).fetchone() is not None


def _first_sql(source: SourceTable) -> str:
    """The key of the first row with an id."""
    id_ = source.column("id")
    keys = select(func.min(source.key)).select_from(source.table)
    return to_sql(keys.where(id_ == PLACEHOLDER, func.typeof(id_) == "integer"))


def _goal_sql(goals: SourceTable | None) -> str | None:
    """A goal with an id, unless it is left out."""
    if goals is None or "id" not in goals.columns:
        return None
    id_ = goals.column("id")
    keys = select(goals.key).select_from(goals.table).where(id_ == PLACEHOLDER, func.typeof(id_) == "integer")
    return to_sql(keys.where(goals.key.not_in(select(LEFT_OUT["goals"].c.key))).limit(1))
