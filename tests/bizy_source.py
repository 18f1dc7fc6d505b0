"""Source databases: written by running the real `bizy`, or row by row in exactly its schema."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Any

BIZY = Path(sys.executable).with_name("bizy.exe" if os.name == "nt" else "bizy")

# Starting the program takes seconds; this runs several of its commands in one start.
_SEVERAL = """
import json, sys
from agent.cli import cli
for arguments in json.loads(sys.argv[1]):
    cli.main(arguments, prog_name="bizy", standalone_mode=False)
"""


class Schema(StrEnum):
    """The lines of `bizy` whose tables differ (reference, facts)."""

    V1_0_0 = "1.0.0"
    V1_1_1 = "1.1.1"
    PROJECTS = "1.3"


def run_bizy(database: Path, *arguments: str) -> str:
    """Run one `bizy` command on `database` and return what it printed."""
    return _run([str(BIZY), *arguments], database)


def run_bizy_commands(database: Path, commands: Iterable[Sequence[str]]) -> str:
    """Run several `bizy` commands on `database` in one start of the program."""
    return _run([sys.executable, "-c", _SEVERAL, json.dumps([list(command) for command in commands])], database)


def create_tables(database: Path) -> None:
    """The empty tables, made by bizy's own code."""
    _run([sys.executable, "-c", "from agent.models import init_database; init_database()"], database)


def copy_of(database: Path, folder: Path) -> Path:
    """A copy to work with, in `folder`."""
    return Path(shutil.copy(database, folder / "tasks.db"))


def bizy_environment(database: Path) -> dict[str, str]:
    """The environment in which `bizy` works on `database` and touches nothing else."""
    kept = {name: value for name, value in os.environ.items() if name != "BIZY_ENV"}
    home = str(database.parent)
    return kept | {"HOME": home, "USERPROFILE": home, "BUSINESS_AGENT_DB": str(database), "COLUMNS": "200"}


