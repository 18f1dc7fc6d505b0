"""The census: looks at every row of a web table once, a chunk at a time, and notes the keys of those that need care.

A chunk is put through the screens of all its columns (`rules.screens`). Only where one of them says no, its rows are asked
one by one.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, delete, func, insert, literal_column, or_, select

from bizy_migrate_tui.migration.rules.clean import INT4_MAX, INT4_MIN
from bizy_migrate_tui.migration.rules.columns import Form, WebTable
from bizy_migrate_tui.migration.rules.screens import Screen, is_welcome
from bizy_migrate_tui.migration.source.evidence import Clue, Witness
from bizy_migrate_tui.migration.source.workbook import CHUNK_BYTES, PLACEHOLDER, TROUBLED, SourceTable, to_sql


class Span(NamedTuple):
    """The earliest and the latest of some times, as text."""

    earliest: str
    latest: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A chunk: its first and last key, its rows, the span of each column of times in those rows that are fine,
    and what a witness says of it where one was asked for.
    """

    first: int
    last: int
    rows: int
    spans: Mapping[str, Span]
    clue: Clue | None = None


class Census:
    """The questions put to one table; every thread may put them on a connection of its own.

    `goal_ids` are the lowest and the highest goal, where no id between them is missing (`unbroken_ids`).
    """

    def __init__(
        self,
        home: WebTable,
        tables: Mapping[str, SourceTable],
        goal_ids: tuple[int, int] | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.source = tables[home.name]
        self._troubled = TROUBLED[home.name]
        goals = tables.get("goals")
        screens = {"id": _IDS, "parent_goal_id": _links_to(goals, goal_ids)}
        screens |= {column.name: column.screen for column in home.columns if column.screen}
        self._screens = {name: (screen, screen.ask(self.source.column(name))) for name, screen in screens.items()}
        self._witness = witness
        self._times = [column.name for column in home.columns if column.form is Form.LOCAL_TIME or column.name == "created_at"]
        self._overview = self._ask_together()
        self._rows = self._ask_one_by_one(home, goals)

    def begin(self, workbook: sqlite3.Connection) -> None:
        """Forget an earlier census, and note the rows whose id another row has too."""
        workbook.execute(to_sql(delete(self._troubled)))
        id_ = self.source.column("id")
        if not self.source.id_is_key:
            twice = select(id_).group_by(id_).having(func.count() > 1)
            keys = select(self.source.key).select_from(self.source.table).where(id_.in_(twice))
            workbook.execute(to_sql(insert(self._troubled).from_select(["key"], keys)))

    def look(self, workbook: sqlite3.Connection, first: int, last: int) -> list[Seen]:
        """Look at the rows with keys from first to last, CHUNK of them at most: in halves, and so on, where they are long."""
        try:
            rows, *answers = self._look_over(workbook, first, last)
        except sqlite3.DataError:  # too long
            middle = (first + last) // 2
            return [*self.look(workbook, first, middle), *self.look(workbook, middle + 1, last)]
        return [self._see(workbook, first, last, rows, answers)] if rows else []

    def _look_over(self, workbook: sqlite3.Connection, first: int, last: int) -> tuple[Any, ...]:
        """What the screens ask of the rows. Raises sqlite3.DataError where the texts of several have more than CHUNK_BYTES."""
        before = workbook.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CHUNK_BYTES) if first != last else None
        try:
            found: tuple[Any, ...] = workbook.execute(self._overview, (first, last)).fetchone()
        finally:
            if before is not None:
                workbook.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, before)
        return found

    def _see(self, workbook: sqlite3.Connection, first: int, last: int, rows: int, answers: list[Any]) -> Seen:
        ends = iter(answers[: 2 * len(self._times)])
        following = iter(answers[2 * len(self._times) :])
        given = {name: tuple(islice(following, len(asked))) for name, (_screen, asked) in self._screens.items()}
        if all(screen.is_fine(rows, *given[name]) for name, (screen, _asked) in self._screens.items()):
            spans = {name: _span(low, high) for name, low, high in zip(self._times, ends, ends, strict=True) if low}
            times, dependencies = (given[name][-1] if name in given else None for name in ("created_at", "dependencies"))
            clue = self._witness.look(workbook, first, last, times, dependencies) if self._witness else None
            return Seen(first, last, rows, spans, clue)
        clue = self._witness.look_closer(workbook, first, last) if self._witness else None
        return Seen(first, last, rows, self._look_closer(workbook, first, last), clue)

    def _look_closer(self, workbook: sqlite3.Connection, first: int, last: int) -> Mapping[str, Span]:
        """Note the troubled rows of a chunk; the spans of the others."""
        troubled: list[tuple[int]] = []
        fine: list[list[bytes | None]] = []
        for key, is_clean, texts, *times in workbook.execute(self._rows, (first, last)):
            if is_clean and is_welcome(texts):
                fine.append(times)
            else:
                troubled.append((key,))
        workbook.executemany(to_sql(insert(self._troubled).prefix_with("OR IGNORE").values(key=PLACEHOLDER)), troubled)
        columns = {name: [time for times in fine if (time := times[number])] for number, name in enumerate(self._times)}
        return {name: _span(min(times), max(times)) for name, times in columns.items() if times}

    def _ask_together(self) -> str:
        ends = [end(self.source.column(name).collate("BINARY")) for name in self._times for end in (func.min, func.max)]
        answers = [answer for _screen, asked in self._screens.values() for answer in asked]
        chunk = self.source.key.between(PLACEHOLDER, PLACEHOLDER)
        return to_sql(select(func.count(), *ends, *answers).select_from(self.source.table).where(chunk))

    def _ask_one_by_one(self, home: WebTable, goals: SourceTable | None) -> str:
        asked = (_is_clean(home, self.source, goals), _texts(home, self.source), *map(self.source.column, self._times))
        chunk = self.source.key.between(PLACEHOLDER, PLACEHOLDER)
        return to_sql(select(self.source.key, *asked).select_from(self.source.table).where(chunk))


def _span(earliest: bytes, latest: bytes) -> Span:
    return Span(earliest.decode(), latest.decode())


_IDS = Screen(
    lambda id_: (func.sum(func.typeof(id_) == "integer"), func.min(id_), func.max(id_)),
    lambda rows, integers, low, high: integers == rows and low >= INT4_MIN and high <= INT4_MAX,
)
"""An id that PostgreSQL can hold."""


def _links_to(goals: SourceTable | None, unbroken: tuple[int, int] | None) -> Screen:
    """NULL, or the id of a goal."""
    if goals is None or "id" not in goals.columns:
        return Screen(lambda parent: (func.count(parent),), lambda _rows, given: given == 0)
    if unbroken is not None:
        first, last = unbroken
        return Screen(
            lambda parent: (func.count(parent), func.sum(func.typeof(parent) == "integer"), func.min(parent), func.max(parent)),
            lambda _rows, given, integers, low, high: not given or (given == integers and first <= low and high <= last),
        )
    ids = select(goals.table.c.id)
    return Screen(
        lambda parent: (func.count(parent), func.sum(and_(func.typeof(parent) == "integer", parent.in_(ids)))),
        lambda _rows, given, known: given == (known or 0),
    )


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
