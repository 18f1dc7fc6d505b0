"""Where the diff of a table gets its rows."""

from collections.abc import Mapping
from typing import Protocol

from bizy_migrate_tui.migration.events import Cancellation
from bizy_migrate_tui.migration.plan.preview import CellChange, Kind, OnFound, PreviewRow


class RowSource(Protocol):
    """What the pane needs of the core's preview."""

    def counts(self, table: str) -> Mapping[Kind, int]:
        """Rows of each kind."""

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
        """Rows after a key; raises Cancelled."""

    def locate(self, table: str, id: str) -> int | None:  # noqa: A002
        """The key of the row with that id."""

    def detail(self, table: str, key: int) -> tuple[CellChange, ...]:
        """Every column of a row."""
