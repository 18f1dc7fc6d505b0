"""What the plan and the outcome say in plain language, and the command line that does the same."""

import shlex
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from bizy_migrate_tui.display import counted, human_seconds
from bizy_migrate_tui.migration.plan.plan import Plan, TablePlan

COUNTED = {"tasks": ("task", "tasks"), "goals": ("goal", "goals")}


def listed(parts: list[str]) -> str:
    """Parts of a sentence, joined as one says them."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def plan_summary(plan: Plan) -> str:
    """The plan in a sentence or two: what is added, what changes on the way, what stays out."""
    if plan.blocked:
        return f"{_blocked(len(plan.blocked))} {_added(plan.tables, 'would')}."
    if plan.nothing_to_do:
        return " ".join(["Everything is already there. There is nothing to do.", *_kept(plan.tables)])
    return _sentences(plan, f"{_added(plan.tables, 'will')}.")


def plan_summary_with_owner(plan: Plan) -> str:
    """The same, and whom the rows will belong to."""
    if plan.nothing_to_do:
        return plan_summary(plan)
    user = plan.user
    whose = f"a new user, {user.email}" if user.created else f"{user.email}, who is there and stays as is"
    if plan.blocked:
        return f"{_blocked(len(plan.blocked))} {_added(plan.tables, 'would')} for {whose}."
    return _sentences(plan, f"{_added(plan.tables, 'will')} for {whose}.")


def outcome_summary(tables: Mapping[str, TablePlan], seconds: float) -> str:
    """What a run did."""
    return f"{_rows(tables)} arrived, each cell proven, in {human_seconds(seconds)}."


def time_left(seconds: float | None) -> str:
    """An honest time left: no more exact than it can be known."""
    if seconds is None:
        return "working out the time left"
    if seconds < 10:
        return "a few seconds left"
    if seconds < 90:
        return f"about {round(seconds / 10) * 10} s left"
    return f"about {counted(round(seconds / 60), 'minute', 'minutes')} left"


def equivalent_command(plan: Plan, source: Path, *, backup: bool) -> str:
    """The command that does what the wizard is about to do; it holds no password."""
    choices = plan.choices
    words = ["bizy-migrate-tui", "migrate", "--sqlite-path", str(source), "--postgres-url", plan.target.masked_url()]
    words += ["--timezone", choices.zone]
    if choices.created_at_utc_until is not None:
        words += ["--created-at-utc-until", str(choices.created_at_utc_until)]
    words += ["--user-email", choices.email, "--user-name", choices.username]
    for code, choice in sorted(choices.on.items()):
        words += ["--on", f"{code}={choice.value}"]
    words.append("--backup" if backup else "--no-backup")
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)


def moment(utc: datetime) -> str:
    """A naive UTC time in the user's own zone, with UTC beside it where that is another time."""
    local = utc.replace(tzinfo=UTC).astimezone()
    if not local.utcoffset():
        return f"{utc:%Y-%m-%d %H:%M} UTC"
    return f"{local:%Y-%m-%d %H:%M} ({utc:%H:%M} UTC)"


def _sentences(plan: Plan, first: str) -> str:
    sentences = [first, _adjusted(plan.tables), _left(plan.tables), _beside(plan.preserved)]
    return " ".join(sentence for sentence in sentences if sentence)


def _added(tables: Mapping[str, TablePlan], verb: str) -> str:
    return f"{_rows(tables)} {verb} be added"


def _rows(tables: Mapping[str, TablePlan]) -> str:
    """The rows that come, table by table, without those of which none comes."""
    parts = [counted(tables[name].inserted, *COUNTED[name]) for name in COUNTED if name in tables and tables[name].inserted]
    return listed(parts) if parts else "No task and no goal"


def _adjusted(tables: Mapping[str, TablePlan]) -> str:
    number = sum(table.adjusted for table in tables.values())
    if not number:
        return "None needs a change." if any(table.inserted for table in tables.values()) else ""
    return f"{number:,} {'needs' if number == 1 else 'need'} a small change."


def _left(tables: Mapping[str, TablePlan]) -> str:
    same = sum(table.unchanged for table in tables.values())
    skipped = sum(table.skipped for table in tables.values())
    parts = []
    if same:
        parts.append(f"{same:,} {'is' if same == 1 else 'are'} there already.")
    parts += _kept(tables)
    if skipped:
        parts.append(f"{skipped:,} {'is' if skipped == 1 else 'are'} left out and preserved.")
    return " ".join(parts)


def _kept(tables: Mapping[str, TablePlan]) -> list[str]:
    kept = sum(table.kept for table in tables.values())
    verb = "that differs stays as it is" if kept == 1 else "that differ stay as they are"
    return [f"{kept:,} {verb} on the web."] if kept else []


def _beside(preserved: Mapping[str, int]) -> str:
    number = sum(rows for table, rows in preserved.items() if table not in COUNTED)
    if not number:
        return ""
    verb = "is" if number == 1 else "are"
    return f"{counted(number, 'row has', 'rows have')} no home on the web and {verb} preserved."


def _blocked(number: int) -> str:
    return "One thing has to be decided first." if number == 1 else f"{number} things have to be decided first."
