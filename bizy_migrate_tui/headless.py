"""The commands without a screen: each is the core's steps, told on standard error and reported on standard output."""

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from bizy_migrate_tui import env_file
from bizy_migrate_tui.beginning import begin
from bizy_migrate_tui.display import human_seconds
from bizy_migrate_tui.interruption import Interruption
from bizy_migrate_tui.logs import LOGGER
from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import Cancelled, ExitCode, MigrationError, UsageError
from bizy_migrate_tui.migration.events import Cancellation, OnEvent
from bizy_migrate_tui.migration.findings import Choice
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.prerequisites.subject import NO_TARGET
from bizy_migrate_tui.report import Report
from bizy_migrate_tui.settings import Flags, Settings
from bizy_migrate_tui.telling import hint_of, tell_next_steps, tell_outcome, tell_plan, tell_rollback
from bizy_migrate_tui.terminal import confirm, refuse_silence, say, say_check, say_error, say_warning

if TYPE_CHECKING:
    from bizy_migrate_tui.migration.plan.plan import Plan
    from bizy_migrate_tui.migration.rollback.rollback import RollbackPlan
    from bizy_migrate_tui.migration.session import Session

_LOG: Final = logging.getLogger(LOGGER)
_DIFFERENCES_SHOWN: Final = 20

Body = Callable[[Settings, Report, Interruption], int]


def perform(name: str, flags: Flags, body: Body, *, as_json: bool, log_level: str = "info", only_errors: bool = False) -> int:
    """Run a command's body; its exit code.

    However it ends, `as_json` prints one object that says how far it came, and an error tells its remedy. `only_errors`
    keeps the log file from being made by a command that leaves nothing behind.
    """
    report, interruption, started = Report(), Interruption(), time.perf_counter()
    with interruption.heeded():
        try:
            settings = begin(name, flags, log_level, only_errors=only_errors)
            target = settings.target.value if settings.target else None
            report.settings(settings.sqlite_path.value, target, settings.zone.value)
            code = body(settings, report, interruption)
        except (Exception, KeyboardInterrupt) as raised:
            interruption.ignore()
            error = Cancelled() if isinstance(raised, click.Abort | KeyboardInterrupt) else explain(raised)
            code = _fail(report, error)
        interruption.ignore()  # whatever has been done is told to the end
        if as_json:
            click.echo(report.as_json(time.perf_counter() - started))
    return code


def _fail(report: Report, error: MigrationError) -> int:
    if _LOG.handlers:  # else logging would tell it on standard error, unmasked
        _LOG.error("%s: %s", error.code, error.cause, exc_info=error.code == "unexpected")
    report.failure(error)
    say_error(error)
    return int(error.exit_code)


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
    as_json: bool
    on: Mapping[str, Choice]

    def __call__(self, settings: Settings, report: Report, interruption: Interruption) -> int:
        """Snapshot, plan, consent, run, `.env`."""
        from bizy_migrate_tui.migration.session import Session

        target = target_of(settings)
        refuse_silence(yes=self.yes or self.dry_run)
        _refuse_choices(self.on)
        place = env_file.place_for(settings.env_file, Path.cwd())
        # What is wrong with .env is told before the run.
        change = env_file.point_at(place, target) if self.write_env else None
        with Session(settings.sqlite_path.value) as session:
            plan = interruption.work(lambda on_event, cancel: self._plan(session, settings, report, on_event, cancel))
            report.plan(plan)
            tell_plan(plan, self.on)
            if hint := hint_of(plan):
                report.note(hints=[hint])
                say(f"  ? {hint}")
            if not (self.dry_run or plan.nothing_to_do or plan.blocked):
                confirm(f"Write this into {target.masked_url()}?", yes=self.yes)
            outcome = interruption.work(
                lambda on_event, cancel: session.run(plan, dry_run=self.dry_run, on_event=on_event, cancel=cancel),
                commits=True,
            )
        report.outcome(outcome)
        tell_outcome(outcome, as_json=self.as_json)
        # Whatever was edited in it meanwhile stays.
        is_env_written = change is None or self._write_env(env_file.point_at(place, target), report)
        tell_next_steps(outcome, None if change is not None and is_env_written else place)
        return ExitCode.DONE if outcome.passed and is_env_written else ExitCode.FAILED

    def _plan(self, session: "Session", settings: Settings, report: Report, on_event: OnEvent, cancel: Cancellation) -> "Plan":
        from bizy_migrate_tui.migration.plan.plan import Choices
        from bizy_migrate_tui.migration.source.snapshot import refuse_unreadable

        refuse_unreadable(settings.sqlite_path.value)
        connect(target_of(settings), cancel=cancel).close()  # a server that is down is told before a backup is made
        cancel.check()
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
        report.inventory(inventory)
        return session.make_plan(inventory, target_of(settings), choices, on_event=on_event, cancel=cancel)

    def _write_env(self, change: env_file.EnvChange, report: Report) -> bool:
        """The last step; the data is safe by now, so that a failure here is told as what it is."""
        if not change.is_needed:
            say(f"{change.path} points at this database already.")
            return True
        say(change.diff())
        if self.dry_run:
            return True
        try:
            kept = env_file.apply(change, now=datetime.now())
        except MigrationError as error:
            report.warn(error)
            say_error(error)
            return False
        report.note(env_file=str(change.path), env_file_before=str(kept) if kept else None)
        say(f"{change.path} was written." + (f" The old file is {kept}." if kept else ""))
        return True


