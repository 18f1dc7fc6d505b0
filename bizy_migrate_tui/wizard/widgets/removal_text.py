"""What a rollback takes and what it leaves, and why, as text."""

from collections.abc import Mapping
from pathlib import Path

from textual.content import Content

from bizy_migrate_tui.display import counted, safe_text
from bizy_migrate_tui.env_file import EnvChange
from bizy_migrate_tui.migration.ledger.ledger import ROLLED_BACK, Run
from bizy_migrate_tui.migration.rollback.plan import RollbackPlan
from bizy_migrate_tui.wizard.safe import toned
from bizy_migrate_tui.wizard.widgets.env_diff import diff_text
from bizy_migrate_tui.wizard.widgets.facts import home_path
from bizy_migrate_tui.wizard.wording import listed, moment

NOUNS = {
    "tasks": ("task", "tasks"),
    "goals": ("goal", "goals"),
    "preserved": ("preserved row", "preserved rows"),
    "users": ("account", "accounts"),
}
KEPT_LINES = 200
"""Rows that stay are named up to here; the count above them is exact."""


def run_line(run: Run) -> Content:
    """A run in the list: number, time, what it brought, where it stands."""
    is_back = run.status == ROLLED_BACK
    mark = ("↶", "$text-muted") if is_back else ("✓", "$text-success")
    brought = ", ".join(counted(run.brought(name), *NOUNS[name]) for name in ("tasks", "goals"))
    return Content.assemble(
        mark,
        f" Run {run.id}  {moment(run.started_at)}  {brought}",
        (f"  {'rolled back' if is_back else 'in place'}", "$text-muted" if is_back else "$text-success"),
    )


def goes(plan: RollbackPlan) -> str:
    """What goes, in a sentence."""
    parts = [counted(count, *NOUNS[name]) for name, count in plan.remove.items() if count]
    return f"{listed(parts)} will be removed." if parts else "No row will be removed."


def removal_text(plan: RollbackPlan, change: EnvChange | None, *, include_changed: bool) -> Content:
    """All of it: what goes, what is gone already, what stays with the reasons, the tables, `.env`."""
    lines = [_heading("Goes")]
    lines.append(_figures("−", "$text-error", plan.remove))
    if plan.removes_account:
        lines.append(toned("note", plan.account_reason))
    if plan.drops_tables:
        names = ", ".join((*plan.created_tables, "the ledger"))
        lines.append(Content.assemble(("− ", "$text-error"), f"the tables that runs had made, empty by then: {names}"))
    if change is not None:
        lines.append(Content.assemble(("− ", "$text-error"), safe_text(f"the line in {home_path(change.path)}:")))
        lines.append(diff_text(change.diff()))
    gone = [counted(count, *NOUNS[name]) for name, count in plan.already_gone.items() if count]
    if gone:
        lines.append(toned("note", f"Gone already: {listed(gone)}."))
    if include_changed:
        lines.append(toned("warning", "Rows that were changed on the web since go too. i spares them."))
    lines += [Content(""), _heading("Stays"), *_stays(plan, include_changed)]
    return Content("\n").join(lines)


def _stays(plan: RollbackPlan, include_changed: bool) -> list[Content]:
    lines = [_figures("●", "$text-accent", plan.kept_counts)] if any(plan.kept_counts.values()) else []
    lines += [
        Content.assemble(
            ("    ", ""), safe_text(f"{row.table} {row.id} “{row.title}”", 60), (f"  {safe_text(row.reason)}", "$text-muted")
        )
        for row in plan.kept[:KEPT_LINES]
    ]
    more = sum(plan.kept_counts.values()) - min(len(plan.kept), KEPT_LINES)
    if more:
        lines.append(Content.styled(f"    … and {more:,} more", "$text-muted"))
    if lines and not include_changed:
        lines.append(toned("note", "i takes rows that were changed on the web along."))
    if not plan.removes_account:
        lines.append(toned("note", plan.account_reason))
    if plan.heir is not None:
        lines.append(toned("note", f"Preserved originals stay: run {plan.heir} counts on them."))
    source = safe_text(home_path(Path(plan.run.source_path)))
    stays = f"{source} and its backup stay as they are." if plan.run.backup_path else f"{source} stays as it is."
    return [*lines, toned("note", stays)]


def _heading(text: str) -> Content:
    return Content.styled(text, "bold")


def _figures(sign: str, style: str, counts: Mapping[str, int]) -> Content:
    parts = [counted(count, *NOUNS[name]) for name, count in counts.items() if count]
    return Content.assemble((f"{sign} ", style), listed(parts) if parts else "no row")
