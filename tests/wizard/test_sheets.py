"""A screen's sheet applies to the whole app once it is loaded: each keeps to its own screen."""

from pathlib import Path

import pytest
from textual.css.stylesheet import Stylesheet

from bizy_migrate_tui.wizard import screens
from bizy_migrate_tui.wizard.app import SCREENS

FOLDER = Path(screens.__file__).parent
VARIABLES = ("background", "panel", "primary", "secondary", "surface", "surface-lighten-2", "text-muted", "warning")
SHEETS = sorted(FOLDER.glob("*.tcss"))


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)
def test_every_rule_begins_with_its_screen(sheet: Path) -> None:
    step = next(step for step in SCREENS if step.name.lower() == sheet.stem)
    rules = Stylesheet(variables=dict.fromkeys(VARIABLES, "#123456"))
    rules.read(sheet)
    firsts = {chosen.selectors[0].name for rule in rules.rules for chosen in rule.selector_set}
    assert firsts == {SCREENS[step]}
