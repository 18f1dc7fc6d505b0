"""Mends one cell so that the web interface can read it; every change has a code (design, "Adjustments").

A repair takes a raw cell and the row it stands in, and answers with a `Mended`: the value for PostgreSQL and, where it
is not simply the old value, the code of what was done. Cells that are fine come out equal, with no code.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bizy_migrate_tui.migration import clock
from bizy_migrate_tui.migration.rules.values import (
    Moment,
    Raw,
    RawText,
    as_moment,
    as_number,
    as_text,
    is_sound,
)

Value = None | int | float | str | datetime
"""A cell of the target; JSON is text, times are naive UTC."""


@dataclass(frozen=True, slots=True)
class Mended:
    """A cell's value in the target, and the code of the finding where it was changed or deserves a note."""

    value: Value
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A source row and what a repair must know beside its own cell."""

    id: int | None
    cells: Mapping[str, Raw]
    zone: ZoneInfo
    utc_until: int | None
    """tasks.created_at is UTC already up to and including this id."""
    taken_at: datetime
    """Naive UTC: the snapshot's time, the last resort for a missing created_at."""
    loaded_at: datetime
    """Naive UTC: the time given to columns that the source does not have."""
    goal_exists: Callable[[int], bool]
    closes_cycle: bool


Repair = Callable[[Raw, Row], Mended]


def text(raw: Raw, _row: Row) -> Mended:
    """Text of any length."""
    if raw is None or (isinstance(raw, RawText) and is_sound(raw)):
        return Mended(as_text(raw))
    return Mended(as_text(raw), "text-broken" if isinstance(raw, RawText) else "text-type")


def short_text(limit: int) -> Repair:
    """Text of at most `limit` characters."""

    def repair(raw: Raw, row: Row) -> Mended:
        mended = text(raw, row)
        if isinstance(mended.value, str) and len(mended.value) > limit:
            return Mended(mended.value[: limit - 1] + "…", "text-too-long")
        return mended

    return repair


def title(raw: Raw, row: Row) -> Mended:
    """Text of 1 to 500 characters."""
    if as_text(raw) in (None, ""):
        return Mended("(untitled)", "title-empty")
    mended = short_text(500)(raw, row)
    return Mended(mended.value, "title-too-long") if mended.code == "text-too-long" else mended


def priority(raw: Raw, _row: Row) -> Mended:
    """An integer from 1 to 5: the nearest one, 3 where there is no number."""
    if isinstance(raw, int) and 1 <= raw <= 5:
        return Mended(raw)
    number = as_number(raw)
    if number is None:
        return Mended(3, "priority-not-a-number")
    return Mended(round(min(5, max(1, number))), "priority-out-of-range")


def one_of(known: tuple[str, ...], synonyms: Mapping[str, str], default: str, code: str) -> Repair:
    """One of the known words, by its usual synonym where it has one, else the default."""

    def repair(raw: Raw, _row: Row) -> Mended:
        word = as_text(raw) or ""
        if isinstance(raw, RawText) and word in known:
            return Mended(word)
        plain = "_".join(word.lower().replace("-", " ").replace("_", " ").split())
        return Mended(plain if plain in known else synonyms.get(plain, default), code)

    return repair


def hours(raw: Raw, _row: Row) -> Mended:
    """NULL or a finite number that is not negative."""
    number = _finite(as_number(raw))
    if raw is None or (isinstance(raw, (int, float)) and number is not None and number >= 0):
        return Mended(number, None if number is None or number == raw else "number-rounded")
    return Mended(number if number is not None and number >= 0 else None, "hours-invalid")


def progress(raw: Raw, _row: Row) -> Mended:
    """A finite number, 0 where there is none."""
    number = _finite(as_number(raw))
    if isinstance(raw, (int, float)) and number is not None:
        return Mended(number, None if number == raw else "number-rounded")
    return Mended(0.0 if number is None else number, "progress-invalid")


