"""pre_tried_before."""

import sqlalchemy as sa
from alembic import op

revision = "70bc4dc25766"
down_revision = "a7c4e19d2b60"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "notifications",
        sa.Column(
            "tried_before",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="how many attempts had been made when a person last had it tried again",
        ),
    )


def downgrade() -> None:
    op.drop_column("notifications", "tried_before")
