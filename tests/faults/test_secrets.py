"""Secrets stay secret: everything that the commands write is searched for them, at debug level, after crashes too."""

import asyncio
import contextlib
import json
import os
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import cast

import bcrypt
import pytest
from rich.segment import Segments

from bizy_migrate_tui import env_file
from bizy_migrate_tui.embedded import EmbeddedServer, embedded_server
from bizy_migrate_tui.migration.errors import MigrationError, UsageError
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql import accounts
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.prerequisites.setup import admin_target, set_up
from bizy_migrate_tui.migration.secret import Secret
from tests.cli.conftest import OURS
from tests.core.moving import ZONE, ask
from tests.faults.harness import attempt, move, standing
from tests.wizard.fake_results import EndCore
from tests.wizard.walking import walking

ADMIN, USER, ACCOUNT, NEXT = "Adm1n/Zebra@%:#", "Us3r/Giraffe@%:#", "Acc0unt-Okapi", "N3xt-Quokka"
ALL = {ADMIN: "Adm1n", USER: "Us3r", ACCOUNT: "Acc0unt", NEXT: "N3xt"}
"""Passwords, and a part of each that no encoding changes."""

LONG = "g" * 73
_CRASH = """
import sys
from bizy_migrate_tui import cli
from bizy_migrate_tui.migration.run import run
def crash(*_things, **_named):
    raise RuntimeError("crashed with " + " ".join(sys.argv))
run.prove = crash
cli.main()
"""


@pytest.fixture(scope="module")
def guarded() -> Iterator[EmbeddedServer]:
    with embedded_server(18, password=Secret(ADMIN)) as running:
        yield running


@pytest.fixture
def place(guarded: EmbeddedServer) -> Target:
    admin = guarded.target()
    return Target.from_fields(
        host=admin.host, port=admin.port, dbname="secrets", user="bizy", password=Secret(USER), sslmode="disable"
    )


