"""A string that does not show itself: not in a repr, a log, a traceback or a report."""

import re
from typing import Final, final

# Rather too much than too little: a password may hold spaces and "@", and ends nowhere for certain.
_LOGIN_IN_URL: Final = re.compile(r"(://[^:/?@\s]*):[^\n]*@")
_PAIR: Final = re.compile(r"\b((?:ssl)?password)(\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)", re.IGNORECASE)


def mask(text: str) -> str:
    """The text with each password that a URL (before its host or in its query) or a conninfo string in it shows as ***."""
    return _PAIR.sub(r"\1\2***", _LOGIN_IN_URL.sub(r"\1:***@", text))


@final
class Secret:
    """Holds a password; `reveal()` is the one way to its text."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret itself, for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)
