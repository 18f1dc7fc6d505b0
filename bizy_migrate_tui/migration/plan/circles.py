"""Finds the goals that would be their own ancestors (hazards, "Relations")."""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, LargeBinary, case, cast, delete, func, insert, select

from bizy_migrate_tui.migration.rules.repairs import whole_number
from bizy_migrate_tui.migration.source.workbook import CUT, PLACEHOLDER, SourceTable, to_sql

_WHOLE_NUMBER: Final = "whole_number"
"""The name by which SQLite calls the function of that name."""


def find_circles(connection: sqlite3.Connection, tables: Mapping[str, SourceTable]) -> None:
    """Fill CUT with the keys of the goals that lose their parent: in each circle the one with the lowest id.

    The lowest goal of a circle has a parent that is not lower. So only walks that begin with such a link are made, and no
    goal is walked twice: where parents come before their children, as usual, nothing is walked at all.
    """
    connection.execute(to_sql(delete(CUT)))
    goals = tables.get("goals")
    if goals is None or not {"id", "parent_goal_id"} <= set(goals.columns):
        return
    connection.create_function(_WHOLE_NUMBER, 1, whole_number, deterministic=True)
    id_, parent = goals.column("id"), _mended(goals.column("parent_goal_id"))
    are_ids = (func.typeof(id_) == "integer") & parent.is_not(None)
    begins = select(id_).select_from(goals.table).where(are_ids, parent >= id_).order_by(id_)
    step = to_sql(
        select(goals.key, parent).select_from(goals.table).where(are_ids, id_ == PLACEHOLDER).order_by(goals.key).limit(1)
    )
    cut = to_sql(insert(CUT).prefix_with("OR IGNORE").values(key=PLACEHOLDER))
    walked: set[int] = set()
    for (begin,) in connection.execute(to_sql(begins)).fetchall():
        for lowest in _circle(connection, step, begin, walked):
            connection.execute(cut, (connection.execute(step, (lowest,)).fetchone()[0],))


def _mended(parent: ColumnElement[Any]) -> ColumnElement[Any]:
    """The parent as the load reads it, which is not always how it is stored."""
    kind, mend = func.typeof(parent), getattr(func, _WHOLE_NUMBER)
    return case((kind == "integer", parent), (kind == "real", mend(parent)), else_=mend(cast(parent, LargeBinary)))


def _circle(connection: sqlite3.Connection, step: str, begin: int, walked: set[int]) -> Iterator[int]:
    """Walk up from a goal; the lowest id of the circle that the walk ends in, if it does."""
    path: dict[int, int] = {}
    current = begin
    while current not in walked:
        walked.add(current)
        path[current] = len(path)
        link = connection.execute(step, (current,)).fetchone()
        if link is None:
            return
        current = link[1]
        if current in path:
            yield min(goal for goal, place in path.items() if place >= path[current])
