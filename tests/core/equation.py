"""The equation that nothing may break: source = web tables + preserved, value by value."""

import base64
import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.core.moving import Row

LOCAL = {("tasks", "created_at"), ("tasks", "completed_at")}


@dataclass(frozen=True)
class Broken:
    """Text whose bytes are no UTF-8."""

    bytes: bytes


def rows_in(path: Path, table: str) -> list[Row]:
    """The rows of a table as SQLite holds them, text as Broken, with their row key as "key"."""
    with closing(sqlite3.connect(path)) as database:
        database.text_factory = Broken
        found = database.execute(f'SELECT rowid, * FROM "{table}" ORDER BY rowid')
        names = ["key", *(column[0] for column in found.description[1:])]
        return [dict(zip(names, row, strict=True)) for row in found]


def decoded(kept: Any) -> Any:
    """A preserved value as SQLite had it: text and bytes alike as bytes."""
    if isinstance(kept, dict):
        return float(kept["real"]) if "real" in kept else base64.b64decode(kept["base64"])
    return kept.encode() if isinstance(kept, str) else kept


def is_same(table: str, column: str, raw: Any, web: Any, zone: str) -> bool:
    """Whether a web value says what the source says, no more and no less."""
    if raw is None or web is None:
        return raw is None and web is None
    if isinstance(web, datetime):
        if not isinstance(raw, Broken):
            return False
        shown = web
        if (table, column) in LOCAL:
            shown = web.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        return shown == datetime.fromisoformat(raw.bytes.decode())
    if isinstance(web, str):
        return isinstance(raw, Broken) and web.encode() == raw.bytes
    return isinstance(raw, (int, float)) and raw == web


def missing(table: str, rows: list[Row], web: list[Row], preserved: list[Row], zone: str) -> Iterator[str]:
    """Each value of the source that is neither in the web table nor preserved."""
    by_id = {row["id"]: row for row in web}
    kept: dict[str, list[dict[str, Any]]] = {}
    for one in preserved:
        kept.setdefault(one["source_key"], []).append(one["original"])
    for row in rows:
        raw_id = row.get("id")
        shown = raw_id.bytes.decode(errors="replace").replace("\0", "\ufffd") if isinstance(raw_id, Broken) else raw_id
        if isinstance(raw_id, bytes):
            shown = raw_id.decode(errors="replace").replace("\0", "\ufffd")
        originals = kept.get(str(row["key"]) if raw_id is None or shown == "" else str(shown), [])
        for column, raw in row.items():
            if column == "key":
                continue
            plain = raw.bytes if isinstance(raw, Broken) else raw
            if any(column in one and _equal(decoded(one[column]), plain) for one in originals):
                continue
            in_web = isinstance(raw_id, int) and raw_id in by_id and column in by_id[raw_id]
            # Of what is empty and has no place in the web tables nothing is kept.
            if not is_same(table, column, raw, by_id[raw_id][column], zone) if in_web else raw is not None:
                yield f"{table} {raw_id!r} {column}: {raw!r}"


def _equal(kept: Any, raw: Any) -> bool:
    if isinstance(raw, float) and not math.isfinite(raw):
        return bool(kept == raw)
    if isinstance(raw, float) and isinstance(kept, (int, float)):
        return float(kept) == raw and math.copysign(1, kept) == math.copysign(1, raw)
    return type(kept) is type(raw) and bool(kept == raw)
