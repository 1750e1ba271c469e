"""pre_planned_day."""

import sqlalchemy as sa
from alembic import op

from services.common.columns import UtcDateTime

revision = "b7e02d94c1f3"
down_revision = "f97c2272eb17"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "notifications",
        sa.Column("planned_from", UtcDateTime(), nullable=True, comment="the delivery round a person has set for it"),
    )
    op.add_column("notifications", sa.Column("planned_until", UtcDateTime(), nullable=True))
    op.add_column(
        "notifications",
        sa.Column(
            "plan_told",
            UtcDateTime(),
            nullable=True,
            comment="beginning of the round or the call-in that was said last",
        ),
    )


def downgrade() -> None:
    op.drop_column("notifications", "plan_told")
    op.drop_column("notifications", "planned_until")
    op.drop_column("notifications", "planned_from")
