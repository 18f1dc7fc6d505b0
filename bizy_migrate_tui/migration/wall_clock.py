"""The proof's own way from local time to UTC: it only ever asks what a clock on the wall showed at a UTC instant.

The load goes the other way (`clock`), so a mistake of one is not a mistake of both.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_HOUR = timedelta(minutes=59, seconds=59)


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


class HourTable(dict[bytes, bytes]):
    """Moves local time text to UTC text for whole hours, remembering each hour; other times are worked out singly."""

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self._zone = zone

    def in_utc(self, text: bytes, mark: bytes) -> bytes:
        """Text with a mark before each local "YYYY-MM-DD HH:MM:SS" in it; those are moved, and their marks taken away."""
        head, *parts = text.split(mark)
        tails = [hour + part[13:] if (hour := self[part[:13]]) else self._single(part[:19]) + part[19:] for part in parts]
        return b"".join((head, *tails))

    def _single(self, shown: bytes) -> bytes:
        return str(instant_of(read_time(shown.decode()), self._zone)).encode()

    def __missing__(self, hour: bytes) -> bytes:
        begin = read_time(f"{hour.decode()}:00:00")
        instant = instant_of(begin, self._zone)
        whole = str(instant)[14:] == "00:00" and shown_at(instant + _HOUR, self._zone) == begin + _HOUR
        self[hour] = moved = str(instant)[:13].encode() if whole else b""
        return moved
