"""pre_askings."""

import sqlalchemy as sa
from alembic import op

revision = "c9e1f7a04b62"
down_revision = "95d841301555"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "offenders",
        sa.Column(
            "askings",
            sa.JSON(),
            server_default="{}",
            nullable=False,
            comment="by pair for which a notice waits, the number under which outreach was last asked for it",
        ),
    )
    op.add_column(
        "offenders",
        sa.Column("last_asking", sa.Integer(), server_default="0", nullable=False, comment="never falls"),
    )


def downgrade() -> None:
    op.drop_column("offenders", "last_asking")
    op.drop_column("offenders", "askings")
