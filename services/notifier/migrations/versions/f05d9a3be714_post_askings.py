"""post_askings."""

import sqlalchemy as sa
from alembic import op

from services.common.columns import UtcDateTime

revision = "f05d9a3be714"
down_revision = "d3b80f52c6a1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("pairs", "withdrawn_at")


def downgrade() -> None:
    op.add_column("pairs", sa.Column("withdrawn_at", UtcDateTime(), nullable=True))
