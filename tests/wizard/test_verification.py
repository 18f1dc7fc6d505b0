from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from textual.widgets import TabbedContent

from bizy_migrate_tui.migration.errors import ExitCode, TargetError
from bizy_migrate_tui.migration.findings import Check, Difference
from bizy_migrate_tui.wizard.flow import Step, Way
from tests.wizard.fake_results import HOSTILE, PASSED, EndCore, a_verification, an_outcome
from tests.wizard.walking import Walk, walking

WRONG = (
    Difference("tasks", "7", "title", "Water the plants", "Water the cat"),
    Difference("tasks", "7", "notes", None, ""),
    Difference("goals", "2", "description", HOSTILE, "x" * 10_000),
)


@asynccontextmanager
async def after_a_run(core: EndCore, folder: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Walk]:
    async with walking(core, folder, size=size) as walk:
        walk.app.state.outcome = an_outcome(folder)
        await walk.show(Step.VERIFICATION)
        await walk.idle()
        yield walk


async def test_the_runs_own_checks_are_there_at_once(tmp_path: Path) -> None:
    core = EndCore()
    async with after_a_run(core, tmp_path) as walk:
        assert core.verified == 0
        assert "All 3 checks passed" in walk.said
        assert all(check.name in walk.text() and check.detail in walk.text() for check in PASSED)


async def test_v_compares_everything_again(tmp_path: Path) -> None:
    core = EndCore()
    async with after_a_run(core, tmp_path) as walk:
        core.gate.clear()
        await walk.press("v")
        await walk.until(lambda: "Prove every cell" in walk.text())
        await walk.press("enter")
        assert walk.at(Step.VERIFICATION)
        assert "Still comparing" in walk.said
        core.gate.set()
        await walk.idle()
        assert core.verified == 1
        assert "compared again in 0.4 s" in walk.text()


async def test_enter_goes_on_to_the_finish(tmp_path: Path) -> None:
    async with after_a_run(EndCore(), tmp_path) as walk:
        await walk.press("enter")
        await walk.until(lambda: walk.at(Step.FINISH))


async def test_a_failed_check_comes_first_and_says_so(tmp_path: Path) -> None:
    async with walking(EndCore(), tmp_path) as walk:
        checks = (*PASSED, Check("a new connection sees the rows", False, "0 tasks"))
        walk.app.state.outcome = replace(an_outcome(tmp_path), checks=checks)
        await walk.show(Step.VERIFICATION)
        await walk.idle()
        assert "1 check of 4 failed" in walk.said
        shown = walk.text()
        assert shown.index("✗ a new connection") < shown.index("✓ every cell")


async def test_verifying_alone_compares_at_once_and_leaves_with_its_verdict(tmp_path: Path) -> None:
    core = EndCore(verification=a_verification(WRONG))
    async with walking(core, tmp_path) as walk:
        walk.app.state.way = Way.VERIFY
        await walk.show(Step.VERIFICATION)
        await walk.until(lambda: core.verified)
        await walk.idle()
        assert core.verified == 1
        assert "failed" in walk.said
        await walk.press("enter")
        await walk.until(lambda: walk.app.return_code is not None)
    assert walk.app.return_code == ExitCode.FAILED


async def test_differences_are_opened_cell_by_cell(tmp_path: Path) -> None:
    core = EndCore(verification=a_verification(WRONG))
    async with after_a_run(core, tmp_path, (120, 40)) as walk:
        await walk.press("v")
        await walk.idle()
        await walk.press("3")
        assert walk.screen.query_one(TabbedContent).active == "part-cells"
        assert "Differences (3)" in walk.text()
        assert "− Water the plants" in walk.text()
        assert "+ Water the cat" in walk.text()
        assert "+ (empty text)" in walk.text()
        await walk.press("down", "down")
        assert "goals 2" in walk.text()
        assert "x" * 60 in walk.text()
        assert "\x1b[31m" not in walk.text()


async def test_a_comparison_that_fails_is_explained_and_tried_again(tmp_path: Path) -> None:
    core = EndCore(problem=TargetError("server-unreachable", "No server answers.", "Start it."))
    async with after_a_run(core, tmp_path) as walk:
        await walk.press("v")
        await walk.until(lambda: walk.at(Step.FAILURE))
        await walk.idle()
        assert "comparing only reads" in walk.text()
        await walk.press("enter")
        await walk.until(lambda: walk.at(Step.VERIFICATION))
        await walk.until(lambda: walk.app.state.verification is not None)
        assert "passed" in walk.said


async def test_both_sides_are_drawn_beside_each_other(tmp_path: Path) -> None:
    async with after_a_run(EndCore(), tmp_path) as walk:
        await walk.press("right")
        assert "v compares again" in walk.text()
        await walk.press("v")
        await walk.idle()
        lines = walk.text().splitlines()
        october = next(line for line in lines if "2025-10" in line)
        assert october.count("40") == 2
        assert october.endswith("=")
        assert next(line for line in lines if "pending" in line).endswith("≠ -1")


async def test_verifying_alone_after_a_run_of_the_same_sitting_compares_too(tmp_path: Path) -> None:
    core = EndCore()
    async with walking(core, tmp_path) as walk:
        walk.app.state.outcome = an_outcome(tmp_path)
        walk.app.state.way = Way.VERIFY
        await walk.show(Step.VERIFICATION)
        await walk.idle()
        assert core.verified == 1
