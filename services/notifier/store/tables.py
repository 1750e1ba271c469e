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
    Column("described", JSON(none_as_null=True), comment="the last described record, whole; no victim in it"),
    Column("waits_for_clock", Boolean, nullable=False, comment="time alone can change a notice of his"),
    Column("next_at", UtcDateTime, comment="when the next clock of his runs out"),
    Column(
        "merges",
        JSON,
        nullable=False,
        server_default=text("'{}'"),
        comment="hand-overs to this record that are not whole yet",
    ),
    Column("told", JSON, nullable=False, server_default=text("'[]'"), comment="records that took this one over"),
    Index("offenders_due", "lane", "waits_for_clock"),
    Index("offenders_next", "lane", "next_at"),
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
    Column("challenged", Boolean, nullable=False, server_default=false()),
    Column("also_victim", Boolean, nullable=False, server_default=false()),
    Column("agency", String(9), comment="whose incident it is"),
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
    Column("asked_at", UtcDateTime, comment="when a person last asked for it: the gate's word must be younger"),
    Column("since", UtcDateTime, comment="when it came into this state"),
    Column("released_at", UtcDateTime),
    Column("taken_back_at", UtcDateTime),
    Column("ended", String(16), comment="why cancelled or corrected"),
    Column("served_at", UtcDateTime),
    Column("proof", String(32)),
    Column("served_by", String(120)),
    Column("place", String(32), comment="kind of place, never an address"),
    Column("serve_by", UtcDateTime),
    Column("claimed_by", String(120)),
    Column("route", String(9), comment="the agency whose officer gives it instead"),
    Column("correction", String(16)),
    Column("corrected_at", UtcDateTime),
    Column("due_clock", String(16), comment="what runs out next; null at the end"),
    Column("due_first", UtcDateTime, comment="when it was to be done"),
    Column("due_at", UtcDateTime, comment="when whoever is on duty is called next"),
    Column("escalation", Integer, comment="how often somebody was called"),
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

attempts = Table(
    "attempts",
    metadata,
    Column("notification_id", String(64), primary_key=True),
    Column("place_no", Integer, primary_key=True, comment="order within the notification"),
    Column("at", UtcDateTime, nullable=False, comment="as reported"),
    Column("by", String(120), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("place", String(32), comment="kind of place, never an address"),
    Column("offender_id", String(128), nullable=False),
    Column("lane", Integer, nullable=False),
    Index("attempts_offender", "offender_id"),
    comment="each time a notice was tried and could not be given; rows are added and never changed",
)

past_notifications = Table(
    "past_notifications",
    metadata,
    Column("offender_id", String(128), primary_key=True),
    Column("notification_id", String(128), primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("tier", String(1), nullable=False),
    Column("served_at", UtcDateTime, nullable=False),
    Column("source", String(128), nullable=False, comment="the record it was given under"),
    Column("place", Integer, nullable=False, comment="order"),
    comment="given under another record of his; counts as given",
)