def _finite(number: float | None) -> float | None:
    try:
        return float(number) if number is not None and math.isfinite(number) else None
    except OverflowError:
        return None


def calendar_time(raw: Raw, row: Row) -> Mended:
    """NULL or a time of the user's own calendar, which stays as it is (guide: no conversion listed)."""
    moment = as_moment(raw)
    if raw is None:
        return Mended(None)
    if moment is None:
        return Mended(None, "date-unreadable")
    try:
        time = clock.to_local(moment.time, row.zone) if moment.is_utc else moment.time
    except OverflowError:
        return Mended(None, "date-unreadable")
    return Mended(time, None if moment.exact else "date-rewritten")


def local_instant(raw: Raw, row: Row) -> Mended:
    """NULL or a time of the source's clock, moved to UTC (guide: tasks.created_at, tasks.completed_at)."""
    return _instant(raw, row.zone)


def utc_instant(raw: Raw, _row: Row) -> Mended:
    """NULL or a time that is UTC already (guide: goals)."""
    return _instant(raw, clock.zone_named("UTC"))


def _instant(raw: Raw, zone: ZoneInfo) -> Mended:
    if raw is None:
        return Mended(None)
    moment = as_moment(raw)
    if moment is None:
        return Mended(None, "date-unreadable")
    if moment.is_utc:
        return Mended(moment.time, "date-rewritten")
    try:
        return Mended(clock.to_utc(moment.time, zone), _code_of(moment, zone))
    except OverflowError:
        return Mended(None, "date-unreadable")


def _code_of(moment: Moment, zone: ZoneInfo) -> str | None:
    return clock.oddity(moment.time, zone) or (None if moment.exact else "date-rewritten")


def task_created(raw: Raw, row: Row) -> Mended:
    """When the task was made; else when it was completed, else the snapshot's time."""
    in_utc = row.utc_until is not None and row.id is not None and row.id <= row.utc_until
    mended = utc_instant(raw, row) if in_utc else local_instant(raw, row)
    if mended.value is not None:
        return mended
    completed = local_instant(row.cells.get("completed_at"), row).value
    return Mended(completed or row.taken_at, "created-missing" if raw is None else "created-unreadable")


def goal_created(raw: Raw, row: Row) -> Mended:
    """When the goal was made, else the snapshot's time."""
    mended = utc_instant(raw, row)
    if mended.value is not None:
        return mended
    return Mended(row.taken_at, "created-missing" if raw is None else "created-unreadable")


def goal_updated(raw: Raw, row: Row) -> Mended:
    """When the goal was last changed, else when it was made."""
    mended = utc_instant(raw, row)
    if mended.value is not None:
        return mended
    return Mended(goal_created(row.cells.get("created_at"), row).value, "updated-missing" if raw is None else "date-unreadable")


def loaded_at(_raw: Raw, row: Row) -> Mended:
    """The time of the load (guide: tasks.updated_at is set to now)."""
    return Mended(row.loaded_at)


def nothing(_raw: Raw, _row: Row) -> Mended:
    """NULL (guide: goals.completed_at)."""
    return Mended(None)


def parent_goal(raw: Raw, row: Row) -> Mended:
    """NULL or the id of a goal that is there and is no descendant (guide: orphans are unlinked)."""
    if raw is None:
        return Mended(None)
    if row.closes_cycle:
        return Mended(None, "parent-cycle")
    goal = whole_number(raw)
    if goal is None or not row.goal_exists(goal):
        return Mended(None, "parent-missing")
    return Mended(goal, None if isinstance(raw, int) else "parent-rewritten")


def whole_number(raw: Raw) -> int | None:
    """The integer that a cell is, however it is stored; a number within text ("Q3 plan") is none."""
    if isinstance(raw, bytes):
        return int(raw) if re.fullmatch(rb"\s*[-+]?\d{1,18}\s*", raw) else None
    number = _finite(raw)
    return int(number) if number is not None and number.is_integer() and abs(number) < 2**53 else None
