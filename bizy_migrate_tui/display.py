"""Text and figures as a person may see them; text from a database is data and must not command the terminal."""

import unicodedata
from typing import Final

NEWLINE: Final = "⏎"
ELLIPSIS: Final = "…"

_BYTE_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")

# Marks, embeddings, overrides and isolates: they reorder what is around them (Unicode annex 9).
_BIDI: Final = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def safe_text(text: str, limit: int | None = None) -> str:
    """`text` with everything visible that a terminal would obey: escapes, controls, changes of direction.

    C0 controls become their control pictures, line breaks NEWLINE, the rest an escape like `\\u202e`. With `limit`, at
    most so many characters are returned, the last of them ELLIPSIS where something was cut.
    """
    shown = text.replace("\r\n", NEWLINE).translate(_VISIBLE)
    if not shown.isprintable():  # lone surrogates, private use and unassigned characters too
        shown = "".join(character if _harmless(character) else _escape(character) for character in shown)
    if limit is not None and len(shown) > limit:
        shown = shown[: max(limit - 1, 0)] + ELLIPSIS
    return shown


def group_digits(number: int) -> str:
    """`1234567` as `1,234,567`."""
    return f"{number:,}"


def counted(number: int, one: str, many: str) -> str:
    """A number with its noun: “1 task”, “1,200 tasks”."""
    return f"{group_digits(number)} {one if number == 1 else many}"


def human_bytes(size: int) -> str:
    """A size in bytes as `512 bytes`, `1.5 MB` (powers of 1000)."""
    amount = float(size)
    for unit in _BYTE_UNITS[:-1]:
        if abs(amount) < 999.95:
            return f"{size} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} {_BYTE_UNITS[-1]}"


def human_seconds(seconds: float) -> str:
    """A duration in seconds as `0.4 s`, `42 s`, `3 min 05 s`, `2 h 07 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} min"


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _harmless(character: str) -> bool:
    # Zl, Zp break lines; Cs cannot be encoded; Zs are spaces; Cf holds the joiners that emoji are made of.
    return character.isprintable() or unicodedata.category(character) in ("Zs", "Cf", "Co", "Cn")


_VISIBLE: Final = {
    **{code: chr(0x2400 + code) for code in range(0x20)},
    ord("\n"): NEWLINE,
    ord("\r"): NEWLINE,
    0x7F: "␡",
    **{code: _escape(chr(code)) for code in range(0x80, 0xA0)},
    **{ord(character): _escape(character) for character in (*_BIDI, "\u2028", "\u2029", "\ufeff", "\u00ad")},
}
