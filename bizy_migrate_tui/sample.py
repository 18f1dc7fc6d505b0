"""Sample data for the demo: half a year of somebody's planner, as `bizy` leaves it, blemishes included.

Of the guide's size (67 tasks). The texts are in `sample_planner.toml`; only the dates depend on the day. As in real files
there are a task of a goal that was deleted, a priority of 9, a goal with the horizon `daily`, and the upgrade from
bizy 1.0.0, which wrote creation times in UTC, to a version that writes local ones (facts, "Which clock").
"""

import json
import sqlite3
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

ZONE: Final = "America/New_York"
"""Where the planner's owner lives."""

UTC_UNTIL: Final = 41
"""The last task whose creation time is in UTC; the next was made two hours later and bears a local time."""

TASKS: Final = 67
_DAYS_BETWEEN_TASKS: Final = 2.5
_AFTERWARDS: Final = timedelta(hours=1, minutes=20)
"""A task is ticked off somewhat later in the day than it was made."""

_GOAL: Final = """
    INSERT INTO goals VALUES (:id, :title, :description, :horizon, :target, 'active', :progress, :criteria, :parent,
        :created, :updated, :metrics)
"""
_TASK: Final = """
    INSERT INTO tasks VALUES (:id, :title, :description, :priority, :status, :category, :hours, :actual, :due, :created,
        :completed, :goal, :depends, :notes, :tags)
"""
_LOG: Final = """
    INSERT INTO daily_logs VALUES (:id, :date, :completed, :planned, :rate, :energy, :blockers, :wins, :learnings,
        :tomorrow, :mood, :notes)
"""
_RESEARCH: Final = """
    INSERT INTO research VALUES (:id, :title, :summary, :url, :category, :score, :date, :action, :tags, '{}')
"""
_METRIC: Final = "INSERT INTO metrics VALUES (:id, :name, :value, :date, :notes, :goal, :category)"
_PLAN: Final = """
    INSERT INTO business_plans VALUES (1, :name, :version, :vision, :mission, :value_proposition, :target_market,
        :revenue_model, :key_resources, :key_activities, :key_partnerships, :cost_structure, :created, :created, 1)
"""

Row = Mapping[str, Any]


def write_sample(path: Path, now: datetime | None = None) -> None:
    """Make the sample database at `path`, as of `now` (aware; default: this moment)."""
    planner = tomllib.loads(_resource("sample_planner.toml"))
    calendar = _Calendar((now or datetime.now(UTC)).astimezone(ZoneInfo(ZONE)).date())
    with closing(sqlite3.connect(path)) as database:
        database.executescript(_resource("sample_schema.sql"))
        database.executemany(_GOAL, _goals(planner["goals"], calendar))
        database.executemany(_TASK, _tasks(planner["tasks"], calendar))
        database.executemany(_LOG, _logs(planner["daily_logs"], calendar))
        database.executemany(_RESEARCH, _research(planner["research"], calendar))
        database.executemany(_METRIC, _metrics(planner["metrics"], calendar))
        database.execute(_PLAN, _business_plan(planner["business_plan"], calendar))
        database.commit()


@dataclass(frozen=True, slots=True)
class _Calendar:
    """The sample's dates, counted from the day that is today where the owner lives. All times are naive and local."""

    today: date

    def at(self, days_ago: int, minute: int = 0, microsecond: int = 0) -> datetime:
        """So many days ago, at that minute of the day."""
        moment = datetime.combine(self.today - timedelta(days=days_ago), time(microsecond=microsecond))
        return moment + timedelta(minutes=minute)

    def made(self, task: int) -> datetime:
        """When a task was made: every other day or so, in waking hours; the one after the upgrade two hours after it."""
        if task == UTC_UNTIL + 1:
            return self.made(UTC_UNTIL) + timedelta(hours=2, minutes=3, microseconds=4217)
        days_ago = 1 + int((TASKS - task) * _DAYS_BETWEEN_TASKS)
        return self.at(days_ago, minute=8 * 60 + task * 137 % 600, microsecond=task * 157_313 % 1_000_000)


