"""Takes indexes and foreign keys off empty tables for the load, and puts the very same ones back after it.

Building an index once over all rows costs a third of keeping it up row by row (bench/README).
"""

from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

WORTH_IT = 20_000
"""Below so many rows, taking off and putting back costs more than it saves."""


@dataclass(frozen=True, slots=True)
class Suspended:
    """What was taken off, as the statements that put it back (PostgreSQL's own words: pg_get_indexdef and …constraintdef)."""

    indexes: tuple[str, ...]
    keys: tuple[sql.Composed, ...]


def suspend(server: Cursor, tables: list[str]) -> Suspended:
    """Drop the indexes and foreign keys of the tables, but not their primary keys and other constraints.

    What their definition does not tell (a comment, a tablespace, a role in replication or clustering) would be lost: such
    ones stay.
    """
    server.execute(
        "SELECT c.relname, o.conname, pg_get_constraintdef(o.oid) FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid"
        " WHERE o.contype = 'f' AND c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s)"
        " AND obj_description(o.oid, 'pg_constraint') IS NULL ORDER BY 1, 2",
        (tables,),
    )
    keys = server.fetchall()
    server.execute(
        "SELECT i.relname, pg_get_indexdef(i.oid) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
        " JOIN pg_class c ON c.oid = x.indrelid WHERE c.relnamespace = 'public'::regnamespace AND c.relname = ANY(%s)"
        " AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.oid) AND i.reltablespace = 0"
        " AND NOT x.indisreplident AND NOT x.indisclustered AND obj_description(i.oid, 'pg_class') IS NULL ORDER BY i.oid",
        (tables,),
    )
    indexes = server.fetchall()
    for table, name, _definition in keys:
        server.execute(sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(sql.Identifier("public", table), sql.Identifier(name)))
    for name, _definition in indexes:
        server.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier("public", name)))
    return Suspended(tuple(definition for _name, definition in indexes), tuple(_add_key(*key) for key in keys))


def _add_key(table: str, name: str, definition: str) -> sql.Composed:
    return sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(
        sql.Identifier("public", table), sql.Identifier(name), sql.SQL(definition)
    )


def restore(server: Cursor, suspended: Suspended) -> None:
    """Build everything anew as it was."""
    server.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for definition in suspended.indexes:
        server.execute(definition)
    for statement in suspended.keys:
        server.execute(statement)


def may_suspend(server: Cursor, tables: list[str]) -> bool:
    """Whether this role owns the tables, and so may take off their indexes."""
    server.execute(
        "SELECT coalesce(bool_and(pg_has_role(relowner, 'USAGE')), false) FROM pg_class"
        " WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%s)",
        (tables,),
    )
    found = server.fetchone()
    return bool(found and found[0])
