"""A window without room for a step: a kind word, and no key reaches what cannot be seen."""

from pathlib import Path

import pytest
from textual.geometry import Size
from textual.widgets import Input

from bizy_migrate_tui.migration.errors import TargetError
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.small_window import SmallWindow, too_small
from tests.wizard.fake_core import FakeCore
from tests.wizard.walking import Walk, walking

SMALL = [(59, 24), (80, 15), (30, 8), (1, 1)]


async def resize(walk: Walk, size: tuple[int, int]) -> None:
    await walk.pilot.resize_terminal(*size)
    await walk.until(lambda: walk.app.screen.size == size and isinstance(walk.app.screen, SmallWindow) is too_small(Size(*size)))
    await walk.pilot.pause()


async def test_it_gets_a_kind_word_until_it_has_grown(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await resize(walk, (50, 14))
        assert "too small" in walk.text()
        await resize(walk, (60, 16))
        assert "too small" not in walk.text()
        assert "▶ Welcome" in walk.text()


async def test_a_start_in_one_is_no_different(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path, size=(50, 14)) as walk:
        assert "too small" in walk.text()
        await resize(walk, (80, 24))
        await walk.until(lambda: "Migrate" in walk.text())
        await walk.go_on(Step.CONNECTION)


@pytest.mark.parametrize("size", SMALL)
async def test_keys_wait_until_there_is_something_to_see(tmp_path: Path, size: tuple[int, int]) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        await walk.type_into("host", "elsewhere")
        await resize(walk, size)
        await walk.press("enter", "x", "escape", "f2", "f1", "ctrl+p", "tab")
        await resize(walk, (100, 30))
        assert walk.at(Step.CONNECTION)
        assert walk.field("host").value == "elsewhere"
        assert isinstance(walk.app.focused, Input)
        await walk.press("escape")
        assert walk.at(Step.PREREQUISITES)


async def test_a_step_that_is_over_meanwhile_leaves_it_standing(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.go_on(Step.CONNECTION)
        await resize(walk, (40, 10))
        walk.screen.fail(TargetError("unreachable", "No server answers.", "Start it."))
        await walk.until(lambda: walk.at(Step.FAILURE))
        await walk.pilot.pause()
        assert "too small" in walk.text()
        await resize(walk, (80, 24))
        assert "No server answers." in walk.text()


async def test_a_dialog_is_there_again_afterwards(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await walk.press("f1")
        await resize(walk, (40, 10))
        await walk.press("escape")
        await resize(walk, (80, 24))
        assert "Escape closes" in walk.text()


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
async def test_leaving_can_be_asked_for(tmp_path: Path, key: str) -> None:
    async with walking(FakeCore(), tmp_path) as walk:
        await resize(walk, (40, 10))
        await walk.press(key)
        await walk.until(lambda: walk.app.return_code is not None)
        assert walk.app.return_code == 130
