"""SQLAlchemy on a psycopg2 connection that belongs to somebody else: it neither commits, rolls back nor closes it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2.extensions
from sqlalchemy import Connection, StaticPool, create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2


class BorrowedDialect(PGDialect_psycopg2):
    """psycopg2 as SQLAlchemy knows it, except that the connection and its transaction are the lender's."""

    supports_statement_cache = True

    def __init__(self, **options: Any) -> None:
        super().__init__(use_native_hstore=False, **options)  # type: ignore[no-untyped-call]

    def on_connect(self) -> Callable[[Any], Any] | None:
        """Register no type adapters: they would outlast the loan."""
        return None

    def do_commit(self, dbapi_connection: Any) -> None:
        """Leave COMMIT to the lender."""

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Leave ROLLBACK to the lender."""

    def do_close(self, dbapi_connection: Any) -> None:
        """Give the connection back open."""

    def do_terminate(self, dbapi_connection: Any) -> None:
        """Give the connection back open, also after an error."""


registry.register("postgresql.borrowed", __name__, BorrowedDialect.__name__)


@contextmanager
def borrow(lent: psycopg2.extensions.connection) -> Iterator[Connection]:
    """A SQLAlchemy connection over `lent`, inside whatever transaction it is in."""
    engine = create_engine("postgresql+borrowed://", creator=lambda: lent, poolclass=StaticPool)
    with engine.connect() as connection:
        yield connection
