"""pre_what_does_not_stand."""

import sqlalchemy as sa
from alembic import op

revision = "c41e7a90d258"
down_revision = "70bc4dc25766"
branch_labels = None
depends_on = None

_ONE = "one_notification_per_tier_and_person"


def _index(where: str) -> None:
    op.drop_index(_ONE, table_name="notifications")
    op.create_index(
        _ONE,
        "notifications",
        ["offender_id", "tier"],
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def upgrade() -> None:
    op.add_column(
        "notifications",
        sa.Column(
            "unplanned",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="given outside any round, call-in or jail",
        ),
    )
    op.add_column(
        "notifications",
        sa.Column("mistake", sa.String(16), nullable=True, comment="why a service was recorded that was none"),
    )
    op.add_column(
        "past_notifications",
        sa.Column(
            "stands",
            sa.Boolean(),
            server_default=sa.true(),
            nullable=False,
            comment="false: withdrawn since, or recorded by mistake",
        ),
    )
    _index("state <> 'cancelled' AND (corrected_at IS NULL OR correction <> 'withdrawal')")


def downgrade() -> None:
    _index("state <> 'cancelled'")
    op.drop_column("past_notifications", "stands")
    op.drop_column("notifications", "mistake")
    op.drop_column("notifications", "unplanned")
