"""The ledger: what every run brought, what it preserved, and which web tables this product made.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LEDGER = "bizy_migrate"


def upgrade() -> None:
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("tool_version", sa.Text, nullable=False),
        sa.Column("source_path", sa.Text, nullable=False),
        sa.Column("source_sha256", sa.Text, nullable=False),
        sa.Column("backup_path", sa.Text),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("user_created", sa.Boolean, nullable=False),
        sa.Column("account", JSONB, nullable=False),
        sa.Column("choices", JSONB, nullable=False),
        sa.Column("inserted_goals", INT8MULTIRANGE, nullable=False),
        sa.Column("inserted_tasks", INT8MULTIRANGE, nullable=False),
        sa.Column("counts", JSONB, nullable=False),
        sa.Column("late_updates", JSONB, nullable=False),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("loaded_at", sa.DateTime, nullable=False),
        sa.Column("finished_at", sa.DateTime),
        sa.Column("status", sa.Text, nullable=False),
        sa.CheckConstraint("status IN ('migrated', 'rolled-back')", name="runs_status_known"),
        schema=LEDGER,
    )
    op.create_table(
        "preserved",
        sa.Column("run_id", sa.Integer, sa.ForeignKey(f"{LEDGER}.runs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("source_table", sa.Text, nullable=False),
        sa.Column("source_key", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("original", JSONB, nullable=False),
        schema=LEDGER,
    )
    # A hash, because the key is text of any length, and a B-tree takes no entry beyond a third of a page.
    op.create_index("ix_preserved_source", "preserved", ["source_key"], schema=LEDGER, postgresql_using="hash")
    # A downgrade drops no web table that was here before us, so it has to know which were not.
    op.create_table("created_tables", sa.Column("name", sa.Text, primary_key=True), schema=LEDGER)


def downgrade() -> None:
    in_use = sa.text(
        "SELECT EXISTS (SELECT FROM bizy_migrate.preserved) OR EXISTS (SELECT FROM bizy_migrate.runs WHERE status = 'migrated')"
    )
    if op.get_bind().scalar(in_use):
        raise CommandError("The ledger still holds runs or preserved originals. Roll the runs back first.")
    op.drop_table("created_tables", schema=LEDGER)
    op.drop_table("preserved", schema=LEDGER)
    op.drop_table("runs", schema=LEDGER)
