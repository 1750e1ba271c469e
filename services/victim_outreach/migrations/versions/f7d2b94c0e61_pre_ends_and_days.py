"""pre_ends_and_days."""

import sqlalchemy as sa
from alembic import op

from services.common.columns import UtcDateTime

revision = "f7d2b94c0e61"
down_revision = "b51c08e7f3d4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "holds",
        sa.Column(
            "alerts", sa.Integer(), server_default="0", nullable=False, comment="how often its end was called out"
        ),
    )
    op.add_column(
        "holds", sa.Column("alerted_at", UtcDateTime(), nullable=True, comment="when last; null: its end is not near")
    )
    op.add_column("deliveries", sa.Column("planned_until", UtcDateTime(), nullable=True))
    op.add_column(
        "deliveries",
        sa.Column(
            "came_of",
            sa.JSON(),
            server_default="[]",
            nullable=False,
            comment="number, outcome and time of each visit",
        ),
    )
    op.add_column("offenders", sa.Column("release_facility", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("offenders", "release_facility")
    op.drop_column("deliveries", "came_of")
    op.drop_column("deliveries", "planned_until")
    op.drop_column("holds", "alerted_at")
    op.drop_column("holds", "alerts")
