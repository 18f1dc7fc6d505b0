"""Pictures of every screen in every state. After a change that is meant: pytest --snapshot-update, and look at them.

Every state is pictured small and large, dark and light; some in a narrow window and in the terminal's own colours too.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.command import CommandPalette

from bizy_migrate_tui.wizard import theme
from tests.wizard import scenes_after, scenes_before, scenes_preview, scenes_rollback
from tests.wizard.stage import SCENES, Clock, clock, staged

__all__ = ["clock", "scenes_after", "scenes_before", "scenes_preview", "scenes_rollback"]

Dress = tuple[tuple[int, int], str]
SMALL, LARGE, NARROW = (80, 24), (120, 40), (60, 20)
DARK, LIGHT, ANSI = theme.DARK.name, theme.LIGHT.name, "ansi-dark"
FOUR = ((SMALL, DARK), (SMALL, LIGHT), (LARGE, LIGHT), (LARGE, DARK))
MORE: dict[str, tuple[Dress, ...]] = {
    "window_too_small": (((50, 14), DARK), ((50, 14), LIGHT)),
    "connection": (*FOUR, (NARROW, DARK), (SMALL, ANSI)),
    "preview_row": (*FOUR, (NARROW, DARK), (SMALL, ANSI)),
    "migration_running": (*FOUR, (NARROW, DARK), (SMALL, ANSI)),
    "failure": (*FOUR, (NARROW, DARK)),
}


class Picture(SingleFileSnapshotExtension):
    """An SVG, without its random ids and without the fonts that it would fetch from elsewhere."""

    _file_extension = "svg"
    _write_mode = WriteMode.TEXT

    def serialize(self, data: str, **_options: object) -> str:
        return re.sub(r"\bterminal-\d+-|@font-face \{.*?\}\s*", "", data, flags=re.DOTALL)


def dresses(name: str) -> tuple[Dress, ...]:
    return MORE.get(name, FOUR)


async def pictures(name: str, clock: Clock) -> AsyncIterator[tuple[str, str]]:
    """Each dress, and the picture in it. The palette is staged anew for each: it keeps a colour of the one before."""
    left = dresses(name)
    while left:
        first_size, first_look = left[0]
        async with staged(SCENES[name], clock, size=max(SMALL, first_size), look=first_look) as stage:
            worn = left[:1] if isinstance(stage.app.screen, CommandPalette) else left
            for size, look in worn:
                yield f"{size[0]}x{size[1]}-{look}", await stage.wear(size, look)
        left = left[len(worn) :]


@pytest.mark.parametrize("name", SCENES)
async def test_looks(snapshot: SnapshotAssertion, clock: Clock, tmp_path: Path, name: str) -> None:
    approved = snapshot.use_extension(Picture)
    other = []
    async for dress, picture in pictures(name, clock):
        if picture != approved(name=dress):
            (tmp_path / f"{dress}.svg").write_text(picture, encoding="utf-8")
            other.append(tmp_path / f"{dress}.svg")
    assert not other, "look at these; if they are better, approve them with --snapshot-update"
