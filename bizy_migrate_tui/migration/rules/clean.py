"""Says in SQLite's own SQL which cells are fine as they are, so that fine rows never become Python objects.

Each predicate is strict: it may send a fine cell to the careful path, but never lets a cell pass that a repair would
change. Text is checked for NUL and broken UTF-8 a chunk at a time elsewhere (`inventory`).
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, and_, case, cast, func, or_

from bizy_migrate_tui.migration.rules import documents
from bizy_migrate_tui.migration.rules.values import Json, as_json, has_broken_text

Predicate = Callable[[ColumnElement[Any]], ColumnElement[bool]]

INT4_MIN, INT4_MAX = -(2**31), 2**31 - 2
"""The ids that PostgreSQL's `integer` can hold; the last one stays free, so that a new row can still be made."""


_NUMBER = ("integer", "real")


def is_text(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """NULL or TEXT."""
    return or_(column.is_(None), func.typeof(column) == "text")


def is_text_up_to(limit: int) -> Predicate:
    """NULL or TEXT of at most `limit` characters."""
    return lambda column: or_(column.is_(None), and_(func.typeof(column) == "text", func.length(column) <= limit))


def is_title(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """TEXT of 1 to 500 characters."""
    return and_(func.typeof(column) == "text", func.length(column).between(1, 500))


def is_integer_between(low: int, high: int) -> Predicate:
    """INTEGER from low to high."""
    return lambda column: and_(func.typeof(column) == "integer", column.between(low, high))


def is_small_integer(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """NULL or an INTEGER that can be an id in PostgreSQL; whether the goal exists is asked elsewhere (`inventory`)."""
    return or_(column.is_(None), and_(func.typeof(column) == "integer", column.between(INT4_MIN, INT4_MAX)))


def is_one_of(words: tuple[str, ...]) -> Predicate:
    """TEXT, one of the words."""
    return lambda column: and_(func.typeof(column) == "text", column.collate("BINARY").in_(words))


def is_duration(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """NULL or a number, finite and not negative."""
    return or_(column.is_(None), and_(func.typeof(column).in_(_NUMBER), column >= 0, column < 1e15))


def is_real(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """A finite number."""
    return and_(func.typeof(column).in_(_NUMBER), column.between(-1e15, 1e15))


def is_time(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """NULL or `YYYY-MM-DD HH:MM:SS`, with six digits of fraction or none, of the years 2 to 9998.

    `datetime()` with a modifier gives the same text back only where day and hour exist; without one, SQLite before 3.46
    repeats February 30 and 24 o'clock as they are. (A year's margin leaves room for every offset. The
    year is compared as a substring, because SQLite would turn '0002' into a number beside a DATETIME column.)
    """
    bytes_long = func.length(cast(column, LargeBinary))  # the length of a text ends at a NUL in it
    form = case(
        (bytes_long == 19, True),
        (bytes_long == 26, func.substr(column, 20).op("GLOB")("." + 6 * "[0-9]")),
        else_=False,
    )
    seconds = func.substr(column, 1, 19)
    real = and_(func.substr(column, 1, 4).between("0002", "9998"), seconds == func.datetime(seconds, "+0 days"), form)
    return or_(column.is_(None), real)


def is_given_time(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """is_time, and not NULL."""
    return and_(column.is_not(None), is_time(column))


def is_document(function: str) -> Predicate:
    """NULL, or TEXT that the named one of FUNCTIONS accepts."""
    return lambda column: case(
        (column.is_(None), True),
        (func.typeof(column) != "text", False),
        (column == "null", True),
        else_=getattr(func, function)(cast(column, LargeBinary)),
    )


def _accepts(is_right: Callable[[Json], bool]) -> Callable[[bytes], bool]:
    @lru_cache(maxsize=8192)
    def accepts(text: bytes) -> bool:
        try:
            document = as_json(text)
        except ValueError:
            return False
        # Only an escape can smuggle in a character that UTF-8 and JSON themselves refuse.
        return (document is None or is_right(document)) and not (b"\\u" in text and has_broken_text(document))

    return accepts


FUNCTIONS = {
    "is_integer_array": _accepts(documents.is_integer_array),
    "is_string_array": _accepts(documents.is_string_array),
    "is_object": _accepts(documents.is_object),
}
"""Functions that the predicates call; the workbook gives them to SQLite. Most rows share few documents, so they remember."""
