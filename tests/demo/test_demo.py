import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import DEVNULL, PIPE

import psutil  # type: ignore[import-untyped]
import pytest

from bizy_migrate_tui.demo import prepare, run_demo
from bizy_migrate_tui.embedded import EmbeddedServer, embedded_server
from bizy_migrate_tui.env_file import read_env
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.run.outcome import Status
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.settings import Settings
from bizy_migrate_tui.wizard import app
from tests.core.moving import move, target_rows

Visit = Callable[[Settings], int]


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[EmbeddedServer]:
    """A fresh server, over TCP where the parameter is a password."""
    with embedded_server(password=getattr(request, "param", None)) as running:
        yield running


def visit_instead_of_wizard(monkeypatch: pytest.MonkeyPatch, visit: Visit) -> None:
    def run_wizard(settings: Settings, *, demo: bool) -> int:
        assert demo
        return visit(settings)

    monkeypatch.setattr(app, "run_wizard", run_wizard)


def folders(settings: Settings) -> tuple[Path, Path]:
    """Where the demo's files are, and where its server."""
    assert settings.target is not None
    return settings.sqlite_path.value.parent, Path(settings.target.value.host or "")


@pytest.mark.parametrize("server", [None, Secret("p w%40")], indirect=True, ids=["socket", "tcp"])
def test_what_the_wizard_gets_is_a_complete_migration(server: EmbeddedServer, tmp_path: Path) -> None:
    settings = prepare(tmp_path, server)
    assert settings.target is not None
    outcome = move(settings.sqlite_path.value, settings.target.value, Choices(zone=settings.zone.value))
    assert outcome.status is Status.MIGRATED
    assert outcome.plan.state.tables == {}
    assert not outcome.plan.state.is_superuser
    assert len(target_rows(settings.target.value, "tasks")) == 67


def test_the_back_ends_settings_name_the_sample(server: EmbeddedServer, tmp_path: Path) -> None:
    settings = prepare(tmp_path, server)
    assert settings.env_file is not None
    assert read_env(settings.env_file)["DATABASE_URL"] == f"sqlite:///{settings.sqlite_path.value}"


def test_the_wizards_exit_code_is_the_demos_and_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []

    def visit(settings: Settings) -> int:
        seen.extend((*folders(settings), settings.sqlite_path.value))
        assert all(path.exists() for path in seen)
        return 130

    visit_instead_of_wizard(monkeypatch, visit)
    assert run_demo() == 130
    assert seen
    assert not any(path.exists() for path in seen)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_nothing_stays_when_the_terminal_goes(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    number = getattr(signal, name, None)
    if number is None:
        pytest.skip(f"no {name} here")
    before = signal.getsignal(number)
    seen: list[Path] = []

    def visit(settings: Settings) -> int:
        seen.extend(folders(settings))
        signal.raise_signal(number)
        raise AssertionError("the signal ends it")

    visit_instead_of_wizard(monkeypatch, visit)
    with pytest.raises(SystemExit) as ended:
        run_demo()
    assert ended.value.code == 128 + number
    assert seen
    assert not any(path.exists() for path in seen)
    assert signal.getsignal(number) == before


_DEMO_THAT_WAITS = """
import sys
from bizy_migrate_tui import demo
from bizy_migrate_tui.wizard import app

def wait(settings, *, demo):
    print(settings.sqlite_path.value.parent, settings.target.value.host, flush=True)
    sys.stdin.read()

app.run_wizard = wait
demo.run_demo()
"""


def test_nothing_stays_when_it_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _DEMO_THAT_WAITS], stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True) as demo:
        assert demo.stdout
        places = [Path(place) for place in demo.stdout.readline().split()]
        server = psutil.Process(int((places[1] / "data" / "postmaster.pid").read_text().split()[0]))
        assert all(place.exists() for place in places)
        demo.kill()
    server.wait(timeout=20)
    deadline = time.monotonic() + 20
    while any(place.exists() for place in places):
        assert time.monotonic() < deadline, "cleared away"
        time.sleep(0.02)


def test_on_request_everything_stays_and_it_says_how_to_stop_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Path] = []

    def visit(settings: Settings) -> int:
        seen.extend(folders(settings))
        return 0

    visit_instead_of_wizard(monkeypatch, visit)
    assert run_demo(keep=True) == 0
    said = capsys.readouterr().err
    assert all(path.exists() and str(path) in said for path in seen)
    stop = said.split("to stop it", 1)[1].strip()
    running = psutil.Process(int((seen[1] / "data" / "postmaster.pid").read_text().split()[0]))
    subprocess.run(stop, shell=True, check=True)  # noqa: S602 (as a person would type it)
    running.wait(timeout=20)
    for path in seen:
        shutil.rmtree(path)
