"""What a command did, as the JSON object that other programs rely on (design, "The command line") and as Markdown.

Neither ever holds a password: targets are told by their masked URL, and an outcome's temporary password is not read.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bizy_migrate_tui.display import group_digits, human_seconds, safe_text
from bizy_migrate_tui.migration.errors import Cancelled, MigrationError, ProofFailed
from bizy_migrate_tui.migration.findings import Check, Finding

if TYPE_CHECKING:  # SQLAlchemy comes with these; a report of an error needs none of it
    from bizy_migrate_tui.migration.ledger.ledger import Run
    from bizy_migrate_tui.migration.plan.plan import Plan
    from bizy_migrate_tui.migration.postgresql.target import Target
    from bizy_migrate_tui.migration.prerequisites.prerequisites import PrerequisiteResult
    from bizy_migrate_tui.migration.rollback.rollback import RollbackOutcome
    from bizy_migrate_tui.migration.run.outcome import Outcome
    from bizy_migrate_tui.migration.source.inventory import Inventory
    from bizy_migrate_tui.migration.source.snapshot import Snapshot
    from bizy_migrate_tui.migration.verification.verification import Verification


class Report:
    """Grows as the work goes on, so that it says what is known whenever the work ends."""

    def __init__(self) -> None:
        self._values: dict[str, Any] = {
            "status": "failed",
            "run_id": None,
            "source": {"path": None, "sha256": None, "rows": {}},
            "target": None,
            "backup": None,
            "timezone": None,
            "user": None,
            "tables": {},
            "preserved": {},
            "findings": [],
            "checks": [],
            "error": None,
            "seconds": 0.0,
        }

    def settings(self, sqlite_path: Path, target: "Target | None", zone: str) -> None:
        """What was asked for."""
        self._values["source"]["path"] = str(sqlite_path)
        self._values["target"] = target.masked_url() if target else None
        self._values["timezone"] = zone

    def snapshot(self, snapshot: "Snapshot") -> None:
        """The copy of the source was made."""
        self._values["source"] |= {"path": str(snapshot.source), "sha256": snapshot.sha256}
        self._values["backup"] = str(snapshot.path) if snapshot.is_backup else None

    def inventory(self, inventory: "Inventory") -> None:
        """Every row of the copy was looked at."""
        self._values["source"]["rows"] = {name: table.rows for name, table in inventory.tables.items()}

    def plan(self, plan: "Plan") -> None:
        """What will happen."""
        self._values["user"] = asdict(plan.user) | {"created": plan.user.created}
        self._values["findings"] = [_finding(finding) for finding in plan.findings]

    def outcome(self, outcome: "Outcome") -> None:
        """The run ended well."""
        self._values |= {
            "status": str(outcome.status),
            "run_id": outcome.run_id,
            "user": asdict(outcome.user),
            "tables": {name: asdict(table) for name, table in outcome.tables.items()},
            "preserved": dict(outcome.preserved),
            "checks": _checks(outcome.checks),
        }
        failed = [check for check in outcome.checks if not check.passed]
        if failed:
            cause = f"Everything is committed and proven, but: {failed[0].name}: {failed[0].detail}."
            self.warn(MigrationError("check-failed", cause, "Your rows are safe. Mend it, then run `bizy-migrate-tui verify`."))

    def verification(self, found: "Verification") -> None:
        """Source and target were compared again."""
        run = found.run
        self._run(run)
        self._values |= {
            "status": "verified" if found.passed else "failed",
            "run_id": run.id,
            "checks": _checks(found.checks),
            "differences": [asdict(difference) for difference in found.differences],
            "web_changes": asdict(found.web_changes),
            "compared_with": [
                {"run_id": one.run.id, "path": str(one.source), "unchanged": one.is_unchanged, "compared": one.is_compared}
                for one in found.runs
            ],
        }
        failed = [check for check in found.checks if not check.passed]
        if failed:
            cause = f"{failed[0].name}: {failed[0].detail}."
            remedy = "Each cell that differs is named under differences. If you did not change it, take the run back."
            self.warn(MigrationError("differences-found", cause, remedy))

    def rollback(self, outcome: "RollbackOutcome") -> None:
        """A run was taken back."""
        run = outcome.plan.run
        self._run(run)
        self._values |= {
            "status": "rolled-back",
            "run_id": run.id,
            "removed": dict(outcome.removed),
            "kept": dict(outcome.plan.kept_counts),
            "kept_rows": [asdict(row) for row in outcome.plan.kept],
            "checks": _checks(outcome.checks),
        }

    def _run(self, run: "Run") -> None:
        """What the ledger noted of a run."""
        counts = dict(run.counts)
        self._values |= {
            "backup": run.backup_path,
            "timezone": run.choices.get("timezone"),
            "user": {"id": run.user_id, "email": run.account.get("email"), "created": run.user_created},
            "tables": {name: counts[name] for name in ("tasks", "goals") if name in counts},
            "preserved": counts.get("preserved", {}),
        }
        rows = {name: table["source"] for name, table in self._values["tables"].items()}
        self._values["source"] = {"path": run.source_path, "sha256": run.source_sha256, "rows": rows}

    def prerequisites(self, results: "tuple[PrerequisiteResult, ...]") -> None:
        """What a move needs was looked at; `error` is the first that is missing."""
        failed = [result for result in results if result.state == "failed"]
        self._values["status"] = "failed" if failed else "verified"
        self._values["checks"] = [
            {
                "name": one.code,
                "passed": one.state == "passed",
                "detail": one.detail,
                "state": str(one.state),
                "remedy": one.remedy,
            }
            for one in results
        ]
        if failed:
            self._values["error"] = {"code": failed[0].code, "cause": failed[0].detail, "remedy": failed[0].remedy}

    def note(self, **values: object) -> None:
        """Add what only one command has to say."""
        self._values |= values

    def failure(self, error: MigrationError) -> None:
        """The work ended with an error."""
        self._values["status"] = "cancelled" if isinstance(error, Cancelled) else "failed"
        self.warn(error)
        if isinstance(error, ProofFailed):
            self._values["checks"] = _checks(error.checks)
            self._values["differences"] = [asdict(difference) for difference in error.differences]

    def warn(self, error: MigrationError) -> None:
        """The work ended well, but something after it did not."""
        self._values["error"] = {"code": error.code, "cause": error.cause, "remedy": error.remedy}

    def as_dict(self, seconds: float) -> dict[str, Any]:
        """The object, for a work of so many seconds."""
        return self._values | {"seconds": round(seconds, 3)}

    def as_json(self, seconds: float) -> str:
        """The object as text: ASCII, so that no terminal or pipe can spoil it."""
        return json.dumps(self.as_dict(seconds), indent=2)


def markdown(report: Mapping[str, Any]) -> str:
    """A report (`Report.as_dict`) for people to keep."""
    lines = _heading(report)
    counts = ("source", "inserted", "unchanged", "adjusted", "skipped", "kept")
    rows = [[name, *(group_digits(table[count]) for count in counts)] for name, table in report["tables"].items()]
    lines += _section("Tables", ("table", *counts), rows)
    lines += _section(
        "Preserved in bizy_migrate.preserved",
        ("table", "rows"),
        [[name, group_digits(count)] for name, count in report["preserved"].items()],
    )
    lines += _section(
        "Findings",
        ("finding", "table", "rows", "ids", "what is done"),
        [
            [one["code"], one["table"], group_digits(one["count"]), ", ".join(one["ids"][:20]), one["action"]]
            for one in report["findings"]
        ],
    )
    lines += _section(
        "Checks",
        ("", "check", "detail"),
        [["✓" if one["passed"] else "✗", one["name"], one["detail"]] for one in report["checks"]],
    )
    lines += _section(
        "Differences",
        ("table", "id", "column", "expected", "found"),
        [[str(cell) for cell in one.values()] for one in report.get("differences", ())],
    )
    if error := report["error"]:
        lines += ["## Error", "", f"{_cell(error['cause'])} ({_code(error['code'])})", "", "```", error["remedy"], "```", ""]
    return "\n".join(lines)


def _heading(report: Mapping[str, Any]) -> list[str]:
    source = report["source"]
    return [
        "# Bizy AI: SQLite to PostgreSQL",
        "",
        f"- Status: **{report['status']}**",
        f"- Run: {report['run_id'] or '—'}",
        f"- Source: {_code(source['path'])}, SHA-256 {_code(source['sha256'])}",
        f"- Target: {_code(report['target'])}",
        f"- Backup: {_code(report['backup'])}",
        f"- Time zone of the source: {_code(report['timezone'])}",
        f"- Time taken: {human_seconds(report['seconds'])}",
        "",
    ]


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "table": finding.table,
        "column": finding.column,
        "ids": list(finding.ids),
        "count": finding.count,
        "choice": str(finding.choice),
        "action": finding.action,
    }


def _checks(checks: tuple[Check, ...]) -> list[dict[str, Any]]:
    return [asdict(check) for check in checks]


def _section(title: str, head: tuple[str, ...], rows: list[list[str]]) -> list[str]:
    if not rows:
        return []
    return [f"## {title}", "", _row(head), _row(["---"] * len(head)), *map(_row, rows), ""]


def _row(cells: "tuple[str, ...] | list[str]") -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(text: str) -> str:
    shown = safe_text(text)
    for mark in "\\|`*_[]<>":
        shown = shown.replace(mark, f"\\{mark}")
    return shown


def _code(text: str | None) -> str:
    return "—" if text is None else f"`{safe_text(text).replace('`', '´')}`"
