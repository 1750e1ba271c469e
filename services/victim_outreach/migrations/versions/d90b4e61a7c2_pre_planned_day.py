"""pre_planned_day."""

import sqlalchemy as sa
from alembic import op

from services.common.columns import UtcDateTime

revision = "d90b4e61a7c2"
down_revision = "c41d7f02e9ab"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "deliveries",
        sa.Column("planned_from", UtcDateTime(), nullable=True, comment="when he is to be told, if that is known"),
    )
    op.add_column("deliveries", sa.Column("planned_at", UtcDateTime(), nullable=True))
    op.add_column(
        "deliveries",
        sa.Column("plans", sa.Integer(), server_default="0", nullable=False, comment="how often it was set or moved"),
    )


def downgrade() -> None:
    op.drop_column("deliveries", "plans")
    op.drop_column("deliveries", "planned_at")
    op.drop_column("deliveries", "planned_from")
