"""The scenes of a rollback."""

from dataclasses import replace

from textual.widgets import Input

from bizy_migrate_tui.wizard.flow import Step, Way
from tests.wizard.fake_results import a_run
from tests.wizard.stage import Stage, scene


async def roll_back(stage: Stage, *keys: str) -> None:
    stage.app.state.way = Way.ROLL_BACK
    await stage.show(Step.ROLLBACK)
    await stage.idle()
    await stage.press(*keys)
    await stage.idle()


async def confirmed(stage: Stage) -> None:
    await roll_back(stage, "enter")
    stage.app.screen.query_one(Input).value = "roll back"
    await stage.press("enter")


@scene()
async def rollback(stage: Stage) -> None:
    await roll_back(stage)
    await stage.see("will be removed")


@scene()
async def rollback_taking_changed_rows_along(stage: Stage) -> None:
    await roll_back(stage, "i")
    await stage.see("67 tasks")


@scene()
async def rollback_done_already(stage: Stage) -> None:
    await roll_back(stage, "down")
    await stage.see("already")


@scene(runs=())
async def rollback_without_runs(stage: Stage) -> None:
    await roll_back(stage)
    await stage.see("No run was ever made")


@scene()
async def rollback_word(stage: Stage) -> None:
    await roll_back(stage, "enter")


@scene()
async def rollback_wrong_word(stage: Stage) -> None:
    await roll_back(stage, "enter", *"yes", "enter")


@scene()
async def rollback_going(stage: Stage) -> None:
    await roll_back(stage)
    stage.core.gate.clear()
    await confirmed(stage)
    await stage.see("x stops it")


@scene()
async def rollback_quit_question(stage: Stage) -> None:
    await rollback_going(stage)
    await stage.press("ctrl+q")


@scene()
async def rollback_done(stage: Stage) -> None:
    await confirmed(stage)
    await stage.see("was rolled back in")


@scene(runs=tuple(replace(a_run(), id=number) for number in range(12, 0, -1)))
async def rollback_of_many_runs(stage: Stage) -> None:
    await roll_back(stage)
    await stage.see("will be removed")
