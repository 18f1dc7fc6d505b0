"""What a move needs, checked before it begins: one line each, with the remedy where something is missing."""

import contextlib
import os
import platform
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from bizy_migrate_tui.display import human_bytes
from bizy_migrate_tui.migration.advice.advice import error_for, explain
from bizy_migrate_tui.migration.clock import local_zone_name, zone_named
from bizy_migrate_tui.migration.errors import MigrationError, UsageError
from bizy_migrate_tui.migration.postgresql.target import (
    WEB_TABLES,
    Target,
    TargetState,
    refuse_encoding,
    refuse_lack_of_privileges,
    refuse_old_server,
)
from bizy_migrate_tui.migration.prerequisites.subject import NO_TARGET, Subject
from bizy_migrate_tui.migration.source.snapshot import open_read_only, refuse_lack_of_room, refuse_unreadable

Fix = Literal["setup", "schema"] | None
"""What this program can do about it: `setup.set_up`, or `schema.upgrade`."""

_FIXES: Final[Mapping[str, Fix]] = dict.fromkeys(
    ("role-missing", "password-rejected", "database-missing", "schema-privilege"), "setup"
)
_NO_SERVER: Final = frozenset({"server-unreachable", "host-unknown", "service-unknown", "server-starting", "no-target"})
_OLDEST_SQLITE: Final = (3, 31)


class CheckState(StrEnum):
    """How a check came out; a warning does not stop the move."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class PrerequisiteResult:
    """The outcome of one check: what was found, and what to do about it (empty when it passed)."""

    code: str
    title: str
    state: CheckState
    detail: str
    remedy: str = ""
    fix: Fix = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check found where it did not raise: a sentence, and what is amiss about it."""

    detail: str
    remedy: str = ""
    fix: Fix = None


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """One check. `look` raises a MigrationError where the prerequisite is missing."""

    code: str
    title: str
    look: Callable[[Subject], Answer]

    def run(self, subject: Subject) -> PrerequisiteResult:
        """Check it on a subject shared with other checks."""
        try:
            found = self.look(subject)
        except (MigrationError, OSError, sqlite3.Error) as raised:
            error = explain(raised)
            fix = _FIXES.get(error.code)
            return PrerequisiteResult(self.code, self.title, CheckState.FAILED, error.cause, error.remedy, fix)
        state = CheckState.WARNING if found.remedy else CheckState.PASSED
        return PrerequisiteResult(self.code, self.title, state, found.detail, found.remedy, found.fix)


def _python(_subject: Subject) -> Answer:
    return Answer(f"Python {platform.python_version()}.")


def _sqlite(_subject: Subject) -> Answer:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise UsageError(
            "sqlite-too-old",
            f"This is SQLite {sqlite3.sqlite_version}.",
            "Use a Python that brings SQLite 3.31 or newer.",
        )
    return Answer(f"SQLite {sqlite3.sqlite_version}.")


def _source(subject: Subject) -> Answer:
    path = subject.sqlite_path
    refuse_unreadable(path)
    if any(Path(f"{path}{suffix}").exists() for suffix in ("-wal", "-journal")):
        return Answer("The file is in use; its copy will be looked at.")  # reading it here would write beside it
    with contextlib.closing(open_read_only(path, immutable=True)) as source:
        tables = {name for (name,) in source.execute("SELECT lower(name) FROM sqlite_master WHERE type = 'table'")}
    if not {"tasks", "goals"} & tables:
        raise error_for("source-not-bizy", detail="it has no table of tasks or goals.")
    return Answer(f"{path} is a Bizy AI database of {human_bytes(path.stat().st_size)}.")


def _room(subject: Subject) -> Answer:
    folder = subject.sqlite_path.parent
    if not subject.sqlite_path.is_file():
        return Answer("Not checked yet.", "Name the SQLite database first.")
    refuse_lack_of_room(subject.sqlite_path, folder)
    needed, free = subject.sqlite_path.stat().st_size, shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Answer(f"{folder} takes no new file, so no backup can lie there.", "Migrate with --no-backup.")
    return Answer(f"A backup needs {human_bytes(needed)}, {human_bytes(free)} are free.")


