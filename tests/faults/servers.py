"""Servers beside those of the wheel: installed ones, a streaming standby, a pooler in transaction mode."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from bizy_migrate_tui import embedded
from bizy_migrate_tui.embedded import SERVANT, EmbeddedServer
from bizy_migrate_tui.migration.postgresql.target import Target
from tests.core.moving import ask

BOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


def installed() -> list[Path]:
    """The binaries of every PostgreSQL that Debian's packages installed."""
    return sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@dataclass
class Mortal:
    """A server that may be stopped and started again; what it commits is on the disk."""

    server: EmbeddedServer
    runs: bool = True

    def stop(self, mode: str) -> None:
        """Stop it at once ("immediate": as if it had crashed; "fast": its sessions are ended in order)."""
        where = f"--pgdata={self.server.data}"
        embedded._call(self.server.binaries, "pg_ctl", "stop", "--wait", f"--mode={mode}", where, folder=self.server.folder)
        self.runs = False

    def start(self) -> None:
        """Let it run (again)."""
        if not self.runs:
            embedded._start(self.server.binaries, self.server.folder, None, tcp=False)
        self.runs = True


@contextmanager
def server_of(binaries: Path) -> Iterator[EmbeddedServer]:
    """A new, empty server of those binaries, on a socket."""
    folder = embedded._free_name()
    running = None
    try:
        embedded._make(folder)
        embedded._initialise(binaries, folder, None)
        running = embedded._start(binaries, folder, None, tcp=False)
        yield running
    finally:
        if running is not None:
            embedded._stop(running.binaries, folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def standby_of(primary: EmbeddedServer) -> Iterator[EmbeddedServer]:
    """A hot standby that streams from the primary."""
    folder = embedded._free_name()
    running = None
    try:
        embedded._make(folder)
        where = f"host={primary.folder} port={embedded.SOCKET_PORT} user={embedded.ADMIN}"
        options = ("--checkpoint=fast", "--no-sync", "--write-recovery-conf", f"--dbname={where}", f"--pgdata={folder / 'data'}")
        embedded._call(primary.binaries, "pg_basebackup", *options, folder=folder)
        running = embedded._start(primary.binaries, folder, None, tcp=False)
        yield running
    finally:
        if running is not None:
            embedded._stop(running.binaries, folder)
        shutil.rmtree(folder, ignore_errors=True)


def wait_until_replayed(primary: EmbeddedServer, standby: EmbeddedServer) -> None:
    """Return once the standby shows all that the primary has by now."""
    place = ask(primary.target(), "SELECT pg_current_wal_lsn()::text AS place")[0]["place"]
    deadline = time.monotonic() + 30
    while not ask(standby.target(), "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn AS done", (place,))[0]["done"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def bouncer_before(server: EmbeddedServer, target: Target) -> Iterator[Target]:
    """The same database through pgbouncer in transaction mode, which has two sessions for all."""
    assert BOUNCER
    with tempfile.TemporaryDirectory(prefix="bizy-bouncer-", dir="/tmp") as name:
        port, folder = embedded._free_port(), Path(name)
        folder.chmod(0o755)
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={server.folder} port={embedded.SOCKET_PORT} user={embedded.ADMIN}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
            "default_pool_size = 2\n",
            encoding="utf-8",
        )
        user = ("--user", SERVANT) if embedded._is_root() else ()
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen([BOUNCER, *user, str(folder / "pgbouncer.ini")], stdout=log, stderr=log, env=os.environ)
        try:
            through = Target.from_fields(
                host="127.0.0.1", port=port, dbname=target.dbname, user=embedded.ADMIN, password=None, sslmode="disable"
            )
            _await(through, folder / "log")
            yield through
        finally:
            running.terminate()
            running.wait(timeout=20)


def _await(target: Target, log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            ask(target, "SELECT 1")
        except psycopg2.OperationalError:
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8", errors="replace")
            time.sleep(0.05)
        else:
            return
