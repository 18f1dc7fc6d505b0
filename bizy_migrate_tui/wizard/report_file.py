"""What the wizard did, saved for people (Markdown) and programs (JSON); no password is in either."""

from datetime import datetime
from pathlib import Path

from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.report import Report, markdown
from bizy_migrate_tui.wizard.state import WizardState


def report_of(state: WizardState, failure: MigrationError | None = None) -> tuple[Report, float]:
    """The report of everything that is known so far, and how many seconds the work took."""
    report = Report()
    report.settings(state.sqlite_path, state.target, state.zone)
    seconds = 0.0
    if state.snapshot is not None:
        report.snapshot(state.snapshot)
    if state.inventory is not None:
        report.inventory(state.inventory)
    if state.plan is not None:
        report.plan(state.plan)
    if state.outcome is not None:
        report.outcome(state.outcome)
        seconds = state.outcome.seconds
    elif state.verification is not None:
        report.verification(state.verification)
        seconds = state.verification.seconds
    if failure is not None:
        (report.failure if state.outcome is None else report.warn)(failure)  # what is committed stays told as committed
    return report, seconds


def save_report(state: WizardState, now: datetime, failure: MigrationError | None = None) -> Path:
    """Write both files beside the source; the path of the Markdown. Raises OSError."""
    report, seconds = report_of(state, failure)
    path = state.sqlite_path.parent / f"bizy_migration_{now:%Y%m%d_%H%M%S}.md"
    path.write_text(markdown(report.as_dict(seconds)), encoding="utf-8")
    path.with_suffix(".json").write_text(report.as_json(seconds) + "\n", encoding="utf-8")
    return path


def told(path: Path) -> str:
    """Where the report is, short enough for the status line."""
    return f"The report is in {path.name}, and in JSON; both lie beside your SQLite file."
