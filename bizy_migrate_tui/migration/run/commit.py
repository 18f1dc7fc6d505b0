"""COMMIT, and what became of it where its answer was lost: the ledger's row is in the same transaction, so the ledger knows."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Final

import psycopg2
from psycopg2.extensions import connection as PgConnection

from bizy_migrate_tui.migration.advice.advice import explain
from bizy_migrate_tui.migration.errors import MigrationError, RunFailed
from bizy_migrate_tui.migration.ledger.ledger import await_others
from bizy_migrate_tui.migration.postgresql.target import Target, connect

PATIENCE: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0)
"""Seconds to wait before each attempt to reach the server again."""


def commit(server: PgConnection, target: Target, is_noted: Callable[[PgConnection], bool]) -> None:
    """COMMIT; where the connection is lost meanwhile, ask the ledger over another one whether it came through (`is_noted`).

    Raises MigrationError, after which nothing is committed, but for RunFailed "commit-in-doubt", which says so.
    """
    try:
        server.commit()
    except psycopg2.Error as error:
        if not server.closed:  # the server refused, and said why
            raise explain(error) from error
        if not _came_through(target, is_noted, error):
            raise RunFailed(
                "connection-lost",
                "The connection was lost during COMMIT, and the ledger shows that nothing was committed.",
                "Nothing was changed. See that the server runs, then try again.",
            ) from error


def _came_through(target: Target, is_noted: Callable[[PgConnection], bool], lost: Exception) -> bool:
    for wait in PATIENCE:
        time.sleep(wait)
        try:
            with closing(connect(target, readonly=True)) as server:
                await_others(server)
                return is_noted(server)
        except (MigrationError, psycopg2.Error):
            continue
    raise RunFailed(
        "commit-in-doubt",
        "The connection was lost during COMMIT, and the server cannot be reached to ask whether it came through.",
        "Either everything was done or nothing was changed. When the server is back, `bizy-migrate-tui runs` tells which.",
    ) from lost
