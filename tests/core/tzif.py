"""Time zones read straight from their files (RFC 9636): an oracle for clocks that shares no code with zoneinfo."""

import re
import struct
import zoneinfo
from bisect import bisect_right
from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path

EPOCH = datetime(1970, 1, 1)
_NAME = r"(?:<[^>]+>|[A-Za-z]+)"
_TIME = r"[-+]?\d+(?::\d+){0,2}"
_RULE = rf"M(\d+)\.(\d)\.(\d)(?:/({_TIME}))?"
_FOOTER = re.compile(rf"{_NAME}({_TIME})(?:{_NAME}({_TIME})?,{_RULE},{_RULE})?")


@dataclass(frozen=True)
class Change:
    """From this UTC instant on another offset holds."""

    at: datetime
    before: timedelta
    after: timedelta


def _file(name: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        if (path := Path(folder, name)).is_file():
            return path.read_bytes()
    package, _, zone = name.rpartition("/")
    return resources.files(".".join(["tzdata.zoneinfo", *package.split("/")]).rstrip(".")).joinpath(zone).read_bytes()


def _span(text: str) -> timedelta:
    hours, minutes, seconds = ([*text.lstrip("+-").split(":"), "0", "0"])[:3]
    span = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))
    return -span if text.startswith("-") else span


class Zone:
    """A zone's changes of offset from 1970 on, for as many years as are asked for."""

    def __init__(self, name: str) -> None:
        data = _file(name)
        first = struct.unpack(">6l", data[20:44])
        start = 44 + first[3] * 5 + first[4] * 6 + first[5] + first[2] * 8 + first[1] + first[0]
        isut, isstd, leaps, times, types, letters = struct.unpack(">6l", data[start + 20 : start + 44])
        start += 44
        moments = struct.unpack(f">{times}q", data[start : start + 8 * times])
        kinds = data[start + 8 * times : start + 9 * times]
        start += 9 * times
        offsets = [timedelta(seconds=struct.unpack(">l", data[start + 6 * kind :][:4])[0]) for kind in range(types)]
        self.footer = data[start + 6 * types + letters + 12 * leaps + isstd + isut :].decode().strip()
        before, self.listed = offsets[0], list[Change]()
        for moment, kind in zip(moments, kinds, strict=True):
            if moment >= -(2**33):
                self.listed.append(Change(EPOCH + timedelta(seconds=moment), before, offsets[kind]))
            before = offsets[kind]
        self.last_offset = before

    @cache  # noqa: B019 (the few zones of the tests live as long as they do)
    def changes(self, year: int) -> tuple[Change, ...]:
        """The changes from the year before to the year after."""
        end = self.listed[-1].at if self.listed else datetime.min
        by_rule = [change for one in (year - 1, year, year + 1) for change in self._by_rule(one) if change.at > end]
        near = [change for change in self.listed if abs(change.at.year - year) <= 1]
        return tuple(change for change in (*near, *by_rule) if change.before != change.after)

    def _by_rule(self, year: int) -> list[Change]:
        found = _FOOTER.fullmatch(self.footer)
        assert found, self.footer
        if found[3] is None or not 1 <= year <= 9999:
            return []
        standard = -_span(found[1])
        summer = -_span(found[2]) if found[2] else standard + timedelta(hours=1)
        begin = _day(year, *map(int, found.group(3, 4, 5))) + _span(found[6] or "2")
        end = _day(year, *map(int, found.group(7, 8, 9))) + _span(found[10] or "2")
        changes = [Change(begin - standard, standard, summer), Change(end - summer, summer, standard)]
        return sorted(changes, key=lambda change: change.at)

    def offset_at(self, instant: datetime) -> timedelta:
        """The offset that holds at a UTC instant."""
        changes = self.changes(instant.year)
        place = bisect_right([change.at for change in changes], instant)
        if place:
            return changes[place - 1].after
        if changes:
            return changes[0].before
        earlier = [change for change in self.listed if change.at <= instant]
        return earlier[-1].after if earlier else self.listed[0].before if self.listed else self.last_offset

    def instants(self, shown: datetime) -> list[datetime]:
        """The UTC instants at which a clock showed this, in their order: one, two or none."""
        near = self.changes(shown.year)
        offsets = {self.offset_at(shown), *(change.before for change in near), *(change.after for change in near)}
        return sorted(shown - offset for offset in offsets if self.offset_at(shown - offset) == offset)

    def to_utc(self, shown: datetime) -> datetime:
        """The earlier instant of two; for a time that the clock skipped, as if it had not been moved yet."""
        instants = self.instants(shown)
        if instants:
            return instants[0]
        (skipping,) = {
            change for change in self.changes(shown.year) if change.at + change.before <= shown < change.at + change.after
        }
        return shown - skipping.before


def _day(year: int, month: int, week: int, weekday: int) -> datetime:
    """The weekday (0 is Sunday) of that week of the month; week 5 is the last."""
    first = datetime(year, month, 1)
    day = 1 + (weekday - first.isoweekday()) % 7 + 7 * (week - 1)
    return first.replace(day=day if day <= monthrange(year, month)[1] else day - 7)
