"""The smaller commands: the ledger, what was preserved, accounts and set-up."""

import csv
import json
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import Any

import click

from bizy_migrate_tui.display import counted, safe_text
from bizy_migrate_tui.headless import target_of
from bizy_migrate_tui.migration.errors import ExitCode, TargetError, UsageError
from bizy_migrate_tui.migration.ledger import ledger
from bizy_migrate_tui.migration.ledger.ledger import PreservedRow, Run
from bizy_migrate_tui.migration.postgresql import accounts
from bizy_migrate_tui.migration.postgresql.target import connect
from bizy_migrate_tui.migration.prerequisites.setup import admin_target, set_up
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.report import Report
from bizy_migrate_tui.settings import Origin, Settings
from bizy_migrate_tui.terminal import ask_password, can_ask, say

_WANTS_A_PASSWORD = frozenset({"no-password", "password-rejected"})


def runs(settings: Settings, report: Report) -> int:
    """`runs`: the ledger, newest first."""
    with closing(connect(target_of(settings), readonly=True)) as server:
        found = ledger.list_runs(server)
    report.note(status="done", runs=[_run(run) for run in found])
    for run in found:
        say(
            f"{run.id:>4}  {run.started_at:%Y-%m-%d %H:%M} UTC  {run.status:<11}  "
            f"{counted(run.brought('tasks'), 'task', 'tasks')}, {counted(run.brought('goals'), 'goal', 'goals')}"
            f"  from {run.source_path}"
        )
    if not found:
        say("There were no runs yet.")
    return ExitCode.DONE


def preserved(settings: Settings, report: Report, *, table: str | None, run_id: int | None, style: str, as_json: bool) -> int:
    """`preserved`: what was kept beside the web tables, as JSON or CSV on standard output (or, `as_json`, in the report)."""
    with closing(connect(target_of(settings), readonly=True)) as server:
        rows = ledger.preserved_rows(server, table=table, run_id=run_id) if ledger.list_runs(server) else iter(())
        if as_json:
            report.note(status="done", rows=[asdict(row) for row in rows])
        elif style == "csv":
            _write_csv(rows)
        else:
            _write_json(rows)
    return ExitCode.DONE


def add_user(settings: Settings, report: Report, *, email: str | None, full_name: str | None) -> int:
    """`user add`: another account for the web interface."""
    email = _typed(email)
    named = settings.user_name.origin is Origin.FLAG
    username = settings.user_name.value if named else email.partition("@")[0]
    password = ask_password("Password", twice=True)
    made = accounts.add_user(target_of(settings), email=email, username=username, password=password, full_name=full_name)
    report.note(status="done", user=asdict(made))
    say(f"{made.email} (user name {made.username}) was made.")
    return ExitCode.DONE


def change_password(settings: Settings, report: Report, *, email: str | None) -> int:
    """`user passwd`: a new password for an account."""
    email = _typed(email)
    password = ask_password("New password", twice=True)
    user = accounts.change_password(target_of(settings), email=email, password=password)
    report.note(status="done", user=asdict(user))
    say(f"The password of {user.email} was changed.")
    return ExitCode.DONE


def setup(settings: Settings, report: Report, *, admin_user: str | None) -> int:
    """`setup`: role, database, grants and tables; asks for the administrator's password only where it is wanted."""
    target, password = target_of(settings), settings.admin_password
    try:
        made = set_up(target, admin_target(target, admin_user, password))
    except TargetError as error:
        if error.code not in _WANTS_A_PASSWORD or password or not can_ask():
            raise
        say(error.cause)
        asked: Secret = ask_password(f"Password of {admin_user or 'postgres'}", twice=False)
        made = set_up(target, admin_target(target, admin_user, asked))
    report.note(status="done", steps=list(made.steps))
    say("\n".join(made.steps) or "Everything was there already.")
    return ExitCode.DONE


def _typed(email: str | None) -> str:
    """The address, typed where it was not given. Raises UsageError "no-email"."""
    if email:
        return email
    if not can_ask():
        raise UsageError("no-email", "No e-mail address was given.", "Give it as an argument.")
    return str(click.prompt("E-mail address", err=True))


def _run(run: Run) -> dict[str, Any]:
    kept = asdict(run)
    kept.pop("account")  # the fingerprint of a row; nothing for a report
    kept |= {"inserted_goals": run.brought("goals"), "inserted_tasks": run.brought("tasks")}
    kept.pop("late_updates")
    times = ("started_at", "finished_at", "loaded_at")
    return kept | {name: value.isoformat() if (value := getattr(run, name)) else None for name in times}


def _write_json(rows: Iterator[PreservedRow]) -> None:
    """One array, written row by row."""
    before = "[\n"
    for row in rows:
        sys.stdout.write(before + json.dumps(asdict(row)))
        before = ",\n"
    sys.stdout.write("\n]\n" if before != "[\n" else "[]\n")


def _write_csv(rows: Iterator[PreservedRow]) -> None:
    """The original as JSON in one column: the columns differ from table to table."""
    writer = csv.writer(sys.stdout)
    writer.writerow(("run_id", "source_table", "source_key", "reason", "original"))
    for row in rows:
        writer.writerow((row.run_id, row.source_table, row.source_key, safe_text(row.reason), json.dumps(row.original)))
