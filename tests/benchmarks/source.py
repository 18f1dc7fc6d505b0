"""A source database of any size, the same every time: what a busy planner might hold."""

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from tests.bizy_source import TABLES

_VERBS = [
    "Write",
    "Review",
    "Fix",
    "Draft",
    "Call",
    "Plan",
    "Ship",
    "Test",
    "Measure",
    "Email",
    "Update",
    "Prepare",
    "Refactor",
    "Interview",
    "Publish",
]
_NOUNS = [
    "landing page",
    "investor deck",
    "pricing survey",
    "invoice template",
    "API client",
    "churn report",
    "release notes",
    "logo sketch",
]
_WORDS = [
    "customer",
    "growth",
    "plan",
    "revenue",
    "weekly",
    "launch",
    "team",
    "follow",
    "up",
    "notes",
    "metric",
    "draft",
    "design",
    "review",
    "budget",
    "risk",
    "goal",
]
_FOREIGN = ["café München", "東京の顧客", "naïve Übung", "🚀 launch", "São Paulo", "Ελλάδα", "“quoted” — dash"]
_TAGS = ["urgent", "q3", "ana", "web", "überfällig", "x y"]
_FIRST = datetime(2023, 1, 1)

Cells = tuple[object, ...]


def write_source(path: Path, tasks: int) -> None:
    """Write a database in bizy's schema with so many tasks, a hundredth as many goals, and some of everything else."""
    goals = max(1, tasks // 100)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        for table, columns in TABLES.items():
            database.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
        _fill(database, "goals", 12, _goals(goals))
        _fill(database, "tasks", 15, _tasks(tasks, goals))
        _fill(database, "daily_logs", 12, _logs(max(1, min(2000, tasks // 50))))
        _fill(database, "metrics", 7, _metrics(max(1, tasks // 20)))
        database.commit()


def _fill(database: sqlite3.Connection, table: str, columns: int, rows: Iterator[Cells]) -> None:
    database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})", rows)


def _text(chance: random.Random, length: int) -> str:
    words = " ".join(chance.choices(_WORDS, k=length // 6))
    kind = chance.random()
    if kind < 0.10:
        return words.replace(" ", "\n", 2)
    if kind < 0.15:
        return words.replace(" ", "\t", 1) + " C:\\tmp\\new"
    return words if kind > 0.25 else f"{words} {chance.choice(_FOREIGN)}"


def _moment(chance: random.Random) -> datetime:
    return _FIRST + timedelta(seconds=chance.random() * 86_400 * 1000)


def _written(moment: datetime) -> str:
    return moment.isoformat(" ", "microseconds")


def _tasks(count: int, goals: int) -> Iterator[Cells]:
    chance = random.Random(42)
    for number in range(1, count + 1):
        foreign = f" {chance.choice(_FOREIGN)}" if chance.random() < 0.08 else ""
        status = chance.choice(["pending", "in_progress", "completed", "completed", "blocked"])
        made = _moment(chance)
        done = made + timedelta(seconds=chance.random() * 86_400 * 30) if status == "completed" else None
        due = (made + timedelta(days=chance.randint(1, 60))).replace(hour=0, minute=0, second=0, microsecond=0)
        needs = json.dumps([chance.randint(1, number) for _ in range(chance.randint(1, 3))])
        yield (
            number,
            f"{chance.choice(_VERBS)} {chance.choice(_NOUNS)} again #{number}{foreign}",
            _text(chance, chance.randint(120, 280)) if chance.random() < 0.3 else None,
            chance.randint(1, 5),
            status,
            chance.choice(["development", "marketing", "operations", "finance", "sales", None]),
            chance.choice([None, 0.5, 1.0, 2.5, 8.0]),
            round(chance.random() * 9, 2) if done else None,
            _written(due) if chance.random() < 0.6 else None,
            _written(made),
            _written(done) if done else None,
            chance.randint(1, goals) if chance.random() < 0.7 else None,
            needs if chance.random() < 0.15 else chance.choice(["null", None]),
            _text(chance, 60) if chance.random() < 0.1 else None,
            json.dumps(chance.sample(_TAGS, chance.randint(1, 3))) if chance.random() < 0.5 else None,
        )


def _goals(count: int) -> Iterator[Cells]:
    chance = random.Random(7)
    for number in range(1, count + 1):
        made = _moment(chance)
        yield (
            number,
            f"{chance.choice(_VERBS)} {chance.choice(_NOUNS)} goal #{number}",
            _text(chance, 150) if chance.random() < 0.5 else None,
            chance.choice(["yearly", "quarterly", "monthly", "weekly"]),
            _written(made + timedelta(days=90)),
            chance.choice(["active", "completed", "on_hold"]),
            round(chance.random() * 100, 1),
            _text(chance, 60),
            chance.randint(1, number - 1) if number > 1 and chance.random() < 0.3 else None,
            _written(made),
            _written(made + timedelta(days=3)),
            json.dumps({"target": chance.randint(1, 100), "unit": "€"}) if chance.random() < 0.5 else None,
        )


def _logs(count: int) -> Iterator[Cells]:
    chance = random.Random(9)
    for number in range(1, count + 1):
        day = _written(_FIRST + timedelta(days=number))
        texts = (_text(chance, 60), _text(chance, 60), _text(chance, 40))
        yield (number, day, chance.randint(0, 9), chance.randint(0, 9), chance.random(), "high", None, *texts, "ok", None)


def _metrics(count: int) -> Iterator[Cells]:
    chance = random.Random(3)
    for number in range(1, count + 1):
        yield (number, "mrr", chance.random() * 1000, _written(_moment(chance)), None, 1000.0, "revenue")
