"""The tables of one partner: all that is kept of each offender for it."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, false, text

from services.common.columns import UtcDateTime

metadata = MetaData()

offenders = Table(
    "offenders",
    metadata,
    Column("offender_id", String(128), primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("conflict", Boolean, nullable=False),
    Column("decided", String(4), comment="the list by the last decision, or none; null: no decision has come"),
    Column("tier", JSON(none_as_null=True), comment="the last current tier that came"),
    Column("tier_sent", JSON(none_as_null=True), comment="as the partner was last told it"),
    Column("told", String(1), comment="the list in the last decision that was sent; null: none"),
    Column("early", JSON, nullable=False, server_default=text("'[]'"), comment="notifications before their decision"),
    Column("waits", Boolean, nullable=False, comment="some are there"),
    Column("owed", JSON, nullable=False, server_default=text("'[]'"), comment="pairs to withdraw after a renewal"),
    Column("behind", Boolean, nullable=False, comment="something is to be said after a renewal"),
    Column(
        "erased",
        JSON,
        nullable=False,
        server_default=text("'{}'"),
        comment="keyed hashes of erased pairs; of a purged one when, as a later revision may bring it again",
    ),
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
    Column(
        "is_list", Boolean, nullable=False, server_default=false(), comment="it says the list he came on by the pair"
    ),
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

deliveries = Table(
    "deliveries",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False, comment="of the journal row that is delivered"),
    Column(
        "subject", String(300), nullable=False, comment="the partner's pseudonym of the offender: its order is kept"
    ),
    Column("state", String(16), nullable=False, comment="waiting, delivered, dead, erased or lapsed"),
    Column("added_at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime, nullable=False, comment="not before then"),
    Column("leased_until", UtcDateTime, comment="somebody is at it; null: nobody"),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("answer", String(40), comment="of the last try: an HTTP status or a closed code, never a body"),
    Column("ended_at", UtcDateTime, comment="when it was delivered, or given up"),
    Index("deliveries_order", "state", "subject", "lane", "seq"),
    Index("deliveries_due", "state", "next_at"),
    comment="what is to be delivered otherwise than by topic, and how that goes; the sender's own, not the loop's",
)

channel = Table(
    "channel",
    metadata,
    Column("name", String(40), primary_key=True, comment="disabled: nothing leaves; batch: the last one's end"),
    Column("value", String(200), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    comment="how it stands with the delivery as a whole; the sender's own",
)
