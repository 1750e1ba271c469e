"""pre_what_does_not_stand."""

import sqlalchemy as sa
from alembic import op

revision = "c41e7a90d258"
down_revision = "70bc4dc25766"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "notifications",
        sa.Column(
            "unplanned",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="given outside any round, call-in or jail",
        ),
    )


def downgrade() -> None:
    op.drop_column("notifications", "unplanned")
