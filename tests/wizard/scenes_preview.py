"""The scenes of the preview."""

from pathlib import Path

from bizy_migrate_tui.migration.findings import Choice, Severity
from bizy_migrate_tui.migration.plan.plan import TablePlan
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.widgets.paged_table import PagedTable
from tests.wizard.fake_core import UPGRADED, a_target_state
from tests.wizard.fake_preview import FakePreview
from tests.wizard.fake_run import TABLES, a_finding
from tests.wizard.hostile import NASTY, nasty
from tests.wizard.stage import Stage, scene


async def to_preview(stage: Stage, *keys: str) -> None:
    await stage.come_to(Step.PREVIEW)
    await stage.until(lambda: stage.screen.query(PagedTable).first().current)
    await stage.press(*keys)


@scene()
async def preview(stage: Stage) -> None:
    await to_preview(stage)


@scene(evidence=UPGRADED)
async def preview_with_a_proposal(stage: Stage) -> None:
    await to_preview(stage)
    await stage.see("The data shows")


@scene()
async def preview_row(stage: Stage) -> None:
    await to_preview(stage, "down", "down", "space")
    await stage.see("nearest of 1 to 5")


@scene()
async def preview_search(stage: Stage) -> None:
    await to_preview(stage, "slash", *"part 6")
    await stage.until(lambda: "part 7" not in stage.text())


@scene()
async def preview_search_in_vain(stage: Stage) -> None:
    await to_preview(stage, "slash", *"#999", "enter")
    await stage.see("no row with the id 999")


@scene()
async def preview_filter(stage: Stage) -> None:
    await to_preview(stage, "f", "f")
    await stage.until(lambda: "+ new" not in stage.text())


@scene()
async def preview_goals(stage: Stage) -> None:
    await to_preview(stage, "2")


@scene()
async def preview_users(stage: Stage) -> None:
    await to_preview(stage, "3")


@scene()
async def preview_no_home(stage: Stage) -> None:
    await to_preview(stage, "4")
    await stage.see("2025-11-01")


@scene()
async def preview_no_home_row(stage: Stage) -> None:
    await to_preview(stage, "4")
    await stage.see("2025-11-01")
    await stage.press("space")


@scene(findings=(a_finding(), a_finding(Severity.NOTES, code="dependency-missing", column="dependencies", count=1)))
async def preview_findings(stage: Stage) -> None:
    await to_preview(stage, "5")
    await stage.see("nearest of 1 to 5")


@scene(findings=())
async def preview_without_findings(stage: Stage) -> None:
    await to_preview(stage, "5")
    await stage.see("Nothing stands out")


@scene()
async def preview_choice(stage: Stage) -> None:
    await to_preview(stage, "5")
    await stage.see("nearest of 1 to 5")
    await stage.press("space")


@scene()
async def preview_choice_made(stage: Stage) -> None:
    await to_preview(stage, "5")
    await stage.see("nearest of 1 to 5")
    await stage.press("space", "down", "enter")
    await stage.idle()
    await stage.see("leave the row out")


@scene(findings=(a_finding(Severity.BLOCKS, choice=Choice.STOP, choices=(Choice.ADJUST, Choice.LEAVE_OUT)),))
async def preview_blocked(stage: Stage) -> None:
    await to_preview(stage, "enter")
    await stage.see("What stops the run")


@scene(evidence=UPGRADED)
async def preview_time(stage: Stage) -> None:
    await to_preview(stage, "6")
    await stage.see("2025-11")


@scene(evidence=UPGRADED)
async def preview_clock(stage: Stage) -> None:
    await to_preview(stage, "z")


@scene()
async def preview_dry_run_offered(stage: Stage) -> None:
    await to_preview(stage, "7")


@scene()
async def preview_dry_run_going(stage: Stage) -> None:
    await to_preview(stage)
    stage.core.gate.clear()
    await stage.press("d")
    await stage.see("Load tasks …")


@scene()
async def preview_dry_run_done(stage: Stage) -> None:
    await to_preview(stage, "d")
    await stage.idle()
    await stage.see("went as predicted")


@scene(happens={**TABLES, "tasks": TablePlan(67, 66, 0, 3, 0, 0)})
async def preview_dry_run_differs(stage: Stage) -> None:
    await to_preview(stage, "d")
    await stage.idle()
    await stage.see("did not go as predicted")


@scene(
    tables={"goals": TablePlan(4, 0, 4, 0, 0, 0), "tasks": TablePlan(67, 3, 60, 0, 2, 2)},
    state=a_target_state(tables={"users": 1, "goals": 4, "tasks": 62}),
)
async def preview_second_run(stage: Stage) -> None:
    await to_preview(stage)


MILLION = {"goals": TABLES["goals"], "tasks": TablePlan(1_204_331, 1_204_331, 0, 51_204, 0, 0)}


@scene(shown=FakePreview(rows=1_204_331), tables=MILLION)
async def preview_of_a_million(stage: Stage) -> None:
    await to_preview(stage)


@scene()
async def preview_without_a_copy(stage: Stage) -> None:
    await stage.come_to(Step.MIGRATION)
    stage.app.state.sqlite_path = Path("/home/ann/other.db")
    stage.app.state.source_changed()
    stage.app.visit(Step.PREVIEW)
    await stage.idle()


# Text that would rather be a command


@scene(**nasty(NASTY))
async def hostile_prerequisites(stage: Stage) -> None:
    await stage.come_to(Step.PREREQUISITES)


@scene(**nasty(NASTY))
async def hostile_row(stage: Stage) -> None:
    await to_preview(stage, "space")
    await stage.see("will differ")
