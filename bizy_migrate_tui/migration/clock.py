"""Time zones: the one place where a local time becomes UTC.

Rules (design, "Time"): in a doubled hour the earlier instant, in a missing hour the clock moved forward; both are what
`fold=0` means to zoneinfo. All results are naive UTC, for columns of type `timestamp without time zone`.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzlocal

from bizy_migrate_tui.migration.errors import UsageError


class Oddity(StrEnum):
    """A local time that the clock showed twice, or never."""

    DOUBLED = "hour-doubled"
    MISSING = "hour-missing"


def local_zone_name() -> str:
    """The IANA name of this machine's zone, UTC where the machine does not say."""
    try:
        return tzlocal.get_localzone_name() or "UTC"
    except (ZoneInfoNotFoundError, LookupError, ValueError, OSError):
        return "UTC"


@lru_cache
def zone_named(name: str) -> ZoneInfo:
    """The zone of that IANA name. Raises UsageError (unknown-zone)."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            "unknown-zone",
            f"There is no time zone called “{name}”.",
            "Use a name such as Europe/Berlin, America/New_York or UTC.",
        ) from error


def to_utc(local: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant (naive) of a naive local time. Raises OverflowError outside the years 1 to 9999."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC).replace(tzinfo=None)


def to_local(utc: datetime, zone: ZoneInfo) -> datetime:
    """What a clock in the zone showed (naive) at a naive UTC instant. Raises OverflowError outside the years 1 to 9999."""
    return utc.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def oddity(local: datetime, zone: ZoneInfo) -> Oddity | None:
    """Whether the zone's clock showed this local time twice or never. Raises OverflowError like to_utc."""
    earlier = local.replace(tzinfo=zone, fold=0).utcoffset()
    later = local.replace(tzinfo=zone, fold=1).utcoffset()
    if earlier == later:
        return None
    return Oddity.DOUBLED if to_local(to_utc(local, zone), zone) == local.replace(fold=0) else Oddity.MISSING


class HourShift(dict[bytes, bytes]):
    """Turns local time text into UTC text, an hour's prefix at a time.

    Keys are hours, "YYYY-MM-DD HH"; values are the UTC hours that replace them. An hour that cannot be moved as a whole
    (its offset is no multiple of an hour, or changes within it) has the value "", and each time in it is converted alone.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self._zone = zone

    def __missing__(self, hour: bytes) -> bytes:
        start = datetime.fromisoformat(f"{hour.decode()}:00:00")
        last = start + timedelta(minutes=59, seconds=59)
        moved = to_utc(start, self._zone)
        whole = moved.minute == moved.second == 0 and to_utc(last, self._zone) - moved == last - start
        self[hour] = result = moved.isoformat(" ")[:13].encode() if whole else b""
        return result

    def utc_text(self, local: bytes) -> bytes:
        """UTC of text that begins with a local "YYYY-MM-DD HH:MM:SS"; what follows stays as it is."""
        hour = self[local[:13]]
        return hour + local[13:] if hour else self._moved_alone(local)

    def utc_lines(self, lines: bytes, mark: bytes) -> bytes:
        """Lines in which a mark stands before each local time; the marks go."""
        before, *times = lines.split(mark)
        moved = [hour + time[13:] if (hour := self[time[:13]]) else self._moved_alone(time) for time in times]
        return before + b"".join(moved)

    def _moved_alone(self, local: bytes) -> bytes:
        return to_utc(datetime.fromisoformat(local[:19].decode()), self._zone).isoformat(" ").encode() + local[19:]


def odd_hours(zone: ZoneInfo, first: int, last: int) -> tuple[str, ...]:
    """The hours ("YYYY-MM-DD HH", sorted) of the years first to last in which the zone's clock doubles or skips a time.

    Steps through the days; an offset that differs at both ends of a day means a change within it.
    """
    hours: set[str] = set()
    day = datetime(max(first, 1), 1, 1)
    end = datetime(min(last, 9998), 12, 31)
    while day <= end:
        following = day + timedelta(days=1)
        if day.replace(tzinfo=zone).utcoffset() != following.replace(tzinfo=zone).utcoffset():
            quarters = (day + timedelta(minutes=15 * quarter) for quarter in range(-8, 104))
            hours |= {moment.isoformat(" ")[:13] for moment in quarters if _odd_within(moment, zone)}
        day = following
    return tuple(sorted(hours))


@lru_cache
def never_changes(zone: ZoneInfo) -> bool:
    """Whether the zone's clock has one offset for good, such as UTC; asked for winter and summer of every year."""
    return len({zone.utcoffset(datetime(year, month, 1)) for year in range(1, 10_000) for month in (1, 7)}) == 1


def _odd_within(moment: datetime, zone: ZoneInfo) -> bool:
    return oddity(moment, zone) is not None or oddity(moment + timedelta(minutes=14, seconds=59), zone) is not None
