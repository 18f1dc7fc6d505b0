"""Whatever a database, a server or a file says, on every screen: it is shown, never obeyed, and nothing falls apart."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Input

from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.wizard.flow import Step, Way
from bizy_migrate_tui.wizard.screens.step import StepScreen
from bizy_migrate_tui.wizard.widgets.paged_table import PagedTable
from tests.wizard.hostile import LONG, NASTY, WIDE, nasty, proof_failed
from tests.wizard.stage import Clock, Scene, Stage, clock, staged

__all__ = ["clock"]

TOLD = {NASTY: "[/x]", LONG: "xxxxx", WIDE: "你"}
OBEYED = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")


class Looker:
    """Looks at the screen after every key."""

    def __init__(self, stage: Stage, text: str) -> None:
        self.stage = stage
        self.text = text

    async def look(self, *keys: str, tells: bool = True) -> None:
        await self.stage.press(*keys)
        await self.stage.idle()
        sign = TOLD[self.text]
        if tells:
            await self.stage.until(lambda: sign in self.stage.text())
        width, height = self.stage.app.size
        strips = self.stage.app.screen._compositor.render_strips()
        assert [strip.cell_length for strip in strips] == [width] * height
        lines = ["".join(segment.text for segment in strip) for strip in strips]
        assert not list(obeyed(lines))
        assert lines[0].startswith("  Bizy AI → PostgreSQL")
        assert "f1 Help" in lines[-1]


def obeyed(lines: list[str]) -> Iterator[str]:
    """What a terminal would take for a command."""
    return (sign for line in lines for sign in line if unicodedata.category(sign) == "Cc" or sign in OBEYED)


def hostile_target(text: str) -> Target:
    name = text.replace("\0", "")
    return Target.from_fields(host=name[:40], port=None, user=name, dbname=name, password=Secret("s3cret"))


async def first_steps(seen: Looker) -> None:
    stage = seen.stage
    stage.app.state.target = hostile_target(seen.text)
    await stage.show(Step.WELCOME)
    await seen.look()
    await stage.come_to(Step.PREREQUISITES)
    await seen.look()
    await seen.look("c")
    await stage.come_to(Step.CONNECTION)
    await seen.look("ctrl+t")
    await seen.look("ctrl+l")
    await seen.look("enter")
    await stage.come_to(Step.BACKUP)
    await seen.look("r")
    await seen.look("enter")


async def preview(seen: Looker) -> None:
    stage = seen.stage
    await stage.come_to(Step.PREVIEW)
    await stage.until(lambda: stage.screen.query(PagedTable).first().current)
    await seen.look()
    await seen.look("space")
    await seen.look("escape", "slash", *"[/x]\\")
    await seen.look("escape", "2")
    for tab in "34567":
        await seen.look(tab, tells=tab not in "6")
    await seen.look("4", "space")
    await seen.look("5")
    await seen.look("space")
    await seen.look("escape", "z", tells=False)
    await seen.look("escape", "d", tells=False)


async def the_run(seen: Looker) -> None:
    stage = seen.stage
    await stage.come_to(Step.MIGRATION)
    await seen.look()
    await seen.look("enter", tells=False)
    await stage.come_to(Step.VERIFICATION)
    await seen.look("v")
    await seen.look("2", tells=False)
    await seen.look("3")
    await stage.come_to(Step.FINISH)
    await seen.look()
    await seen.look("p")
    await seen.look("escape", "f1", tells=False)
    await stage.press("escape")
    stage.app.post_message(StepScreen.Failed(Step.MIGRATION, proof_failed(seen.text), seen.text))
    await stage.until(lambda: stage.at(Step.FAILURE))
    await seen.look()


async def the_way_back(seen: Looker) -> None:
    stage = seen.stage
    stage.app.state.way = Way.ROLL_BACK
    await stage.show(Step.ROLLBACK)
    await stage.see("will be removed")
    await seen.look()
    await seen.look("enter", tells=False)
    stage.app.screen.query_one(Input).value = "roll back"
    await seen.look("enter", tells=False)


@pytest.mark.parametrize("text", TOLD, ids=["nasty", "long", "wide"])
@pytest.mark.parametrize("walk", [first_steps, preview, the_run, the_way_back])
async def test_text_from_outside_is_shown_and_never_obeyed(clock: Clock, walk: object, text: str) -> None:
    async def welcome(stage: Stage) -> None:
        state = stage.app.state
        state.sqlite_path = Path("/home/ann") / text[:200].replace("\0", "") / "tasks.db"
        state.email = state.username = text

    async with staged(Scene(welcome, core=nasty(text)), clock) as stage:
        assert callable(walk)
        await walk(Looker(stage, text))
