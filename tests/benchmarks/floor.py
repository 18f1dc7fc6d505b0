"""The physical limit: how fast PostgreSQL alone takes the very same rows, ready-made.

Bare tables with primary keys, COPY of ready text, then every index and foreign key, in one transaction.
"""

import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import IO

from psycopg2 import sql
from psycopg2.extensions import make_dsn
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import AddConstraint, CreateIndex, CreateTable

from bizy_migrate_tui.migration.postgresql.target import Target, connect
from bizy_migrate_tui.migration.postgresql.web_schema import METADATA

TABLES = ("users", "goals", "tasks")


def floor_seconds(loaded: Target, name: str) -> float:
    """Seconds that PostgreSQL needs to take the rows of `loaded` into a fresh database of that name on the same server."""
    with ExitStack() as stack:
        files = {table: stack.enter_context(tempfile.TemporaryFile()) for table in TABLES}
        with closing(connect(loaded)) as server, server.cursor() as rows:
            for table, file in files.items():
                rows.copy_expert(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier("public", table)), file)
        with closing(connect(loaded)) as admin:
            admin.autocommit = True
            with admin.cursor() as rows:
                rows.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                rows.execute("CHECKPOINT")
                try:
                    return _take(replace(loaded, dsn=make_dsn(loaded.dsn, dbname=name)), files)
                finally:
                    rows.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _take(target: Target, files: Mapping[str, IO[bytes]]) -> float:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    keys = [key for table in TABLES for key in METADATA.tables[table].foreign_key_constraints]
    with closing(connect(target)) as server, server.cursor() as rows:
        for table in TABLES:
            rows.execute(str(CreateTable(METADATA.tables[table], include_foreign_key_constraints=[]).compile(dialect=dialect)))
        server.commit()
        started = time.perf_counter()
        rows.execute("SET LOCAL maintenance_work_mem = '256MB'")
        for table, file in files.items():
            file.seek(0)
            rows.copy_expert(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier("public", table)), file)
        for table in TABLES:
            for index in sorted(METADATA.tables[table].indexes, key=lambda index: str(index.name)):
                rows.execute(str(CreateIndex(index).compile(dialect=dialect)))
        for key in keys:
            rows.execute(str(AddConstraint(key, isolate_from_table=False).compile(dialect=dialect)))
        server.commit()
        return time.perf_counter() - started
