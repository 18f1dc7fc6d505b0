"""What the prerequisites look at: the source's path, the `.env` file, and the target, reached once for all of them."""

import threading
from contextlib import closing
from pathlib import Path
from typing import Final

import psycopg2

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import MigrationError, SchemaMismatch, TargetError
from bizy_migrate_tui.migration.postgresql.schema_check import check_web_tables
from bizy_migrate_tui.migration.postgresql.target import Target, TargetState, connect, survey

NO_TARGET: Final = TargetError(
    "no-target",
    "No PostgreSQL database is named yet.",
    "Give --postgres-url, or DATABASE_URL or the POSTGRES_* variables in the environment or in .env.",
)


class Subject:
    """What the checks look at. The target is reached once, however many checks ask, from whatever thread."""

    def __init__(self, sqlite_path: Path, target: Target | None, env_file: Path | None) -> None:
        self.sqlite_path = sqlite_path
        self.target = target
        self.env_file = env_file
        self._lock = threading.Lock()
        self._state: TargetState | MigrationError | None = None
        self._mismatch: SchemaMismatch | None = None

    def state(self) -> TargetState:
        """The target's state; raises what connecting to it raised."""
        with self._lock:
            if self._state is None:
                self._state = self._look()
        if isinstance(self._state, MigrationError):
            raise self._state
        return self._state

    def mismatch(self) -> SchemaMismatch | None:
        """How the target's web tables differ from what is expected, None where they do not."""
        self.state()
        return self._mismatch

    def _look(self) -> TargetState | MigrationError:
        if self.target is None:
            return NO_TARGET
        try:
            with closing(connect(self.target, readonly=True)) as connection:
                found = survey(connection)
                try:
                    check_web_tables(connection)
                except SchemaMismatch as mismatch:
                    self._mismatch = mismatch
        except (MigrationError, psycopg2.Error) as error:
            return explain(error)
        return found
