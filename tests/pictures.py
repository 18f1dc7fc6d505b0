"""Takes the pictures of README and docs from the running wizard: `python -m tests.pictures`.

The demo's data goes through every step on an embedded PostgreSQL, with Enter, as a user would press it.
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
from bizy_migrate_tui.wizard.flow import Step
from bizy_migrate_tui.wizard.state import WizardState

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
SIZE = (120, 34)
STEPS = (
    Step.WELCOME, Step.PREREQUISITES, Step.CONNECTION, Step.BACKUP,
    Step.PREVIEW, Step.MIGRATION, Step.VERIFICATION, Step.FINISH,
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


async def take(folder: Path) -> None:
    """Walk through the steps and write a picture of each as it looks when it is done."""
    with embedded_server(18) as server:
        state = WizardState.from_settings(prepare(folder, server), backup=True, demo=True)
        app = WizardApp(state, RealCore(), look=theme.DEFAULT)
        async with app.run_test(size=SIZE) as pilot:
            taken = set[Step]()
            for _ in range(60):
                step = app.step_screen.STEP
                await rest(app, pilot)
                for key in KEYS.get(step, ()):
                    await pilot.press(key)
                    await rest(app, pilot)
                if step in STEPS:
                    taken.add(step)
                    picture = _FONTS.sub("", app.export_screenshot(title="bizy-migrate-tui"))
                    (PICTURES / f"{step.name.lower()}.svg").write_text(picture, encoding="utf-8")
                if step is Step.FINISH:
                    break
                await pilot.press("enter")
        if missing := set(STEPS) - taken:
            raise SystemExit(f"No picture of {', '.join(sorted(step.name for step in missing))}")


def main() -> None:
    """Take them all anew."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bizy-") as folder:
        asyncio.run(take(Path(folder)))


if __name__ == "__main__":
    main()
