"""pre_moved_as."""

import sqlalchemy as sa
from alembic import op

revision = "c41d7f02e9ab"
down_revision = "ab9c0aacb293"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("referrals", sa.Column("moved_as", sa.String(), nullable=True, comment="its id over there"))


def downgrade() -> None:
    op.drop_column("referrals", "moved_as")
