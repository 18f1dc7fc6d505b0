"""What a terminal's settings and size make of the screens."""

from bizy_migrate_tui.migration.postgresql.address import Target
from tests.terminal.conftest import Wizard
from tests.terminal.walk import CHECKED, COPIED, PREVIEWED, READY, WELCOME, walk

MARKS = {"", "0", "1", "2", "3", "4", "7", "9"}
"""Nothing, bold, faint, italic, underlined, reversed, struck through: no colours."""


def test_no_color_is_taken_at_its_word_and_the_cursor_is_seen_nevertheless(database: Target, wizard: Wizard) -> None:
    with wizard(database, NO_COLOR="1") as terminal:
        walk(terminal, CHECKED)
        terminal.type("down")
        terminal.until(lambda: "Python" in terminal.reversed_text, "a cursor among the checks")
        walk(terminal, PREVIEWED, start=CHECKED)
        terminal.until(lambda: "Register the company" in terminal.reversed_text, "a cursor in the list")
        said = terminal.marks
    assert said
    assert said <= MARKS


def test_resizing_in_the_middle_keeps_place_and_row(database: Target, wizard: Wizard) -> None:
    with wizard(database, columns=120, rows=40) as terminal:
        walk(terminal, PREVIEWED)
        terminal.wait("Register the company")
        for _ in range(3):
            terminal.type("down")
        terminal.wait("Task 4")  # in full, beside the list
        terminal.resize(60, 20)
        terminal.until(lambda: max(map(len, terminal.text.splitlines())) <= 60, "fit in")
        terminal.type("down")
        terminal.type(" ")
        terminal.wait("Task 5")
        terminal.type("escape")
        terminal.resize(120, 40)
        terminal.wait("▶ Preview", "Task 5")
        terminal.type("enter")
        terminal.wait(READY)


def test_sixty_columns_are_enough(database: Target, wizard: Wizard) -> None:
    with wizard(database, columns=60, rows=20) as terminal:
        walk(terminal, COPIED)


def test_a_window_that_is_too_small_says_so_kindly_until_it_has_grown(database: Target, wizard: Wizard) -> None:
    with wizard(database, columns=30, rows=8) as terminal:
        terminal.wait("This window is too small. Please make it")
        terminal.resize(80, 24)
        terminal.wait(WELCOME)
        terminal.resize(1, 1)
        terminal.resize(80, 24)
        terminal.wait(WELCOME)
        terminal.type("ctrl+q")
        assert terminal.end() == 130
