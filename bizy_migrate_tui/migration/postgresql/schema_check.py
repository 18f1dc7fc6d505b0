"""Compares the target's web tables with what the web interface expects, and names each difference."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from psycopg2.extensions import connection, cursor
from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy.dialects import postgresql

from bizy_migrate_tui.migration.errors import SchemaMismatch
from bizy_migrate_tui.migration.postgresql.target import WEB_TABLES
from bizy_migrate_tui.migration.postgresql.web_schema import METADATA

_ON_DELETE: Final[Mapping[str, str]] = {
    "a": "NO ACTION",
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}
_KINDS: Final[Mapping[str, str]] = {"v": "a view", "m": "a materialized view", "f": "a foreign table"}
_TYPE_NAMES: Final[Mapping[str, str]] = {"varchar": "character varying", "float": "double precision"}
"""What SQLAlchemy calls a type in DDL, and what format_type() calls it."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A column as the catalogue describes it."""

    type: str
    not_null: bool
    has_default: bool


def web_tables_present(open_connection: connection) -> frozenset[str]:
    """Which of the web tables exist in schema public."""
    with open_connection.cursor() as rows:
        return frozenset(name for name, kind in _kinds(rows).items() if kind not in _KINDS)


def check_web_tables(open_connection: connection) -> None:
    """Raise SchemaMismatch, naming every difference, unless each web table that exists is the expected one.

    A table that does not exist is fine, and so are missing indexes and further columns that need no value.
    """
    with open_connection.cursor() as rows:
        kinds = _kinds(rows)
        columns = _columns(rows)
        keys = _foreign_keys(rows)
    differences = [f"public.{name} is {_KINDS[kind]}, not a table" for name, kind in kinds.items() if kind in _KINDS]
    for name, kind in kinds.items():
        if kind not in _KINDS:
            differences += _differences(METADATA.tables[name], columns.get(name, {}), keys)
    if differences:
        raise SchemaMismatch(
            "schema-mismatch",
            "The web interface's tables in this database are not those this product knows: " + "; ".join(differences) + ".",
            "Bring them up to date in the back end (cd backend && alembic upgrade head), or use an empty database.",
        )


def _differences(table: Table, found: Mapping[str, _Found], keys: frozenset[tuple[str, str, str, str]]) -> Iterator[str]:
    for column in table.columns:
        yield from _column_differences(f"{table.name}.{column.name}", column, found.get(column.name))
        for key in column.foreign_keys:
            if column.name in found and _key(table, column, key) not in keys:
                parent = key.column
                yield (
                    f"{table.name}.{column.name} has no foreign key to {parent.table.name}.{parent.name} ON DELETE {key.ondelete}"
                )
    if "id" in found and (table.name, "id", "", "") not in keys:
        yield f"{table.name} has no primary key on id"
    for name, extra in found.items():
        if name not in table.columns and extra.not_null and not extra.has_default:
            yield f"{table.name}.{name} is an additional column that must have a value"


def _column_differences(name: str, expected: Column[object], found: _Found | None) -> Iterator[str]:
    if found is None:
        yield f"{name} is missing"
        return
    wanted = _type_name(expected)
    if found.type != wanted:
        yield f"{name} is {found.type} instead of {wanted}"
    if found.not_null == expected.nullable:
        yield f"{name} {'must have a value' if found.not_null else 'may be NULL'}"
    if expected.primary_key and not found.has_default:
        yield f"{name} has no sequence"


def _type_name(column: Column[object]) -> str:
    ddl = column.type.compile(dialect=postgresql.dialect()).lower()  # type: ignore[no-untyped-call]
    return re.sub(r"^\w+", lambda word: _TYPE_NAMES.get(word[0], word[0]), ddl)


def _key(table: Table, column: Column[object], key: ForeignKey) -> tuple[str, str, str, str]:
    return table.name, column.name, f"{key.column.table.name}.{key.column.name}", str(key.ondelete)


def _kinds(rows: cursor) -> dict[str, str]:
    rows.execute(
        """
        SELECT c.relname::text, c.relkind::text
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        WHERE c.relname = ANY(%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
        ORDER BY array_position(%s, c.relname::text)
        """,
        (list(WEB_TABLES), list(WEB_TABLES)),
    )
    return dict(rows.fetchall())


def _columns(rows: cursor) -> dict[str, dict[str, _Found]]:
    rows.execute(
        """
        SELECT c.relname::text, a.attname::text, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
               a.atthasdef OR a.attidentity <> ''
        FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relname = ANY(%s) AND c.relkind IN ('r', 'p')
        ORDER BY c.relname, a.attnum
        """,
        (list(WEB_TABLES),),
    )
    tables: dict[str, dict[str, _Found]] = {}
    for table, name, *rest in rows.fetchall():
        tables.setdefault(table, {})[name] = _Found(*rest)
    return tables


def _foreign_keys(rows: cursor) -> frozenset[tuple[str, str, str, str]]:
    """(table, column, "parent.column", ON DELETE) of every one-column key; a primary key has no parent."""
    rows.execute(
        """
        SELECT c.relname::text, a.attname::text,
               coalesce(parent.relname || '.' || target.attname, ''), k.confdeltype::text
        FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
        JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
        LEFT JOIN pg_catalog.pg_class parent ON parent.oid = k.confrelid AND parent.relnamespace = n.oid
        LEFT JOIN pg_catalog.pg_attribute target ON target.attrelid = parent.oid AND target.attnum = k.confkey[1]
        WHERE c.relname = ANY(%s) AND k.contype IN ('f', 'p') AND cardinality(k.conkey) = 1
        """,
        (list(WEB_TABLES),),
    )
    return frozenset((table, name, parent, _ON_DELETE.get(act, "")) for table, name, parent, act in rows.fetchall())
