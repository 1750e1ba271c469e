"""The notifier's tables: all it keeps of each offender."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, Index, Integer, MetaData, String, Table, false, text

from services.common.columns import UtcDateTime

metadata = MetaData()

offenders = Table(
    "offenders",
    metadata,
    Column("offender_id", String(128), primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("tier", String(1), comment="of the last decision"),
    Column("challenged", Boolean, nullable=False, server_default=false(), comment="as the last decision says"),
    Column("described", JSON(none_as_null=True), comment="the last described record, whole; no victim in it"),
    Column("waits_for_clock", Boolean, nullable=False, comment="time alone can change a notice of his"),
    Index("offenders_due", "lane", "waits_for_clock"),
)

pairs = Table(
    "pairs",
    metadata,
    Column("offender_id", String(128), primary_key=True),
    Column("pair_id", String(64), primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("opened", Boolean, nullable=False, comment="outreach opened and not withdrawn: its gate is waited for"),
    Column("place", Integer, nullable=False, comment="order of opening; 0: never opened"),
    Column("on_ladder", Boolean, nullable=False),
    Column("unannounced", Boolean, nullable=False),
    Column("mutual", Boolean, nullable=False),
    Column("bulk", Boolean, nullable=False),
    Column("conflict", Boolean, nullable=False),
    Column("statutes", JSON, nullable=False),
    Column("withdrawn_at", UtcDateTime),
    Column("gate", String(8), comment="null: nothing heard, which is shut"),
    Column("gate_version", Integer),
    Column("gate_at", UtcDateTime),
    comment="one row a pair, whether its decision or its gate came first",
)

notifications = Table(
    "notifications",
    metadata,
    Column("notification_id", String(64), primary_key=True),
    Column("offender_id", String(128), nullable=False),
    Column("lane", Integer, nullable=False),
    Column("pair_id", String(64), nullable=False),
    Column("tier", String(1), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("language", String(3), nullable=False),
    Column("prepared_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reasons", JSON, nullable=False, comment="why it is held; offender-side pages never say"),
    Column("asks", Boolean, nullable=False, comment="held for more than the gate: waits for a person's word"),
    Column("tripped", Boolean, nullable=False, comment="came when the lane's releases had run over the limit"),
    Column("released_at", UtcDateTime),
    Column("taken_back_at", UtcDateTime),
    Column("ended", String(16), comment="why cancelled or corrected"),
    Column("served_at", UtcDateTime),
    Column("proof", String(32)),
    Index("notifications_offender", "offender_id"),
    Index("notifications_pair", "pair_id"),
    Index("notifications_state", "state"),
    Index(
        "one_notification_per_tier_and_person",
        "offender_id",
        "tier",
        unique=True,
        sqlite_where=text("state <> 'cancelled'"),
        postgresql_where=text("state <> 'cancelled'"),
    ),
)

lifts = Table(
    "lifts",
    metadata,
    Column("notification_id", String(64), primary_key=True),
    Column("hold", String(16), primary_key=True),
    Column("pair_id", String(64), primary_key=True, comment="empty where the hold is not of a pair"),
    Column("by", String(120), primary_key=True),
    Column("role", String(32), nullable=False),
    Column("place", Integer, nullable=False, comment="order within the notification"),
    Column("offender_id", String(128), nullable=False),
    Column("lane", Integer, nullable=False),
    Index("lifts_offender", "offender_id"),
    comment="who lifted which hold; rows are added and never changed",
)
