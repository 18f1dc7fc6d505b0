"""Mends the JSON columns: dependencies, tags and metrics (design, "Adjustments")."""

import json
import re
from collections.abc import Callable

from bizy_migrate_tui.migration.rules.repairs import Mended, Repair, Row
from bizy_migrate_tui.migration.rules.values import REPLACEMENT, Json, Raw, RawText, as_json, as_text, has_broken_text


def _json(is_right: Callable[[Json], bool], salvage: Callable[[Raw, Json], Json], code: str) -> Repair:
    """NULL, JSON null or a document of the right shape; its text stays to the letter where it is right."""

    def repair(raw: Raw, _row: Row) -> Mended:
        if raw is None:
            return Mended(None)
        try:
            document = as_json(raw)
        except ValueError:
            return Mended(_text(salvage(raw, None)), code)
        if isinstance(raw, RawText) and (document is None or is_right(document)) and not has_broken_text(document):
            return Mended(as_text(raw))
        return Mended(_text(salvage(raw, document)), code)

    return repair


_NUL = re.compile(r"((?<!\\)(?:\\\\)*)\\u0000")
"""NUL in the text of a document: an escape, before it only whole pairs of backslashes."""


def _text(document: Json) -> str | None:
    """The document's text, what no later read takes in its strings replaced."""
    if document is None:
        return None
    text = _NUL.sub(rf"\1{REPLACEMENT}", json.dumps(document, ensure_ascii=False))
    return "".join(REPLACEMENT if "\ud800" <= c <= "\udfff" else c for c in text)


def _is_integer(item: Json) -> bool:
    return isinstance(item, int) and not isinstance(item, bool)


def is_integer_array(document: Json) -> bool:
    """What the web interface accepts in tasks.dependencies."""
    return isinstance(document, list) and set(map(type, document)) <= {int}


def is_string_array(document: Json) -> bool:
    """What the web interface accepts in tasks.tags."""
    return isinstance(document, list) and set(map(type, document)) <= {str}


def is_object(document: Json) -> bool:
    """What the web interface accepts in goals.metrics."""
    return isinstance(document, dict)


def _integers(raw: Raw, document: Json) -> Json:
    """The integers in the document, or in its text where it is no JSON; None where there are none."""
    items = document if isinstance(document, list) else [document]
    if document is None:
        items = [as_text(raw)]
    found: list[int] = []
    for item in items:
        if _is_integer(item):
            found.append(item)
        elif isinstance(item, float) and item.is_integer() and abs(item) < 2**53:
            found.append(int(item))
        elif isinstance(item, str):
            found.extend(int(number) for number in re.findall(r"(?<![\d.])-?\d{1,18}(?![\d.])", item))
    return found or None


def _strings(raw: Raw, document: Json) -> Json:
    """The items as text; None where there are none."""
    if document is None:
        words = [word.strip(" []\"'") for word in (as_text(raw) or "").split(",")]
        return [word for word in words if word] or None
    items = document if isinstance(document, list) else [document]
    return [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in items if item is not None]


def _object(_raw: Raw, document: Json) -> Json:
    """The object (its broken text mended), or None."""
    return document if isinstance(document, dict) else None


dependencies = _json(is_integer_array, _integers, "dependencies-invalid")
tags = _json(is_string_array, _strings, "tags-invalid")
metrics = _json(is_object, _object, "metrics-invalid")
