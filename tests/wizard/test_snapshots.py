"""Pictures of the first steps in each of their states. After a change that is meant: pytest --snapshot-update, and look."""

import os
import shutil
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from bizy_migrate_tui.migration.errors import TargetError
from bizy_migrate_tui.migration.prerequisites import CheckState, PrerequisiteResult
from bizy_migrate_tui.wizard import theme
from bizy_migrate_tui.wizard.app import WizardApp
from bizy_migrate_tui.wizard.flow import Step
from tests.wizard.fake_core import UPGRADED, FakeCore, a_target_state
from tests.wizard.walking import Walk, a_state

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths look different there")

SIZES = [(80, 24), (120, 40)]
HOSTILE = "[/x] a='x \x1b[31m\u202e😀 " + "long " * 200
Act = Callable[[Walk, FakeCore], Awaitable[None]]
Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def same_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No picture shows this machine's folders, disk, clock or blinking cursor."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**12, 0, 10**12))
    monkeypatch.setattr(Input, "cursor_blink", False)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def welcome(walk: Walk, _core: FakeCore) -> None:
    await walk.idle()


async def welcome_verify(walk: Walk, _core: FakeCore) -> None:
    await walk.press("down")


async def welcome_without_source(walk: Walk, _core: FakeCore) -> None:
    walk.app.state.sqlite_path = Path("/nowhere/tasks.db")
    await walk.show(Step.WELCOME)


async def help_(walk: Walk, _core: FakeCore) -> None:
    await walk.press("f1")


async def prerequisites(walk: Walk, _core: FakeCore) -> None:
    await walk.press("enter")


async def prerequisites_failed(walk: Walk, core: FakeCore) -> None:
    lacking = "PostgreSQL knows no role “bizy”.", "Create it:\nsudo -u postgres createuser --pwprompt bizy"
    core.results["login"] = PrerequisiteResult("login", "Login", CheckState.FAILED, *lacking, "setup")
    hostile = PrerequisiteResult("env-file", ".env file", CheckState.WARNING, HOSTILE, HOSTILE)
    core.results["env-file"] = hostile
    await walk.press("enter")


async def setup(walk: Walk, core: FakeCore) -> None:
    await prerequisites_failed(walk, core)
    await walk.idle()
    await walk.press("x")


async def connection(walk: Walk, _core: FakeCore) -> None:
    await walk.go_on(Step.CONNECTION)


async def connection_refused(walk: Walk, core: FakeCore) -> None:
    await walk.go_on(Step.CONNECTION)
    remedy = "Start PostgreSQL:\nsudo systemctl start postgresql"
    core.refusal = TargetError("server-unreachable", "Nobody answers at localhost:5432.", remedy)
    await walk.press("ctrl+t")


async def connection_bad_answer(walk: Walk, _core: FakeCore) -> None:
    await walk.go_on(Step.CONNECTION)
    await walk.type_into("zone", "Mars/Olympus")
    await walk.press("enter")


async def connection_hostile(walk: Walk, core: FakeCore) -> None:
    core.state = a_target_state(server_version=HOSTILE, user=HOSTILE, dbname=HOSTILE, timezone=HOSTILE)
    await walk.go_on(Step.CONNECTION)


async def users(walk: Walk, _core: FakeCore) -> None:
    await walk.go_on(Step.CONNECTION)
    await walk.press("ctrl+l")


async def backup(walk: Walk, _core: FakeCore) -> None:
    await walk.go_on(Step.BACKUP)


async def backup_done(walk: Walk, _core: FakeCore) -> None:
    await walk.go_on(Step.BACKUP)
    await walk.press("enter")


STATES: dict[str, Act] = {
    act.__name__.strip("_"): act
    for act in (
        welcome,
        welcome_verify,
        welcome_without_source,
        help_,
        prerequisites,
        prerequisites_failed,
        setup,
        connection,
        connection_refused,
        connection_bad_answer,
        connection_hostile,
        users,
        backup,
        backup_done,
    )
}


def picture(compare: Compare, folder: Path, act: Act, size: tuple[int, int], look: str) -> bool:
    core = FakeCore(evidence=UPGRADED)
    state = a_state(folder)
    os.utime(state.sqlite_path, (1_763_800_000, 1_763_800_000))
    app = WizardApp(state, core, look=look)

    async def before(pilot: Pilot[Any]) -> None:
        walk = Walk(app, pilot)
        await walk.idle()
        await act(walk, core)
        await walk.idle()

    return compare(app, terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("state", STATES)
def test_a_step_looks_as_it_was_approved(snap_compare: Compare, tmp_path: Path, state: str, size: tuple[int, int]) -> None:
    assert picture(snap_compare, tmp_path, STATES[state], size, theme.DARK.name)


@pytest.mark.parametrize("look", [theme.LIGHT.name, "ansi-dark"])
@pytest.mark.parametrize("state", ["prerequisites_failed", "connection_bad_answer"])
def test_every_dress_was_approved(snap_compare: Compare, tmp_path: Path, state: str, look: str) -> None:
    assert picture(snap_compare, tmp_path, STATES[state], (80, 24), look)


def test_a_narrow_window_is_usable(snap_compare: Compare, tmp_path: Path) -> None:
    assert picture(snap_compare, tmp_path, connection, (60, 20), theme.DARK.name)
