"""Says of a column of many rows at once that every cell is fine as it is, so that most rows need not be asked one by one.

A screen that says no means only: look closer, cell by cell (`rules.clean`). One that says yes is certain of it.
"""

import re
from calendar import isleap
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, func

from bizy_migrate_tui.migration.rules.clean import FUNCTIONS
from bizy_migrate_tui.migration.rules.values import RawText

FIELD_END, ROW_END, NULL_MARK = "\x1f", "\x1e", "\x1d"
"""Load and proof write these between cells and rows, and for NULL; text that holds one of them takes the careful path."""

_UNWELCOME = ("\0", FIELD_END, ROW_END, NULL_MARK)

_TEXT, _TEXT_OR_NULL, _NUMBER_OR_NULL = {b"text"}, {b"text", b"null"}, {b"integer", b"real", b"null"}


@dataclass(frozen=True, slots=True)
class Screen:
    """What to ask of a column's cells together, as SQL aggregates, and whether the answers show that all are fine.

    `is_fine` takes the number of rows, then the answers.
    """

    ask: Callable[[ColumnElement[Any]], tuple[ColumnElement[Any], ...]]
    is_fine: Callable[..., bool]


def is_welcome(text: bytes | None) -> bool:
    """Whether free text is UTF-8 and holds no character that PostgreSQL or the load's lines cannot take."""
    try:
        decoded = (text or b"").decode()
    except UnicodeDecodeError:
        return False
    return not any(mark in decoded for mark in _UNWELCOME)


