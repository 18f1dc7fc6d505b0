"""The rules as data: for every column of the web tables, what its value comes from and how it is mended.

To add a column or change a rule, change a line here. Sources: guide ("What Changes During Migration"), facts ("What the
web interface accepts"), design ("Adjustments").
"""

from dataclasses import dataclass
from enum import StrEnum

from bizy_migrate_tui.migration.rules import clean, documents, repairs, screens
from bizy_migrate_tui.migration.rules.clean import Predicate
from bizy_migrate_tui.migration.rules.repairs import Repair
from bizy_migrate_tui.migration.rules.screens import Screen


class Form(StrEnum):
    """How a clean cell travels: as it is, as a float, as a time moved from the source's zone, or made by the load."""

    PLAIN = "plain"
    REAL = "real"
    LOCAL_TIME = "local time"
    MADE = "made"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a web table: its source column has the same name, `is_clean` None means that it has none.

    `screen` looks at many cells at once; without one, the column is asked about elsewhere (`census`).
    """

    name: str
    repair: Repair
    is_clean: Predicate | None
    screen: Screen | None = None
    form: Form = Form.PLAIN
    is_free_text: bool = False
    """Whether a clean cell may hold any character, so that its text has to be looked at (JSON that was parsed may not)."""


@dataclass(frozen=True, slots=True)
class WebTable:
    """A table of the web interface that the source has a table for; `id` and `user_id` come before the columns."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All column names in the order in which they are loaded."""
        return ("id", "user_id", *(column.name for column in self.columns))


TASK_STATUSES = ("pending", "in_progress", "completed", "blocked")
GOAL_STATUSES = ("active", "completed", "on_hold", "cancelled")
HORIZONS = ("yearly", "quarterly", "monthly", "weekly")

_DONE = ("done", "complete", "finished", "closed", "resolved")
_TASK_SYNONYMS = (
    dict.fromkeys(_DONE, "completed")
    | dict.fromkeys(("todo", "to_do", "open", "new", "not_started", "backlog"), "pending")
    | dict.fromkeys(("doing", "started", "wip", "active", "inprogress", "working"), "in_progress")
    | dict.fromkeys(("waiting", "stuck", "on_hold", "paused"), "blocked")
)
_GOAL_SYNONYMS = (
    dict.fromkeys((*_DONE, "achieved", "reached"), "completed")
    | dict.fromkeys(("todo", "open", "new", "pending", "in_progress", "started"), "active")
    | dict.fromkeys(("paused", "waiting", "blocked", "deferred", "onhold"), "on_hold")
    | dict.fromkeys(("canceled", "abandoned", "dropped"), "cancelled")
)
_HORIZON_SYNONYMS = {
    "daily": "weekly", "day": "weekly", "week": "weekly", "month": "monthly",
    "quarter": "quarterly", "year": "yearly", "annual": "yearly", "annually": "yearly",
}  # fmt: skip

GOALS = WebTable(
    "goals",
    (
        Column("parent_goal_id", repairs.parent_goal, clean.is_small_integer),
        Column("title", repairs.title, clean.is_title, screens.TITLE, is_free_text=True),
        Column("description", repairs.text, clean.is_text, screens.TEXT, is_free_text=True),
        Column(
            "horizon",
            repairs.one_of(HORIZONS, _HORIZON_SYNONYMS, "monthly", "horizon-unknown"),
            clean.is_one_of(HORIZONS),
            screens.one_of(HORIZONS),
        ),
        Column("target_date", repairs.calendar_time, clean.is_time, screens.TIME),
        Column(
            "status",
            repairs.one_of(GOAL_STATUSES, _GOAL_SYNONYMS, "active", "status-unknown"),
            clean.is_one_of(GOAL_STATUSES),
            screens.one_of(GOAL_STATUSES),
        ),
        Column("progress_percentage", repairs.progress, clean.is_real, screens.NUMBER, Form.REAL),
        Column("success_criteria", repairs.text, clean.is_text, screens.TEXT, is_free_text=True),
        Column("created_at", repairs.goal_created, clean.is_given_time, screens.GIVEN_TIME),
        Column("updated_at", repairs.goal_updated, clean.is_given_time, screens.GIVEN_TIME),
        Column("completed_at", repairs.nothing, None, form=Form.MADE),
        Column("metrics", documents.metrics, clean.is_document("is_object"), screens.documents("is_object")),
    ),
)

TASKS = WebTable(
    "tasks",
    (
        Column("parent_goal_id", repairs.parent_goal, clean.is_small_integer),
        Column("title", repairs.title, clean.is_title, screens.TITLE, is_free_text=True),
        Column("description", repairs.text, clean.is_text, screens.TEXT, is_free_text=True),
        Column("priority", repairs.priority, clean.is_integer_between(1, 5), screens.integer_between(1, 5)),
        Column(
            "status",
            repairs.one_of(TASK_STATUSES, _TASK_SYNONYMS, "pending", "status-unknown"),
            clean.is_one_of(TASK_STATUSES),
            screens.one_of(TASK_STATUSES),
        ),
        Column("category", repairs.short_text(100), clean.is_text_up_to(100), screens.text_up_to(100), is_free_text=True),
        Column("estimated_hours", repairs.hours, clean.is_duration, screens.DURATION, Form.REAL),
        Column("actual_hours", repairs.hours, clean.is_duration, screens.DURATION, Form.REAL),
        Column("due_date", repairs.calendar_time, clean.is_time, screens.TIME),
        Column("created_at", repairs.task_created, clean.is_given_time, screens.GIVEN_TIME, Form.LOCAL_TIME),
        Column("updated_at", repairs.loaded_at, None, form=Form.MADE),
        Column("completed_at", repairs.local_instant, clean.is_time, screens.TIME, Form.LOCAL_TIME),
        Column("dependencies", documents.dependencies, clean.is_document("is_integer_array"), screens.ID_LISTS),
        Column("notes", repairs.text, clean.is_text, screens.TEXT, is_free_text=True),
        Column("tags", documents.tags, clean.is_document("is_string_array"), screens.documents("is_string_array")),
    ),
)

WEB_TABLES = (GOALS, TASKS)
"""In the order in which they are loaded: a task's goal must be there before it."""
