"""The whole way, and what a terminal can do to it."""

from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.postgresql.address import Target
from tests.terminal.conftest import Wizard
from tests.terminal.terminal import Terminal, running
from tests.terminal.walk import CHECKED, COPIED, FINISHED, PASSWORD_UNSEEN, PREVIEWED, WELCOME, walk

SOCKET = ".s.PGSQL.5432"


def processes_of(folder: Path) -> list[str]:
    """What still runs with something in that folder."""
    found = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    return [" ".join(words) for words in found if str(folder) in " ".join(words)]


def is_as_before(terminal: Terminal) -> bool:
    """Whether the terminal is as it was: cooked, its cursor shown, its own screen in sight, no reports of mouse or focus."""
    off = ("1049", "1000", "1003", "1004", "1006", "1015", "2004")
    modes = terminal.modes
    return terminal.settings == terminal.settings_before and modes["25"] and not any(modes[mode] for mode in off)


def test_enter_all_the_way_through_the_demo_and_nothing_stays(folder: Path, home: Path) -> None:
    scratch = folder / "s"
    scratch.mkdir(0o755)
    with running(home, "demo", TMPDIR=str(scratch)) as terminal:
        walk(terminal, FINISHED)
        assert len(list(scratch.iterdir())) >= 2, "the files and the server"
        assert processes_of(scratch)
        terminal.type("enter")
        terminal.wait(PASSWORD_UNSEEN)
        terminal.type("enter")
        assert terminal.end() == 0
        assert is_as_before(terminal)
    assert list(scratch.iterdir()) == []
    assert processes_of(scratch) == []


def test_a_server_that_is_down_is_tried_again(server: EmbeddedServer, database: Target, folder: Path, wizard: Wizard) -> None:
    sockets = folder / "sockets"
    sockets.mkdir()
    there, here = server.folder / SOCKET, sockets / SOCKET
    through = Target.from_fields(host=str(sockets), port=5432, dbname=database.dbname, user=database.user, password=None)
    with wizard(through) as terminal:
        terminal.wait(WELCOME)
        terminal.type("enter")
        terminal.wait("Mend it and press r")
        here.symlink_to(there)  # it comes up
        terminal.type("r")
        walk(terminal, COPIED, start=CHECKED)

        here.unlink()  # it goes down
        terminal.type("enter")
        terminal.wait("Preview: this did not work", "Your data: Nothing was changed")
        terminal.type("enter")
        terminal.wait("Comparing")
        terminal.wait("Preview: this did not work")
        here.symlink_to(there)
        terminal.type("enter")
        terminal.wait(PREVIEWED)


@pytest.mark.parametrize("moment", ["bizy-pg-*/data/global", "bizy-pg-*/.s.PGSQL.5432", "the welcome"])
def test_a_closed_window_ends_the_demo_with_its_server(folder: Path, home: Path, moment: str) -> None:
    scratch = folder / "s"
    scratch.mkdir(0o755)
    with running(home, "demo", TMPDIR=str(scratch)) as terminal:
        if moment == "the welcome":
            terminal.wait(WELCOME)
        else:
            terminal.until_there(scratch, moment)
        terminal.close()
        assert terminal.reap() == 129
    assert processes_of(scratch) == []
    assert list(scratch.iterdir()) == []
