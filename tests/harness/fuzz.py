"""What every reader must keep, whatever bytes come, and a long fuzz: `python -m tests.harness.fuzz PARSER SECONDS [SEED]`.

It raises nothing but `InputError`, every unit is told, no unit has events and a reject, no text of a reject holds a value, and
what is taken can be sent on.
Inputs that once broke a reader are kept under `tests/data/fuzz/<parser>/` and are part of every run.
"""

from __future__ import annotations

import csv
import json
import random
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC
from hashlib import sha256
from pathlib import Path

from schemas.envelope import Message, decode
from schemas.mapping import Mapping
from schemas.mapping_file import load_mapping
from schemas.rejects import InvalidRecord
from services.intake.app import Format, read_units
from services.intake.bodies import NotABatchError, units
from services.intake.domain import AsOf, IngestSummary, InputError, Reject, Unit
from services.intake.lines import Source
from services.intake.mapped.snapshot import read_snapshot
from services.intake.people import People
from services.intake.saying import say
from tests.harness import feed, nibrs, nibrs_xml

KEPT = Path(__file__).parents[1] / "data" / "fuzz"
CANARY = b"Canary O'Planted"
CALLS = (
    b"case_id,person_id,offense_date,charge_description,charge_degree\n"
    b'K1,P1,2014-01-02,Battery,M\nK1,P1,2014-01-02,"Stalking",F\n'
)
ROSTER = (
    b"booking,person,name,booked,facility,hearing,status,charge\n"
    b'B1,P1,"Man, A",2025-01-10 22:15,Jail 1,2025-01-11 15:00,in,ASSAULT ON A FEMALE\nB2,P2,,2025-01-10 23:00,Jail 1,,in,\n'
)
FLAT = "\n".join(
    [nibrs.administrative("25-001", action="D"), *nibrs.incident("25-001", arrested=True), nibrs.group_b("B-1")]
).encode()
XML = "".join(nibrs_xml.converted(FLAT.splitlines())).encode()
LINES = feed.line(feed.incident()) + b"\n" + feed.line(feed.incident("O2"))
PLAIN = json.dumps([feed.incident(), feed.incident("O2", offender={"identifiers": {"person": "M1"}})]).encode()
ROWS = json.dumps([dict(zip(*csv.reader(CALLS.decode().splitlines()[:2]), strict=True))] * 2).encode()
ORDERS = b"order,man,kind,from,until,change\nO-1,M1,50B,2025-01-02,2026-01-02,issued\nO-1,M1,50B,2025-01-02,,lifted\n"
COURT = b"arrest,man,charge,became,on\nA1,M1,Assault on a female,GUILTY,2025-03-04\nA2,M2,Stalking,VD,2025-03-04\n"
RECORD = b"ce_type: ipvi.incident.reported.v1\n" + json.dumps(feed.incident()).encode()

SEEDS: dict[str, bytes] = {
    "nibrs-flat": FLAT,
    "nibrs-xml": XML,
    "cloudevents": LINES,
    "csv": CALLS,
    "notices": b"agency,offender_id,person,notice,tier,served\nZZ0010000,O1,,7,C,2024-05-01\nZZ0010000,,M1,8,D,05/02/2024\n",
    "roster": ROSTER,
    "json-rows": ROWS,
    "orders": ORDERS,
    "dispositions": COURT,
    "http-plain": PLAIN,
    "http-batch": b"[" + LINES.replace(b"\n", b",") + b"]",
    "http-binary": json.dumps(feed.incident()).encode(),
    "record": RECORD,
}
"""Every reader of what others send: files by their format, the two forms of rows, requests by content type, Kafka records."""

