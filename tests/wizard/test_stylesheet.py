from typing import Any

import pytest
from textual.css import parse, stylesheet

from bizy_migrate_tui.wizard.stylesheet import KeptStylesheet


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sheets that were read, in their order."""
    seen: list[str] = []
    reading = parse.parse

    def noting(scope: str, css: str, *arguments: Any, **named: Any) -> object:
        seen.append(css)
        return reading(scope, css, *arguments, **named)

    monkeypatch.setattr(stylesheet, "parse", noting)
    return seen


def a_sheet(number: int) -> str:
    return f"Kind{number} {{ color: $primary; }}"


def test_each_sheet_is_read_once_however_many_there_are_and_screens_that_bring_more(read: list[str]) -> None:
    sheet = KeptStylesheet(variables={"primary": "red"})
    for number in range(100):
        sheet.add_source(a_sheet(number), read_from=("", str(number)))
        assert len(sheet.rules) == number + 1
        sheet.reparse()

    assert read == [a_sheet(number) for number in range(100)]


def test_other_colours_have_them_all_read_again_and_the_same_ones_none(read: list[str]) -> None:
    sheet = KeptStylesheet(variables={"primary": "red"})
    sheet.add_source(a_sheet(1))
    before = sheet.rules[0].styles.color
    sheet.set_variables({"primary": "red"})
    sheet.reparse()
    assert len(read) == 1

    sheet.set_variables({"primary": "blue"})
    sheet.reparse()

    assert len(read) == 2
    assert sheet.rules[0].styles.color != before
