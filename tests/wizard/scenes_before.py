"""The scenes of the steps before anything is written."""

from bizy_migrate_tui.migration.errors import TargetError
from bizy_migrate_tui.migration.prerequisites.prerequisites import CheckState, PrerequisiteResult
from bizy_migrate_tui.wizard.flow import Step
from tests.wizard.fake_core import UPGRADED, a_target_state
from tests.wizard.stage import Stage, scene

DOWN = TargetError(
    "server-unreachable",
    "No PostgreSQL server answers there. Connection refused.",
    "Start it:\n  sudo systemctl start postgresql",
)
NO_ROLE = "PostgreSQL knows no role “bizy”.", "Create it:\n  sudo -u postgres createuser --pwprompt bizy"


# Welcome


@scene()
async def welcome(stage: Stage) -> None:
    await stage.see("last changed")


@scene()
async def welcome_verify(stage: Stage) -> None:
    await stage.press("down")
    await stage.see("Verifying only reads")


@scene(url=None)
async def welcome_without_a_target(stage: Stage) -> None:
    await stage.see("not named yet")


@scene()
async def welcome_help(stage: Stage) -> None:
    await stage.press("f1")


@scene()
async def palette(stage: Stage) -> None:
    await stage.come_to(Step.BACKUP)
    await stage.press("ctrl+p")
    await stage.see("Go to Connection")


@scene()
async def window_too_small(stage: Stage) -> None:
    await stage.pilot.resize_terminal(50, 14)
    await stage.see("too small")


# Prerequisites


def lacking(stage: Stage) -> None:
    stage.core.results["login"] = PrerequisiteResult("login", "Login", CheckState.FAILED, *NO_ROLE, "setup")
    unreadable = "/home/ann/web/backend/.env can be read by everybody.", "chmod 600 /home/ann/web/backend/.env"
    stage.core.results["env-file"] = PrerequisiteResult("env-file", ".env file", CheckState.WARNING, *unreadable)


@scene()
async def prerequisites(stage: Stage) -> None:
    await stage.come_to(Step.PREREQUISITES)


@scene()
async def prerequisites_looking(stage: Stage) -> None:
    stage.core.gate.clear()
    await stage.press("enter")
    await stage.until(lambda: stage.text().count("Fine.") == 5)
    await stage.press("enter")


@scene()
async def prerequisites_lacking(stage: Stage) -> None:
    lacking(stage)
    await stage.come_to(Step.PREREQUISITES)


@scene()
async def prerequisites_setting_up(stage: Stage) -> None:
    lacking(stage)
    await stage.come_to(Step.PREREQUISITES)
    await stage.press("x")


# Connection


@scene()
async def connection(stage: Stage) -> None:
    await stage.come_to(Step.CONNECTION)


@scene(url=None)
async def connection_unnamed(stage: Stage) -> None:
    await stage.come_to(Step.CONNECTION)
    await stage.press("enter")


@scene()
async def connection_refused(stage: Stage) -> None:
    await stage.come_to(Step.CONNECTION)
    stage.core.refusal = DOWN
    await stage.press("ctrl+t")
    await stage.see("No PostgreSQL server")


@scene()
async def connection_with_a_bad_answer(stage: Stage) -> None:
    await stage.come_to(Step.CONNECTION)
    await stage.type_into("zone", "Mars/Olympus")
    await stage.press("enter")


@scene(evidence=UPGRADED)
async def connection_with_a_proposal(stage: Stage) -> None:
    await stage.come_to(Step.CONNECTION)
    stage.field("until").focus_input()


@scene(state=a_target_state(users=()), evidence=UPGRADED)
async def connection_without_users(stage: Stage) -> None:
    await stage.come_to(Step.CONNECTION)


@scene()
async def connection_users(stage: Stage) -> None:
    await stage.come_to(Step.CONNECTION)
    await stage.press("ctrl+l")


# Backup


@scene()
async def backup(stage: Stage) -> None:
    await stage.come_to(Step.BACKUP)


@scene()
async def backup_not_wanted(stage: Stage) -> None:
    await stage.come_to(Step.BACKUP)
    await stage.press("b")


@scene()
async def backup_copying(stage: Stage) -> None:
    await stage.come_to(Step.BACKUP)
    stage.core.gate.clear()
    await stage.press("enter")
    await stage.see("Copy the source …")


@scene()
async def backup_done(stage: Stage) -> None:
    await stage.come_to(Step.BACKUP)
    await stage.press("enter")
    await stage.idle()
