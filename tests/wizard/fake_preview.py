"""A preview with rows made up on the spot, hostile ones among them; as many as a test asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bizy_migrate_tui.migration.events import Cancellation
from bizy_migrate_tui.migration.plan.preview import CellChange, Kind, OnFound, PreviewRow

HOSTILE = (
    "[/x] [bold]markup[/bold] [a='x",
    "\x1b]52;c;aGFjaw==\x07 escape \x1b[2J",
    "bidi \u202etxt.exe\u202c and \u2066isolates\u2069",
    "zero\x00byte and\nnew line\tand tab",
    "emoji 👩‍👩‍👧‍👦 and 你好",
    "x" * 10_000,
)


@dataclass
class FakePreview:
    """Rows 1 to `rows`; every seventh is adjusted. Notes which pages were asked for."""

    rows: int = 67
    asked: list[tuple[str, int | None, Kind | None, str]] = field(default_factory=list)
    kinds: Mapping[Kind, int] = field(default_factory=lambda: {Kind.NEW: 64, Kind.ADJUSTED: 3})

    def counts(self, table: str) -> Mapping[Kind, int]:
        return self.kinds if table == "tasks" else {Kind.NEW: 4}

    def page(
        self,
        table: str,
        *,
        after: int | None = None,
        limit: int = 100,
        kind: Kind | None = None,
        search: str = "",
        cancel: Cancellation | None = None,
        on_found: OnFound | None = None,
    ) -> tuple[PreviewRow, ...]:
        self.asked.append((table, after, kind, search))
        last = self.rows if table == "tasks" else 4
        found = []
        for key in range((after or 0) + 1, last + 1):
            row = self._row(key)
            if (kind is None or row.kind is kind) and search.lower() in row.title.lower():
                found.append(row)
            if len(found) == limit:
                break
        return tuple(found)

    def locate(self, table: str, id: str) -> int | None:  # noqa: A002
        return int(id) if id.isdecimal() and 0 < int(id) <= self.rows else None

    def detail(self, table: str, key: int) -> tuple[CellChange, ...]:
        title = self._row(key).title
        return (
            CellChange("id", str(key), str(key), changed=False, reason=""),
            CellChange("title", title, title, changed=False, reason=""),
            CellChange("priority", "9", "5", changed=True, reason="nearest of 1 to 5"),
            CellChange(
                "created_at",
                "2025-11-18 22:03:11.250000",
                "2025-11-19 03:03:11.250000",
                changed=True,
                reason="America/New_York to UTC",
            ),
            CellChange("notes", None, None, changed=False, reason=""),
            CellChange("category", "", "", changed=False, reason=""),
        )

    def homeless_tables(self) -> Mapping[str, int]:
        return {"daily_logs": 12, "research": 3}

    def homeless(self, table: str, *, after: int | None = None, limit: int = 100) -> tuple[tuple[int, dict[str, object]], ...]:
        rows = self.homeless_tables()[table]
        keys = range((after or 0) + 1, min(rows, (after or 0) + limit) + 1)
        return tuple((key, {"id": key, "date": f"2025-11-{key:02d}", "wins": HOSTILE[key % 6], "mood": None}) for key in keys)

    def timeline(self, table: str) -> tuple[tuple[str, int, int], ...]:
        if table == "goals":
            return (("2025-09", 3, 3), ("2025-10", 1, 1))
        return (("2025-09", 12, 12), ("2025-10", 30, 29), ("2025-11", 25, 26))

    def _row(self, key: int) -> PreviewRow:
        title = HOSTILE[(key // 10) % 6] if key % 10 == 0 else f"Write the quarterly letter, part {key}"
        kind = Kind.ADJUSTED if key % 21 == 3 else Kind.NEW
        return PreviewRow(key, str(key), kind, title, ("pending", "writing", "2025-11-19 03:03"))
