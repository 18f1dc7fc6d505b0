"""The web interface's tables, where they are missing; tables that are there already are adopted as they are.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PUBLIC = "public"


def tables() -> dict[str, tuple[sa.Column, ...]]:
    """The columns of each table, parents first."""
    return {
        "users": (
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("email", sa.String(255), nullable=False),
            sa.Column("username", sa.String(100), nullable=False),
            sa.Column("hashed_password", sa.String(255), nullable=False),
            sa.Column("full_name", sa.String(200)),
            sa.Column("is_active", sa.Boolean),
            sa.Column("is_verified", sa.Boolean),
            sa.Column("is_superuser", sa.Boolean),
            sa.Column("created_at", sa.DateTime, nullable=False),
            sa.Column("updated_at", sa.DateTime, nullable=False),
            sa.Column("last_login_at", sa.DateTime),
            sa.Column("email_verified_at", sa.DateTime),
        ),
        "goals": (
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("user_id", sa.Integer, sa.ForeignKey("public.users.id", ondelete="CASCADE"), nullable=False),
            sa.Column("parent_goal_id", sa.Integer, sa.ForeignKey("public.goals.id", ondelete="SET NULL")),
            sa.Column("title", sa.String(500), nullable=False),
            sa.Column("description", sa.Text),
            sa.Column("horizon", sa.String(50)),
            sa.Column("target_date", sa.DateTime),
            sa.Column("status", sa.String(50)),
            sa.Column("progress_percentage", sa.Float),
            sa.Column("success_criteria", sa.Text),
            sa.Column("created_at", sa.DateTime, nullable=False),
            sa.Column("updated_at", sa.DateTime, nullable=False),
            sa.Column("completed_at", sa.DateTime),
            sa.Column("metrics", sa.JSON),
        ),
        "tasks": (
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("user_id", sa.Integer, sa.ForeignKey("public.users.id", ondelete="CASCADE"), nullable=False),
            sa.Column("parent_goal_id", sa.Integer, sa.ForeignKey("public.goals.id", ondelete="SET NULL")),
            sa.Column("title", sa.String(500), nullable=False),
            sa.Column("description", sa.Text),
            sa.Column("priority", sa.Integer),
            sa.Column("status", sa.String(50)),
            sa.Column("category", sa.String(100)),
            sa.Column("estimated_hours", sa.Float),
            sa.Column("actual_hours", sa.Float),
            sa.Column("due_date", sa.DateTime),
            sa.Column("created_at", sa.DateTime, nullable=False),
            sa.Column("updated_at", sa.DateTime, nullable=False),
            sa.Column("completed_at", sa.DateTime),
            sa.Column("dependencies", sa.JSON),
            sa.Column("notes", sa.Text),
            sa.Column("tags", sa.JSON),
        ),
    }


INDEXES = {
    "users": {"ix_users_id": ["id"]},
    "goals": {
        "ix_goals_id": ["id"],
        "ix_goals_user_id": ["user_id"],
        "ix_goals_parent_goal_id": ["parent_goal_id"],
        "ix_goals_horizon": ["horizon"],
        "ix_goals_target_date": ["target_date"],
        "ix_goals_created_at": ["created_at"],
        "ix_goals_user_status": ["user_id", "status"],
        "ix_goals_user_horizon": ["user_id", "horizon"],
        "ix_goals_user_target_date": ["user_id", "target_date"],
    },
    "tasks": {
        "ix_tasks_id": ["id"],
        "ix_tasks_user_id": ["user_id"],
        "ix_tasks_parent_goal_id": ["parent_goal_id"],
        "ix_tasks_category": ["category"],
        "ix_tasks_due_date": ["due_date"],
        "ix_tasks_created_at": ["created_at"],
        "ix_tasks_user_status": ["user_id", "status"],
        "ix_tasks_user_due_date": ["user_id", "due_date"],
        "ix_tasks_user_category": ["user_id", "category"],
        "ix_tasks_goal_status": ["parent_goal_id", "status"],
    },
}
UNIQUE_INDEXES = {"users": {"ix_users_email": ["email"], "ix_users_username": ["username"]}}

CREATED = sa.table("created_tables", sa.column("name", sa.Text), schema="bizy_migrate")


def upgrade() -> None:
    bind = op.get_bind()
    present = set(sa.inspect(bind).get_table_names(schema=PUBLIC))
    for name, columns in tables().items():
        if name in present:
            continue
        op.create_table(name, *columns, schema=PUBLIC)
        for index, over in INDEXES[name].items():
            op.create_index(index, name, over, schema=PUBLIC)
        for index, over in UNIQUE_INDEXES.get(name, {}).items():
            op.create_index(index, name, over, unique=True, schema=PUBLIC)
        bind.execute(CREATED.delete().where(CREATED.c.name == name))
        bind.execute(CREATED.insert().values(name=name))


def downgrade() -> None:
    """Drop what this revision made, unless it holds rows or something else has come to depend on it."""
    bind = op.get_bind()
    made = set(bind.scalars(sa.select(CREATED.c.name)))
    for name in ("tasks", "goals", "users"):
        if name in made and not holds_rows(bind, name):
            drop_if_free(bind, name)
    bind.execute(CREATED.delete())


def holds_rows(bind: sa.Connection, name: str) -> bool:
    if not sa.inspect(bind).has_table(name, schema=PUBLIC):
        return False
    return bind.scalar(sa.select(sa.exists().select_from(sa.table(name, schema=PUBLIC)))) is True


def drop_if_free(bind: sa.Connection, name: str) -> None:
    try:
        with bind.begin_nested():
            op.drop_table(name, schema=PUBLIC, if_exists=True)
    except sa.exc.DBAPIError as error:
        if getattr(error.orig, "pgcode", None) != "2BP01":  # dependent_objects_still_exist
            raise
