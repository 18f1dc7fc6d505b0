"""The scenes of the steps that write, and of what comes after them."""

from bizy_migrate_tui.migration.errors import MigrationError, ProofFailed, RunFailed
from bizy_migrate_tui.migration.events import Phase, Progress
from bizy_migrate_tui.migration.findings import Check, Difference
from bizy_migrate_tui.migration.plan.plan import TablePlan
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.screens.migration import MigrationScreen
from bizy_migrate_tui.wizard.screens.step import StepScreen
from tests.wizard.fake_core import a_target_state
from tests.wizard.fake_results import a_verification
from tests.wizard.scenes_before import DOWN
from tests.wizard.stage import Stage, scene

MANY = {"goals": TablePlan(1_200, 1_200, 0, 0, 0, 0), "tasks": TablePlan(1_000_000, 1_000_000, 0, 3, 0, 0)}
RATES = (20_000, 52_000, 83_000, 110_000, 141_000, 152_000, 190_000, 232_000, 271_000, 300_000, 342_000, 371_000, 412_000)
WRONG = (
    Difference("tasks", "7", "title", "Water the plants", "Water the cat"),
    Difference("tasks", "7", "notes", None, ""),
    Difference("goals", "2", "description", "Once a week, on Sundays", "Once a week, on Mondays"),
)
PROOF = ProofFailed(
    "proof-failed",
    "3 cells are not what they should be; everything was rolled back.",
    "Save the report, and please send it to us.",
    WRONG,
    (Check("every cell is as in the source", False, "3 differ"), Check("tasks: counts match", True, "67 of 67")),
)
FULL = RunFailed("disk-full-target", "The server's disk is full.", "Make room on the server's disk, then try again.")
DOUBT = RunFailed(
    "commit-in-doubt",
    "The connection was lost during COMMIT, and the server could not be asked since.",
    "See whether the run is there:\n  bizy-migrate-tui runs",
)


# Migration


async def start(stage: Stage) -> None:
    """A run that is at 412,000 tasks of a million, after some seconds."""
    await stage.come_to(Step.MIGRATION)
    stage.core.gate.clear()
    await stage.press("enter")
    await stage.see("Loading tasks")
    screen = stage.screen
    assert isinstance(screen, MigrationScreen)
    assert screen._meter is not None
    for done in RATES:
        screen._meter.take(Progress(Phase.TASKS, done))
        stage.clock.seconds += 0.5
        screen.tick()
    await stage.see("412,000 of 1,000,000")


@scene()
async def migration(stage: Stage) -> None:
    await stage.come_to(Step.MIGRATION)


@scene(tables=MANY)
async def migration_running(stage: Stage) -> None:
    await start(stage)


@scene(tables=MANY)
async def migration_log(stage: Stage) -> None:
    await start(stage)
    await stage.press("l")


@scene(tables=MANY)
async def migration_stop_question(stage: Stage) -> None:
    await start(stage)
    await stage.press("x")


@scene(tables=MANY)
async def migration_quit_question(stage: Stage) -> None:
    await start(stage)
    await stage.press("ctrl+q")


@scene(tables=MANY)
async def migration_stopped(stage: Stage) -> None:
    await start(stage)
    await stage.press("x", "right", "enter")
    await stage.see("database is as before")


@scene(tables=MANY)
async def migration_stopped_beside_others(stage: Stage) -> None:
    await start(stage)
    stage.core.state = a_target_state(tables={"users": 2, "goals": 0, "tasks": 0})
    await stage.press("x", "right", "enter")
    await stage.see("Somebody else")


@scene()
async def migration_done(stage: Stage) -> None:
    await stage.come_to(Step.MIGRATION)
    await stage.press("enter")
    await stage.see("arrived")


@scene()
async def migration_without_a_plan(stage: Stage) -> None:
    await stage.come_to(Step.MIGRATION)
    stage.app.state.choices_changed("time zone changed")
    await stage.show(Step.MIGRATION)


# Verification


async def compared(stage: Stage, *keys: str) -> None:
    await stage.come_to(Step.VERIFICATION)
    await stage.press("v")
    await stage.see("compared again")
    await stage.press(*keys)


@scene()
async def verification(stage: Stage) -> None:
    await stage.come_to(Step.VERIFICATION)


@scene()
async def verification_comparing(stage: Stage) -> None:
    await stage.come_to(Step.VERIFICATION)
    stage.core.gate.clear()
    await stage.press("v")
    await stage.see("Prove every cell")


@scene()
async def verification_side_by_side(stage: Stage) -> None:
    await compared(stage, "2")


@scene(verification=a_verification(WRONG))
async def verification_failed(stage: Stage) -> None:
    await compared(stage)


@scene(verification=a_verification(WRONG))
async def verification_differences(stage: Stage) -> None:
    await compared(stage, "3")
    await stage.see("Water the cat")


# Finish


@scene()
async def finish(stage: Stage) -> None:
    await stage.come_to(Step.FINISH)


@scene()
async def finish_leaving_without_the_password(stage: Stage) -> None:
    await stage.come_to(Step.FINISH)
    await stage.press("enter")


@scene()
async def finish_password(stage: Stage) -> None:
    await stage.come_to(Step.FINISH)
    await stage.press("p")


@scene()
async def finish_password_saved(stage: Stage) -> None:
    await stage.come_to(Step.FINISH)
    await stage.press("p", "s")


@scene()
async def finish_env_written(stage: Stage) -> None:
    await stage.come_to(Step.FINISH)
    await stage.press("e")
    await stage.idle()


@scene()
async def finish_report_saved(stage: Stage) -> None:
    await stage.come_to(Step.FINISH)
    await stage.press("s")
    await stage.idle()


# Failure


async def fail(stage: Stage, at: Step, error: MigrationError, **meaning: str) -> None:
    await stage.come_to(Step.MIGRATION)
    stage.app.post_message(StepScreen.Failed(at, error, **meaning))
    await stage.until(lambda: stage.at(Step.FAILURE))


@scene()
async def failure(stage: Stage) -> None:
    await fail(stage, Step.MIGRATION, FULL, meaning="Nothing was changed: PostgreSQL took back everything the run had written.")


@scene()
async def failure_of_the_proof(stage: Stage) -> None:
    await fail(stage, Step.MIGRATION, PROOF)
    await stage.see("2 columns not as expected")


@scene()
async def failure_in_doubt(stage: Stage) -> None:
    doubt = "Either everything was committed or nothing: the server could not be asked."
    await fail(stage, Step.MIGRATION, DOUBT, meaning=doubt)


@scene()
async def failure_of_the_connection(stage: Stage) -> None:
    await fail(stage, Step.CONNECTION, DOWN)


@scene()
async def failure_left_and_stale(stage: Stage) -> None:
    await fail(stage, Step.MIGRATION, FULL)
    stage.app.state.choices_changed("time zone changed")
    stage.app.visit(Step.PREVIEW)
    await stage.idle()
