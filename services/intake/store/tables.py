"""Intake's tables: what it has taken and said, and what is still to go to the stream."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Integer, LargeBinary, MetaData, String, Table

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
    Column("revisions", JSON, nullable=False, comment="by incident the highest revision known; null where it is final"),
    Column("moved", JSON, nullable=False, comment="by incident the person it went to in a split"),
    comment="what intake has said of each offender and his victims, over all feeds",
)

taken = Table(
    "taken",
    metadata,
    Column("source", String(300), primary_key=True),
    Column("id", String(300), primary_key=True),
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
