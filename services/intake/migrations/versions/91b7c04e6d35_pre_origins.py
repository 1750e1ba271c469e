"""pre_origins."""

import sqlalchemy as sa
from alembic import op

revision = "91b7c04e6d35"
down_revision = "3c1e5b7a9d20"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "people",
        sa.Column(
            "origins",
            sa.JSON(),
            server_default="{}",
            nullable=False,
            comment="by field the incidents that alone told it",
        ),
    )


def downgrade() -> None:
    op.drop_column("people", "origins")