_COURT = {"agency": "ZZ0010000", "time_zone": "America/New_York"}
MAPPINGS = {
    "csv": load_mapping("broward"),
    "json-rows": load_mapping("broward"),
    "notices": load_mapping("notices"),
    "roster": load_mapping("roster"),
    "orders": Mapping.model_validate(
        {**_COURT, "name": "orders", "kind": "orders", "order_kinds": {"50B": "protective_order"}}
        | {"columns": {"order": "order", "person": "man", "order_kind": "kind"}
        | {name: name for name in ("from", "until", "change")}}
    ),
    "dispositions": Mapping.model_validate(
        {**_COURT, "name": "court", "kind": "dispositions", "dispositions": {"GUILTY": "convicted", "VD": "dismissed"}}
        | {"columns": {"arrest": "arrest", "person": "man", "charge": "charge", "disposition": "became", "disposed": "on"}}
        | {"charges": [{"text": "assault", "code": "13B"}, {"text": "stalk", "code": "13C"}]}
    ),
}  # fmt: skip
_HTTP = {
    "http-plain": "application/json",
    "http-batch": "application/cloudevents-batch+json",
    "http-binary": "application/json",
}
_ATTRIBUTES = {
    f"ce-{name}": value for name, value in feed.envelope(feed.incident()).items() if isinstance(value, str)
}  # fmt: skip


