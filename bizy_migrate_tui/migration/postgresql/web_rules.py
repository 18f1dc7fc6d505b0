"""What the web interface accepts (facts), as conditions that PostgreSQL checks for every row."""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from bizy_migrate_tui.migration.findings import Check


@dataclass(frozen=True, slots=True)
class WebRule:
    """A rule for a column: in words, and as a condition that holds for every good row."""

    table: str
    column: str
    words: str
    holds: str


_ARRAY_OF = "{c} IS NULL OR json_typeof({c}) = 'null' OR (json_typeof({c}) = 'array' AND {rest})"
_INTEGERS = r"{c}::text ~ '^\s*\[\s*(-?\d+(\s*,\s*-?\d+)*)?\s*\]\s*$'"
_STRINGS = """NOT jsonb_path_exists({c}::jsonb, '$[*] ? (@.type() != "string")')"""
_FINITE = "abs({c}) < 'Infinity'::float8"
"""To PostgreSQL, NaN is more than infinity."""

RULES = (
    *(WebRule(t, "title", "1 to 500 characters", "length({c}) BETWEEN 1 AND 500") for t in ("goals", "tasks")),
    WebRule("tasks", "priority", "1 to 5", "{c} BETWEEN 1 AND 5"),
    WebRule("tasks", "status", "a known status", "{c} IN ('pending', 'in_progress', 'completed', 'blocked')"),
    WebRule("tasks", "category", "at most 100 characters", "{c} IS NULL OR length({c}) <= 100"),
    *(
        WebRule("tasks", c, "empty or a finite number from 0", f"{{c}} IS NULL OR ({_FINITE} AND {{c}} >= 0)")
        for c in ("estimated_hours", "actual_hours")
    ),
    WebRule("tasks", "dependencies", "empty or an array of integers", _ARRAY_OF.replace("{rest}", _INTEGERS)),
    WebRule("tasks", "tags", "empty or an array of strings", _ARRAY_OF.replace("{rest}", _STRINGS)),
    WebRule("goals", "horizon", "a known horizon", "{c} IN ('yearly', 'quarterly', 'monthly', 'weekly')"),
    WebRule("goals", "status", "a known status", "{c} IN ('active', 'completed', 'on_hold', 'cancelled')"),
    WebRule("goals", "progress_percentage", "a finite number", f"{{c}} IS NOT NULL AND {_FINITE}"),
    WebRule("goals", "metrics", "empty or an object", "{c} IS NULL OR json_typeof({c}) IN ('null', 'object')"),
    *(WebRule(t, c, "given", "{c} IS NOT NULL") for t in ("goals", "tasks") for c in ("created_at", "updated_at")),
)


def check_rules(server: Cursor, user_id: int) -> Iterator[Check]:
    """One check a table: every rule for every row of the user, in one scan."""
    for table in ("goals", "tasks"):
        rules = [rule for rule in RULES if rule.table == table]
        broken = sql.SQL(", ").join(
            sql.SQL("count(*) FILTER (WHERE NOT coalesce(({}), false))").format(
                sql.SQL(rule.holds.replace("{", "{{").replace("}", "}}").replace("{{c}}", "{c}")).format(
                    c=sql.Identifier(rule.column)
                )
            )
            for rule in rules
        )
        server.execute(
            sql.SQL("SELECT count(*), {} FROM {} WHERE user_id = %s").format(broken, sql.Identifier("public", table)), (user_id,)
        )
        rows, *counts = server.fetchone() or (0, *[0] * len(rules))
        wrong = [f"{count:,} × {rule.column} is not {rule.words}" for rule, count in zip(rules, counts, strict=True) if count]
        detail = "; ".join(wrong) or f"{len(rules)} rules hold for {rows:,} {'row' if rows == 1 else 'rows'}"
        yield Check(f"the web interface can read all {table}", passed=not wrong, detail=detail)
