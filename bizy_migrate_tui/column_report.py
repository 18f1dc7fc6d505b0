"""`census`: what is in each column of the source, as tables for people or as part of the JSON report."""

from collections.abc import Iterator
from typing import Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bizy_migrate_tui.display import group_digits, safe_text
from bizy_migrate_tui.interruption import Interruption
from bizy_migrate_tui.migration.errors import ExitCode
from bizy_migrate_tui.migration.events import Cancellation, OnEvent
from bizy_migrate_tui.migration.load.preserving import cell_as_json
from bizy_migrate_tui.migration.plan.column_census import ColumnCensus, TableCensus
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.rules.values import Raw, as_text
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.source.snapshot import refuse_unreadable
from bizy_migrate_tui.report import Report
from bizy_migrate_tui.settings import Settings

_SHOWN: Final = 26
"""Of the lowest and the highest value a person sees so many characters."""


def census(settings: Settings, report: Report, interruption: Interruption, table: str | None, *, as_json: bool) -> int:
    """`census`: looks at a private copy of the source and writes nothing anywhere."""

    def take(session: Session, on_event: OnEvent, cancel: Cancellation) -> tuple[TableCensus, ...]:
        refuse_unreadable(session.sqlite_path)
        snapshot = session.take_snapshot(backup=False, on_event=on_event, cancel=cancel)
        report.snapshot(snapshot)
        choices = Choices(settings.zone.value, created_at_utc_until=settings.created_at_utc_until)
        inventory = session.take_inventory(snapshot, choices.zone, on_event=on_event, cancel=cancel)
        report.inventory(inventory)
        return session.take_column_census(inventory, choices, table, on_event=on_event, cancel=cancel)

    with Session(settings.sqlite_path.value) as session:
        found = interruption.work(lambda on_event, cancel: take(session, on_event, cancel))
    report.note(status="done", census={one.name: _as_dict(one) for one in found})
    if not as_json:
        console = Console(highlight=False, markup=False, emoji=False)
        for one in found:
            console.print(_table(one))
    return ExitCode.DONE


def _as_dict(table: TableCensus) -> dict[str, Any]:
    return {"rows": table.rows, "has_home": table.has_home, "columns": [_column(column) for column in table.columns]}


def _column(column: ColumnCensus) -> dict[str, Any]:
    return {
        "name": column.name,
        "declared": column.declared,
        "classes": column.classes,
        "low": cell_as_json(column.low),
        "high": cell_as_json(column.high),
        "longest": column.longest,
        "limit": column.limit,
        "beyond": column.beyond,
        "troubles": [{"code": one.code, "count": one.count, "ids": one.ids} for one in column.troubles.values()],
    }


def _table(table: TableCensus) -> Table:
    home = "" if table.has_home else " · will be preserved"
    rows = "1 row" if table.rows == 1 else f"{group_digits(table.rows)} rows"
    drawn = Table(title=Text(f"{safe_text(table.name)} · {rows}{home}"), title_justify="left")
    for head in ("column", "holds", "from", "to", "longest", "to look at"):
        drawn.add_column(head, justify="right" if head == "longest" else "left", overflow="fold")
    for column in table.columns:
        holds = ", ".join(f"{group_digits(count)} {kind}" for kind, count in column.classes.items() if count)
        cells = (safe_text(column.name), holds, _shown(column.low), _shown(column.high), _longest(column))
        drawn.add_row(*map(Text, cells), Text("\n".join(_troubles(column))))
    return drawn


def _shown(cell: Raw) -> str:
    return "" if cell is None else safe_text(as_text(cell) or "", _SHOWN)


def _longest(column: ColumnCensus) -> str:
    if column.longest is None:
        return ""
    return group_digits(column.longest) + (f" of {column.limit}" if column.limit else "")


def _troubles(column: ColumnCensus) -> Iterator[str]:
    if column.beyond:
        yield f"{group_digits(column.beyond)} longer than {column.limit}"
    for one in column.troubles.values():
        more = ", …" if one.count > len(one.ids) else ""
        yield f"{group_digits(one.count)} {one.code}: {safe_text(', '.join(one.ids), 60)}{more}"
