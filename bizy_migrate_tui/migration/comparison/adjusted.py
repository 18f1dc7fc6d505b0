"""What may have become of an adjusted cell, said a second time and by other means than the repair's.

Where a repair has one right answer (times, numbers, lengths), that answer is asked for; where it is a matter of taste (which
status an unknown word becomes), what must hold of any answer. The web interface's own rules are checked elsewhere.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from bizy_migrate_tui.migration.comparison.lines import time_text
from bizy_migrate_tui.migration.comparison.wall_clock import instant_of, read_time, shown_at
from bizy_migrate_tui.migration.rules.values import Raw
from bizy_migrate_tui.migration.source.reading import Reading


@dataclass(frozen=True, slots=True)
class Adjusted:
    """A cell: what the source holds, what the target's row has as text, and how the row is read.

    `is_local` where the column's times are moved to UTC, `is_calendar` where they stay as the clock showed them.
    """

    column: str
    raw: Raw
    row: Mapping[str, str | None]
    reading: Reading
    is_local: bool
    is_calendar: bool

    @property
    def found(self) -> str | None:
        """What the target has."""
        return self.row[self.column]

    @property
    def text(self) -> str:
        """The source's cell as text, whatever it is."""
        if isinstance(self.raw, bytes):
            return str(self.raw, "utf-8", "replace").translate({0: 0xFFFD})
        return "" if self.raw is None else str(self.raw)


def is_right(code: str, cell: Adjusted) -> bool:
    """Whether the target's cell is what a finding of that code allows."""
    try:
        return code not in _RULES or _RULES[code](cell)
    except (ValueError, OverflowError):  # what was found is no number, no time, no JSON
        return False


def _is_cut(cell: Adjusted) -> bool:
    limit = {"title": 500}.get(cell.column, 100)
    found = cell.found or ""
    return len(found) == limit and found.endswith("…") and cell.text.startswith(found[:-1])


def _is_clamped(cell: Adjusted) -> bool:
    number, found = _number(cell), int(cell.found or 0)
    if number is None:
        return False
    return found == 1 if number <= 1 else found == 5 if number >= 5 else abs(found - number) <= 0.5


def _is_number_in_it(cell: Adjusted) -> bool:
    number = _number(cell)
    is_usable = number is not None and math.isfinite(number) and (number >= 0 or cell.column == "progress_percentage")
    nothing = "0" if cell.column == "progress_percentage" else None
    return cell.found == nothing if number is None or not is_usable else float(cell.found or "nan") == number


def _number(cell: Adjusted) -> float | None:
    """The number in the cell, the first where it is text."""
    if not isinstance(cell.raw, (int, float)):
        return _first_number(cell.text)
    return None if math.isnan(cell.raw) else _as_float(cell.raw)


def _first_number(text: str) -> float | None:
    """Digits, with a fraction after "." or "," and an exponent; a fraction alone too."""
    digit = next((at for at, character in enumerate(text) if character.isdecimal()), None)
    if digit is None:
        return None
    is_fraction = text[:digit].endswith(".")
    end = _past_digits(text, digit)
    if not is_fraction and text[end : end + 1] in {".", ","}:
        end = max(end, _past_digits(text, end + 1) if text[end + 1 : end + 2].isdecimal() else end)
    if text[end : end + 1] in {"e", "E"}:
        exponent = end + 1 + (text[end + 1 : end + 2] in {"+", "-"})
        end = _past_digits(text, exponent) if text[exponent : exponent + 1].isdecimal() else end
    start = digit - is_fraction
    is_negative = text[:start].endswith("-")
    return -1 * float(text[start:end].replace(",", ".")) if is_negative else float(text[start:end].replace(",", "."))


def _past_digits(text: str, at: int) -> int:
    while text[at : at + 1].isdecimal():
        at += 1
    return at


