"""Pictures of every screen in every state. After a change that is meant: pytest --snapshot-update, and look at them.

Every state is pictured small and dark, and large and light; the main states of a screen in both sizes and both dresses, some
in a narrow window and in the terminal's own colours too.
"""

import re
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from bizy_migrate_tui.wizard import theme
from tests.wizard import scenes_after, scenes_before, scenes_preview, scenes_rollback
from tests.wizard.stage import SCENES, Clock, clock, staged

__all__ = ["clock", "scenes_after", "scenes_before", "scenes_preview", "scenes_rollback"]

Dress = tuple[tuple[int, int], str]
SMALL, LARGE, NARROW = (80, 24), (120, 40), (60, 20)
DARK, LIGHT, ANSI = theme.DARK.name, theme.LIGHT.name, "ansi-dark"
TWO = ((SMALL, DARK), (LARGE, LIGHT))
FOUR = (*TWO, (SMALL, LIGHT), (LARGE, DARK))
MORE: dict[str, tuple[Dress, ...]] = {
    "window_too_small": (((50, 14), DARK),),
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
    return MORE.get(name, FOUR if SCENES[name].main else TWO)


@pytest.mark.parametrize("name", SCENES)
async def test_looks(snapshot: SnapshotAssertion, clock: Clock, tmp_path: Path, name: str) -> None:
    approved = snapshot.use_extension(Picture)
    other = []
    async with staged(SCENES[name], clock) as stage:
        for size, look in dresses(name):
            picture = await stage.wear(size, look)
            dress = f"{size[0]}x{size[1]}-{look}"
            if picture != approved(name=dress):
                (tmp_path / f"{dress}.svg").write_text(picture, encoding="utf-8")
                other.append(tmp_path / f"{dress}.svg")
    assert not other, "look at these; if they are better, approve them with --snapshot-update"
