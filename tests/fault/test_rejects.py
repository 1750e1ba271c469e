"""Records that can never be applied, among good ones: each a dead letter of its own bytes, never a value; the rest goes on."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from schemas.envelope import encode
from schemas.rejects import MENDS, RejectCode
from schemas.topics import Topic
from tests.harness import kafka
from tests.harness.replicas import Bench, incident

CANARY = "Canary O'Planted"
GOOD = encode(incident("R1", 1))
ATTRIBUTES = dict(GOOD.headers)


@dataclass(frozen=True, slots=True)
class Bad:
    """One record and what becomes of it."""

    code: RejectCode
    value: bytes | None = GOOD.value
    key: bytes | None = b"R1"
    headers: dict[str, bytes] = field(default_factory=lambda: dict(ATTRIBUTES))
    field: str = ""


def with_attribute(name: str, value: bytes) -> dict[str, bytes]:
    return ATTRIBUTES | {f"ce_{name}": value}


BARE = {"trace": b"\x00\xff"}
"""No CloudEvents header: the value is a whole event, or is not."""
BAD = [
    Bad(RejectCode.NOT_UTF8, os.urandom(1_000_000) + b"\xff", headers=BARE),
    Bad(RejectCode.BROKEN_JSON, b"x" * 1_040_000, headers=BARE),
    Bad(RejectCode.NOT_UTF8, b"\x00\xff\xfe" + CANARY.encode(), headers=BARE),
    Bad(RejectCode.EMPTY_VALUE, None),
    Bad(RejectCode.BROKEN_JSON, b"", headers=BARE),
    Bad(RejectCode.BROKEN_JSON, (GOOD.value or b"")[:-9], field="data"),
    Bad(RejectCode.NOT_AN_EVENT, b'["' + CANARY.encode() + b'"]', headers=BARE),
    Bad(RejectCode.HEADER_NOT_UTF8, headers=with_attribute("subject", b"\xff" + CANARY.encode())),
    Bad(RejectCode.MISSING_KEY, key=None),
    Bad(RejectCode.MISSING_KEY, key=b""),
    Bad(RejectCode.KEY_NOT_UTF8, key=b"\xff" + CANARY.encode()),
    Bad(RejectCode.KEY_MISMATCH, key=CANARY.encode(), field="subject"),
    Bad(RejectCode.UNKNOWN_TYPE, headers=with_attribute("type", CANARY.encode()), field="type"),
    Bad(
        RejectCode.NOT_ON_THIS_TOPIC,
        b'{"lane": 0}',
        headers=with_attribute("type", b"ipvi.gate.heartbeat.v1"),
        field="type",
    ),
    Bad(RejectCode.MISSING_FIELD, b'{"note": "' + CANARY.encode() + b'"}', field="incident_id"),
    Bad(RejectCode.BAD_TIME, headers=with_attribute("time", CANARY.encode()), field="time"),
    Bad(
        RejectCode.BAD_TIME, headers=with_attribute("recordedtime", b"0001-01-01T00:00:00+14:00"), field="recordedtime"
    ),
    Bad(
        RejectCode.BAD_TIME,
        (GOOD.value or b"").replace(b"2025-01-01", b"0001-01-01").replace(b"Z", b"+14:00"),
        field="occurred_at",
    ),
    Bad(RejectCode.OUT_OF_RANGE, headers=with_attribute("id", b"i" * 400), field="id"),
]


def test_rejects(shared_bench: Bench) -> None:
    bench = shared_bench
    records = [
        (number % bench.lanes, bad.key, bad.value, [*bad.headers.items(), ("case", str(number).encode())])
        for number, bad in enumerate(BAD)
    ]
    for some in (records[:1], records[1:9], records[9:]):
        bench.feed(20, offenders=bench.lanes)
        kafka.produce(bench.bootstrap, Topic.INCIDENTS, some)
    bench.feed(20, offenders=bench.lanes)
    replica = bench.start()
    bench.wait_settled()
    bench.judge()

    sent = {dict(record.headers).get("case"): record for record in kafka.read_all(bench.bootstrap, Topic.INCIDENTS)}
    letters = kafka.read_all(bench.bootstrap, Topic.NOTIFIER_REJECTS)
    assert len(letters) == len(BAD)
    for letter in letters:
        said = dict(letter.headers)
        record, bad = sent.pop(said["original-case"]), BAD[int(said["original-case"])]
        assert (letter.key, letter.value, letter.partition) == (record.key, record.value, record.partition)
        assert all(said[f"original-{name}"] == value for name, value in record.headers)
        ours = {name: value.decode() for name, value in said.items() if name.startswith("reject-")}
        assert ours == {
            "reject-topic": record.topic,
            "reject-partition": str(record.partition),
            "reject-offset": str(record.offset),
            "reject-code": bad.code,
            "reject-field": bad.field,
            "reject-mend": MENDS[bad.code],
        }
    rows = bench.rows("SELECT code, field FROM rejects")
    assert sorted((row.code, row.field or "") for row in rows) == sorted((bad.code, bad.field) for bad in BAD)
    assert CANARY not in replica.log.read_text()