def _target(subject: Subject) -> Answer:
    if subject.target is None:
        raise NO_TARGET
    return Answer(f"{subject.target.masked_url()}.")


def _server(subject: Subject) -> Answer:
    try:
        state = subject.state()
    except MigrationError as error:
        if error.code in _NO_SERVER:
            raise
        return Answer("A server answers.")
    return Answer(f"The server answers in {state.round_trip}.")


def _login(subject: Subject) -> Answer:
    try:
        state = subject.state()
    except MigrationError as error:
        if error.code in _NO_SERVER:
            return _WAITS
        raise
    return Answer(f"Logged in as {state.user} to {state.dbname}.")


_WAITS: Final = Answer("Not checked yet.", "Fix the connection first.")


def _once_connected(look: Callable[[TargetState], Answer]) -> Callable[[Subject], Answer]:
    """A check of the target's state that waits for the login."""

    def looked(subject: Subject) -> Answer:
        try:
            state = subject.state()
        except MigrationError:
            return _WAITS
        return look(state)

    return looked


def _version(state: TargetState) -> Answer:
    refuse_old_server(state)
    return Answer(f"PostgreSQL {state.server_version}.")


def _encoding(state: TargetState) -> Answer:
    refuse_encoding(state)
    return Answer("The database stores UTF-8.")


def _privileges(state: TargetState) -> Answer:
    refuse_lack_of_privileges(state)
    return Answer(f"{state.user} may create what is needed.")


def _tables(subject: Subject) -> Answer:
    try:
        mismatch, state = subject.mismatch(), subject.state()
    except MigrationError:
        return _WAITS
    if mismatch:
        raise mismatch
    missing = [name for name in WEB_TABLES if name not in state.tables]
    if missing:
        return Answer(f"{', '.join(missing)}: will be created.", fix="schema")
    return Answer("; ".join(f"{name}: {count:,} {'row' if count == 1 else 'rows'}" for name, count in state.tables.items()) + ".")


def _zone(_subject: Subject) -> Answer:
    name = local_zone_name()
    zone_named(name)
    return Answer(f"This machine's time zone is {name}.")


def _env_file(subject: Subject) -> Answer:
    path = subject.env_file
    if path is None:
        return Answer("No .env file was found; --write-env makes one.")
    if not os.access(path if path.exists() else path.parent, os.W_OK) or not os.access(path.parent, os.W_OK):
        return Answer(f"{path} cannot be written.", "Give yourself the right to write it, or edit it by hand afterwards.")
    return Answer(f"{path} can be written, when you ask for it.")


PREREQUISITES: Final = (
    Prerequisite("python", "Python", _python),
    Prerequisite("sqlite", "SQLite library", _sqlite),
    Prerequisite("source", "SQLite database", _source),
    Prerequisite("room", "Room for a backup", _room),
    Prerequisite("zone", "Time zone", _zone),
    Prerequisite("target", "PostgreSQL settings", _target),
    Prerequisite("server", "PostgreSQL server", _server),
    Prerequisite("login", "Login", _login),
    Prerequisite("version", "Server version", _once_connected(_version)),
    Prerequisite("encoding", "Encoding", _once_connected(_encoding)),
    Prerequisite("privileges", "Privileges", _once_connected(_privileges)),
    Prerequisite("tables", "Web interface's tables", _tables),
    Prerequisite("env-file", ".env file", _env_file),
)
"""Every check, in the order in which a person reads them."""


def check_all(
    sqlite_path: Path,
    target: Target | None,
    on_result: Callable[[PrerequisiteResult], None],
    *,
    env_file: Path | None = None,
) -> tuple[PrerequisiteResult, ...]:
    """Run every check side by side; `on_result` hears each as it comes in, the answer is in the order of reading."""
    subject = Subject(sqlite_path, target, env_file)
    results: dict[str, PrerequisiteResult] = {}
    with ThreadPoolExecutor(len(PREREQUISITES), thread_name_prefix="prerequisite") as pool:
        for done in as_completed([pool.submit(one.run, subject) for one in PREREQUISITES]):
            result = done.result()
            results[result.code] = result
            on_result(result)
    return tuple(results[one.code] for one in PREREQUISITES)
