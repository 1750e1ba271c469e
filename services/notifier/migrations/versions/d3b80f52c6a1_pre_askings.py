"""pre_askings."""

import sqlalchemy as sa
from alembic import op

revision = "d3b80f52c6a1"
down_revision = "b7e02d94c1f3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "pairs",
        sa.Column(
            "asked",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="when outreach was last asked for it; 0: not",
        ),
    )
    op.add_column(
        "pairs",
        sa.Column(
            "gate_answers", sa.Integer(), server_default="0", nullable=False, comment="the last asking it is about"
        ),
    )


def downgrade() -> None:
    op.drop_column("pairs", "gate_answers")
    op.drop_column("pairs", "asked")
