"""CloudEvents 1.0, as this system writes and reads them.

Kafka: binary mode out (`ce_*` headers, JSON value), binary and structured mode in. Files: structured mode, one event a
line. Writers are strict (an unknown field cannot be written), readers are open (an unknown field is passed over).
"""

from schemas.envelope.data import Data, event_type, event_types
from schemas.envelope.event import Classification, Event, Message, routing_key
from schemas.envelope.ids import deterministic_id, pair_id, referral_id
from schemas.envelope.moments import Timestamp, has_utc, rfc3339
from schemas.envelope.reading import MAX_ATTRIBUTE, decode, from_json_line, json_again, read
from schemas.envelope.writing import encode, to_json_line

__all__ = [
    "MAX_ATTRIBUTE",
    "Classification",
    "Data",
    "Event",
    "Message",
    "Timestamp",
    "decode",
    "deterministic_id",
    "encode",
    "event_type",
    "event_types",
    "from_json_line",
    "has_utc",
    "json_again",
    "pair_id",
    "read",
    "referral_id",
    "rfc3339",
    "routing_key",
    "to_json_line",
]
