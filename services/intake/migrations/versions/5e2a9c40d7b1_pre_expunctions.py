"""pre_expunctions."""

import sqlalchemy as sa
from alembic import op

revision = "5e2a9c40d7b1"
down_revision = "91b7c04e6d35"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "feeds",
        sa.Column(
            "window_expunged",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="expunctions taken on the day of the window",
        ),
    )
    op.add_column(
        "feeds",
        sa.Column(
            "expunges_on",
            sa.Date(),
            nullable=True,
            comment="a person has said that however many expunctions of this day are right",
        ),
    )


def downgrade() -> None:
    op.drop_column("feeds", "expunges_on")
    op.drop_column("feeds", "window_expunged")