def _as_float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _are_ids_in_it(cell: Adjusted) -> bool:
    """Whether each id is a number that the text shows (text with escapes may hide one, and is not judged)."""
    shown = {float(run) for form in (r"\d+", r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?") for run in re.findall(form, cell.text)}
    return "\\" in cell.text or {_as_float(abs(id_)) for id_ in json.loads(cell.found or "[]")} <= shown


def _is_same_time(cell: Adjusted) -> bool:
    """Whether one of the ways to read the time gives the target's; a form that is not known here is not judged."""
    readings = list(_readings(cell))
    nearly = timedelta(microseconds=0 if "-" in cell.text else 1)  # a number with a fraction is a little off
    found = read_time(cell.found) if cell.found is not None else datetime.min
    return not readings or any(abs(found - reading) <= nearly for reading in readings)


def _readings(cell: Adjusted) -> Iterator[datetime]:
    zone = cell.reading.zone
    for time in _numeric_times(cell.raw) if isinstance(cell.raw, (int, float)) else _written_times(cell.text.strip()):
        if time.tzinfo is not None:
            instant = time.astimezone(UTC).replace(tzinfo=None)
            yield shown_at(instant, zone) if cell.is_calendar else instant
        else:
            yield instant_of(time, zone) if cell.is_local else time


_CLOCKS: Final = {0: ("%H%M%S", "%H%M", "%H"), 1: ("%H:%M",), 2: ("%H:%M:%S.%f", "%H:%M:%S")}
"""By the number of colons."""


def _written_times(text: str) -> Iterator[datetime]:
    if re.fullmatch(r"\d{9,}(\.\d+)?|\d{7}\.\d+", text):
        yield from _numeric_times(float(text))
        return
    date, mark, rest = (text[:10], text[10:11], text[11:]) if "-" in text[:5] else (text[:8], text[8:9], text[9:])
    clock, offset = re.fullmatch(r"([\d:.,]*) ?(.*)", rest, re.DOTALL).groups()  # type: ignore[union-attr]
    clock = re.sub(r"(\.\d{6})\d+", r"\1", clock.replace(",", "."))
    offset = "Z" if offset.upper() in {"Z", "UTC"} else offset + "00" if len(offset) == 3 else offset
    day = "%Y-%m-%d" if "-" in date else "%Y%m%d"
    for form in _CLOCKS.get(clock.count(":"), ()) if mark else ("",):
        try:
            yield datetime.strptime(date + clock + offset, day + form + ("%z" if offset else ""))
        except (ValueError, OverflowError):
            continue


def _numeric_times(number: float) -> Iterator[datetime]:
    """The instant of so many seconds, thousandths or millionths since 1970, or of that Julian day, to the microsecond."""
    for scale in (1, 1_000, 1_000_000):
        if 1e8 <= number / scale < 4.2e9:
            yield datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(number * (1_000_000 // scale)))
    if 2_441_683 < number < 2_488_071:
        yield datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=round((number - 2_440_587.5) * 86_400_000))


_RULES: Final[Mapping[str, Callable[[Adjusted], bool]]] = {
    "parent-missing": lambda cell: cell.found is None,
    "parent-cycle": lambda cell: cell.found is None,
    "parent-rewritten": lambda cell: float(cell.text) == float(cell.found or "nan"),
    "priority-out-of-range": _is_clamped,
    "priority-not-a-number": lambda cell: cell.found == "3" and _number(cell) is None,
    "title-too-long": _is_cut,
    "text-too-long": _is_cut,
    "title-empty": lambda cell: cell.found == "(untitled)" and not cell.text,
    "text-broken": lambda cell: cell.found == cell.text,
    "text-type": lambda cell: cell.found == cell.text,
    "hours-invalid": _is_number_in_it,
    "progress-invalid": _is_number_in_it,
    "number-rounded": lambda cell: float(cell.found or "nan") == _number(cell),
    "dependencies-invalid": _are_ids_in_it,
    "date-rewritten": _is_same_time,
    "hour-missing": _is_same_time,
    "created-missing": lambda cell: cell.found in {time_text(cell.reading.taken_at), cell.row.get("completed_at")},
    "created-unreadable": lambda cell: cell.found in {time_text(cell.reading.taken_at), cell.row.get("completed_at")},
    "updated-missing": lambda cell: cell.found == cell.row["created_at"],
}
