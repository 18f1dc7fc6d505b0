"""The census: looks at every row of a web table once, a chunk at a time, and notes the keys of those that need care."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, literal_column, not_, or_, select

from bizy_migrate_tui.migration.rules.clean import INT4_MAX, INT4_MIN
from bizy_migrate_tui.migration.rules.columns import WebTable
from bizy_migrate_tui.migration.workbook import CHUNK, PLACEHOLDER, TROUBLED, SourceTable, to_sql

FIELD_END, ROW_END, NULL_MARK, TIME_MARK = "\x1f", "\x1e", "\x1d", "\x1c"
"""Load and proof write these between cells and rows, for NULL, before local times; text with one takes the careful path."""

_UNWELCOME = ("\0", FIELD_END, ROW_END, NULL_MARK, TIME_MARK)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a chunk has: its rows, and the earliest and latest creation time (as text) among those that are fine."""

    rows: int
    earliest: str | None
    latest: str | None


class Census:
    """The questions put to one table; every thread may put them on a connection of its own."""

    def __init__(self, home: WebTable, tables: Mapping[str, SourceTable]) -> None:
        self.source = tables[home.name]
        self._troubled = TROUBLED[home.name]
        self._is_clean = _is_clean(home, self.source, tables.get("goals"))
        self._texts = _texts(home, self.source)
        self._question = self._ask()

    def begin(self, workbook: sqlite3.Connection) -> None:
        """Forget an earlier census, and note the rows whose id another row has too."""
        workbook.execute(to_sql(delete(self._troubled)))
        id_ = self.source.column("id")
        if not self.source.id_is_key:
            twice = select(id_).group_by(id_).having(func.count() > 1)
            keys = select(self.source.key).select_from(self.source.table).where(id_.in_(twice))
            workbook.execute(to_sql(insert(self._troubled).from_select(["key"], keys)))

    def look(self, workbook: sqlite3.Connection, first: int, last: int) -> Seen:
        """Look at the rows with keys from first to last, CHUNK of them at most."""
        rows, clean_rows, text, earliest, latest = workbook.execute(self._question, (first, last)).fetchone()
        chunk = self.source.key.between(first, last)
        if clean_rows < rows:
            keys = select(self.source.key).select_from(self.source.table).where(chunk, not_(self._is_clean))
            workbook.execute(to_sql(insert(self._troubled).prefix_with("OR IGNORE").from_select(["key"], keys)))
        if not _is_welcome(text):
            self._add_unwelcome(workbook, chunk)
        return Seen(rows, *(None if time is None else time.decode() for time in (earliest, latest)))

    def _ask(self) -> str:
        """Of a chunk: its rows, how many are fine, their texts, their earliest and their latest creation time."""
        created = self.source.column("created_at")
        rows_of = select(self._is_clean.label("clean"), created.label("created"), self._texts.label("texts"))
        chunk = self.source.key.between(PLACEHOLDER, PLACEHOLDER)
        # The LIMIT keeps SQLite from merging the two selects, which would work out `clean` anew for each use of it.
        each = rows_of.select_from(self.source.table).where(chunk).limit(CHUNK).subquery().c
        return to_sql(
            select(
                func.count(),
                func.sum(each.clean),
                func.group_concat(case((each.clean, each.texts), else_=""), "\n"),
                func.min(case((each.clean, each.created))),
                func.max(case((each.clean, each.created))),
            )
        )

    def _add_unwelcome(self, workbook: sqlite3.Connection, chunk: ColumnElement[bool]) -> None:
        rows = select(self.source.key, self._texts).select_from(self.source.table).where(chunk, self._is_clean)
        keys = [(key,) for key, text in workbook.execute(to_sql(rows)).fetchall() if not _is_welcome(text)]
        workbook.executemany(to_sql(insert(self._troubled).prefix_with("OR IGNORE").values(key=PLACEHOLDER)), keys)


def _is_clean(home: WebTable, source: SourceTable, goals: SourceTable | None) -> ColumnElement[Any]:
    """1 where every cell of the row is fine as it is, else 0."""
    id_, parent = source.column("id"), source.column("parent_goal_id")
    conditions = [func.typeof(id_) == "integer", id_.between(INT4_MIN, INT4_MAX)]
    conditions += [column.is_clean(source.column(column.name)) for column in home.columns if column.is_clean]
    if goals is None or "id" not in goals.columns:
        conditions.append(parent.is_(None))
    else:
        conditions.append(or_(parent.is_(None), parent.in_(select(goals.table.c.id))))
    return func.coalesce(and_(*conditions), literal_column("0"))


def _texts(home: WebTable, source: SourceTable) -> ColumnElement[Any]:
    """All cells of the row that hold free text, with a character between them that no broken one can swallow."""
    joined: ColumnElement[Any] = literal_column("''")
    for column in home.columns:
        if column.is_free_text:
            joined = joined.op("||")("\n").op("||")(func.coalesce(source.column(column.name), ""))
    return joined


def _is_welcome(text: bytes | None) -> bool:
    try:
        decoded = (text or b"").decode()
    except UnicodeDecodeError:
        return False
    return not any(mark in decoded for mark in _UNWELCOME)
