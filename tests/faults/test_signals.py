"""Signals at each event of the real command, in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.verification.verification import verify
from tests.cli.conftest import OURS
from tests.faults.harness import digests, move, standing, target_in_use
from tests.faults.matrix import BEFORE, COMPLETE, Matrix

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has not these signals")

SIGNALS = ("SIGKILL", "SIGTERM", "SIGINT", "SIGHUP")
SLICE = 22
NOTICED_SECONDS = 0.05
"""Time for Python's main thread to take a signal, which the working thread gives it."""

_COMMAND = """
import os, sys, time
from contextlib import contextmanager
from bizy_migrate_tui import cli, interruption
number, at, seconds = int(sys.argv.pop(1)), int(sys.argv.pop(1)), float(sys.argv.pop(1))
count, shown = 0, interruption.drawn_progress

@contextmanager
def drawn():
    with shown() as draw:
        def hear(event):
            global count
            count += 1
            if count == at:
                print(f"AT {count:02} {event.phase} {type(event).__name__}", file=sys.stderr, flush=True)
                os.kill(os.getpid(), number)
                time.sleep(seconds)
            draw(event)
        yield hear

interruption.drawn_progress = drawn
cli.main()
"""


def run_command(
    *arguments: str, target: Target, home: Path, scratch: Path, number: signal.Signals, at: int
) -> "subprocess.CompletedProcess[str]":
    """A command that gives itself the signal at its n-th event."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    words = (*arguments, "--postgres-url", target.url().reveal(), "--yes", "--json")
    return subprocess.run(
        [sys.executable, "-c", _COMMAND, str(int(number)), str(at), str(NOTICED_SECONDS), *words],
        cwd=home,
        env=kept | {"HOME": str(home), "PYTHONPATH": str(Path.cwd()), "TMPDIR": str(scratch)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def step_of(done: "subprocess.CompletedProcess[str]") -> str:
    """Where the signal came; empty where the command ended before."""
    return next((line[3:] for line in done.stderr.splitlines() if line.startswith("AT ")), "")


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_at_any_event_of_the_command(
    name: str, whole: bool, matrix: Matrix, server: EmbeddedServer, scratch: Path, source: Path, tmp_path: Path
) -> None:
    number, section = signal.Signals[name], matrix.section("Signals at the events of the command")
    todo, reached = iter(range(1, 1000) if whole else range(1 + int(number), 1000, SLICE)), True
    while reached:
        with target_in_use(server, tmp_path, is_empty=True) as target:
            before, files = standing(target), digests(source.parent)
            for at in todo:
                done = run_command(
                    *("migrate", "--sqlite-path", str(source)),
                    target=target,
                    home=tmp_path,
                    scratch=scratch,
                    number=number,
                    at=at,
                )
                step = step_of(done)
                reached = bool(step)
                where = f"{name} at {step}: {done.returncode} {done.stderr}"
                forget_files_beside(source, files, name)
                if name == "SIGKILL":
                    Session(source).close()  # the next sitting sweeps
                assert list(scratch.iterdir()) == [], where
                assert digests(source.parent) == files, where
                if not reached:
                    assert done.returncode == 0, where
                    break
                if standing(target) == before:
                    assert done.returncode == (-number if name == "SIGKILL" else 130), where
                    assert str(move(source, target, dry_run=True).status) == "dry-run", where
                    section.note(step, name, BEFORE)
                    continue
                assert done.returncode == (-number if name == "SIGKILL" else 0), where
                assert verify(source, target).passed, where
                section.note(step, name, COMPLETE)
                break


@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_at_any_event_of_a_rollback(
    name: str, whole: bool, matrix: Matrix, server: EmbeddedServer, scratch: Path, source: Path, tmp_path: Path
) -> None:
    number, section = signal.Signals[name], matrix.section("Signals at the events of `rollback`")
    todo, reached = iter(range(1, 1000) if whole else range(1 + int(number) % 5, 1000, SLICE)), True
    while reached:
        with target_in_use(server, tmp_path, is_empty=True) as target:
            before = standing(target)
            move(source, target)
            full = standing(target)
            for at in todo:
                done = run_command("rollback", target=target, home=tmp_path, scratch=scratch, number=number, at=at)
                step = step_of(done)
                reached = bool(step)
                where = f"{name} at {step}: {done.returncode} {done.stderr}"
                if not reached:
                    assert done.returncode == 0, where
                is_untouched = standing(target) == full
                assert is_untouched or standing(target) == before, where
                if reached:
                    assert done.returncode == (-number if name == "SIGKILL" else 130 if is_untouched else 0), where
                    section.note(step, name, BEFORE if is_untouched else COMPLETE)
                if not is_untouched:
                    break


def forget_files_beside(source: Path, files: dict[str, str], name: str) -> None:
    """Whole backups may stay; an unfinished one only after SIGKILL, and it is swept once it is old."""
    for one in source.parent.iterdir():
        if one.name not in files and one.suffix == ".db":
            one.unlink()
        elif one.suffix == ".partial":
            assert name == "SIGKILL"
            old = time.time() - 2 * 3600
            os.utime(one, (old, old))
            with Session(source) as session:
                session.take_snapshot(backup=True).path.unlink()


def test_the_next_sitting_sweeps_what_a_killed_one_left_and_nothing_else(scratch: Path, source: Path) -> None:
    leave = "from bizy_migrate_tui.migration.session import Session; import os, sys; Session(sys.argv[1]); os._exit(9)"
    environment = os.environ | {"TMPDIR": str(scratch), "PYTHONPATH": str(Path.cwd())}
    subprocess.run([sys.executable, "-c", leave, str(source)], env=environment, check=False)
    assert len(list(scratch.iterdir())) == 1
    with Session(source) as one, Session(source):
        assert len(list(scratch.iterdir())) == 2  # the two at work
        one.take_snapshot(backup=False)
    assert list(scratch.iterdir()) == []
