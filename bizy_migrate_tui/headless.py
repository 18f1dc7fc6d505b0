"""The commands without a screen: each is the core's steps, told on standard error and reported on standard output."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bizy_migrate_tui import env_file
from bizy_migrate_tui.display import group_digits, human_seconds
from bizy_migrate_tui.logs import LOGGER, start_log
from bizy_migrate_tui.migration.advice import explain
from bizy_migrate_tui.migration.errors import ExitCode, MigrationError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent
from bizy_migrate_tui.migration.findings import Choice, Severity
from bizy_migrate_tui.migration.prerequisite_subject import NO_TARGET
from bizy_migrate_tui.migration.target import Target, connect
from bizy_migrate_tui.report import Report
from bizy_migrate_tui.settings import Flags, Settings, resolve
from bizy_migrate_tui.terminal import cancellable, confirm, refuse_silence, say, say_check, say_error, say_password, say_warning

if TYPE_CHECKING:
    from bizy_migrate_tui.migration.plan import Plan
    from bizy_migrate_tui.migration.rollback import RollbackPlan
    from bizy_migrate_tui.migration.run import Outcome
    from bizy_migrate_tui.migration.session import Session

_LOG: Final = logging.getLogger(LOGGER)
_IDS_SHOWN: Final = 10
_KEPT_SHOWN: Final = 20

Body = Callable[[Settings, Report], int]


def begin(name: str, flags: Flags, log_level: str, *, remembered: Mapping[str, str] | None = None) -> Settings:
    """Resolve the settings and start the log. Raises UsageError."""
    settings = resolve(flags, os.environ, Path.cwd(), Path.home(), remembered=remembered)
    target = settings.target.value if settings.target else None
    start_log(log_level, secrets=(target.password if target else None, settings.admin_password))
    _LOG.info("%s: %s to %s", name, settings.sqlite_path.value, target.masked_url() if target else "no target")
    return settings


def perform(name: str, flags: Flags, body: Body, *, as_json: bool, log_level: str = "info") -> int:
    """Run a command's body; its exit code. However it ends, `as_json` prints one object, and errors tell their remedy."""
    report, started = Report(), time.perf_counter()
    try:
        settings = begin(name, flags, log_level)
        target = settings.target.value if settings.target else None
        report.settings(settings.sqlite_path.value, target, settings.zone.value)
        code = body(settings, report)
    except click.Abort:
        raise
    except Exception as raised:
        error = explain(raised)
        _LOG.error("%s: %s", error.code, error.cause, exc_info=error.code == "unexpected")
        report.failure(error)
        say_error(error)
        code = int(error.exit_code)
    if as_json:
        click.echo(report.as_json(time.perf_counter() - started))
    return code


def target_of(settings: Settings) -> Target:
    """The target, where one was named. Raises TargetError "no-target"."""
    if settings.target is None:
        raise NO_TARGET
    return settings.target.value


