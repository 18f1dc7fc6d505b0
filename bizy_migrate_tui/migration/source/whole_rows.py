"""Reads whole rows of the snapshot, however many columns they have."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from sqlalchemy import ColumnElement, select

from bizy_migrate_tui.migration.rules.values import Raw
from bizy_migrate_tui.migration.source.workbook import SourceTable, to_sql

COLUMNS_AT_ONCE: Final = 1_000
"""SQLite returns at most 2,000 values a row; a table may have so many columns, and there is its key besides."""


class WholeRows:
    """The rows of a table that fulfil a condition, in the order of their keys; wide ones are read in parts, side by side."""

    def __init__(
        self, source: SourceTable, names: Sequence[str] | None = None, *conditions: ColumnElement[bool], limit: int | None = None
    ) -> None:
        self._names = source.columns if names is None else tuple(names)
        parts = [self._names[start : start + COLUMNS_AT_ONCE] for start in range(0, len(self._names), COLUMNS_AT_ONCE)]
        self._statements = [
            to_sql(
                select(source.key, *map(source.column, part))
                .select_from(source.table)
                .where(*conditions)
                .order_by(source.key)
                .limit(limit)
            )
            for part in parts
        ]

    def read(self, workbook: sqlite3.Connection, values: tuple[int, ...] = ()) -> Iterator[tuple[int, dict[str, Raw]]]:
        """Each row's key, and its cells by the names of their columns; `values` are those of the placeholders."""
        for parts in zip(*(workbook.execute(statement, values) for statement in self._statements), strict=True):
            yield parts[0][0], dict(zip(self._names, chain.from_iterable(part[1:] for part in parts), strict=True))
