"""Reads what SQLite really holds in a cell, whatever its column was declared to be."""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

REPLACEMENT = "\ufffd"

Json = Any
"""A parsed JSON document."""


class RawText(bytes):
    """Text as SQLite stores it: bytes that may or may not be UTF-8 (a plain `bytes` is a BLOB)."""

    __slots__ = ()


Raw = None | int | float | RawText | bytes
"""A cell of the source: NULL, INTEGER, REAL, TEXT or BLOB."""


def is_sound(raw: bytes) -> bool:
    """Whether the bytes are UTF-8 without NUL: text that PostgreSQL takes as it is."""
    try:
        return "\0" not in raw.decode()
    except UnicodeDecodeError:
        return False


def as_text(raw: Raw) -> str | None:
    """The cell as text; U+FFFD stands for NUL and for bytes that are not UTF-8."""
    if raw is None:
        return None
    if isinstance(raw, bytes):
        return raw.decode(errors="replace").replace("\0", REPLACEMENT)
    return repr(raw)


_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d+)?|\.\d+)(?:[eE][-+]?\d+)?")


def as_number(raw: Raw) -> float | int | None:
    """The number in the cell, also where it stands inside text ("2.5 h", "1,5"); None where there is none."""
    if isinstance(raw, bytes):
        found = _NUMBER.search(as_text(raw) or "")
        if found is None:
            return None
        text = found.group().replace(",", ".")
        return int(text) if re.fullmatch(r"[-+]?\d{1,400}", text) else float(text)
    if isinstance(raw, float) and math.isnan(raw):
        return None
    return raw


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text} is beyond every number")
    return number


DEEPEST: Final = 500
"""Levels of JSON that are read; Python's own limit is near, and where it is depends on who asks."""

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def as_json(raw: Raw) -> Json:
    """The parsed document.

    Raises ValueError where the cell holds no JSON (`NaN` and `Infinity` are none), or is nested deeper than DEEPEST.
    """
    if not isinstance(raw, bytes):
        if raw is None or (isinstance(raw, float) and not math.isfinite(raw)):
            raise ValueError("not JSON")
        return raw
    if raw.count(b"[") + raw.count(b"{") > DEEPEST and _depth(raw) > DEEPEST:
        raise ValueError("nested too deeply")
    return json.loads(raw.decode(), parse_constant=_refuse_constant, parse_float=_finite_float)


def _depth(raw: bytes) -> int:
    """How deep a document is nested."""
    depth = deepest = 0
    for bracket in re.findall(rb"[\[\]{}]", _STRING.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest


def has_broken_text(document: Json) -> bool:
    """Whether a string in the document holds NUL or a lone surrogate, which `json` takes and every later read refuses."""
    pending = [document]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if "\0" in item or (not item.isascii() and any("\ud800" <= c <= "\udfff" for c in item)):
                return True
        elif isinstance(item, dict):
            pending.extend(item.keys())
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return False


@dataclass(frozen=True, slots=True)
class Moment:
    """A time read from a cell: naive; `is_utc` where the cell itself said so (an offset, `Z`, an epoch)."""

    time: datetime
    is_utc: bool
    exact: bool
    """Whether the text was in bizy's own form, so that nothing had to be interpreted."""


_BIZY_FORM = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{6})?")
_ISO_LIKE = re.compile(r"\d{4}-?\d\d-?\d\d([ T]\d\d?(:?\d\d){0,2}([.,]\d+)?( ?(Z|z|UTC|[-+]\d\d(:?\d\d)?))?)?")
_EPOCH = datetime(1970, 1, 1)
_JULIAN_EPOCH = 2440587.5
# One numeric scale can be told from another because planners hold times between 1973 and 2100.
_SCALES = ((1e8, 4.2e9, 1.0), (1e11, 4.2e12, 1e3), (1e14, 4.2e15, 1e6))


def as_moment(raw: Raw) -> Moment | None:
    """The time in the cell: bizy's form, ISO 8601, epoch seconds, milliseconds or microseconds, Julian days.

    None where it cannot be read with certainty (`''`, `0`, `0000-00-00`, February 30 and everything else).
    """
    try:
        if isinstance(raw, bytes):
            return _moment_of_text(raw)
        return None if raw is None else _moment_of_number(raw)
    except (ValueError, OverflowError):
        return None


def _moment_of_text(raw: bytes) -> Moment | None:
    if isinstance(raw, RawText) and _BIZY_FORM.fullmatch(raw):
        return Moment(datetime.fromisoformat(raw.decode()), is_utc=False, exact=True)
    text = raw.decode().strip()
    if re.fullmatch(r"\d+(\.\d+)?", text) and len(text) != 8:
        return _moment_of_number(float(text) if "." in text else int(text))
    if not _ISO_LIKE.fullmatch(text):
        return None
    time = datetime.fromisoformat(_six_digit_fraction(text.upper().replace(" UTC", "Z").replace("UTC", "Z")))
    if time.tzinfo is None:
        return Moment(time, is_utc=False, exact=False)
    return Moment(time.astimezone(UTC).replace(tzinfo=None), is_utc=True, exact=False)


def _six_digit_fraction(text: str) -> str:
    return re.sub(r"[.,](\d+)", lambda fraction: "." + fraction[1][:6].ljust(6, "0"), text).replace(" +", "+").replace(" -", "-")


def _moment_of_number(number: float) -> Moment | None:
    for low, high, scale in _SCALES:
        if low <= number < high:
            seconds, rest = divmod(number, scale)
            moved = timedelta(seconds=seconds) + timedelta(microseconds=round(rest * 1e6 / scale))
            return Moment(_EPOCH + moved, is_utc=True, exact=False)
    if isinstance(number, float) and 2_441_683.5 <= number < 2_488_070:
        microseconds = round((number - _JULIAN_EPOCH) * 86_400_000) * 1000
        return Moment(_EPOCH + timedelta(microseconds=microseconds), is_utc=True, exact=False)
    return None
