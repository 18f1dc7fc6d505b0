"""Time zones: the one place where a local time becomes UTC.

Rules (design, "Time"): in a doubled hour the earlier instant, in a missing hour the clock moved forward; both are what
`fold=0` means to zoneinfo. All results are naive UTC, for columns of type `timestamp without time zone`.
"""

from bisect import bisect_left
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


@lru_cache
def offsets(zone: ZoneInfo, first: int, last: int) -> tuple[tuple[str, int], ...]:
    """What has to be added to a local time of the years first to last to have UTC (`to_utc`).

    Pairs of a local time ("YYYY-MM-DD HH:MM:SS") from which on it is so, and seconds; the first pair's time is "".
    """
    found = [("", _to_add(datetime(first, 1, 1), zone))]
    day, end = datetime(first, 1, 1), datetime(last + 1, 1, 1)
    while day < end:
        following = day + timedelta(days=1)
        if (after := _to_add(following, zone)) != found[-1][1]:
            found.append((_first_time(day, zone, after).isoformat(" "), after))
        day = following
    return tuple(found)


def _first_time(day: datetime, zone: ZoneInfo, seconds: int) -> datetime:
    """The first time of the day to which so many seconds have to be added."""
    times = range(86401)
    first = bisect_left(times, True, key=lambda second: _to_add(day + timedelta(seconds=second), zone) == seconds)
    return day + timedelta(seconds=first)


def _to_add(local: datetime, zone: ZoneInfo) -> int:
    return -int((zone.utcoffset(local) or timedelta()).total_seconds())


def odd_hours(zone: ZoneInfo, first: int, last: int) -> tuple[str, ...]:
    """The hours ("YYYY-MM-DD HH", sorted) of the years first to last in which the zone's clock doubles or skips a time.

    They lie on the days on which the offset changes, or on the day before: the Pacific's zones have skipped whole days.
    """
    hours: set[str] = set()
    for changed, _seconds in offsets(zone, first, last)[1:]:
        day = datetime.fromisoformat(changed[:10])
        quarters = (day + timedelta(minutes=15 * quarter) for quarter in range(-104, 104))
        hours |= {moment.isoformat(" ")[:13] for moment in quarters if _odd_within(moment, zone)}
    return tuple(sorted(hours))


@lru_cache
def never_changes(zone: ZoneInfo) -> bool:
    """Whether the zone's clock has one offset for good, such as UTC; asked for winter and summer of every year."""
    return len({zone.utcoffset(datetime(year, month, 1)) for year in range(1, 10_000) for month in (1, 7)}) == 1


def _odd_within(moment: datetime, zone: ZoneInfo) -> bool:
    return oddity(moment, zone) is not None or oddity(moment + timedelta(minutes=14, seconds=59), zone) is not None
