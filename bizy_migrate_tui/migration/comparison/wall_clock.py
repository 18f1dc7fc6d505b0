"""The proof's own way from local time to UTC: it only ever asks what a clock on the wall showed at a UTC instant.

The load goes the other way (`clock`), so a mistake of one is not a mistake of both.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


def read_time(text: str) -> datetime:
    """The time in "YYYY-MM-DD HH:MM:SS" with an optional fraction of up to six digits. Raises ValueError."""
    date, _, clock = text.partition(" ")
    year, month, day = map(int, date.split("-"))
    hours, minutes, seconds = clock.split(":")
    whole, _, fraction = seconds.partition(".")
    return datetime(year, month, day, int(hours), int(minutes), int(whole), int(fraction.ljust(6, "0") or 0))


def shown_at(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the wall clock shows at a naive UTC instant."""
    return instant.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None, fold=0)


def instant_of(shown: datetime, zone: ZoneInfo) -> datetime:
    """The first naive UTC instant at which the clock showed this; where it never did, the clock had not been moved yet."""
    before, after = (_offset_near(shown, step, zone) for step in (-_DAY, _DAY))
    middle = _offset(shown - before, zone), _offset(shown - after, zone)
    matching = [shown - offset for offset in {before, after, *middle} if shown_at(shown - offset, zone) == shown]
    return min(matching) if matching else shown - _offset_before(shown, zone, before)


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    return shown_at(instant, zone) - instant


def _offset_near(shown: datetime, step: timedelta, zone: ZoneInfo) -> timedelta:
    """The offset at a step's distance; on the calendar's first and last day, where it has none, on the other side."""
    try:
        return _offset(shown + step, zone)
    except OverflowError:
        return _offset(shown - step, zone)


def _offset_before(shown: datetime, zone: ZoneInfo, offset: timedelta) -> timedelta:
    """The offset in force just before the clock skipped `shown`."""
    instant = shown - offset - _DAY
    while shown_at(instant + timedelta(minutes=15), zone) < shown:
        instant += timedelta(minutes=15)
    return _offset(instant, zone)


@lru_cache
def offsets_shown(zone: ZoneInfo, first: int, last: int) -> tuple[tuple[datetime, timedelta], ...]:
    """How far the wall clock is ahead of UTC in the years first to last: from which instant on, the latest first."""
    instant, end = datetime(first, 1, 1) - _DAY, datetime(last, 12, 31) + _DAY
    offsets = [(datetime.min, _offset(instant, zone))]
    while instant < end:
        if (after := _offset(instant + _DAY, zone)) != offsets[-1][1]:
            offsets.append((_first_instant(instant, zone, after), after))
        instant += _DAY
    return tuple(reversed(offsets))


def _first_instant(instant: datetime, zone: ZoneInfo, offset: timedelta) -> datetime:
    """The first second of the day after the instant at which the clock has that offset, found by halving."""
    low, high = 0, 86400
    while low < high:
        middle = (low + high) // 2
        has_it = _offset(instant + timedelta(seconds=middle), zone) == offset
        low, high = (low, middle) if has_it else (middle + 1, high)
    return instant + timedelta(seconds=low)
