"""Tables every service has in its own database, beside its state: where the loop stands and what it has said."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from services.common.columns import UtcDateTime

common = MetaData()

deployment = Table(
    "deployment",
    common,
    Column("name", String(64), primary_key=True),
    Column("value", String(256), nullable=False),
    comment="what must never change under a running system: database id, partition count, topic ids",
)

lanes = Table(
    "lanes",
    common,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False, comment="rises with each claim; guards every write of the lane"),
    Column("journal_next", BigInteger, nullable=False, comment="sequence of the next journal row"),
    Column("clock", UtcDateTime, comment="highest record time seen"),
    Column("last_tick", BigInteger, nullable=False, comment="period of the last tick; older and equal are ignored"),
    Column("heard", JSON, nullable=False, comment="record time of the last lane-level event, by type"),
    Column("counted", JSON, nullable=False, comment="per name and minute, what records of the last hour counted"),
    Column("refusal", String(64), comment="why the lane is not worked; null: it is"),
    Column("failing", String(300), comment="topic:offset of the record whose deciding last failed"),
    Column("kept", String(64), comment="what the service keeps of the lane; classifier: digest of the policy in force"),
    Column("failures", Integer, nullable=False, comment="how often in a row it failed; parked at the third"),
)

policies = Table(
    "policies",
    common,
    Column("digest", String(64), primary_key=True),
    Column("place", Integer, nullable=False, comment="in the order they came; the first is that of the first start"),
    Column("document", Text, nullable=False, comment="the whole policy, as JSON"),
    comment="every policy that was in force in some lane",
)

positions = Table(
    "positions",
    common,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("topic", String(249), primary_key=True),
    Column("next_offset", BigInteger, nullable=False, comment="first offset not yet applied"),
    Column("published", BigInteger, nullable=False, comment="known to be committed in Kafka up to here"),
)

inbox = Table(
    "inbox",
    common,
    Column("source", String(300), primary_key=True),
    Column("id", String(300), primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("topic", String(249), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("outcome", String(80), nullable=False, comment="applied, none, rejected:<code> or refused:<code>"),
    Column("about", String(64), comment="what it was about, to find it on expunction"),
    Column("digest", String(64), comment="of a person's command: SHA-256 of what it says; same id, same content"),
    Index("inbox_about", "about"),
)

journal = Table(
    "journal",
    common,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("in_topic", String(249), nullable=False, comment="the record that caused this one"),
    Column("in_offset", BigInteger, nullable=False),
    Column("topic", String(249), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("key", LargeBinary),
    Column("value", LargeBinary),
    Column("headers", JSON, nullable=False, comment="pairs of name and value, the value in latin-1"),
    Column("about", String(64), comment="what it is about, to find it on expunction"),
    Column("subject", String(300), comment="whom it speaks of; null: a dead letter"),
    Column("erased", Boolean, nullable=False, default=False),
    Index("journal_about", "about"),
    Index("journal_subject", "subject"),
    Index("journal_in", "lane", "in_topic", "in_offset"),
)

rejects = Table(
    "rejects",
    common,
    Column("topic", String(249), primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("offset", BigInteger, primary_key=True, autoincrement=False),
    Column("code", String(40), nullable=False),
    Column("field", String(200)),
    Column("at", UtcDateTime, nullable=False),
    comment="an index of the dead letters; the original bytes are in the journal and on the rejects topic",
)

parked = Table(
    "parked",
    common,
    Column("key", String(300), primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False, comment="order within the key"),
    Column("lane", Integer, nullable=False),
    Column("topic", String(249), nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("value", LargeBinary),
    Column("headers", JSON, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    comment="records of offenders whose deciding failed three times, and those that came after",
)

reads = Table(
    "reads",
    common,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("person", String(120), nullable=False),
    Column("route", String(200), nullable=False, comment="as the API names it, without ids"),
    Column("kind", String(32), nullable=False),
    Column("record", String(128), nullable=False, comment="id of what was shown, never a name"),
    Column("purpose", String(32), nullable=False),
    Index("reads_person", "person", "at"),
    Index("reads_record", "kind", "record", "at"),
    comment="the read-access log: rows are added, never changed, and kept for a year at the least",
)

KEEP_READS = {
    "sqlite": (
        "CREATE TRIGGER reads_unchanged BEFORE UPDATE ON reads BEGIN SELECT RAISE(ABORT, 'read log: no change'); END",
        "CREATE TRIGGER reads_kept BEFORE DELETE ON reads WHEN OLD.at > datetime('now', '-365 days')"
        " BEGIN SELECT RAISE(ABORT, 'read log: kept for a year'); END",
    ),
    "postgresql": (
        "CREATE FUNCTION keep_reads() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF TG_OP = 'DELETE' AND OLD.at <= now() - interval '365 days' THEN RETURN OLD; END IF;"
        " RAISE EXCEPTION 'read log: rows are kept for a year, unchanged'; END $$",
        "CREATE TRIGGER reads_kept BEFORE UPDATE OR DELETE ON reads FOR EACH ROW EXECUTE FUNCTION keep_reads()",
        "CREATE TRIGGER reads_not_emptied BEFORE TRUNCATE ON reads FOR EACH STATEMENT EXECUTE FUNCTION keep_reads()",
    ),
}
"""What makes the database itself refuse to change the read log; in the migrations too."""


def with_common_tables(metadata: MetaData) -> MetaData:
    """Add these tables to a service's own. One that only produces (`info["lanes"]` is false) has no use for those of lanes."""
    needed = common.sorted_tables if metadata.info.get("lanes", True) else [deployment, reads]
    for table in needed:
        if table.name not in metadata.tables:
            table.to_metadata(metadata)
    return metadata