def _run(command: list[str], database: Path) -> str:
    done = subprocess.run(
        command,
        env=bizy_environment(database),
        cwd=database.parent,
        input="\n" * 100,  # Enter for whatever it asks
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise AssertionError(f"bizy failed: {done.stdout}{done.stderr}")
    return done.stdout


# What `agent.models` 1.1.1 creates, to the letter; tests/test_bizy_source.py compares it with the real thing.
TABLES: Mapping[str, tuple[str, ...]] = {
    "tasks": (
        "id INTEGER NOT NULL",
        "title VARCHAR(500) NOT NULL",
        "description TEXT",
        "priority INTEGER",
        "status VARCHAR(50)",
        "category VARCHAR(100)",
        "estimated_hours FLOAT",
        "actual_hours FLOAT",
        "due_date DATETIME",
        "created_at DATETIME",
        "completed_at DATETIME",
        "parent_goal_id INTEGER",
        "dependencies JSON",
        "notes TEXT",
        "tags JSON",
        "PRIMARY KEY (id)",
    ),
    "goals": (
        "id INTEGER NOT NULL",
        "title VARCHAR(500) NOT NULL",
        "description TEXT",
        "horizon VARCHAR(50)",
        "target_date DATETIME",
        "status VARCHAR(50)",
        "progress_percentage FLOAT",
        "success_criteria TEXT",
        "parent_goal_id INTEGER",
        "created_at DATETIME",
        "updated_at DATETIME",
        "metrics JSON",
        "PRIMARY KEY (id)",
    ),
    "daily_logs": (
        "id INTEGER NOT NULL",
        "date DATETIME NOT NULL",
        "tasks_completed INTEGER",
        "tasks_planned INTEGER",
        "completion_rate FLOAT",
        "energy_level VARCHAR(20)",
        "blockers TEXT",
        "wins TEXT",
        "learnings TEXT",
        "tomorrow_focus TEXT",
        "mood VARCHAR(50)",
        "notes TEXT",
        "PRIMARY KEY (id)",
        "UNIQUE (date)",
    ),
    "research": (
        "id INTEGER NOT NULL",
        "title VARCHAR(500)",
        "summary TEXT",
        "source_url VARCHAR(1000)",
        "category VARCHAR(100)",
        "relevance_score FLOAT",
        "date_found DATETIME",
        "action_items TEXT",
        "tags JSON",
        "raw_data JSON",
        "PRIMARY KEY (id)",
    ),
    "metrics": (
        "id INTEGER NOT NULL",
        "metric_name VARCHAR(200)",
        "value FLOAT",
        "date DATETIME",
        "notes TEXT",
        "target_value FLOAT",
        "category VARCHAR(100)",
        "PRIMARY KEY (id)",
    ),
    "business_plans": (
        "id INTEGER NOT NULL",
        "name VARCHAR(255)",
        "version VARCHAR(50)",
        "vision TEXT",
        "mission TEXT",
        "value_proposition TEXT",
        "target_market TEXT",
        "revenue_model TEXT",
        "key_resources JSON",
        "key_activities JSON",
        "key_partnerships JSON",
        "cost_structure JSON",
        "created_at DATETIME",
        "updated_at DATETIME",
        "is_active BOOLEAN",
        "PRIMARY KEY (id)",
    ),
}

_ADDED_BY_PROJECTS = ("project_name VARCHAR(200)", "repository_path VARCHAR(500)")
_MISSING_IN_1_0_0 = ("name VARCHAR(255)", "updated_at DATETIME")

TASK: Mapping[str, Any] = {
    "title": "A task",
    "priority": 3,
    "status": "pending",
    "created_at": "2025-03-01 09:00:00.000000",
    "dependencies": "[]",
    "tags": "[]",
}
GOAL: Mapping[str, Any] = {
    "title": "A goal",
    "horizon": "monthly",
    "status": "active",
    "progress_percentage": 0.0,
    "created_at": "2025-03-01 09:00:00.000000",
    "updated_at": "2025-03-01 09:00:00.000000",
    "metrics": "{}",
}
_DEFAULTS: Mapping[str, Mapping[str, Any]] = {"tasks": TASK, "goals": GOAL}


def make_source(
    path: Path,
    *,
    tasks: Iterable[Mapping[str, Any]] = (),
    goals: Iterable[Mapping[str, Any]] = (),
    schema: Schema = Schema.V1_1_1,
    **others: Iterable[Mapping[str, Any]],
) -> Path:
    """A database in bizy's schema with these rows, and its path.

    A row names what matters to the test; the rest of a task or goal comes from TASK and GOAL. Values go in as they
    are, as SQLite would take them (bytes and wrong types included). `others` are rows of the other tables, by name.
    """
    with closing(sqlite3.connect(path)) as database:
        _create(database, schema)
        for table, rows in {"goals": goals, "tasks": tasks, **others}.items():
            for row in rows:
                _insert(database, table, {**_DEFAULTS.get(table, {}), **row})
        database.commit()
    return path


def _create(database: sqlite3.Connection, schema: Schema) -> None:
    for table, columns in TABLES.items():
        body = [column for column in columns if _has(schema, table, column)]
        if schema is Schema.PROJECTS and table in ("tasks", "goals"):
            body[-1:-1] = _ADDED_BY_PROJECTS
        database.execute(f"CREATE TABLE {table} ({', '.join(body)})")
        if schema is Schema.PROJECTS and table in ("tasks", "goals"):
            database.execute(f"CREATE INDEX ix_{table}_project_name ON {table} (project_name)")


def _has(schema: Schema, table: str, column: str) -> bool:
    return not (schema is Schema.V1_0_0 and table == "business_plans" and column in _MISSING_IN_1_0_0)


def _insert(database: sqlite3.Connection, table: str, row: Mapping[str, Any]) -> None:
    names = ", ".join(f'"{name}"' for name in row)
    marks = ", ".join("?" for _ in row)
    database.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', tuple(row.values()))
