"""pre_wide_revisions: an agency may number by the millisecond. SQLite's integers are as wide already."""

import sqlalchemy as sa
from alembic import op

revision = "95d841301555"
down_revision = "a86f0280eb79"
branch_labels = None
depends_on = None

COLUMNS = ("revision", "opened_through")


def upgrade() -> None:
    _retype(sa.Integer(), sa.BigInteger())


def downgrade() -> None:
    _retype(sa.BigInteger(), sa.Integer())


def _retype(was: sa.types.TypeEngine, now: sa.types.TypeEngine) -> None:
    if op.get_bind().dialect.name == "sqlite":
        return
    for column in COLUMNS:
        op.alter_column("incidents", column, existing_type=was, type_=now, existing_nullable=False)
