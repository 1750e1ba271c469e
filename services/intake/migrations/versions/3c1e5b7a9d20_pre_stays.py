"""pre_stays."""

import sqlalchemy as sa
from alembic import op

revision = "3c1e5b7a9d20"
down_revision = "c01140316e1a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "people",
        sa.Column(
            "stays",
            sa.JSON(),
            server_default="{}",
            nullable=False,
            comment="by booking: custody, and the id it was told of",
        ),
    )


def downgrade() -> None:
    op.drop_column("people", "stays")
