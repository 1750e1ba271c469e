"""The classifier's tables: all it keeps of each offender, and what it has decided."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text, false

from services.common.columns import UtcDateTime

metadata = MetaData()


def _offender_id(*, key: bool = True) -> Column[str]:
    return Column("offender_id", String(128), primary_key=key, nullable=False)


def _lane() -> Column[int]:
    return Column("lane", Integer, nullable=False)


offenders = Table(
    "offenders",
    metadata,
    _offender_id(),
    _lane(),
    Column("tier", String(1), comment="as last decided"),
    Column("since", UtcDateTime, comment="when the incident occurred that first led to the tier"),
    Column("published", JSON(none_as_null=True), comment="the current tier as partners were last told it"),
    Column("alias_to", String(128), comment="merged: into whom"),
    Column("alias_handover", String(300), comment="merged: by which event"),
    Column("moved", JSON, nullable=False, comment="split: sealed id of incident or arrest to where it went"),
    Column("pending", JSON, nullable=False, comment="hand-overs of which more is to come"),
    Column("absorbed", JSON, nullable=False, comment="other ids by whose way parts of the history came here"),
    Column(
        "victim_of", JSON, nullable=False, server_default="[]", comment="opaque cases in which he is another's victim"
    ),
    Column(
        "askings",
        JSON,
        nullable=False,
        server_default="{}",
        comment="by pair for which a notice waits, the number under which outreach was last asked for it",
    ),
    Column("last_asking", Integer, nullable=False, server_default="0", comment="never falls"),
    Column("policy", String(64), comment="digest of the one he was last decided under"),
    Column("challenged", Boolean, nullable=False, server_default=false(), comment="a challenge waits for its answer"),
    Column("wake_at", UtcDateTime, comment="when the clock next has work; null: never, as things stand"),
    Index("offenders_tier", "tier"),
    Index("offenders_due", "lane", "wake_at"),
    Index("offenders_policy", "lane", "policy", "offender_id"),
)

incidents = Table(
    "incidents",
    metadata,
    _offender_id(),
    Column("incident_id", String(128), primary_key=True),
    Column("reported_as", String(128), primary_key=True, comment="the offender id it was told under"),
    _lane(),
    Column("revision", BigInteger, nullable=False),
    Column("occurred_at", UtcDateTime, nullable=False),
    Column(
        "opened_through", BigInteger, nullable=False, comment="highest revision in time, or opened by a person; 0: none"
    ),
    Column(
        "others", JSON, nullable=False, server_default="[]", comment="charges of arrests that other revisions named"
    ),
    Column("data", Text, nullable=False, comment="the report that stands, as JSON"),
    Column("envelope", Text, nullable=False, comment="its CloudEvents attributes, as JSON"),
    Index("incidents_incident", "incident_id"),
    comment="one row a report that stands",
)

retractions = Table(
    "retractions",
    metadata,
    _offender_id(),
    Column("incident_id", String(128), primary_key=True),
    Column("reported_as", String(128), primary_key=True),
    _lane(),
    Column("others", JSON, nullable=False, server_default="[]", comment="charges of arrests that any revision named"),
    Column("event", Text, nullable=False, comment="the one that reaches furthest, as structured JSON"),
    comment="what was taken back, also before it came",
)

records = Table(
    "records",
    metadata,
    _offender_id(),
    Column("kind", String(16), primary_key=True, comment="disposition, notice, custody or order"),
    Column("matter", String(300), primary_key=True, comment="which one: the latest word on it is kept"),
    _lane(),
    Column("event", Text, nullable=False, comment="as structured JSON"),
)

expunged = Table(
    "expunged",
    metadata,
    _offender_id(),
    Column(
        "sealed",
        String(64),
        primary_key=True,
        comment="keyed hash of an incident, or of a charge or arrest of it: what comes late stays out",
    ),
    _lane(),
)

referrals = Table(
    "referrals",
    metadata,
    _offender_id(),
    Column("referral_id", String(64), primary_key=True),
    _lane(),
    Column("pair_id", String(64), nullable=False),
    Column("data", Text, nullable=False, comment="as last said, as JSON"),
    comment="live ones",
)

decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", String(64), primary_key=True),
    _offender_id(key=False),
    _lane(),
    Column("place", Integer, nullable=False, comment="rises with each decision on the offender"),
    Column("pair_id", String(64), comment="null: a merge or split"),
    Column("incident_id", String(128), comment="null also where it was expunged or has gone to another record"),
    Column("tier", String(1)),
    Column("change", String(16), nullable=False),
    Column("review", JSON, nullable=False, comment="codes newly raised"),
    Column("outreach", String(8), nullable=False),
    Column("decided_at", UtcDateTime, nullable=False, comment="record time of the cause"),
    Index("decisions_offender", "offender_id", "place"),
    Index("decisions_pair", "pair_id"),
    comment="one row a published decision",
)

reviews = Table(
    "reviews",
    metadata,
    _offender_id(),
    Column("subject", String(300), primary_key=True, comment="an incident; for merge_pending the merge or split"),
    Column("code", String(32), primary_key=True),
    _lane(),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("claimed_by", String(120)),
    Column("concluded", JSON, nullable=False, server_default="[]", comment="pairs of person and outcome, so far"),
    Index("reviews_code", "code", "opened_at"),
    comment="what waits for a person",
)

erasures = Table(
    "erasures",
    metadata,
    _offender_id(),
    Column("proof_id", String(64), primary_key=True, comment="of source and id of the order, and of nothing else"),
    _lane(),
    Column("agency", String(9), nullable=False, comment="whose order it was"),
    Column("erased_at", UtcDateTime, nullable=False),
    Index("erasures_proof", "proof_id"),
    comment="expunctions carried out; what was expunged is not said",
)
