"""pre_matters."""

import sqlalchemy as sa
from alembic import op

revision = "5d2c0b8e71fa"
down_revision = "c9e1f7a04b62"
branch_labels = None
depends_on = None

OTHERS = {
    "incidents": "charges of arrests that other revisions named",
    "retractions": "charges of arrests that any revision named",
}
SEALED = "keyed hash of an incident, or of a charge or arrest of it: what comes late stays out"


def upgrade() -> None:
    for table, comment in OTHERS.items():
        op.add_column(table, sa.Column("others", sa.JSON(), server_default="[]", nullable=False, comment=comment))
    with op.batch_alter_table("expunged") as batch:
        batch.alter_column("sealed", existing_type=sa.String(64), existing_nullable=False, comment=SEALED)


def downgrade() -> None:
    for table in OTHERS:
        op.drop_column(table, "others")
