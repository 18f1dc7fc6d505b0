"""What is typed into the form of the connection and cannot be read changes nothing, wherever the user goes."""

from pathlib import Path

import pytest

from bizy_migrate_tui.wizard.flow import Step
from tests.wizard.fake_core import FakeCore
from tests.wizard.walking import walking


@pytest.mark.parametrize(("field", "text"), [("zone", ""), ("zone", "Mars/Olympus"), ("until", "x"), ("email", "nobody")])
async def test_an_answer_that_cannot_be_read_is_not_taken_along(tmp_path: Path, field: str, text: str) -> None:
    async with walking(FakeCore(), tmp_path, size=(120, 40)) as walk:
        await walk.go_on(Step.BACKUP)
        state = walk.app.state
        before = (state.zone, state.utc_until, state.email)
        await walk.press("f4")
        await walk.idle()
        await walk.type_into(field, text)
        await walk.press("f5")
        await walk.idle()
        assert walk.at(Step.BACKUP)
        assert (state.zone, state.utc_until, state.email) == before
        assert "hold." in walk.text()
        await walk.press("escape")
        await walk.idle()
        assert walk.at(Step.CONNECTION)


async def test_a_zone_that_this_machine_does_not_know_is_told(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path, size=(120, 40)) as walk:
        walk.app.state.zone = "Mars/Olympus"
        await walk.show(Step.CONNECTION)
        await walk.idle()
        assert "There is no time zone called" in " ".join(walk.text().split())


async def test_a_url_that_cannot_be_read_is_made_anew_from_the_fields(tmp_path: Path) -> None:
    async with walking(FakeCore(), tmp_path, size=(120, 40)) as walk:
        await walk.show(Step.CONNECTION)
        await walk.idle()
        await walk.type_into("url", "postgresql://ann@db.example.org:port/web")
        await walk.type_into("port", "6000")
        assert walk.field("url").value == "postgresql://bizy@localhost:6000/bizy_dev"
