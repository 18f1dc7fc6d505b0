"""Sets the id sequences above what was loaded, so that the web interface can make new rows (hazards, pgloader#1598)."""

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.findings import Check

TABLES = ("users", "goals", "tasks")


def raise_sequences(server: Cursor) -> None:
    """Let each sequence continue above the table's highest id; never lower one.

    `ALTER SEQUENCE … RESTART` is undone by ROLLBACK; where the sequence is another role's, `setval` has to do.
    """
    for table in TABLES:
        server.execute(
            "SELECT c.oid::regclass::text, n.nspname, c.relname, pg_has_role(c.relowner, 'USAGE') FROM pg_class c"
            " JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.oid = pg_get_serial_sequence(format('public.%%I', %s), 'id')::regclass",
            (table,),
        )
        found = server.fetchone()
        if found is None:
            continue
        name, schema, sequence, is_ours = found
        identifier = sql.Identifier(schema, sequence)
        server.execute(
            sql.SQL("SELECT (SELECT coalesce(max(id), 0)::bigint + 1 FROM {}), last_value + is_called::int FROM {}").format(
                sql.Identifier("public", table), identifier
            )
        )
        needed, following = server.fetchone() or (1, 1)
        if needed > following:
            if is_ours:
                server.execute(sql.SQL("ALTER SEQUENCE {} RESTART WITH {}").format(identifier, sql.Literal(needed)))
            else:
                server.execute("SELECT setval(%s::regclass, %s, false)", (name, needed))


def prove_inserts(server: Cursor, user_id: int) -> Check:
    """Make a goal and a task as the web interface would, without an id, and take them back."""
    server.execute("SAVEPOINT bizy_probe")
    now = sql.SQL("now() AT TIME ZONE 'UTC'")
    ids = []
    for table in ("goals", "tasks"):
        server.execute(
            sql.SQL(
                "INSERT INTO {} (user_id, title, status, created_at, updated_at) VALUES (%s, 'probe', 'x', {}, {}) RETURNING id"
            ).format(sql.Identifier("public", table), now, now),
            (user_id,),
        )
        ids.append((server.fetchone() or (None,))[0])
    server.execute("ROLLBACK TO SAVEPOINT bizy_probe")
    server.execute("RELEASE SAVEPOINT bizy_probe")
    return Check("new rows can be made", passed=True, detail=f"the next goal is {ids[0]}, the next task {ids[1]}")
