"""The proof: the condition of COMMIT. It reads everything back and names each cell that is not as it should be."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import islice

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.comparison.comparison import Comparison, Scope, Side
from bizy_migrate_tui.migration.errors import ProofFailed
from bizy_migrate_tui.migration.findings import Check, Difference
from bizy_migrate_tui.migration.load.load import Loaded
from bizy_migrate_tui.migration.load.preserved_load import missing_originals
from bizy_migrate_tui.migration.load.preserving import originals
from bizy_migrate_tui.migration.plan.plan import Plan
from bizy_migrate_tui.migration.postgresql import sequences
from bizy_migrate_tui.migration.postgresql.web_rules import check_rules
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES
from bizy_migrate_tui.migration.source.reading import CarefulReader, Reading
from bizy_migrate_tui.migration.source.workbook import SourceTable

DIFFERENCES_SHOWN = 1000


def prove(
    plan: Plan,
    workbook: sqlite3.Connection,
    tables: Mapping[str, SourceTable],
    reading: Reading,
    server: Cursor,
    user_id: int,
    run_id: int,
    loaded: Mapping[str, Loaded],
    advance: Callable[[int], None],
) -> tuple[Check, ...]:
    """Prove what the transaction has loaded; the checks, all passed. Raises ProofFailed with the differing cells."""
    side = Side(workbook, tables, reading)
    kept = originals(workbook, plan.inventory, tables, CarefulReader(workbook, tables, reading))
    differences: list[Difference] = []
    with comparisons(side, server, user_id) as compared:
        relations = (*check_relations(server, user_id), *check_rules(server, user_id))
        missing = list(islice(missing_originals(server, kept, run_id), DIFFERENCES_SHOWN))
        for comparison in compared:
            differences += islice(comparison.differences(advance), DIFFERENCES_SHOWN)
    differences += missing
    checks = (
        _cells(differences, loaded),
        *(_count(plan, server, table, loaded) for table in loaded),
        *relations,
        sequences.prove_inserts(server, user_id, is_alone=True),
    )
    sequences.raise_sequences(server)
    failed = [check for check in checks if not check.passed]
    if failed:
        raise ProofFailed(
            "proof-failed",
            f"What was loaded is not what should have been: {failed[0].name}: {failed[0].detail}.",
            "Everything was rolled back, nothing was changed. Please report this with the report file; it names the cells.",
            tuple(differences),
            checks,
        )
    return checks


@contextmanager
def comparisons(
    side: Side, server: Cursor, user_id: int, is_consequence: Callable[[Difference], bool] = lambda _difference: False
) -> Iterator[list[Comparison]]:
    """One for each web table of the source. SQLite begins to write what is expected, so PostgreSQL may be asked other things."""
    homes = [home for home in WEB_TABLES if home.name in side.tables]
    with ExitStack() as stack:
        yield [
            stack.enter_context(Comparison(side, server, home, user_id, scope=Scope.LOADED, is_consequence=is_consequence))
            for home in homes
        ]


def _cells(differences: list[Difference], loaded: Mapping[str, Loaded]) -> Check:
    rows = sum(one.rows for one in loaded.values())
    if not differences:
        return Check(
            "every cell is as in the source", passed=True, detail=f"{rows:,} rows and all originals read back and compared"
        )
    first = differences[0]
    more = f"{len(differences):,} differ" if len(differences) < DIFFERENCES_SHOWN else f"{len(differences):,} or more differ"
    return Check("every cell is as in the source", passed=False, detail=f"{more}, first {first.table} {first.id} {first.column}")


def _count(plan: Plan, server: Cursor, table: str, loaded: Mapping[str, Loaded]) -> Check:
    """The guide's first check: the table has grown by what was loaded, and that is what the plan said."""
    server.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("public", table)))
    found = (server.fetchone() or (0,))[0]
    expected = plan.state.tables.get(table, 0) + plan.tables[table].inserted
    detail = f"{loaded[table].rows:,} added, {found:,} in all" + ("" if found == expected else f", {expected:,} expected")
    return Check(
        f"{table}: counts match", passed=found == expected and loaded[table].rows == plan.tables[table].inserted, detail=detail
    )


def check_relations(server: Cursor, user_id: int) -> Iterator[Check]:
    """The guide's second and third check: every row has its user, every goal that is pointed to exists."""
    for table in ("goals", "tasks"):
        server.execute(
            sql.SQL(
                "SELECT count(*) FILTER (WHERE t.user_id IS NULL OR u.id IS NULL),"
                " count(*) FILTER (WHERE t.parent_goal_id IS NOT NULL AND g.id IS NULL), count(t.parent_goal_id)"
                " FROM {} t LEFT JOIN public.users u ON u.id = t.user_id LEFT JOIN public.goals g ON g.id = t.parent_goal_id"
                " WHERE t.user_id IS NULL OR t.user_id = %s"
            ).format(sql.Identifier("public", table)),
            (user_id,),
        )
        without_user, orphans, linked = server.fetchone() or (0, 0, 0)
        yield Check(f"{table}: every row has its user", passed=not without_user, detail=f"{without_user:,} without")
        yield Check(
            f"{table}: every goal they belong to exists", passed=not orphans, detail=f"{linked:,} links, {orphans:,} broken"
        )
    yield _check_ancestors(server, user_id)


def _check_ancestors(server: Cursor, user_id: int) -> Check:
    """No goal is its own ancestor; a circle would need a link to a goal with the same or a higher id."""
    name = "goals: none is its own ancestor"
    server.execute("SELECT EXISTS (SELECT FROM public.goals WHERE user_id = %s AND parent_goal_id >= id)", (user_id,))
    if server.fetchone() == (False,):
        return Check(name, passed=True, detail="every goal has a higher id than its parent")
    server.execute("SELECT id, parent_goal_id FROM public.goals WHERE user_id = %s AND parent_goal_id IS NOT NULL", (user_id,))
    parents = dict(server.fetchall())
    for goal in tuple(parents):
        above: set[int] = set()
        while goal in parents and goal not in above:
            above.add(goal)
            goal = parents[goal]  # noqa: PLW2901 (walks up)
        if goal in above:
            return Check(name, passed=False, detail=f"goal {goal} is")
        for walked in above:
            del parents[walked]
    return Check(name, passed=True, detail="followed up from each")
