"""How each kind of row looks: a symbol, a word and a colour, always together."""

from collections.abc import Mapping
from typing import Final

from rich.text import Text

from bizy_migrate_tui.migration.findings import Severity
from bizy_migrate_tui.migration.plan.preview import Kind

SYMBOLS: Final[Mapping[Kind, str]] = {
    Kind.NEW: "+",
    Kind.ADJUSTED: "~",
    Kind.SAME: "=",
    Kind.KEPT: "●",
    Kind.LEFT_OUT: "−",
}
WORDS: Final[Mapping[Kind, str]] = {
    Kind.NEW: "new",
    Kind.ADJUSTED: "adjusted",
    Kind.SAME: "same",
    Kind.KEPT: "kept",
    Kind.LEFT_OUT: "left out",
}
STYLES: Final[Mapping[Kind, str]] = {
    Kind.NEW: "green",
    Kind.ADJUSTED: "yellow",
    Kind.SAME: "dim",
    Kind.KEPT: "cyan",
    Kind.LEFT_OUT: "red",
}
SEVERITY_SYMBOLS: Final[Mapping[Severity, str]] = {Severity.BLOCKS: "✗", Severity.ADJUSTS: "~", Severity.NOTES: "·"}
SEVERITY_WORDS: Final[Mapping[Severity, str]] = {
    Severity.BLOCKS: "stops",
    Severity.ADJUSTS: "changes",
    Severity.NOTES: "note",
}
SEVERITY_STYLES: Final[Mapping[Severity, str]] = {
    Severity.BLOCKS: "red",
    Severity.ADJUSTS: "yellow",
    Severity.NOTES: "dim",
}


def kind_cell(kind: Kind) -> Text:
    """The kind as a table cell: symbol and word."""
    return Text(f"{SYMBOLS[kind]} {WORDS[kind]}", STYLES[kind], no_wrap=True)


def severity_cell(severity: Severity) -> Text:
    """The severity as a table cell: symbol and word."""
    return Text(f"{SEVERITY_SYMBOLS[severity]} {SEVERITY_WORDS[severity]}", SEVERITY_STYLES[severity], no_wrap=True)
