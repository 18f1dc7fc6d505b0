"""What the commands tell a person about a plan, a run and a rollback; on standard error."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bizy_migrate_tui.display import counted, group_digits, human_seconds
from bizy_migrate_tui.migration.clock import zone_named
from bizy_migrate_tui.migration.findings import Choice, Severity
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.next_steps import next_steps
from bizy_migrate_tui.terminal import say, say_check, say_password

if TYPE_CHECKING:
    from bizy_migrate_tui.migration.plan.plan import Plan
    from bizy_migrate_tui.migration.rollback.rollback import RollbackPlan
    from bizy_migrate_tui.migration.run.outcome import Outcome

_IDS_SHOWN: Final = 10
_KEPT_SHOWN: Final = 20


def tell_plan(plan: "Plan", on: Mapping[str, Choice]) -> None:
    """What will happen, before anybody is asked."""
    say(f"Target: {plan.target.masked_url()}, rows for {plan.user.email}" + (" (new)" if plan.user.created else ""))
    say(f"Time zone of the source: {plan.choices.zone}")
    for name, table in plan.tables.items():
        figures = {"new": table.inserted, "adjusted": table.adjusted, "already there": table.unchanged}
        figures |= {"kept as on the web": table.kept, "left out": table.skipped}
        told = ", ".join(f"{group_digits(count)} {what}" for what, count in figures.items() if count)
        say(f"  {name}: {_rows(table.source)}: {told or 'nothing'}")
    for name, count in plan.preserved.items():
        say(f"  {name}: {_rows(count)} preserved in bizy_migrate.preserved")
    for finding in plan.findings:
        mark = {Severity.BLOCKS: "✗", Severity.ADJUSTS: "!", Severity.NOTES: "·"}[finding.severity]
        ids = ", ".join(finding.ids[:_IDS_SHOWN]) + (" …" if finding.count > _IDS_SHOWN else "")
        named = f" [{ids}]" if finding.ids else ""
        say(f"  {mark} {finding.code}, {finding.table} ({group_digits(finding.count)}): {finding.action}{named}")
    for code in on.keys() - {finding.code for finding in plan.findings}:
        say(f"  · --on {code}: there is no such finding here.")


def hint_of(plan: "Plan") -> str | None:
    """What the evidence says of early tasks in UTC, where the user has not decided; None where it says nothing."""
    until = plan.inventory.evidence.utc_until(zone_named(plan.choices.zone))
    if until is None or plan.choices.created_at_utc_until is not None:
        return None
    return f"The creation times of tasks up to {until} look like UTC. If they are: --created-at-utc-until {until}"


def tell_outcome(outcome: "Outcome", *, as_json: bool) -> None:
    """What happened."""
    for check in outcome.checks:
        say_check(check.name, check.passed, check.detail)
    done = "Done and verified" if outcome.passed else "Committed and proven, but not every check passed (✗)"
    words = {
        "migrated": f"{done}: run {outcome.run_id}",
        "dry-run": "Dry run: everything would succeed. Nothing was written to the database",
        "nothing-to-do": "Everything is there already. Nothing was written to the database",
    }
    say(f"{words[outcome.status]}, {human_seconds(outcome.seconds)}.")
    kept = sum(table.kept for table in outcome.tables.values())
    if kept:
        say(f"{_rows(kept)} {'differs' if kept == 1 else 'differ'} on the web by now; the web's version stays.")
    if outcome.password is not None and outcome.status == "migrated":
        say_password(outcome.user.email, outcome.password, as_json=as_json)


def tell_next_steps(outcome: "Outcome", env_file: Path | None) -> None:
    """The next steps after a run; none after anything else. The file is the one that has yet to be written."""
    if outcome.status != "migrated":
        return
    say("Next:")
    hint = f"set DATABASE_URL={outcome.plan.target.masked_url()} (with the password) in {env_file}, or run again with --write-env"
    steps = next_steps(
        outcome.user.email,
        account_is_new=outcome.user.created,
        tables_are_new=not outcome.plan.state.tables,
        env_hint=None if env_file is None else hint,
    )
    for number, step in enumerate(steps, 1):
        say(f"  {number}. {step.title}")
        for command in step.commands:
            say(f"     {command}")


def tell_rollback(plan: "RollbackPlan", target: Target) -> None:
    """What a rollback removes and what it keeps."""
    run = plan.run
    say(f"Run {run.id} of {run.started_at:%Y-%m-%d %H:%M} UTC, from {run.source_path}, in {target.masked_url()}:")
    for table, count in plan.remove.items():
        say(f"  {table}: {_rows(count)} {'goes' if count == 1 else 'go'}")
    for table, count in plan.already_gone.items():
        if count:
            say(f"  {table}: {_rows(count)} gone already")
    for table, count in plan.kept_counts.items():
        if count:
            say(f"  {table}: {_rows(count)} {'stays' if count == 1 else 'stay'}")
    for row in plan.kept[:_KEPT_SHOWN]:
        say(f"    {row.table} {row.id} “{row.title}”: {row.reason}")
    if plan.heir is not None:
        say(f"  preserved: the originals stay, as run {plan.heir} counts on them")
    say(f"  {plan.account_reason}")
    say("  The SQLite file and its backup are not touched.")


def _rows(number: int) -> str:
    return counted(number, "row", "rows")
