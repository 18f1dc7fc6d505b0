import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bizy_migrate_tui.migration.postgresql.target import Target, connect
from tests.cli.conftest import OURS, Command

pty = pytest.importorskip("pty")  # Windows has neither pseudo-terminals nor these signals

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def started(home: Path, *arguments: str, stdin: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[str]]:
    """The program, running, with a temporary folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    scratch = home.parent / "scratch"
    scratch.mkdir()
    with subprocess.Popen(
        [sys.executable, "-m", "bizy_migrate_tui", *arguments],
        cwd=home,
        env=kept | {"HOME": str(home), "PYTHONPATH": str(Path.cwd()), "TMPDIR": str(scratch)},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


def wait_for_lock(target: Target) -> None:
    """Return when a session of the program waits for a lock."""
    until = time.monotonic() + 30
    with closing(connect(target)) as server, server.cursor() as rows:
        while time.monotonic() < until:
            rows.execute(
                "SELECT pg_sleep(0.02), (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock')"
            )
            server.rollback()
            if (rows.fetchone() or (None, 0))[1]:
                return
    raise AssertionError("the program never came to the lock")


def count_tasks(target: Target) -> int:
    with closing(connect(target)) as server, server.cursor() as rows:
        rows.execute("SELECT count(*) FROM public.tasks")
        found = rows.fetchone()
        return int(found[0]) if found else -1


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("times", [1, 3])
def test_a_signal_during_the_run_takes_everything_back(
    command: Command, home: Path, source: Path, database: Target, number: signal.Signals, times: int
) -> None:
    url = database.url().reveal()
    assert command("setup", "--postgres-url", url).code == 0
    with closing(connect(database)) as other, other.cursor() as rows:
        rows.execute("LOCK TABLE public.tasks IN ROW EXCLUSIVE MODE")  # lets readers through, holds up the run
        arguments = ("migrate", "--sqlite-path", str(source), "--postgres-url", url, "--yes", "--json")
        with started(home, *arguments) as running:
            wait_for_lock(database)
            for _ in range(times):
                running.send_signal(number)
            out, err = running.communicate(timeout=20)
        other.rollback()

    report = json.loads(out)
    assert (running.returncode, report["status"], report["error"]["code"]) == (130, "cancelled", "cancelled"), err
    assert report["source"]["rows"]["tasks"] == 3
    assert report["findings"]
    assert count_tasks(database) == 0
    assert list((home.parent / "scratch").iterdir()) == []


def read_until(descriptor: Any, text: str) -> None:
    """Read from the program until it says this."""
    heard = ""
    while text not in heard:
        piece = descriptor.read(1)
        assert piece, heard
        heard += piece


@pytest.mark.parametrize("answer", ["n\n", "\x04", *SIGNALS])
def test_a_no_or_a_signal_at_the_question_changes_nothing(
    command: Command, home: Path, source: Path, database: Target, answer: str | signal.Signals
) -> None:
    url = database.url().reveal()
    keyboard, terminal = pty.openpty()
    arguments = ("migrate", "--sqlite-path", str(source), "--postgres-url", url, "--json")
    with started(home, *arguments, stdin=terminal) as running:
        assert running.stderr
        read_until(running.stderr, "[y/N]")
        if isinstance(answer, str):
            os.write(keyboard, answer.encode())
        else:
            running.send_signal(answer)
        out, err = running.communicate(timeout=20)
    os.close(keyboard)
    os.close(terminal)

    report = json.loads(out)
    assert (running.returncode, report["status"]) == (130, "cancelled"), err
    assert report["findings"]
    assert json.loads(command("runs", "--postgres-url", url, "--json").out)["runs"] == []
    assert list((home.parent / "scratch").iterdir()) == []
