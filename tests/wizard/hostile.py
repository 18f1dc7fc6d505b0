"""A core that says something nasty wherever it can say anything at all."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from bizy_migrate_tui.migration.errors import ProofFailed
from bizy_migrate_tui.migration.findings import Check, Choice, Difference
from bizy_migrate_tui.migration.plan.preview import CellChange, Kind, PreviewRow
from bizy_migrate_tui.migration.postgresql.target import WebUser
from bizy_migrate_tui.migration.prerequisites.prerequisites import CheckState, PrerequisiteResult
from bizy_migrate_tui.migration.verification.profile import Profile
from bizy_migrate_tui.migration.verification.verification import ComparedRun
from tests.wizard.fake_core import a_target_state, passed
from tests.wizard.fake_preview import FakePreview
from tests.wizard.fake_results import a_run, a_verification
from tests.wizard.fake_run import a_finding

NASTY = "[/x][red]R[/red] [a='x :smile: \x1b[31m\x1b]52;c;aGFjaw==\x07\x9b2J \u202egnp.\u2066\nsecond\rline\ttab\x00\x7f"
LONG = "x" * 10_000
WIDE = "👩‍👩‍👧‍👦 🏳️‍🌈 你好 ｆｕｌｌ e\u0301\u0302\u0303 \ufeff\u00ad\u2028 " * 12


class NastyPreview(FakePreview):
    """Every cell says it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def homeless_tables(self) -> dict[str, int]:
        return {self.text: 3}

    def homeless(self, table: str, *, after: int | None = None, limit: int = 100) -> tuple[tuple[int, dict[str, object]], ...]:
        return tuple((key, {self.text: self.text}) for key in range((after or 0) + 1, 4))

    def timeline(self, table: str) -> tuple[tuple[str, int, int], ...]:
        return ((self.text, 3, 2),)

    def detail(self, table: str, key: int) -> tuple[CellChange, ...]:
        changed = CellChange(self.text, self.text, f"{self.text}!", True, self.text)
        return changed, CellChange("notes", self.text, self.text, False, "")

    def _row(self, key: int) -> PreviewRow:
        return PreviewRow(key, str(key), Kind.NEW, self.text, (self.text, self.text, self.text))


def differences(text: str) -> tuple[Difference, ...]:
    return Difference(text, text, text, text, f"{text}!"), Difference("tasks", "7", "title", text, None)


def nasty(text: str) -> dict[str, Any]:
    """The fields of a core that says `text` everywhere."""
    results = {code: replace(result, state=CheckState.WARNING, detail=text, remedy=text) for code, result in passed().items()}
    results["login"] = PrerequisiteResult("login", text, CheckState.WARNING, text, text, "setup")
    checks = (Check(text, False, text), Check(f"{text}.", True, text))
    run = replace(a_run(), source_path=text, backup_path=text, account={"email": text})
    return {
        "results": results,
        "state": a_target_state(
            server_version=text,
            user=text,
            dbname=text,
            timezone=text,
            users=(WebUser(7, text, text),),
            tables={text: 3, "tasks": 0},
        ),
        "rows": {"tasks": 67, "goals": 4, text: 3},
        "findings": (a_finding(table=text, column=text, ids=(text,), action=text, code=text, choices=tuple(Choice)),),
        "shown": NastyPreview(text),
        "title": text,
        "runs": (run,),
        "verification": a_verification(
            differences(text),
            runs=(ComparedRun(run, Path(text), is_unchanged=False),),
            checks=checks,
            profiles=(Profile("tasks", "status", ((text, 3, 2),)),),
        ),
    }


def proof_failed(text: str) -> ProofFailed:
    return ProofFailed("proof-failed", text, text, differences(text), (Check(text, False, text),))