def _refuse_choices(on: Mapping[str, Choice]) -> None:
    """Raise UsageError "bad-choice" for a finding that there is not, or a choice that it does not leave."""
    from bizy_migrate_tui.migration.rules.catalogue import KINDS

    for code, choice in on.items():
        open_codes = sorted(name for name, kind in KINDS.items() if kind.choices)
        if code not in open_codes:
            raise UsageError(
                "bad-choice", f"“{code}” is no finding that leaves a choice.", f"There are: {', '.join(open_codes)}."
            )
        if choice not in KINDS[code].choices:
            raise UsageError(
                "bad-choice",
                f"For {code}, “{choice}” is no choice.",
                f"There are: {', '.join(KINDS[code].choices)}.",
            )


def check(settings: Settings, report: Report, _interruption: Interruption) -> int:
    """`check`: the prerequisites, one line each with the remedy."""
    from bizy_migrate_tui.migration.prerequisites.prerequisites import CheckState, PrerequisiteResult, check_all

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


def verify(settings: Settings, report: Report, interruption: Interruption, *, run_id: int | None) -> int:
    """`verify`: source and target compared again."""
    from bizy_migrate_tui.migration.verification.verification import verify as compare

    target = target_of(settings)
    found = interruption.work(
        lambda on_event, cancel: compare(settings.sqlite_path.value, target, run_id=run_id, on_event=on_event, cancel=cancel)
    )
    report.verification(found)
    for compared in found.runs:
        how = "compared with" if compared.is_compared else "not compared, as this file is not here:"
        changed = ", which has changed since" if compared.is_compared and not compared.is_unchanged else ""
        say(f"Run {compared.run.id} of {compared.run.started_at:%Y-%m-%d %H:%M} UTC, {how} {compared.source}{changed}.")
    for one in found.checks:
        say_check(one.name, one.passed, one.detail)
    for difference in found.differences[:_DIFFERENCES_SHOWN]:
        say(
            f"  {difference.table} {difference.id}, {difference.column}:"
            f" expected {difference.expected!r}, found {difference.found!r}"
        )
    if len(found.differences) > _DIFFERENCES_SHOWN:
        say("  … and more: --json lists the first 1,000.")
    left = ", ".join(f"run {one.run.id}" for one in found.runs if not one.is_compared)
    good = f"Verified, but {left} was not compared." if left else "Verified: everything is as it should be."
    say(good if found.passed else "There are differences.")
    return ExitCode.DONE if found.passed else ExitCode.FAILED


def rollback(
    settings: Settings, report: Report, interruption: Interruption, *, run_id: int | None, include_changed: bool, yes: bool
) -> int:
    """`rollback`: says what goes and what stays, asks, removes, and takes `.env` back."""
    from bizy_migrate_tui.migration.rollback.rollback import plan_rollback, roll_back

    target = target_of(settings)
    refuse_silence(yes=yes)

    def look(_on_event: OnEvent, cancel: Cancellation) -> "RollbackPlan":
        with closing(connect(target, readonly=True, cancel=cancel)) as server, cancel.interrupting(server.cancel):
            return plan_rollback(server, run_id, include_changed=include_changed)

    plan = interruption.work(look)
    tell_rollback(plan, target)
    change = env_file.taking_back(settings.env_file, target) if settings.env_file and plan.is_last else None
    if change is not None:
        say(f"  {change.path} goes back to what it was:\n{change.diff()}")
    confirm("Remove these rows?", yes=yes)
    outcome = interruption.work(
        lambda on_event, cancel: roll_back(
            target, plan.run.id, include_changed=include_changed, on_event=on_event, cancel=cancel
        ),
        commits=True,
    )
    report.rollback(outcome)
    for one in outcome.checks:
        say_check(one.name, one.passed, one.detail)
    say(f"Run {plan.run.id} was rolled back, {human_seconds(outcome.seconds)}.")
    is_env_back = change is None or _take_env_back(change, report)
    return ExitCode.DONE if is_env_back and all(one.passed for one in outcome.checks) else ExitCode.FAILED


def _take_env_back(change: env_file.EnvChange, report: Report) -> bool:
    """The last step of a rollback; the data is as it should be by now, so that a failure here is told as what it is."""
    try:
        env_file.take_back(change)
    except MigrationError as error:
        report.warn(error)
        say_error(error)
        return False
    report.note(env_file=str(change.path))
    say(f"{change.path} is as it was.")
    return True