@dataclass(frozen=True, slots=True)
class Migration:
    """The options of `migrate`. `backup` None is the default: one for a real run, none for a dry one."""

    dry_run: bool
    backup: bool | None
    yes: bool
    write_env: bool
    on: Mapping[str, Choice]

    def __call__(self, settings: Settings, report: Report) -> int:
        """Snapshot, plan, consent, run, `.env`."""
        from bizy_migrate_tui.migration.session import Session

        target = target_of(settings)
        refuse_silence(yes=self.yes or self.dry_run)
        place = env_file.place_for(settings.env_file, Path.cwd())
        change = env_file.point_at(place, target) if self.write_env else None  # an unreadable .env is told before the run
        with Session(settings.sqlite_path.value) as session:
            plan = cancellable(lambda on_event, cancel: self._plan(session, settings, report, on_event, cancel))
            report.plan(plan)
            tell_plan(plan, self.on)
            if not (self.dry_run or plan.nothing_to_do or plan.blocked):
                confirm(f"Write this into {target.masked_url()}?", yes=self.yes)
            outcome = cancellable(
                lambda on_event, cancel: session.run(plan, dry_run=self.dry_run, on_event=on_event, cancel=cancel)
            )
        report.outcome(outcome)
        tell_outcome(outcome)
        if change is None:
            _tell_next_steps(outcome, settings)
            return ExitCode.DONE
        return self._write_env(change, report)

    def _plan(self, session: "Session", settings: Settings, report: Report, on_event: OnEvent, cancel: Cancellation) -> "Plan":
        from bizy_migrate_tui.migration.plan import Choices

        backup = not self.dry_run if self.backup is None else self.backup
        snapshot = session.take_snapshot(backup=backup, on_event=on_event, cancel=cancel)
        report.snapshot(snapshot)
        if snapshot.is_backup:
            say(f"  Backup: {snapshot.path}")
        choices = Choices(
            zone=settings.zone.value,
            created_at_utc_until=settings.created_at_utc_until,
            email=settings.user_email.value,
            username=settings.user_name.value,
            on=self.on,
        )
        inventory = session.take_inventory(snapshot, choices.zone, on_event=on_event, cancel=cancel)
        return session.make_plan(inventory, target_of(settings), choices, on_event=on_event, cancel=cancel)

    def _write_env(self, change: env_file.EnvChange, report: Report) -> int:
        """The last step; the data is safe by now, so that a failure here is told as what it is."""
        if not change.is_needed:
            say(f"{change.path} points at this database already.")
            return ExitCode.DONE
        say(change.diff())
        if self.dry_run:
            return ExitCode.DONE
        try:
            kept = env_file.apply(change, now=datetime.now())
        except MigrationError as error:
            report.warn(error)
            say_error(error)
            return ExitCode.FAILED
        report.note(env_file=str(change.path), env_file_before=str(kept) if kept else None)
        say(f"{change.path} was written." + (f" The old file is {kept}." if kept else ""))
        return ExitCode.DONE


def tell_plan(plan: "Plan", on: Mapping[str, Choice]) -> None:
    """What will happen, before anybody is asked."""
    say(f"Target: {plan.target.masked_url()}, rows for {plan.user.email}" + (" (new)" if plan.user.created else ""))
    say(f"Time zone of the source: {plan.choices.zone}")
    for name, table in plan.tables.items():
        figures = {"new": table.inserted, "adjusted": table.adjusted, "already there": table.unchanged}
        figures |= {"kept as on the web": table.kept, "left out": table.skipped}
        told = ", ".join(f"{group_digits(count)} {what}" for what, count in figures.items() if count)
        say(f"  {name}: {group_digits(table.source)} rows: {told or 'nothing'}")
    for name, count in plan.preserved.items():
        say(f"  {name}: {group_digits(count)} rows preserved in bizy_migrate.preserved")
    for finding in plan.findings:
        mark = {Severity.BLOCKS: "✗", Severity.ADJUSTS: "!", Severity.NOTES: "·"}[finding.severity]
        ids = ", ".join(finding.ids[:_IDS_SHOWN]) + (" …" if finding.count > _IDS_SHOWN else "")
        say(f"  {mark} {finding.code}, {finding.table} ({group_digits(finding.count)}): {finding.action} [{ids}]")
    for code in on.keys() - {finding.code for finding in plan.findings}:
        say(f"  · --on {code}: there is no such finding here.")


def tell_outcome(outcome: "Outcome") -> None:
    """What happened."""
    for check in outcome.checks:
        say_check(check.name, check.passed, check.detail)
    words = {
        "migrated": f"Done and verified: run {outcome.run_id}",
        "dry-run": "Dry run: everything would succeed. Nothing was written",
        "nothing-to-do": "Everything is there already. Nothing was written",
    }
    say(f"{words[outcome.status]}, {human_seconds(outcome.seconds)}.")
    if outcome.password is not None and outcome.status == "migrated":
        say_password(outcome.user.email, outcome.password)


def _tell_next_steps(outcome: "Outcome", settings: Settings) -> None:
    """The guide's next steps."""
    if outcome.status != "migrated":
        return
    target = target_of(settings)
    place = env_file.place_for(settings.env_file, Path.cwd())
    say("Next:")
    say(f"  1. In {place}, set DATABASE_URL={target.masked_url()} (with the password), or run again with --write-env.")
    say("  2. Start the web back end: ./run.sh; then: curl http://localhost:8000/health")
    say(f"  3. Sign in as {outcome.user.email}.")
    say("  bizy itself works as before: bizy task list")
    say("  Compare again: bizy-migrate-tui verify. Undo: bizy-migrate-tui rollback")


