"""Sets the id sequences above what was loaded, so that the web interface can make new rows (hazards, pgloader#1598)."""

from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.findings import Check

TABLES = ("users", "goals", "tasks")


@dataclass(frozen=True, slots=True)
class _Sequence:
    """A table's id sequence and the id that it would give next; `is_ours` where we may alter it."""

    table: str
    name: sql.Identifier
    following: int
    is_ours: bool

    def restart(self, server: Cursor, with_id: int) -> None:
        """Let it continue with that id.

        `ALTER SEQUENCE … RESTART` is undone by ROLLBACK, and so is every id taken after it in the same transaction; where
        the sequence is another role's, `setval` has to do.
        """
        if self.is_ours:
            server.execute(sql.SQL("ALTER SEQUENCE {} RESTART WITH {}").format(self.name, sql.Literal(with_id)))
        elif with_id != self.following:
            server.execute("SELECT setval(%s::regclass, %s, false)", (self.name.as_string(server), with_id))


def raise_sequences(server: Cursor) -> None:
    """Let each sequence continue above the table's highest id; never lower one."""
    for sequence in _sequences(server):
        server.execute(
            sql.SQL("SELECT coalesce(max(id), 0)::bigint + 1 FROM {}").format(sql.Identifier("public", sequence.table))
        )
        (needed,) = server.fetchone() or (1,)
        if needed > sequence.following:
            sequence.restart(server, needed)


def prove_inserts(server: Cursor, user_id: int, *, is_alone: bool) -> Check:
    """Make a goal and a task as the web interface would, without an id, and take them back.

    Where nobody else can be writing (`is_alone`), the ids that this takes are given back too; otherwise that would have to
    wait for others, and so the ids are lost, as with every insert that is rolled back.
    """
    server.execute("SAVEPOINT bizy_probe")
    if is_alone:
        for sequence in _sequences(server):
            sequence.restart(server, sequence.following)
    try:
        detail = "the next goal is {}, the next task {}".format(
            *(_insert(server, table, user_id) for table in ("goals", "tasks"))
        )
        is_possible = True
    except (psycopg2.IntegrityError, psycopg2.DataError) as error:  # the id is taken already, or there is none left
        detail, is_possible = str(error).splitlines()[0], False
    server.execute("ROLLBACK TO SAVEPOINT bizy_probe")
    server.execute("RELEASE SAVEPOINT bizy_probe")
    return Check("new rows can be made", passed=is_possible, detail=detail)


def _insert(server: Cursor, table: str, user_id: int) -> int:
    now = sql.SQL("now() AT TIME ZONE 'UTC'")
    server.execute(
        sql.SQL(
            "INSERT INTO {} (user_id, title, status, created_at, updated_at) VALUES (%s, 'probe', 'x', {}, {}) RETURNING id"
        ).format(sql.Identifier("public", table), now, now),
        (user_id,),
    )
    (id_,) = server.fetchone() or (0,)
    return int(id_)


def _sequences(server: Cursor) -> list[_Sequence]:
    server.execute(
        "SELECT t.name, n.nspname, c.relname, pg_has_role(c.relowner, 'USAGE') FROM unnest(%s) AS t(name)"
        " JOIN pg_class c ON c.oid = pg_get_serial_sequence(format('public.%%I', t.name), 'id')::regclass"
        " JOIN pg_namespace n ON n.oid = c.relnamespace",
        (list(TABLES),),
    )
    found = []
    for table, schema, name, is_ours in server.fetchall():
        identifier = sql.Identifier(schema, name)
        server.execute(sql.SQL("SELECT last_value + is_called::int FROM {}").format(identifier))
        found.append(_Sequence(table, identifier, (server.fetchone() or (1,))[0], is_ours))
    return found
