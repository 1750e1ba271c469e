"""pre_her_tasks."""

import sqlalchemy as sa
from alembic import op

from services.common.columns import UtcDateTime

revision = "7d15e0b8a4f3"
down_revision = "f7d2b94c0e61"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "victims",
        sa.Column(
            "asked_at",
            UtcDateTime(),
            nullable=True,
            comment="when she was asked, as the agency says or first told it",
        ),
    )
    op.add_column(
        "referrals",
        sa.Column("bulk", sa.Boolean(), server_default=sa.false(), nullable=False, comment="part of a history load"),
    )
    op.add_column(
        "referrals",
        sa.Column(
            "to_be_called",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="a call was open under another record",
        ),
    )
    op.add_column(
        "tasks",
        sa.Column("given_back_at", UtcDateTime(), nullable=True, comment="when the last who had it gave it back"),
    )
    op.create_table(
        "annulled_attempts",
        sa.Column("offender_id", sa.String(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(32), nullable=False),
        sa.Column("attempted_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("annulled_at", UtcDateTime(), nullable=False),
        sa.Column("annulled_by", sa.String(), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("offender_id", "task_id", "number", name=op.f("pk_annulled_attempts")),
        comment="tries that were recorded by mistake: nothing rests on them",
    )


def downgrade() -> None:
    op.drop_table("annulled_attempts")
    op.drop_column("tasks", "given_back_at")
    op.drop_column("referrals", "to_be_called")
    op.drop_column("referrals", "bulk")
    op.drop_column("victims", "asked_at")