class Ledger:
    """Runs commands and keeps all that they said, and all that the process list showed meanwhile."""

    def __init__(self, home: Path) -> None:
        self.home, self.said, self.listed = home, "", set[str]()

    def command(self, *arguments: str, named: Mapping[str, str], stdin: str = "", crash: bool = False) -> int:
        """Run a command with the passwords in its environment and input."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        start = ("-c", _CRASH) if crash else ("-m", "bizy_migrate_tui")
        done = threading.Event()
        watcher = threading.Thread(target=self._watch, args=(done,))
        watcher.start()
        ran = subprocess.run(
            [sys.executable, *start, *arguments, "--log-level", "debug"],
            cwd=self.home,
            env=kept | {"HOME": str(self.home), "PYTHONPATH": str(Path.cwd())} | dict(named),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        done.set()
        watcher.join()
        self.said += ran.stdout + ran.stderr
        return ran.returncode

    def _watch(self, done: threading.Event) -> None:
        while not done.wait(0.05):
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    self.listed.add(process.read_text(errors="replace").replace("\0", " "))


def test_no_password_is_found_in_anything_that_the_commands_write(
    place: Target, guarded: EmbeddedServer, source: Path, home: Path
) -> None:
    seen = Ledger(home)
    named = {
        "DATABASE_URL": place.url().reveal(),
        "POSTGRES_ADMIN_PASSWORD": ADMIN,
        "SQLITE_DB_PATH": str(source),
    }
    assert seen.command("setup", named=named) == 0, seen.said
    assert seen.command("check", "--json", named=named) in {0, 3}
    assert seen.command("migrate", "--yes", "--json", "--no-backup", crash=True, named=named) == 1, seen.said
    assert seen.command("migrate", "--yes", "--no-backup", named=named | {"DATABASE_URL": named["DATABASE_URL"] + "x"}) == 3
    assert seen.command("migrate", "--yes", "--json", "--write-env", "--timezone", ZONE, named=named) == 0, seen.said
    assert seen.command("verify", "--json", named=named) == 0
    assert seen.command("user", "add", "zoe@example.org", "--json", stdin=f"{ACCOUNT}\n", named=named) == 0, seen.said
    assert seen.command("user", "passwd", "zoe@example.org", stdin=f"{NEXT}\n", named=named) == 0
    assert seen.command("user", "passwd", "zoe@example.org", stdin=f"{LONG}\n", named=named) == 2
    assert seen.command("runs", "--json", named=named) == 0
    assert seen.command("preserved", named=named) == 0
    assert seen.command("rollback", "--yes", "--json", named=named) == 0, seen.said
    assert seen.command("migrate", "--yes", "--json", "--write-env", "--timezone", ZONE, named=named) == 0, seen.said

    temporary = [line.rpartition(" ")[2] for line in seen.said.splitlines() if line.startswith("Temporary password of ")]
    assert len(temporary) == 2
    written = {
        str(file.relative_to(home)): file.read_bytes().decode(errors="replace")
        for file in home.rglob("*")
        if file.is_file() and file.name != ".env"
    }
    assert any(name.endswith(".log") for name in written)
    database = Target.from_fields(
        host=place.host, port=place.port, dbname="secrets", user="postgres", password=Secret(ADMIN), sslmode="disable"
    )
    stored = json.dumps(standing(database))
    for name, text in {**written, "said": seen.said, "process list": "\n".join(seen.listed), "database": stored}.items():
        for part in (*ALL.values(), LONG):
            assert part not in text, f"{part} in {name}"
        for word in temporary:
            assert text.count(word) == (1 if name == "said" else 0), f"a temporary password in {name}"
    assert stat.S_IMODE((home / ".env").stat().st_mode) == 0o600
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in home.rglob("*.log"))


@pytest.mark.parametrize("wrong", ["password", "database", "host"])
def test_no_error_of_the_core_shows_a_password_not_even_in_its_traceback(
    wrong: str, place: Target, guarded: EmbeddedServer
) -> None:
    target = Target.from_fields(
        host="127.0.0.1" if wrong != "host" else "host.invalid",
        port=place.port,
        dbname="missing" if wrong == "database" else "postgres",
        user="postgres",
        password=Secret(USER if wrong == "password" else ADMIN),
        sslmode="disable",
    )
    with pytest.raises(MigrationError) as refused:
        connect(target)
    shown = "".join(traceback.format_exception(refused.value)) + repr(refused.value) + repr(target) + str(target)
    shown += refused.value.cause + refused.value.remedy
    assert not any(part in shown for part in ALL.values())


def test_no_error_of_a_broken_setup_or_run_shows_a_password(
    place: Target, guarded: EmbeddedServer, source: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = admin_target(place, "postgres", Secret(ADMIN))
    set_up(place, admin)
    monkeypatch.setattr("bizy_migrate_tui.migration.run.run.prove", lambda *_: 1 / 0)
    choices = Choices(zone=ZONE, password=Secret(ACCOUNT), email="new@example.org", username="new")
    error = attempt(lambda: move(source, place, choices=choices))
    assert isinstance(error, MigrationError)
    shown = "".join(traceback.format_exception(error)) + repr(choices) + repr(admin)
    assert not any(part in shown for part in ALL.values())
    assert not ask(admin_target(place, "postgres", Secret(ADMIN)), "SELECT FROM pg_stat_activity WHERE query ~ 'Giraffe'")


def test_a_crash_of_the_wizard_shows_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash() -> None:
        password, target = ACCOUNT, Target.from_fields(host="h", dbname="d", user="u", port=1, password=Secret(USER))
        raise RuntimeError(f"crashed for {target!r} with {len(password)} characters")

    async def crashed() -> str:
        async with walking(EndCore(), tmp_path) as walk:
            monkeypatch.setattr(walk.app, "_close_messages_no_wait", lambda: None)
            try:
                crash()
            except RuntimeError:
                walk.app._fatal_error()
            return "".join(segment.text for one in walk.app._exit_renderables for segment in cast("Segments", one).segments)

    shown = asyncio.run(crashed())
    assert "crashed for" in shown
    assert not any(part in shown for part in ALL.values())


def test_bcrypt_meets_its_limit_with_a_refusal_and_is_of_cost_12(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "BCRYPT_COST", 12)
    for text in ("x" * 73, "é" * 37, "🌱" * 19):
        with pytest.raises(UsageError) as refused:
            accounts.hash_password(Secret(text))
        assert refused.value.code == "password-too-long"
        assert text not in refused.value.cause
    longest = "é" * 36
    made = accounts.hash_password(Secret(longest))
    assert made.startswith("$2b$12$")
    assert bcrypt.checkpw(longest.encode(), made.encode())
    assert len({accounts.temporary_password().reveal() for _ in range(1000)}) == 1000


def test_env_is_replaced_in_one_step_for_its_owner_alone_and_through_a_link(tmp_path: Path, place: Target) -> None:
    real = tmp_path / "real" / "settings"
    real.parent.mkdir()
    real.write_text("DATABASE_URL=postgresql://old:secret@h/d\n", encoding="utf-8")
    real.chmod(0o644)
    link = tmp_path / ".env"
    link.symlink_to(real)
    with real.open(encoding="utf-8") as reader:  # who reads it meanwhile sees the old one to its end
        kept = env_file.apply(env_file.point_at(link, place), now=datetime(2026, 1, 2, 3, 4, 5))
        assert reader.read() == "DATABASE_URL=postgresql://old:secret@h/d\n"
    assert link.is_symlink()
    assert place.url().reveal() in real.read_text(encoding="utf-8")
    assert kept is not None
    assert {stat.S_IMODE(one.stat().st_mode) for one in (real, kept)} == {0o600}
    assert sorted(one.name for one in real.parent.iterdir()) == ["settings"]


def test_a_sslmode_is_never_lowered(place: Target) -> None:
    parts = Target.from_url("postgresql://u@127.0.0.1:1/d?sslmode=verify-full")
    assert (parts.sslmode, Target.from_url(parts.url().reveal()).sslmode) == ("verify-full", "verify-full")
    strict = Target.from_fields(
        host=place.host, port=place.port, dbname="postgres", user="postgres", password=Secret(ADMIN), sslmode="require"
    )
    with pytest.raises(MigrationError) as refused:
        connect(strict)
    assert refused.value.code == "ssl-required"
