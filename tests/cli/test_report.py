from bizy_migrate_tui.migration.errors import Cancelled, ProofFailed
from bizy_migrate_tui.migration.findings import Check, Difference
from bizy_migrate_tui.report import Report, markdown


def test_a_failed_proof_names_its_cells() -> None:
    report = Report()
    difference = Difference("tasks", "7", "title", "right", None)

    report.failure(ProofFailed("proof-failed", "It differs.", "Report it.", (difference,), (Check("cells", False, "1"),)))

    found = report.as_dict(1.5)
    assert (found["status"], found["error"]["code"], found["seconds"]) == ("failed", "proof-failed", 1.5)
    assert found["differences"] == [{"table": "tasks", "id": "7", "column": "title", "expected": "right", "found": None}]
    assert found["checks"] == [{"name": "cells", "passed": False, "detail": "1"}]


def test_what_was_cancelled_did_not_fail() -> None:
    report = Report()

    report.failure(Cancelled())

    assert report.as_dict(0.0)["status"] == "cancelled"


def test_text_from_a_database_is_no_markup_in_the_markdown() -> None:
    report = Report()
    report.note(checks=[{"name": "a|b", "passed": True, "detail": "<script>\n# no heading \x1b[2J"}])

    lines = markdown(report.as_dict(0.0)).splitlines()

    [row] = [line for line in lines if "no heading" in line]
    assert row.startswith("| ✓ | a\\|b | \\<script\\>⏎# no heading ␛\\[2J |")
    assert not any(line.startswith("# no") for line in lines)
