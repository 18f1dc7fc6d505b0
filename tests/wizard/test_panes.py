"""The panes by themselves: they page, find, mark what changes, and nothing from a database can harm them."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, OptionList, Select, Static

from bizy_migrate_tui.migration.findings import Choice, Finding, Severity
from bizy_migrate_tui.migration.plan.preview import CellChange, Kind, PreviewRow
from bizy_migrate_tui.wizard.widgets.cell_changes import CellChanges, change_text, changed_spans
from bizy_migrate_tui.wizard.widgets.choice_dialog import ChoiceDialog
from bizy_migrate_tui.wizard.widgets.diff_pane import DiffPane
from bizy_migrate_tui.wizard.widgets.findings_pane import FindingsPane, explanation
from bizy_migrate_tui.wizard.widgets.homeless_pane import HomelessPane
from bizy_migrate_tui.wizard.widgets.paged_table import ROWS_HELD, PagedTable
from bizy_migrate_tui.wizard.widgets.side_by_side import Pair, by_month, chart
from bizy_migrate_tui.wizard.widgets.zone_dialog import ZoneChoice, ZoneDialog
from tests.wizard.fake_core import QUIET, UPGRADED
from tests.wizard.fake_preview import HOSTILE, FakePreview

T = TypeVar("T")
UNSAFE = ("\x1b", "\x07", "\x00", "\u202e", "\u2066")


class Alone(App[None]):
    """One widget, and what it says."""

    CSS = "PagedTable { height: 10; } CellChanges { height: 12; }"

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.widget = widget
        self.problem = ""
        self.wanted: list[Finding] = []

    def compose(self) -> ComposeResult:
        yield self.widget

    def on_diff_pane_looked(self, event: DiffPane.Looked) -> None:
        self.problem = event.problem

    def on_findings_pane_choice_wanted(self, event: FindingsPane.ChoiceWanted) -> None:
        self.wanted.append(event.finding)


@asynccontextmanager
async def alone(widget: Widget) -> AsyncIterator[tuple[Alone, Pilot[None]]]:
    app = Alone(widget)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        yield app, pilot


async def until(pilot: Pilot[None], holds: Callable[[], object]) -> None:
    for _ in range(500):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError("It never came to that.")


def shown(app: Alone) -> str:
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


def a_finding(**changes: object) -> Finding:
    values = {"code": "priority-out-of-range", "severity": Severity.ADJUSTS, "table": "tasks", "ids": ("7",), "count": 1}
    choices = (Choice.ADJUST, Choice.LEAVE_OUT, Choice.STOP)
    return Finding(**{**values, "action": "it becomes 5", "column": "priority", "choices": choices, **changes})  # type: ignore[arg-type]


async def test_a_million_rows_open_with_one_page() -> None:
    preview = FakePreview(rows=1_000_000)
    async with alone(DiffPane("tasks", preview)) as (app, pilot):
        await until(pilot, lambda: app.query_one(PagedTable).current)
        assert preview.asked == [("tasks", None, None, "")]
        assert app.query_one(PagedTable).row_count == 100


async def test_coming_near_the_end_fetches_the_next_page() -> None:
    preview = FakePreview(rows=250)
    async with alone(DiffPane("tasks", preview)) as (app, pilot):
        table = app.query_one(PagedTable)
        await until(pilot, lambda: table.current)
        table.focus()
        await pilot.press("end")
        await until(pilot, lambda: table.row_count == 200)
        await pilot.press("end")
        await until(pilot, lambda: table.row_count == 250)
        assert [after for _, after, _, _ in preview.asked] == [None, 100, 200]


async def test_the_rows_held_are_bounded_and_home_leads_back_to_the_first() -> None:
    async with alone(DiffPane("tasks", FakePreview(rows=5_000))) as (app, pilot):
        table = app.query_one(PagedTable)
        await until(pilot, lambda: table.current)
        table.focus()
        while table.row_count < ROWS_HELD:
            rows = table.row_count
            await pilot.press("end")
            await until(pilot, lambda rows=rows: table.row_count != rows)  # type: ignore[misc]
        await pilot.press("end")
        await until(pilot, lambda: table.row_count < ROWS_HELD)
        assert table.current is not None
        assert table.current.id == str(ROWS_HELD)
        await pilot.press("home")
        await until(pilot, lambda: table.current is not None and table.current.id == "1")


async def test_a_kind_can_be_shown_alone_and_all_again() -> None:
    preview = FakePreview()
    pane = DiffPane("tasks", preview)
    async with alone(pane) as (app, pilot):
        table = app.query_one(PagedTable)
        await until(pilot, lambda: table.current)
        pane.next_kind()
        await until(pilot, lambda: preview.asked[-1][2] is Kind.NEW)
        pane.next_kind()
        await until(pilot, lambda: preview.asked[-1][2] is Kind.ADJUSTED and table.row_count == 4)
        pane.next_kind()
        await until(pilot, lambda: preview.asked[-1][2] is None and table.row_count == 67)
        assert app.query_one("#kind", Select).value is Select.NULL


async def test_a_search_asks_once_for_what_was_typed() -> None:
    preview = FakePreview()
    pane = DiffPane("tasks", preview)
    async with alone(pane) as (app, pilot):
        await until(pilot, lambda: app.query_one(PagedTable).current)
        pane.focus_search()
        await pilot.press(*"part 12", "enter")
        await until(pilot, lambda: app.query_one(PagedTable).row_count == 1)
        assert preview.asked[-1] == ("tasks", None, None, "part 12")
        assert preview.asked.count(preview.asked[-1]) == 1  # neither the pause nor Enter asks again
        assert app.query_one(PagedTable).has_focus


class SlowPreview(FakePreview):
    """Tells of what it finds in parts, and ends when it may."""

    def __init__(self) -> None:
        super().__init__()
        self.found, self.ended = threading.Event(), threading.Event()

    def page(self, table: str, **question: Any) -> tuple[PreviewRow, ...]:
        on_found = question.pop("on_found")
        rows = super().page(table, **question)
        if on_found is None:
            return rows
        on_found(())
        assert self.found.wait(30)
        on_found(rows[:2])
        assert self.ended.wait(30)
        return rows[2:]


async def test_a_long_search_shows_its_first_hits_while_it_goes_on() -> None:
    preview = SlowPreview()
    pane = DiffPane("tasks", preview)
    async with alone(pane) as (app, pilot):
        table = app.query_one(PagedTable)
        await until(pilot, lambda: table.current)
        pane.focus_search()
        await pilot.press(*"part", "enter")
        await until(pilot, lambda: "Searching …" in shown(app))
        assert table.row_count == 0
        preview.found.set()
        await until(pilot, lambda: table.row_count == 2)
        await pilot.press("down")
        preview.ended.set()
        await until(pilot, lambda: table.row_count == len(FakePreview().page("tasks", search="part")))
        assert table.cursor_row == 1
        assert len(preview.asked) == 2  # the end of a part is no reason to ask for the next page


async def test_a_number_sign_jumps_to_the_id() -> None:
    pane = DiffPane("tasks", FakePreview(rows=5_000))
    async with alone(pane) as (app, pilot):
        table = app.query_one(PagedTable)
        await until(pilot, lambda: table.current)
        pane.focus_search()
        await pilot.press(*"#4711", "enter")
        await until(pilot, lambda: table.current is not None and table.current.id == "4711")


async def test_an_id_that_is_not_there_is_said() -> None:
    pane = DiffPane("tasks", FakePreview())
    async with alone(pane) as (app, pilot):
        await until(pilot, lambda: app.query_one(PagedTable).current)
        pane.focus_search()
        await pilot.press(*"#999", "enter")
        await until(pilot, lambda: app.problem == "There is no row with the id 999.")


async def test_another_plan_keeps_the_row_under_the_cursor() -> None:
    pane = DiffPane("tasks", FakePreview())
    async with alone(pane) as (app, pilot):
        table = app.query_one(PagedTable)
        await until(pilot, lambda: table.current)
        table.focus()
        await pilot.press(*["down"] * 12)
        pane.renew(FakePreview(kinds={Kind.NEW: 66, Kind.LEFT_OUT: 1}))
        await until(pilot, lambda: table.current is not None)
        assert table.current is not None
        assert table.current.id == "13"


async def test_the_row_under_the_cursor_is_shown_in_full() -> None:
    async with alone(DiffPane("tasks", FakePreview())) as (app, pilot):
        await until(pilot, lambda: "will differ" in str(app.query_one("#detail", CellChanges).query_one(Static).content))
        detail = str(app.query_one("#detail", CellChanges).query_one(Static).content)
        assert "− 2025-11-18 22:03:11.250000" in detail
        assert "+ 2025-11-19 03:03:11.250000" in detail
        assert "NULL" in detail


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_shown_and_does_nothing(text: str) -> None:
    class Hostile(FakePreview):
        def page(self, table: str, **_question: object) -> tuple:  # type: ignore[type-arg]
            return tuple(type(row)(row.key, text, row.kind, text, (text,) * 3) for row in super().page(table))

        def detail(self, table: str, key: int) -> tuple[CellChange, ...]:
            return (CellChange(text, text, text + "!", changed=True, reason=text), CellChange(text, text, text, False, text))

    async with alone(DiffPane("tasks", Hostile())) as (app, pilot):
        await until(pilot, lambda: "will differ" in str(app.query_one("#detail", CellChanges).query_one(Static).content))
        await pilot.pause()
        assert not [character for character in UNSAFE if character in shown(app)]
        assert ("[/x]" in shown(app)) == ("[/x]" in text)


async def test_rows_without_a_home_are_listed_table_by_table() -> None:
    pane = HomelessPane()
    async with alone(pane) as (app, pilot):
        pane.show(FakePreview())
        table = app.query_one(PagedTable)
        await until(pilot, lambda: table.row_count == 12)
        app.query_one(Select).value = "research"
        await until(pilot, lambda: table.row_count == 3)
        assert not [character for character in UNSAFE if character in shown(app)]


async def test_what_stops_the_run_comes_first_and_space_asks_for_a_choice() -> None:
    pane = FindingsPane()
    note = a_finding(code="dependency-missing", severity=Severity.NOTES, choices=())
    stops = a_finding(code="id-taken", severity=Severity.BLOCKS, table=HOSTILE[0])
    async with alone(pane) as (app, pilot):
        pane.show((note, a_finding(), stops))
        table = app.query_one(PagedTable)
        await until(pilot, lambda: table.row_count == 3)
        table.focus()
        await pilot.press("space")
        await until(pilot, lambda: app.wanted)
        await pilot.press("end", "space")
        await pilot.pause()
        assert app.wanted == [stops]


def test_a_finding_names_its_rows_and_how_many_more() -> None:
    text = explanation(a_finding(ids=tuple(str(number) for number in range(100)), count=1_234)).plain
    assert "ids 0, 1, 2" in text
    assert "1,194 more" in text


@pytest.mark.parametrize(
    ("before", "after", "gone", "come"),
    [
        ("9", "5", [(0, 1)], [(0, 1)]),
        ("2025-11-18 22:03", "2025-11-18 23:03", [(12, 13)], [(12, 13)]),
        ("same", "same", [], []),
        ("", "new", [], [(0, 3)]),
        ("a" * 500 + "x" + "b" * 500, "a" * 500 + "y" + "b" * 500, [(500, 501)], [(500, 501)]),
    ],
)
def test_the_changed_part_is_marked(before: str, after: str, gone: list[tuple[int, int]], come: list[tuple[int, int]]) -> None:
    assert changed_spans(before, after) == (gone, come)


def test_null_and_empty_text_and_the_word_null_look_different() -> None:
    columns = [CellChange(name, value, value, False, "") for name, value in (("a", None), ("b", ""), ("c", "NULL"))]
    lines = change_text("Task 1", columns).plain.splitlines()[2:]
    assert lines == ["  a  NULL", "  b  (empty text)", "  c  NULL"]
    styles = [{str(span.style) for span in change_text("Task 1", [column]).spans} for column in columns]
    assert styles[0] != styles[2]


def test_a_long_value_says_how_long_it_is() -> None:
    text = change_text("Task 1", [CellChange("notes", "x" * 10_000, "x" * 10_000, False, "")]).plain
    assert "10,000 characters in all" in text
    assert len(text) < 3_000


def test_the_chart_marks_months_that_differ() -> None:
    lines = chart((Pair("2025-10", 30, 29), Pair("2025-11", 25, 25)), 76).plain.splitlines()
    assert lines[1].rstrip().endswith("≠ -1")
    assert lines[2].rstrip().endswith("=")
    assert max(len(line) for line in lines) <= 76


def test_many_months_are_counted_by_year() -> None:
    timeline = [(f"{year}-{month:02d}", 1, 1) for year in range(2015, 2025) for month in range(1, 13)]
    assert by_month(timeline)[0] == Pair("2015", 12, 12)
    assert len(by_month(timeline)) == 10


@asynccontextmanager
async def asked(dialog: ModalScreen[T]) -> AsyncIterator[tuple[list[T | None], Pilot[None]]]:
    answers: list[T | None] = []
    async with alone(Static()) as (app, pilot):
        app.push_screen(dialog, answers.append)
        await pilot.pause()
        yield answers, pilot


async def test_the_choice_in_force_is_under_the_cursor_and_another_can_be_taken() -> None:
    async with asked(ChoiceDialog(a_finding())) as (answers, pilot):
        assert pilot.app.screen.query_one(OptionList).highlighted == 0
        await pilot.press("down", "enter")
        await pilot.pause()
        assert answers == [Choice.LEAVE_OUT]


async def test_escape_leaves_the_choice_as_it_is() -> None:
    async with asked(ChoiceDialog(a_finding())) as (answers, pilot):
        await pilot.press("escape")
        await pilot.pause()
        assert answers == [None]


async def test_a_zone_is_taken_only_when_it_is_one() -> None:
    async with asked(ZoneDialog(ZoneChoice("America/New_York", None), UPGRADED)) as (answers, pilot):
        screen = pilot.app.screen
        assert "UTC until task 41" in str(screen.query_one("#zone-evidence", Static).content)
        screen.query_one("#zone", Input).value = "Mars/Olympus"
        screen.query_one("#zone", Input).focus()
        await pilot.press("enter")
        await pilot.pause()
        assert answers == []
        assert "no time zone" in str(screen.query_one("#zone-error", Static).content)
        screen.query_one("#zone", Input).value = "Europe/Berlin"
        screen.query_one("#until", Input).value = "41"
        await pilot.press("enter")
        await pilot.pause()
        assert answers == [ZoneChoice("Europe/Berlin", 41)]


async def test_times_that_do_not_contradict_each_other_say_so() -> None:
    async with asked(ZoneDialog(ZoneChoice("UTC", None), QUIET)) as (_, pilot):
        assert "No time contradicts" in str(pilot.app.screen.query_one("#zone-evidence", Static).content)
