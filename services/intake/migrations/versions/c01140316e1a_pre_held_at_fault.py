"""pre_held_at_fault."""

import sqlalchemy as sa
from alembic import op

revision = "c01140316e1a"
down_revision = "d72009912bcf"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "bookings",
        sa.Column(
            "charged", sa.Integer(), server_default="0", nullable=False, comment="how many charges were last told"
        ),
    )
    op.add_column(
        "feeds",
        sa.Column(
            "held_at_fault", sa.Integer(), nullable=True, comment="of a roster: how many were held when the fault began"
        ),
    )


def downgrade() -> None:
    op.drop_column("feeds", "held_at_fault")
    op.drop_column("bookings", "charged")