def _goals(goals: list[Row], calendar: _Calendar) -> Iterator[Row]:
    for goal in goals:
        made = calendar.at(goal["ago"], minute=9 * 60 + goal["id"], microsecond=goal["id"] * 104_729)
        yield {
            "id": goal["id"],
            "title": goal["title"],
            "description": None,
            "horizon": goal["horizon"],
            "target": _text(calendar.at(-goal["due"])),
            "progress": goal["progress"],
            "criteria": goal.get("criteria"),
            "parent": goal.get("parent"),
            "created": _text(_in_utc(made)),
            # A task was added at once, which recalculates the progress and writes the local time.
            "updated": _text(made + timedelta(minutes=2)),
            "metrics": json.dumps(goal.get("metrics", {})),
        }


def _tasks(tasks: list[Row], calendar: _Calendar) -> Iterator[Row]:
    for id_, task in enumerate(tasks, start=1):
        made = calendar.made(id_)
        took = task.get("took")
        hours = task.get("hours")
        yield {
            "id": id_,
            "title": task["title"],
            "description": None,
            "priority": task["priority"],
            "status": task.get("status", "pending" if took is None else "completed"),
            "category": task.get("category"),
            "hours": hours,
            "actual": None if took is None or hours is None else hours * (0.8 + id_ % 5 / 10),
            "due": _text(calendar.at(-task["due"])) if "due" in task else None,
            "created": _text(_in_utc(made) if id_ <= UTC_UNTIL else made),
            "completed": None if took is None else _text(made + timedelta(days=took) + _AFTERWARDS),
            "goal": task.get("goal"),
            "depends": json.dumps(task.get("depends", [])),
            "notes": task.get("notes"),
            "tags": json.dumps(task.get("tags", [])),
        }


def _logs(logs: list[Row], calendar: _Calendar) -> Iterator[Row]:
    words = ("energy", "blockers", "wins", "learnings", "tomorrow", "mood", "notes")
    for id_, log in enumerate(logs, start=1):
        yield {
            "id": id_,
            "date": _text(calendar.at(log["ago"])),
            "completed": log["completed"],
            "planned": log["planned"],
            "rate": log["completed"] / log["planned"],
            **{word: log.get(word) for word in words},
        }


def _research(found: list[Row], calendar: _Calendar) -> Iterator[Row]:
    for id_, item in enumerate(found, start=1):
        yield {
            "id": id_,
            **{name: item.get(name) for name in ("title", "summary", "url", "category", "score", "action")},
            "date": _text(_in_utc(calendar.at(item["ago"], minute=14 * 60 + id_, microsecond=id_ * 31_337))),
            "tags": json.dumps(item.get("tags", [])),
        }


def _metrics(metrics: list[Row], calendar: _Calendar) -> Iterator[Row]:
    for id_, metric in enumerate(metrics, start=1):
        yield {
            "id": id_,
            **{name: metric.get(name) for name in ("name", "value", "goal", "category", "notes")},
            "date": _text(_in_utc(calendar.at(metric["ago"], minute=18 * 60, microsecond=id_ * 27_644))),
        }


def _business_plan(plan: Row, calendar: _Calendar) -> Row:
    documents = {name: json.dumps(value) for name, value in plan.items() if isinstance(value, list | dict)}
    return {**plan, **documents, "created": _text(_in_utc(calendar.at(plan["ago"], minute=11 * 60, microsecond=271_828)))}


def _in_utc(local: datetime) -> datetime:
    return local.replace(tzinfo=ZoneInfo(ZONE)).astimezone(UTC).replace(tzinfo=None)


def _text(moment: datetime) -> str:
    """As SQLAlchemy writes a time into SQLite."""
    return moment.isoformat(" ", timespec="microseconds")


def _resource(name: str) -> str:
    return files("bizy_migrate_tui").joinpath(name).read_text(encoding="utf-8")
