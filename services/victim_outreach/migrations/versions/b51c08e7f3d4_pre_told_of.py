"""pre_told_of."""

import sqlalchemy as sa
from alembic import op

from services.common.columns import UtcDateTime

revision = "b51c08e7f3d4"
down_revision = "e2a7c90d41b8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "referrals",
        sa.Column(
            "told_of",
            UtcDateTime(),
            nullable=True,
            comment="the round of which she was told under another record of his",
        ),
    )


def downgrade() -> None:
    op.drop_column("referrals", "told_of")
