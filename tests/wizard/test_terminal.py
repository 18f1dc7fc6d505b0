"""The wizard on a pseudo-terminal: what it leaves behind when a signal ends it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pty = pytest.importorskip("pty", reason="pseudo-terminals are for POSIX")

PROGRAM = """
import sys
from pathlib import Path
from tests.wizard.fake_core import FakeCore
from tests.wizard.walking import a_state
from bizy_migrate_tui.wizard.app import WizardApp
app = WizardApp(a_state(Path(sys.argv[1])), FakeCore())
app.run()
sys.exit(app.return_code or 0)
"""
ALTERNATE_SCREEN, NORMAL_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"


def read_until(descriptor: int, wanted: bytes) -> bytes:
    seen = b""
    while wanted not in seen:
        try:
            seen += os.read(descriptor, 65536)
        except OSError:  # Linux: the other side is closed
            break
    return seen


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_restores_the_terminal(tmp_path: Path, name: str, code: int) -> None:
    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24", "NO_COLOR": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)], stdin=follower, stdout=follower, stderr=follower, env=environment
    ) as process:
        os.close(follower)
        shown = read_until(leader, b"proven cell by cell")
        assert ALTERNATE_SCREEN in shown
        process.send_signal(getattr(signal, name))
        rest = read_until(leader, NORMAL_SCREEN)
        assert process.wait(20) == code
        os.close(leader)
    assert NORMAL_SCREEN in rest
    assert b"Traceback" not in shown + rest


AFTERWARDS = """
import os, signal
os.kill(os.getpid(), signal.SIGHUP)  # the second one, while the demo clears away
Path(sys.argv[2]).write_text(str(app.return_code))
"""


def test_a_terminal_that_closes_ends_the_wizard_and_lets_the_program_clear_away(tmp_path: Path) -> None:
    done = tmp_path / "done"
    program = PROGRAM.replace("sys.exit(", f"{AFTERWARDS}sys.exit(")
    process, leader = pty.fork()
    if process == 0:
        os.environ.update({"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"})
        os.execv(sys.executable, [sys.executable, "-c", program, str(tmp_path), str(done)])  # noqa: S606
    read_until(leader, b"proven cell by cell")
    os.close(leader)  # the kernel sends a SIGHUP
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    assert done.read_text() == "129"
