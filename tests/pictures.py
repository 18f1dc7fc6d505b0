"""Takes the pictures of README and docs from the running wizard: `python -m tests.pictures`.

The demo's data goes through every step on an embedded PostgreSQL, with Enter, as a user would press it; then comes the way back,
and a file that is damaged.
"""

import asyncio
import re
import tempfile
from pathlib import Path

from textual.pilot import Pilot

from bizy_migrate_tui.demo import prepare
from bizy_migrate_tui.embedded import embedded_server
from bizy_migrate_tui.wizard import theme
from bizy_migrate_tui.wizard.app import WizardApp
from bizy_migrate_tui.wizard.core_adapter import RealCore
from bizy_migrate_tui.wizard.flow import Step, Way
from bizy_migrate_tui.wizard.state import WizardState

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
SIZE = (120, 34)
PAGE = 4096
STEPS = (
    Step.WELCOME, Step.PREREQUISITES, Step.CONNECTION, Step.BACKUP,
    Step.PREVIEW, Step.MIGRATION, Step.VERIFICATION, Step.FINISH, Step.ROLLBACK, Step.FAILURE,
)  # fmt: skip
KEYS = {Step.PREVIEW: ("slash", *"#36", "enter"), Step.VERIFICATION: ("v", "2")}
"""What is pressed before the picture: a row that changes is open; both databases stand side by side."""
_FONTS = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""The pictures name fonts that every machine has; none is fetched from elsewhere."""


async def rest(app: WizardApp, pilot: Pilot[None]) -> None:
    """Wait until the step's work is done, and drawn."""
    for _ in range(200):
        await pilot.pause(0.05)
        if not app.step_screen.jobs:
            break
    await pilot.pause(0.5)


def keep(app: WizardApp, taken: set[Step]) -> None:
    """Write down what the screen shows, once for each step."""
    step = app.step_screen.STEP
    taken.add(step)
    picture = _FONTS.sub("", app.export_screenshot(title="bizy-migrate-tui"))
    (PICTURES / f"{step.name.lower()}.svg").write_text(picture, encoding="utf-8")


async def press(app: WizardApp, pilot: Pilot[None], *keys: str) -> None:
    """One key after another, each when the one before has had its effect."""
    for key in keys:
        await pilot.press(key)
        await rest(app, pilot)


async def walk(app: WizardApp, taken: set[Step], last: Step) -> None:
    """Enter all the way to the last step; a picture of each as it looks when it is done."""
    async with app.run_test(size=SIZE) as pilot:
        for _ in range(60):
            await rest(app, pilot)
            step = app.step_screen.STEP
            await press(app, pilot, *KEYS.get(step, ()))
            if step not in taken:
                keep(app, taken)
            if step is last:
                return
            await pilot.press("enter")


async def take(folder: Path) -> None:
    """The steps of a move, the way back, and a failure."""
    taken = set[Step]()
    with embedded_server(18) as server:
        settings = prepare(folder, server)
        for last, way in ((Step.FINISH, Way.MIGRATE), (Step.ROLLBACK, Way.ROLL_BACK), (Step.FAILURE, Way.MIGRATE)):
            if last is Step.FAILURE:
                damage(settings.sqlite_path.value)
            state = WizardState.from_settings(settings, demo=True)
            state.way = way
            await walk(WizardApp(state, RealCore(), look=theme.DEFAULT), taken, last)
    if missing := set(STEPS) - taken:
        raise SystemExit(f"No picture of {', '.join(sorted(step.name for step in missing))}")


def damage(database: Path) -> None:
    """Write over a page in its middle."""
    with database.open("r+b") as file:
        file.seek(database.stat().st_size // 2 // PAGE * PAGE)
        file.write(b"\xff" * PAGE)


def main() -> None:
    """Take them all anew."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bizy-") as folder:
        asyncio.run(take(Path(folder)))


if __name__ == "__main__":
    main()
