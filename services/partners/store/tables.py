"""The tables of one partner: all that is kept of each offender for it."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, text

from services.common.columns import UtcDateTime

metadata = MetaData()

offenders = Table(
    "offenders",
    metadata,
    Column("offender_id", String(128), primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("conflict", Boolean, nullable=False),
    Column("tier", JSON(none_as_null=True), comment="the last current tier that came"),
    Column("tier_sent", JSON(none_as_null=True), comment="as the partner was last told it"),
    Column("early", JSON, nullable=False, server_default=text("'[]'"), comment="notifications before their decision"),
    Column("waits", Boolean, nullable=False, comment="some are there"),
    Column("owed", JSON, nullable=False, server_default=text("'[]'"), comment="pairs to withdraw after a renewal"),
    Column("behind", Boolean, nullable=False, comment="something is to be said after a renewal"),
    Index("offenders_behind", "lane", "behind"),
)

pairs = Table(
    "pairs",
    metadata,
    Column("offender_id", String(128), primary_key=True),
    Column("pair_id", String(64), primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("incident", String(32), comment="the partner's pseudonym of it"),
    Column("agency", String(9)),
    Column("charged", Boolean, nullable=False),
    Column("shown", String(64), comment="digest of what the partner was last told; null: nothing"),
)

sent = Table(
    "sent",
    metadata,
    Column("event_id", String(32), primary_key=True, comment="as the partner knows it"),
    Column("offender_id", String(128), nullable=False),
    Column("lane", Integer, nullable=False),
    Column("place", BigInteger, nullable=False, comment="order of sending, per offender"),
    Column("pair_id", String(64), nullable=False, comment="what it is about"),
    Column("mentions", JSON, nullable=False, comment="other pairs that it names"),
    Index("sent_offender", "offender_id", "place"),
    comment="which event was sent about which pair, so that it can be taken back",
)

notes = Table(
    "notes",
    metadata,
    Column("note_id", String(32), primary_key=True),
    Column("offender_id", String(128), nullable=False),
    Column("lane", Integer, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("events", Integer, nullable=False, comment="how many events it names"),
    Column("confirmed_at", UtcDateTime),
    Index("notes_offender", "offender_id"),
    Index("notes_open", "confirmed_at", "at"),
    comment="what was taken back, and whether the partner has said that it is gone",
)
