"""Intake's tables: what it has taken and said, and what is still to go to the stream."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
)

from services.common.columns import UtcDateTime

IN_ONE_QUERY = 1_000
"""Ids named in one query; databases bound the number of parameters."""

metadata = MetaData(info={"lanes": False})
"""Intake only produces: it has no lanes."""

people = Table(
    "people",
    metadata,
    Column("offender_id", String(128), primary_key=True),
    Column("merged_into", String(128), comment="who he is now; then nothing else is held under this id"),
    Column("described", JSON, nullable=False, comment="his record as last said, whole"),
    Column("victims", JSON, nullable=False, comment="his victims as last said, whole"),
    Column(
        "tellings",
        JSON,
        nullable=False,
        server_default="{}",
        comment="by incident and the id its reports name: revision, victims' numbers and ids, what was taken back",
    ),
    Column("moved", JSON, nullable=False, comment="by incident the person it went to in a split"),
    Column(
        "stays", JSON, nullable=False, server_default="{}", comment="by booking: custody, and the id it was told of"
    ),
    Column("origins", JSON, nullable=False, server_default="{}", comment="by field the incidents that alone told it"),
    Index("people_merged_into", "merged_into"),
    comment="what intake has said of each offender and his victims, over all feeds",
)

taken = Table(
    "taken",
    metadata,
    Column("source", String(300), primary_key=True),
    Column("id", String(300), primary_key=True),  # its keyed hash: an id may name an incident since expunged
    Column("at", UtcDateTime, nullable=False),
    comment="events, facts and rejects that are on the stream or in the outbox; a repeat is passed over",
)

outbox = Table(
    "outbox",
    metadata,
    # SQLite counts up by itself only an INTEGER; its integers have 64 bits all the same.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("topic", String(249), nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSON, nullable=False, comment="pairs of name and value, the value in latin-1"),
    comment="what is to go to the stream, in order; a row ends when the broker has it",
    sqlite_autoincrement=True,
)

sender = Table(
    "sender",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("holder", String(64), nullable=False, comment="the process that empties the outbox"),
    Column("until", UtcDateTime, nullable=False, comment="after this another may"),
    Column("epoch", BigInteger, nullable=False, comment="rises when it changes hands"),
)

feeds = Table(
    "feeds",
    metadata,
    Column("agency", String(9), primary_key=True, comment="ORI; - where a record does not say whose it is"),
    Column("feed", String(64), primary_key=True, comment="format, or name of the mapping"),
    Column("first_heard", UtcDateTime, nullable=False),
    Column("last_heard", UtcDateTime, nullable=False, comment="whatever came, even if nothing in it was new"),
    Column("last_event", UtcDateTime, comment="something new came"),
    Column("window_units", Integer, nullable=False, comment="since it was last resumed, or the day began"),
    Column("window_rejected", Integer, nullable=False),
    Column("window_day", Date, nullable=False),
    Column("paused_at", UtcDateTime, comment="nothing is taken until a person resumes it"),
    Column("paused_for", String(40)),
    Column("fault", String(40), comment="of a roster: why the last snapshot released nobody"),
    Column("fault_at", UtcDateTime),
    Column("held_at_fault", Integer, comment="of a roster: how many were held when the fault began"),
    Column("snapshot_at", UtcDateTime, comment="of a roster: time of the last snapshot; an older one is passed over"),
    Column("accept_short", Boolean, nullable=False, comment="a person has said that the next short snapshot is right"),
    Column(
        "window_expunged",
        Integer,
        nullable=False,
        server_default="0",
        comment="expunctions taken on the day of the window",
    ),
    Column("expunges_on", Date, comment="a person has said that however many expunctions of this day are right"),
)

volumes = Table(
    "volumes",
    metadata,
    Column("agency", String(9), primary_key=True),
    Column("feed", String(64), primary_key=True),
    Column("day", Date, primary_key=True, comment="in UTC, of when it came"),
    Column("units", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("rejected", Integer, nullable=False),
    Column("bulk", Integer, nullable=False, comment="events of history loads"),
    Column("victims", Integer, nullable=False, comment="persons named as victims"),
    Column("unrelated", Integer, nullable=False, comment="of those, relationship unknown"),
    Column("reasons", JSON, nullable=False, comment="rejects by code"),
)

bookings = Table(
    "bookings",
    metadata,
    Column("agency", String(9), primary_key=True),
    Column("feed", String(64), primary_key=True),
    Column("booking_id", String(128), primary_key=True),
    Column("offender_id", String(128), nullable=False),
    Column("booked_at", UtcDateTime, nullable=False),
    Column("facility", String(200)),
    Column("hearing_at", UtcDateTime),
    Column("released_at", UtcDateTime, comment="null: held"),
    Column("missing_since", UtcDateTime, comment="on the way to another facility, and not seen since"),
    Column("transferred", Boolean, nullable=False),
    Column("charges", String(64), nullable=False, comment="digest of the charges last told"),
    Column("charged", Integer, nullable=False, server_default="0", comment="how many charges were last told"),
    Column("revision", Integer, nullable=False, comment="of the incident that they are; 0: none was told"),
    Index("bookings_held", "agency", "feed", "released_at"),
    comment="who was held by the last snapshots of each roster",
)

receipts = Table(
    "receipts",
    metadata,
    Column("receipt_id", String(64), primary_key=True),
    Column("agency", String(9), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("upto", BigInteger, nullable=False, comment="the outbox row up to which the stream must have everything"),
    Column("units", Integer, nullable=False),
    Column("events", Integer, nullable=False),
    Column("repeated", Integer, nullable=False, comment="events that were taken before"),
    Column("rejects", JSON, nullable=False, comment="place, code, field and mend of each; no value"),
    Column("digest", String(64), nullable=False, comment="of what was sent"),
)

identities = Table(
    "identities",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("record_id", String(36), nullable=False, unique=True, comment="of what it says: the same again is the same"),
    Column("offender_id", String(128), nullable=False, comment="as its reader made it, or as a split has renamed it"),
    Column("agency", String(9), nullable=False),
    Column("state_number", String(200), comment="with its state"),
    Column("fbi_number", String(200)),
    Column("own_number", String(250), comment="the agency's own, with its ORI"),
    Column("name", String(400)),
    Column("birth_date", Date),
    Column("sex", String(20)),
    Column("at", UtcDateTime, nullable=False),
    Index("identities_offender", "offender_id"),
    Index("identities_state", "state_number"),
    Index("identities_fbi", "fbi_number"),
    Index("identities_own", "own_number"),
    comment="what records know offenders by",
    sqlite_autoincrement=True,
)

identity_marks = Table(
    "identity_marks",
    metadata,
    Column("record_id", String(36), primary_key=True),
    Column("incident_id", String(250), primary_key=True, comment="empty: of none"),
    Column("arrest_id", String(250), primary_key=True, comment="empty: none is told of"),
    Index("identity_marks_incident", "incident_id"),
    Index("identity_marks_arrest", "arrest_id"),
    comment="of which incidents and arrests these records tell",
)

candidates = Table(
    "candidates",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("candidate_id", String(36), nullable=False, unique=True, comment="of the two records"),
    Column("one", String(36), nullable=False, comment="record_id"),
    Column("other", String(36), nullable=False),
    Column("probability", Float, comment="of the model; null: a number in common, not scored"),
    Column("evidence", String(16), nullable=False, comment="digest of what was known of both when it was asked"),
    Column("shared", JSON, nullable=False, comment="codes"),
    Column("contradiction", String(32)),
    Column("state", String(16), nullable=False, comment="open, same, different, or moot: linked or gone meanwhile"),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decided_by", String(120)),
    Column("reason", String(32)),
    Column("form_id", String(128)),
    Index("candidates_state", "state", "seq"),
    Index("candidates_one", "one"),
    Index("candidates_other", "other"),
    comment="pairs of records on which a person decides, and what was decided",
    sqlite_autoincrement=True,
)

identity_links = Table(
    "identity_links",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("event_id", String(64), nullable=False, unique=True),
    Column("kind", String(16), nullable=False, comment="merge or split"),
    Column("offender_id", String(128), nullable=False, comment="who stays"),
    Column("other_id", String(128), nullable=False, comment="who folded into him, or was split off"),
    Column("how", String(16), nullable=False, comment="number, scored, or person"),
    Column("candidate_id", String(36)),
    Column("probability", Float),
    Column("model", Integer),
    Column("at", UtcDateTime, nullable=False),
    Column("by", String(120)),
    Column("reason", String(32)),
    Column("form_id", String(128)),
    Index("identity_links_pair", "offender_id", "other_id"),
    Index("identity_links_form", "form_id"),
    comment="merges and splits that were said, by whom and why",
    sqlite_autoincrement=True,
)

identity_models = Table(
    "identity_models",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("digest", String(64), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("records", Integer, nullable=False),
    Column("trained_at", UtcDateTime, nullable=False),
    Column("trained_by", String(120), nullable=False),
    comment="what the linkage scores with: the newest; never trained but by a person's command",
)

linkage = Table(
    "linkage",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("upto", BigInteger, nullable=False, comment="identities.seq up to which it is done"),
    Column("model", Integer, comment="version with which that was scored"),
    comment="how far numbers are compared (`numbers`), and pairs are scored (`scores`)",
)

renamed = Table(
    "renamed",
    metadata,
    Column("offender_id", String(128), primary_key=True, comment="as readers make it"),
    Column("now", String(128), nullable=False),
    comment="whom a split took out of a merge: what comes under his old id is his under the new one",
)
