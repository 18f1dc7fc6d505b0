"""`census`: tables for people, one object for programs, no PostgreSQL."""

from pathlib import Path

import pytest

from tests.bizy_source import make_source
from tests.cli.conftest import Command


def test_what_bizy_wrote_is_shown_to_people(command: Command, source: Path) -> None:
    ended = command("census", "--sqlite-path", str(source), "--timezone", "UTC", COLUMNS="160")

    assert ended.code == 0, ended.err
    assert "tasks · 3 rows" in ended.out
    assert "1 priority-out-of-range: 2" in ended.out
    assert "daily_logs · 0 rows · will be preserved" in ended.out
    assert sorted(path.name for path in source.parent.iterdir() if path.is_file()) == ["tasks.db"]


def test_programs_get_one_object(command: Command, source: Path) -> None:
    ended = command("census", "--sqlite-path", str(source), "--timezone", "UTC", "--table", "tasks", "--json")

    assert (ended.code, ended.report["status"], ended.report["error"]) == (0, "done", None)
    assert list(ended.report["census"]) == ["tasks"]
    tasks = {column["name"]: column for column in ended.report["census"]["tasks"]["columns"]}
    assert tasks["priority"]["classes"] == {"null": 0, "integer": 3, "real": 0, "text": 0, "blob": 0}
    assert tasks["priority"]["troubles"] == [{"code": "priority-out-of-range", "count": 1, "ids": ["2"]}]
    assert ended.report["source"]["rows"]["tasks"] == 3


def test_text_of_the_source_is_shown_and_not_obeyed(command: Command, home: Path) -> None:
    make_source(home / "tasks.db", tasks=[{"title": "\x1b[2J[bold]x[/bold]\u202e", "notes": b"\x00\xff", "priority": 9}])

    ended = command("census", "--sqlite-path", "tasks.db", COLUMNS="160")

    assert ended.code == 0, ended.err
    assert "␛[2J[bold]x[/bold]" in ended.out
    assert not {"\x1b", "\u202e", "\0"} & set(ended.out + ended.err)


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("--sqlite-path", "tasks.db", "--table", "nope"), 2, "no-such-table"),
        (("--sqlite-path", "missing.db"), 3, "source-missing"),
        (("--sqlite-path", "tasks.db", "--timezone", "Mars/Olympus"), 2, "unknown-zone"),
    ],
)
def test_errors_have_their_exit_codes(command: Command, source: Path, arguments: tuple[str, ...], code: int, error: str) -> None:
    ended = command("census", *arguments, "--json")

    assert (ended.code, ended.report["error"]["code"], ended.report["status"]) == (code, error, "failed")
