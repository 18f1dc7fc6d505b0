"""Breaks the product at a counted point and looks at what is left."""

import hashlib
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.extensions
import pytest
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.embedded import EmbeddedServer
from bizy_migrate_tui.migration.errors import MigrationError
from bizy_migrate_tui.migration.events import Cancellation, Event, OnEvent, PhaseFinished, PhaseStarted, ignore
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql import target as targets
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Outcome
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import make_source
from tests.conftest import fresh_database
from tests.core.moving import ZONE, Row, ask
from tests.faults.matrix import BEFORE, COMPLETE, Section

OURS = "bizy-migrate-tui"
Standing = dict[str, list[Row]]


def small_source(path: Path) -> Path:
    """A few rows of every kind: clean, careful, orphaned, in circles, and tables that have no home."""
    goals = [{"id": 1}, {"id": 2, "parent_goal_id": 1}, {"id": 3, "parent_goal_id": 3}]
    tasks = [{"id": number, "title": f"Task {number}", "parent_goal_id": number % 3 + 1} for number in range(1, 6)]
    odd: list[dict[str, object]] = [
        {"id": 6, "parent_goal_id": 99},
        {"id": 7, "due_date": "someday"},
        {"id": 8, "title": "nul\0byte"},
    ]
    return make_source(
        path, goals=goals, tasks=[*tasks, *odd], metrics=[{"metric_name": "signups", "value": 3.5}], research=[{"title": "R"}]
    )


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file in a folder, by name."""
    return {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.iterdir() if one.is_file()}


def move(
    source: Path,
    target: Target,
    *,
    dry_run: bool = False,
    backup: bool = False,
    on_event: OnEvent = ignore,
    cancel: Cancellation | None = None,
    choices: Choices | None = None,
) -> Outcome:
    """The whole way, every step of it heard and stoppable."""
    choices = choices or Choices(zone=ZONE)
    with Session(source) as session:
        snapshot = session.take_snapshot(backup=backup, on_event=on_event, cancel=cancel)
        inventory = session.take_inventory(snapshot, choices.zone, on_event=on_event, cancel=cancel)
        plan = session.make_plan(inventory, target, choices, on_event=on_event, cancel=cancel)
        return session.run(plan, dry_run=dry_run, on_event=on_event, cancel=cancel)


_CATALOGUE = """
SELECT 'schema' AS kind, nspname::text AS name, nspowner::regrole::text AS what FROM pg_namespace WHERE nspname !~ '^pg_'
UNION ALL SELECT 'relation', c.oid::regclass::text, c.relkind::text || c.relowner::regrole || coalesce(c.relacl::text, '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^(pg_|information_schema)'
UNION ALL SELECT 'column', c.oid::regclass || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
    a.attnotnull, pg_get_expr(d.adbin, d.adrelid))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE n.nspname !~ '^(pg_|information_schema)'