def _ends(column: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """The lowest and the highest value. Numbers come before texts and these before BLOBs, so they show all kinds between."""
    plain = column.collate("BINARY")
    return func.min(plain), func.max(plain)


def _kinds(column: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    return tuple(map(func.typeof, _ends(column)))


def _joined(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.group_concat(column, ROW_END)


TEXT = Screen(
    lambda column: (*_kinds(column), func.group_concat(column, "\n")),
    lambda _rows, low, high, joined: {low, high} <= _TEXT_OR_NULL and is_welcome(joined),
)
"""NULL or free text."""


def _are_titles(rows: int, low: object, high: object, given: int, longest: int | None, joined: bytes | None) -> bool:
    if not (isinstance(low, RawText) and isinstance(high, RawText)):
        return False
    return low != b"" and given == rows and (longest or 0) <= 500 and is_welcome(joined)


TITLE = Screen(
    lambda column: (*_ends(column), func.count(column), func.max(func.length(column)), func.group_concat(column, "\n")),
    _are_titles,
)
"""Free text of 1 to 500 characters."""


def text_up_to(limit: int) -> Screen:
    """NULL or free text of at most `limit` characters."""
    return Screen(
        lambda column: (*_kinds(column), func.max(func.length(column)), func.group_concat(column, "\n")),
        lambda _rows, low, high, longest, joined: {low, high} <= _TEXT_OR_NULL and (longest or 0) <= limit and is_welcome(joined),
    )


def one_of(words: tuple[str, ...]) -> Screen:
    """One of the words."""
    return Screen(lambda column: (func.sum(column.collate("BINARY").in_(words)),), lambda rows, known: known == rows)


def integer_between(least: int, most: int) -> Screen:
    """An INTEGER from `least` to `most`."""
    return Screen(
        lambda column: (func.sum(func.typeof(column) == "integer"), *_ends(column)),
        lambda rows, integers, low, high: integers == rows and least <= low and high <= most,
    )


def _are_durations(_rows: int, low_kind: bytes, high_kind: bytes, low: float | None, high: float | None) -> bool:
    if not {low_kind, high_kind} <= _NUMBER_OR_NULL:
        return False
    return low is None or high is None or (low >= 0 and high < 1e15)


DURATION = Screen(lambda column: (*_kinds(column), *_ends(column)), _are_durations)
"""NULL or a number, finite and not negative."""

NUMBER = Screen(
    lambda column: (*_kinds(column), func.count(column), *_ends(column)),
    lambda rows, low_kind, high_kind, given, low, high: (
        {low_kind, high_kind} <= _NUMBER_OR_NULL and given == rows and low > -1e15 and high < 1e15
    ),
)
"""A finite number."""


_MONTH_LENGTHS = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
_DAYS = {(month, day) for month, length in _MONTH_LENGTHS.items() for day in range(1, length + 1)}
_HOURS, _TENS_OF_SIXTY = bytes(range(24)), b"012345"
_LEAP_DAY = re.compile(b"-02-29 ")
_POINTS = {4: b"-", 7: b"-", 10: b" ", 13: b":", 16: b":", 19: b".", 26: ROW_END.encode()}


def _are_times(joined: bytes | None, given: int) -> bool:
    """Whether all are "YYYY-MM-DD HH:MM:SS.ffffff" of the years 1000 to 8999.

    All have the same length, so every 27th byte is the same place in each of them.
    """
    if joined is None:
        return True
    if len(joined) != 27 * given - 1:
        return False
    times = joined + ROW_END.encode()
    place = [times[number::27] for number in range(27)]
    if not all(place[number] == point * given for number, point in _POINTS.items()):
        return False
    if not all(place[number].isdigit() for number in range(26) if number not in _POINTS):
        return False
    days = set(zip(_numbers(place[5], place[6]), _numbers(place[8], place[9]), strict=True))
    return (
        min(place[0]) > ord("0")
        and max(place[0]) < ord("9")
        and days <= _DAYS
        and _are_among(_HOURS, _numbers(place[11], place[12]))
        and _are_among(_TENS_OF_SIXTY, place[14])
        and _are_among(_TENS_OF_SIXTY, place[17])
        and ((2, 29) not in days or all(isleap(int(joined[day.start() - 4 : day.start()])) for day in _LEAP_DAY.finditer(joined)))
    )


def _are_among(known: bytes, found: bytes) -> bool:
    return not found.translate(None, known)


def _numbers(tens: bytes, units: bytes) -> bytes:
    """The numbers that digits at the same place in both make, each as a byte: no sum of one place reaches the next."""
    zeros = int.from_bytes(b"0" * len(tens))
    return ((int.from_bytes(tens) - zeros) * 10 + int.from_bytes(units) - zeros).to_bytes(len(tens))


def _ask_for_times(column: ColumnElement[Any]) -> tuple[ColumnElement[Any], ...]:
    return *_kinds(column), func.count(column), _joined(column)


TIME = Screen(
    _ask_for_times,
    lambda _rows, low, high, given, joined: {low, high} <= _TEXT_OR_NULL and _are_times(joined, given),
)
"""NULL or a time as bizy writes it."""

GIVEN_TIME = Screen(
    _ask_for_times,
    lambda rows, low, high, given, joined: given == rows and {low, high} <= _TEXT and _are_times(joined, given),
)
"""A time as bizy writes it."""

_ID_LIST = rb"(?:\[(?:[1-9]\d{0,17}(?:, [1-9]\d{0,17})*)?\]|null)"
_ID_LISTS = re.compile(_ID_LIST + rb"(?:\x1e" + _ID_LIST + rb")*+")


def _are_documents(
    function: str, usual: re.Pattern[bytes] | None, _rows: int, low: bytes, high: bytes, given: int, joined: bytes | None
) -> bool:
    if joined is None:
        return low == b"null"
    if not {low, high} <= _TEXT or joined.count(ROW_END.encode()) != given - 1:
        return False  # the latter: no JSON holds that character, but two documents may stand on its sides
    if usual is not None and usual.fullmatch(joined):
        return True
    return all(map(FUNCTIONS[function], set(joined.split(ROW_END.encode()))))


def documents(function: str, usual: re.Pattern[bytes] | None = None) -> Screen:
    """NULL, or JSON that the named one of FUNCTIONS accepts; `usual` matches joined ones that need not be parsed."""
    return Screen(_ask_for_times, partial(_are_documents, function, usual))


ID_LISTS = documents("is_integer_array", _ID_LISTS)
"""NULL or JSON arrays of integers."""