def read(parser: str, raw: bytes) -> list[Unit]:
    """The units of a file or request with these bytes. Raises `InputError` where it is no such thing at all."""
    if parser in _HTTP:
        headers = _ATTRIBUTES if parser == "http-binary" else {}
        try:
            return units(raw, _HTTP[parser], headers, feed.ORI, "1")[0]
        except NotABatchError:
            raise InputError("not a batch") from None
    if parser == "record":
        return [_record(raw)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed"
        path.write_bytes(raw)
        mapping = MAPPINGS.get(parser)
        if parser == "roster":
            assert mapping is not None
            return [*read_snapshot(Source(path), mapping).rejected]
        kind = Format(parser) if parser in set(Format) else Format.CSV
        return list(read_units(Source(path), kind, lambda _: UTC, mapping))


def _record(raw: bytes) -> Unit:
    """A Kafka record of either mode: lines `ce_...: value` are its headers, the rest is its value."""
    *lines, value = raw.split(b"\n")
    given = dict(line.split(b": ", 1) for line in lines if b": " in line)
    headers = {f"ce_{name.removeprefix('ce-')}": text.encode() for name, text in _ATTRIBUTES.items()} if given else {}
    headers |= {name.decode("latin-1"): text for name, text in given.items()}
    try:
        return Unit(1, (decode(Message(b"O1", value, tuple(headers.items()))),))
    except InvalidRecord as wrong:
        return Unit(1, reject=Reject("record", 1, wrong.code, wrong.field, raw, len(raw)))


def check(parser: str, raw: bytes) -> list[Unit]:
    """Raises whatever must not happen."""
    try:
        found = read(parser, raw)
    except InputError as refused:
        assert "anar" not in str(refused).partition(": ")[2], "after the path, whose folder is named at random"
        return []
    summary = IngestSummary()
    for unit in found:
        summary = summary.plus(unit)
        assert not (unit.events and unit.reject)
        if unit.reject:
            assert "anar" not in f"{unit.reject} {unit.reject!r}"
            assert len(unit.reject.raw) <= 2_000_000
    assert summary.units == summary.with_events + summary.rejected + summary.no_offender
    for _, message in say(found, People({}, feed.seal), set(), AsOf.REPORTED).messages:
        assert len(message.value or b"") <= 2_000_000
    return found


def kept(parser: str) -> Iterator[bytes]:
    yield SEEDS[parser]
    for path in sorted((KEPT / parser).glob("*")):
        yield path.read_bytes()


BOMB = (
    b'<!DOCTYPE a [<!ENTITY a "Canary"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">'
    b'<!ENTITY d SYSTEM "file:///etc/hostname">]>'
)
PLANTS = (
    b"\n", b"\r", b'"', b'""', b",", b"\0", b"\\u0000", b"<", b"&a;", b"]]>", b"<!--", b"<?x", b"\xff", b"\xef\xbb\xbf",
    b"\xff\xfe", b"\xe9", b"\xed\xa0\x80", b"\xf0\x9f\x92\xa5", b"9" * 12, b"9" * 20, b"9" * 5_000, b"-1", b"1e400", b"NaN",
    b"a" * 150, b"[" * 300, b"[" * 300 + b"]" * 300, b'{"a":' * 300 + b"1" + b"}" * 300, b"[" * 2_000, b"<a>" * 300, BOMB,
    b"\x1f\x8b", b"\x1a", b"\x85", b"\xe2\x80\xa8",
)  # fmt: skip


def mutated(raw: bytes, dice: random.Random) -> bytes:
    """Cut, doubled, swapped, planted, in another encoding: up to six times."""
    for _ in range(dice.randint(1, 6)):
        at, length = dice.randint(0, len(raw)), dice.choice([0, 1, 2, 8, 40, 200])
        lines = raw.split(b"\n")
        match dice.randint(0, 10):
            case 0:
                raw = raw[:at] + raw[at + length :]
            case 1:
                raw = raw[:at] + dice.randbytes(length) + raw[at:]
            case 2:
                raw = raw[:at] + CANARY + raw[at:]
            case 3:
                dice.shuffle(lines)
                raw = b"\n".join(lines)
            case 4:
                raw = raw[:at] + raw[at : at + length] * 3 + raw[at + length :]
            case 5:
                raw = raw[:at] + dice.choice(PLANTS) + raw[at:]
            case 6:
                raw = raw[:at]
            case 7:
                raw = _value_replaced(raw, dice)
            case 8 if dice.random() < 0.2:
                raw = raw.decode("latin-1").encode(dice.choice(["utf-16", "utf-16-be", "utf-32", "utf-8", "utf-8-sig"]))
            case _:
                flipped = bytearray(raw)
                if flipped:
                    flipped[at % len(flipped)] ^= 1 << dice.randint(0, 7)
                raw = bytes(flipped)
    return raw


_VALUE = re.compile(rb'"(?:[^"\\\\]|\\\\.)*"|[\w.:-]+')


def _value_replaced(raw: bytes, dice: random.Random) -> bytes:
    """A word, number or string gives way to a plant: what stays well-formed gets further into a reader."""
    found = list(_VALUE.finditer(raw))
    if not found:
        return raw
    at = dice.choice(found)
    return raw[: at.start()] + dice.choice(PLANTS) + raw[at.end() :]


def fuzz(parser: str, seconds: float, seed: int) -> int:
    """Mutations of all kept inputs for `seconds` of processor time. What breaks the reader is kept, and 1 returned."""
    dice, end, count = random.Random(seed), time.process_time() + seconds, 0
    inputs = list(kept(parser))
    while time.process_time() < end:
        raw = mutated(dice.choice(inputs), dice)
        count += 1
        if not _passes(parser, raw):
            return 1
    print(f"{parser}: {count:,} inputs in {seconds:.0f} s of a processor, seed {seed}: nothing raised")
    return 0


def _passes(parser: str, raw: bytes) -> bool:
    try:
        check(parser, raw)
    except Exception:
        keep(parser, raw)
        traceback.print_exc()
        return False
    return True


def keep(parser: str, raw: bytes) -> None:
    folder = KEPT / parser
    folder.mkdir(parents=True, exist_ok=True)
    (folder / sha256(raw).hexdigest()[:16]).write_bytes(raw)


def _guided(parser: str, seconds: float) -> Callable[[], None] | None:
    """atheris, which is led by what code an input reaches; None where it is not installed."""
    try:
        import atheris
    except ImportError:
        return None

    def run() -> None:
        with tempfile.TemporaryDirectory() as corpus:
            for number, raw in enumerate(kept(parser)):
                (Path(corpus) / str(number)).write_bytes(raw)
            atheris.instrument_all()
            atheris.Setup(
                [sys.argv[0], corpus, f"-max_total_time={int(seconds)}", "-max_len=20000", "-artifact_prefix=/tmp/"],
                lambda raw: _passes(parser, raw) or sys.exit(1),
            )
            atheris.Fuzz()

    return run


def main(arguments: list[str]) -> int:
    """Arguments: parser, seconds, and optionally a seed, with which the mutations are blind and the same again."""
    parser, seconds, *seed = arguments
    guided = _guided(parser, float(seconds)) if not seed else None
    if guided is not None:
        guided()
        return 0
    return fuzz(parser, float(seconds), seed=int(seed[0]) if seed else time.time_ns())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