UNION ALL SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) || indisvalid
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^(pg_|information_schema)'
UNION ALL SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(k.oid) || convalidated
FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE n.nspname !~ '^(pg_|information_schema)'
UNION ALL SELECT 'role', rolname, rolcanlogin::text FROM pg_roles
ORDER BY 1, 2, 3
"""


def standing(target: Target) -> Standing:
    """Everything in the target: the catalogue and every row of every table.

    What a sequence handed out is left out: PostgreSQL does not take that back, whoever asked for it.
    """
    found = {"catalogue": ask(target, _CATALOGUE)}
    for one in found["catalogue"]:
        if one["kind"] == "relation" and one["what"].startswith("r"):
            found[one["name"]] = ask(target, f"SELECT t::text FROM {one['name']} t ORDER BY 1")
    return found


@dataclass
class Trigger:
    """Goes off at the n-th call, and remembers where that was."""

    at: int
    count: int = 0
    step: str = ""
    phase: str = "Connect"

    def follow(self, event: Event) -> None:
        """Note in which phase the run is."""
        if isinstance(event, PhaseStarted):
            self.phase = str(event.phase)

    def goes_off(self, step: str) -> bool:
        """Count one point."""
        self.count += 1
        if self.count == self.at:
            self.step = step
        return self.count == self.at


def event_name(event: Event) -> str:
    """The event as a point in the table."""
    kind = {PhaseStarted: "begins", PhaseFinished: "is done"}.get(type(event), "goes on")
    return f"{event.phase} {kind}"


def statement_name(statement: object) -> str:
    """The beginning of a statement, as a point in the table."""
    words = re.sub(r"\s+", " ", re.sub(r"Composed\(|SQL\(|Identifier\(|[\[\]()'|\"]", " ", str(statement))).strip()
    return f"`{words[:40].strip()}`"


def watch_statements(patch: pytest.MonkeyPatch, hear: Callable[[Cursor, object], None]) -> None:
    """Let `hear` know of each statement that the product sends, just before it does."""

    class Heard(targets._Settled):
        def execute(self, query: Any, vars: Any = None) -> None:  # noqa: A002 (psycopg2's name)
            hear(self, query)
            super().execute(query, vars)

        def copy_expert(self, sql: Any, file: Any, size: int = 8192) -> None:
            hear(self, sql)
            super().copy_expert(sql, file, size)

    real = psycopg2.connect

    def connect(*arguments: Any, **named: Any) -> Any:
        if named.get("application_name") == OURS:
            named["cursor_factory"] = Heard
        return real(*arguments, **named)

    patch.setattr(psycopg2, "connect", connect)


def cut_sessions(target: Target) -> None:
    """End every session that the product has in this database, from another one."""
    ask(
        target,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = %s AND pid <> pg_backend_pid()",
        (OURS,),
    )


def shut_socket(rows: Cursor) -> None:
    """Take the network away under a connection."""
    with socket.fromfd(rows.connection.fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as wire:
        wire.shutdown(socket.SHUT_RDWR)


def let_server_raise(rows: Cursor, state: str) -> None:
    """Have the server itself refuse with this SQLSTATE."""
    text = "DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = {}; END $$"
    with rows.connection.cursor(cursor_factory=Cursor) as plain:  # `rows` may be one that lives on the server
        plain.execute(sql.SQL(text).format(sql.Literal(state)))


def let_statement_time_out(rows: Cursor) -> None:
    """Have the server stop a statement that takes too long."""
    with rows.connection.cursor(cursor_factory=Cursor) as plain:
        plain.execute("SET LOCAL statement_timeout = 5; SELECT pg_sleep(1)")


@dataclass
class Bench:
    """A source, a target as it was, and the judgement of what became of both."""

    source: Path
    target: Target
    scratch: Path
    section: Section
    before: Standing = field(init=False)
    files: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.before = standing(self.target)
        self.files = digests(self.source.parent)

    def judge(
        self, step: str, fault: str, error: BaseException | None, *, codes: frozenset[str] | None = None, run_again: bool = True
    ) -> str:
        """The state that was found; fails where it is not a legal one, or where the next run does not work."""
        where = f"{fault} at {step}: {error!r}"
        assert digests(self.source.parent) == self.files, where
        assert list(self.scratch.iterdir()) == [], where
        if error is not None:
            assert isinstance(error, MigrationError), where
            assert error.code, where
            assert error.cause, where
            assert error.remedy, where
            assert codes is None or error.code in codes, f"{where} is {error.code}"
            assert standing(self.target) == self.before, where
            if run_again:
                assert str(move(self.source, self.target, dry_run=True).status) == "dry-run", where
            state = BEFORE
        else:
            assert verify(self.source, self.target).passed, where
            assert str(move(self.source, self.target).status) == "nothing-to-do", where
            state = COMPLETE
        self.section.note(step, fault, state)
        return state


def attempt(work: Callable[[], object]) -> BaseException | None:
    """What the work raises."""
    try:
        work()
    except Exception as error:
        return error
    return None


@contextmanager
def target_in_use(server: EmbeddedServer, folder: Path, *, is_empty: bool) -> Iterator[Target]:
    """An empty database, or one in which somebody else's rows are already."""
    with fresh_database(server) as target:
        if not is_empty:
            other = make_source(folder / "other.db", tasks=[{"id": 101}, {"id": 102}], goals=[{"id": 50}])
            move(other, target, choices=Choices(zone="UTC", email="other@example.org", username="other"))
            other.unlink()
        yield target
