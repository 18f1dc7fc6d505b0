"""What only a fresh connection can show after COMMIT: the rows are there, the indexes serve, the web's queries are quick."""

import os
import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.findings import Check
from bizy_migrate_tui.migration.plan.plan import Plan
from bizy_migrate_tui.migration.postgresql.target import connect
from bizy_migrate_tui.migration.source.workbook import open_again, open_workbook


@dataclass(frozen=True, slots=True)
class WebQuery:
    """One of the guide's queries ("Expected Query Times"): for PostgreSQL, for SQLite, and the guide's bound in ms."""

    name: str
    postgres: str
    sqlite: str
    expected_ms: int


QUERIES = (
    WebQuery(
        "Dashboard",
        "SELECT status, count(*), count(*) FILTER (WHERE due_date < now()) FROM public.tasks WHERE user_id = {user} GROUP BY 1",
        "SELECT status, count(*), sum(due_date < datetime('now')) FROM snapshot.tasks GROUP BY 1",
        100,
    ),
    WebQuery(
        "Task list",
        "SELECT * FROM public.tasks WHERE user_id = {user} AND status = 'pending' ORDER BY due_date LIMIT 100",
        "SELECT * FROM snapshot.tasks WHERE status = 'pending' ORDER BY due_date LIMIT 100",
        50,
    ),
    WebQuery(
        "Goal breakdown",
        "SELECT g.id, count(t.id), count(t.id) FILTER (WHERE t.status = 'completed') FROM public.goals g"
        " LEFT JOIN public.tasks t ON t.parent_goal_id = g.id WHERE g.user_id = {user} GROUP BY g.id ORDER BY g.id LIMIT 100",
        "SELECT g.id, t.all_of_them, t.completed FROM snapshot.goals g LEFT JOIN (SELECT parent_goal_id, count(*) all_of_them,"
        " sum(status = 'completed') completed FROM snapshot.tasks GROUP BY 1) t ON t.parent_goal_id = g.id"
        " ORDER BY g.id LIMIT 100",
        200,
    ),
    WebQuery(
        "Analytics",
        "SELECT date_trunc('month', completed_at), category, count(*), avg(actual_hours) FROM public.tasks"
        " WHERE user_id = {user} AND completed_at IS NOT NULL GROUP BY 1, 2",
        "SELECT substr(completed_at, 1, 7), category, count(*), avg(actual_hours) FROM snapshot.tasks"
        " WHERE completed_at IS NOT NULL GROUP BY 1, 2",
        500,
    ),
)


_SIDES = 2
"""So many of SQLite's queries run at a time: it takes far longer than PostgreSQL, which then has long been done."""


@dataclass(frozen=True, slots=True)
class QueryTime:
    """How long a query of the web interface takes on both databases, in milliseconds; None where it cannot be asked."""

    name: str
    sqlite_ms: float | None
    postgres_ms: float
    expected_ms: int


def check_afterwards(plan: Plan, user_id: int) -> tuple[Check, ...]:
    """The checks of a fresh connection; none of them can fail the run any more, because it is committed."""
    with closing(connect(plan.target, readonly=True)) as server, server.cursor() as rows:
        checks = [_are_there(rows, plan, user_id), check_index(rows, user_id)]
        with closing(open_workbook(plan.inventory.workbook, plan.inventory.snapshot.path)) as workbook:
            times = tuple(time_queries(rows, workbook, user_id))
        server.rollback()
    return (*checks, *map(check_of, times))


def _are_there(rows: Cursor, plan: Plan, user_id: int) -> Check:
    rows.execute(
        "SELECT (SELECT count(*) FROM public.goals WHERE user_id = %(user)s),"
        " (SELECT count(*) FROM public.tasks WHERE user_id = %(user)s)",
        {"user": user_id},
    )
    goals, tasks = rows.fetchone() or (0, 0)
    is_there = goals >= plan.tables["goals"].inserted and tasks >= plan.tables["tasks"].inserted
    return Check("a new connection sees the rows", passed=is_there, detail=f"{tasks:,} tasks and {goals:,} goals")


def check_index(rows: Cursor, user_id: int) -> Check:
    """The guide's EXPLAIN: the user's tasks of a status are found by ix_tasks_user_status.

    PostgreSQL rightly reads the whole table while it is small, so the question is put without that way.
    """
    rows.execute(
        "SELECT coalesce(bool_or(x.indisvalid), false) FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
        " WHERE x.indrelid = 'public.tasks'::regclass AND i.relname = 'ix_tasks_user_status'"
    )
    (is_valid,) = rows.fetchone() or (False,)
    rows.execute("SET LOCAL enable_seqscan = off")
    rows.execute("EXPLAIN SELECT * FROM public.tasks WHERE user_id = %s AND status = 'pending'", (user_id,))
    lines = [str(line[0]).strip(" ->").split("  ")[0] for line in rows.fetchall()]
    rows.execute("SET LOCAL enable_seqscan = on")
    used = next((line for line in lines if "ix_tasks_" in line), lines[0])
    detail = f"ix_tasks_user_status is {'valid' if is_valid else 'missing'}; PostgreSQL can use: {used}"
    return Check("indexes serve the web's queries", passed=is_valid and "ix_tasks_" in used, detail=detail)


def time_queries(rows: Cursor, workbook: sqlite3.Connection | None, user_id: int) -> Iterator[QueryTime]:
    """The guide's four queries, each on both databases, which answer side by side."""
    with ThreadPoolExecutor(_SIDES) as sides:
        before = sides.map(lambda query: _sqlite_ms(workbook, query.sqlite), QUERIES)
        after = [_postgres_ms(rows, query.postgres, user_id) for query in QUERIES]
    for query, sqlite, postgres in zip(QUERIES, before, after, strict=True):
        yield QueryTime(query.name, sqlite, postgres, query.expected_ms)


def _postgres_ms(rows: Cursor, statement: str, user_id: int) -> float:
    query = sql.SQL("COPY ({}) TO STDOUT").format(sql.SQL(statement).format(user=sql.Literal(user_id)))
    started = time.perf_counter()
    with Path(os.devnull).open("wb") as nowhere:  # the answer may be long; it comes as a stream
        rows.copy_expert(query, nowhere)
    return (time.perf_counter() - started) * 1000


def _sqlite_ms(workbook: sqlite3.Connection | None, statement: str) -> float | None:
    if workbook is None:
        return None
    with closing(open_again(workbook)) as own:
        started = time.perf_counter()
        try:
            deque(own.execute(statement), maxlen=0)
        except sqlite3.OperationalError:
            return None  # an older file lacks a column or a table
        return (time.perf_counter() - started) * 1000


def check_of(measured: QueryTime) -> Check:
    """A query's time beside the guide's expectation, which is a figure and not a condition."""
    before = "" if measured.sqlite_ms is None else f"SQLite {measured.sqlite_ms:.1f} ms, "
    return Check(
        f"{measured.name} answers",
        passed=True,
        detail=f"{before}PostgreSQL {measured.postgres_ms:.1f} ms (the guide expects under {measured.expected_ms} ms)",
    )
