"""A stylesheet that reads each sheet once.

Textual's own forgets what it has read whenever a screen brings a sheet, and remembers 64 sheets at most; with more, which the
wizard has, it reads all of them anew for each kind of widget that is new. That held the screen up for half a second.
"""

from typing import Final

from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

SHEETS: Final = 1_000
"""More than there are kinds of widgets."""


class KeptStylesheet(Stylesheet):
    """Textual's, except that a sheet is read again only when the variables in it, the colours, have changed."""

    def __init__(self, *, variables: dict[str, str]) -> None:
        super().__init__(variables=variables)
        self._parse_cache = LRUCache(SHEETS)

    def set_variables(self, variables: dict[str, str]) -> None:
        """New colours; the same ones change nothing."""
        if variables != self._variables:
            super().set_variables(variables)

    def reparse(self) -> None:
        """Take new sheets in, and new colours."""
        self.parse()
