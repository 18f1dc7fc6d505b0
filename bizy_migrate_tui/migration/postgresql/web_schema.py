"""The tables of the web interface, restated: what the back end's own models create in PostgreSQL.

The back end owns this schema. Schema `public` is not set here, so that the same tables serve a comparison with the back
end's models; code that talks to a target names `public` itself. Datetimes are naive UTC; only primary keys have a
server default (serial).
"""

from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

METADATA: Final = MetaData()
"""Holds users, goals and tasks, in the order in which they can be created."""

USERS: Final = Table(
    "users",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("email", String(255), nullable=False),
    Column("username", String(100), nullable=False),
    Column("hashed_password", String(255), nullable=False),
    Column("full_name", String(200)),
    Column("is_active", Boolean),
    Column("is_verified", Boolean),
    Column("is_superuser", Boolean),
    Column("created_at", DateTime, nullable=False),
    Column("updated_at", DateTime, nullable=False),
    Column("last_login_at", DateTime),
    Column("email_verified_at", DateTime),
    Index("ix_users_id", "id"),
    Index("ix_users_email", "email", unique=True),
    Index("ix_users_username", "username", unique=True),
)

GOALS: Final = Table(
    "goals",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("parent_goal_id", Integer, ForeignKey("goals.id", ondelete="SET NULL")),
    Column("title", String(500), nullable=False),
    Column("description", Text),
    Column("horizon", String(50)),
    Column("target_date", DateTime),
    Column("status", String(50)),
    Column("progress_percentage", Float),
    Column("success_criteria", Text),
    Column("created_at", DateTime, nullable=False),
    Column("updated_at", DateTime, nullable=False),
    Column("completed_at", DateTime),
    Column("metrics", JSON),
    Index("ix_goals_id", "id"),
    Index("ix_goals_user_id", "user_id"),
    Index("ix_goals_parent_goal_id", "parent_goal_id"),
    Index("ix_goals_horizon", "horizon"),
    Index("ix_goals_target_date", "target_date"),
    Index("ix_goals_created_at", "created_at"),
    Index("ix_goals_user_status", "user_id", "status"),
    Index("ix_goals_user_horizon", "user_id", "horizon"),
    Index("ix_goals_user_target_date", "user_id", "target_date"),
)

TASKS: Final = Table(
    "tasks",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("parent_goal_id", Integer, ForeignKey("goals.id", ondelete="SET NULL")),
    Column("title", String(500), nullable=False),
    Column("description", Text),
    Column("priority", Integer),
    Column("status", String(50)),
    Column("category", String(100)),
    Column("estimated_hours", Float),
    Column("actual_hours", Float),
    Column("due_date", DateTime),
    Column("created_at", DateTime, nullable=False),
    Column("updated_at", DateTime, nullable=False),
    Column("completed_at", DateTime),
    Column("dependencies", JSON),
    Column("notes", Text),
    Column("tags", JSON),
    Index("ix_tasks_id", "id"),
    Index("ix_tasks_user_id", "user_id"),
    Index("ix_tasks_parent_goal_id", "parent_goal_id"),
    Index("ix_tasks_category", "category"),
    Index("ix_tasks_due_date", "due_date"),
    Index("ix_tasks_created_at", "created_at"),
    Index("ix_tasks_user_status", "user_id", "status"),
    Index("ix_tasks_user_due_date", "user_id", "due_date"),
    Index("ix_tasks_user_category", "user_id", "category"),
    Index("ix_tasks_goal_status", "parent_goal_id", "status"),
)
