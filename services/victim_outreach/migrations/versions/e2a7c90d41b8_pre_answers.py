"""pre_answers."""

import sqlalchemy as sa
from alembic import op

revision = "e2a7c90d41b8"
down_revision = "3f6a90c7d1b8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "gates",
        sa.Column(
            "answers", sa.Integer(), server_default="0", nullable=False, comment="the last asking that is worked here"
        ),
    )


def downgrade() -> None:
    op.drop_column("gates", "answers")