def check(settings: Settings, report: Report) -> int:
    """`check`: the prerequisites, one line each with the remedy."""
    from bizy_migrate_tui.migration.prerequisites import CheckState, PrerequisiteResult, check_all

    def tell(result: PrerequisiteResult) -> None:
        if result.state is CheckState.WARNING:
            say_warning(result.title, result.detail)
        else:
            say_check(result.title, result.state is CheckState.PASSED, result.detail)
        if result.remedy:
            say("\n".join(f"    {line}" for line in result.remedy.split("\n")))

    target = settings.target.value if settings.target else None
    results = check_all(settings.sqlite_path.value, target, lambda _result: None, env_file=settings.env_file)
    for result in results:
        tell(result)
    report.prerequisites(results)
    return ExitCode.MISSING if any(one.state is CheckState.FAILED for one in results) else ExitCode.DONE


def verify(settings: Settings, report: Report, *, run_id: int | None) -> int:
    """`verify`: source and target compared again."""
    from bizy_migrate_tui.migration.verification import verify as compare

    target = target_of(settings)
    found = cancellable(
        lambda on_event, cancel: compare(settings.sqlite_path.value, target, run_id=run_id, on_event=on_event, cancel=cancel)
    )
    report.verification(found)
    for one in found.checks:
        say_check(one.name, one.passed, one.detail)
    for difference in found.differences[:_KEPT_SHOWN]:
        say(
            f"  {difference.table} {difference.id}, {difference.column}:"
            f" expected {difference.expected!r}, found {difference.found!r}"
        )
    if len(found.differences) > _KEPT_SHOWN:
        say("  … and more: --json lists the first 1,000.")
    say("Verified: everything is as it should be." if found.passed else "There are differences.")
    return ExitCode.DONE if found.passed else ExitCode.FAILED


def rollback(settings: Settings, report: Report, *, run_id: int | None, include_changed: bool, yes: bool) -> int:
    """`rollback`: says what goes and what stays, asks, removes, and takes `.env` back."""
    from bizy_migrate_tui.migration.rollback import plan_rollback, roll_back

    target = target_of(settings)
    with closing(connect(target, readonly=True)) as server:
        plan = plan_rollback(server, run_id, include_changed=include_changed)
    tell_rollback(plan, target)
    confirm("Remove these rows?", yes=yes)
    outcome = cancellable(
        lambda on_event, cancel: roll_back(target, plan.run.id, include_changed=include_changed, on_event=on_event, cancel=cancel)
    )
    report.rollback(outcome)
    for one in outcome.checks:
        say_check(one.name, one.passed, one.detail)
    say(f"Run {plan.run.id} was rolled back, {human_seconds(outcome.seconds)}.")
    if settings.env_file is not None:
        _offer_taking_back(settings.env_file, target, report, yes=yes)
    return ExitCode.DONE if all(one.passed for one in outcome.checks) else ExitCode.FAILED


def tell_rollback(plan: "RollbackPlan", target: Target) -> None:
    """What a rollback removes and what it keeps."""
    run = plan.run
    say(f"Run {run.id} of {run.started_at:%Y-%m-%d %H:%M} UTC, from {run.source_path}, in {target.masked_url()}:")
    for table, count in plan.remove.items():
        say(f"  {table}: {group_digits(count)} rows go")
    for table, count in plan.already_gone.items():
        if count:
            say(f"  {table}: {group_digits(count)} rows are gone already")
    for table, count in plan.kept_counts.items():
        if count:
            say(f"  {table}: {group_digits(count)} rows stay")
    for row in plan.kept[:_KEPT_SHOWN]:
        say(f"    {row.table} {row.id} “{row.title}”: {row.reason}")
    say(f"  {plan.account_reason}")
    say("  The SQLite file and its backup are not touched.")


def _offer_taking_back(path: Path, target: Target, report: Report, *, yes: bool) -> None:
    change = env_file.taking_back(path, target)
    if change is None:
        return
    say(change.diff())
    if yes or click.confirm(f"Take {path} back too?", default=True, err=True):
        env_file.take_back(change)
        report.note(env_file=str(path))
        say(f"{path} is as it was.")
