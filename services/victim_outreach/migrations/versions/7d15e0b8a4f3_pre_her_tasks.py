"""pre_her_tasks."""

import sqlalchemy as sa
from alembic import op

from services.common.columns import UtcDateTime

revision = "7d15e0b8a4f3"
down_revision = "b51c08e7f3d4"
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


def downgrade() -> None:
    op.drop_column("tasks", "given_back_at")
    op.drop_column("referrals", "to_be_called")
    op.drop_column("referrals", "bulk")
    op.drop_column("victims", "asked_at")
