"""pre_news."""

import sqlalchemy as sa
from alembic import op

from services.common.columns import UtcDateTime

revision = "3f6a90c7d1b8"
down_revision = "d90b4e61a7c2"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "told_profiles",
        sa.Column("offender_id", sa.String(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column(
            "from_case_id", sa.String(), nullable=False, comment="her case with another offender, where it is kept"
        ),
        sa.Column("victim_id", sa.String(), nullable=False),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False, comment="channel, what she said of it, address"),
        sa.Column("hours", sa.JSON(), nullable=False, comment="days, start, end; county's time"),
        sa.Column("no_contact", sa.Boolean(), nullable=False, comment="she will call"),
        sa.Column("instructions", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("valid_until", UtcDateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("offender_id", "from_case_id", "victim_id", "owner"),
        comment="what she said on account of other offenders: a copy, and gone when that is",
    )
    op.create_index("told_profiles_victim", "told_profiles", ["victim_id"], unique=False)
    op.create_table(
        "told_attempts",
        sa.Column("offender_id", sa.String(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("case_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("attempted_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", UtcDateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("from_case_id", sa.String(), nullable=False),
        sa.Column("victim_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("offender_id", "task_id", "number"),
        comment="tries on account of other offenders that found somebody else: a copy, and gone when that is",
    )
    op.create_index("told_attempts_victim", "told_attempts", ["victim_id"], unique=False)
    op.create_table(
        "news",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("victim_id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        comment="women of whom something changed in one lane; the lane adds rows, the teller takes them away",
        sqlite_autoincrement=True,
    )
    op.create_index("referrals_victim", "referrals", ["victim_id"], unique=False)
    op.create_index("victims_victim", "victims", ["victim_id"], unique=False)
    # What is kept already has been told to nobody.
    op.execute(
        "INSERT INTO news (victim_id) SELECT DISTINCT victim_id FROM referrals"
        " WHERE victim_id IS NOT NULL AND NOT withdrawn AND outreach = 'opened'"
    )


def downgrade() -> None:
    op.drop_index("victims_victim", table_name="victims")
    op.drop_index("referrals_victim", table_name="referrals")
    op.drop_table("news")
    op.drop_table("told_attempts")
    op.drop_table("told_profiles")
