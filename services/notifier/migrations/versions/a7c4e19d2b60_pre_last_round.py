"""pre_last_round."""

import sqlalchemy as sa
from alembic import op

from services.common.columns import UtcDateTime

revision = "a7c4e19d2b60"
down_revision = "f05d9a3be714"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "notifications",
        sa.Column(
            "round_from", UtcDateTime(), nullable=True, comment="the round that was set last, also once it has gone by"
        ),
    )
    op.add_column("notifications", sa.Column("round_until", UtcDateTime(), nullable=True))


def downgrade() -> None:
    op.drop_column("notifications", "round_until")
    op.drop_column("notifications", "round_from")
