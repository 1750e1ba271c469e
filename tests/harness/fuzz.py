"""What every reader must keep, whatever bytes come, and a long fuzz: `python -m tests.harness.fuzz PARSER SECONDS [SEED]`.

It raises nothing but `InputError`, every unit is told, no unit has events and a reject, and no text of a reject holds a value.
Inputs that once broke a reader are kept under `tests/data/fuzz/<parser>/` and are part of every run.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from datetime import UTC
from hashlib import sha256
from pathlib import Path

from schemas.mapping_file import load_mapping
from services.intake.app import Format, read_units
from services.intake.domain import IngestSummary, InputError, Unit
from services.intake.lines import Source
from services.intake.mapped.snapshot import read_snapshot
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

SEEDS: dict[str, bytes] = {
    "nibrs-flat": FLAT,
    "nibrs-xml": XML,
    "cloudevents": feed.line(feed.incident()) + b"\n" + feed.line(feed.incident("O2")),
    "csv": CALLS,
    "notices": b"agency,offender_id,person,notice,tier,served\nZZ0010000,O1,,7,C,2024-05-01\nZZ0010000,,M1,8,D,05/02/2024\n",
    "roster": ROSTER,
}


MAPPINGS = {"csv": "broward", "notices": "notices", "roster": "roster"}


def read(parser: str, raw: bytes) -> list[Unit]:
    """The units of a file with these bytes. Raises `InputError` where it is no such file at all."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed"
        path.write_bytes(raw)
        mapping = load_mapping(MAPPINGS[parser]) if parser in MAPPINGS else None
        if parser == "roster":
            assert mapping is not None
            return [*read_snapshot(Source(path), mapping).rejected]
        return list(read_units(Source(path), Format(parser), lambda _: UTC, mapping))


def check(parser: str, raw: bytes) -> list[Unit]:
    """Raises whatever must not happen."""
    try:
        units = read(parser, raw)
    except InputError as refused:
        assert "anar" not in str(refused)
        return []
    summary = IngestSummary()
    for unit in units:
        summary = summary.plus(unit)
        assert not (unit.events and unit.reject)
        if unit.reject:
            assert "anar" not in f"{unit.reject} {unit.reject!r}"
            assert len(unit.reject.raw) <= 2_000_000
    assert summary.units == summary.with_events + summary.rejected + summary.no_offender
    return units


def kept(parser: str) -> Iterator[bytes]:
    yield SEEDS[parser]
    for path in sorted((KEPT / parser).glob("*")):
        yield path.read_bytes()


def mutated(raw: bytes, dice: random.Random) -> bytes:
    """Cut, doubled, swapped, planted: up to six times."""
    for _ in range(dice.randint(1, 6)):
        at, length = dice.randint(0, len(raw)), dice.choice([0, 1, 2, 8, 40, 200])
        lines = raw.split(b"\n")
        match dice.randint(0, 7):
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
                raw = (
                    raw[:at]
                    + dice.choice([b"\n", b"\r", b'"', b"\0", b"<", b"&a;", b",", b"\xff", b"9" * 12, b"a" * 150])
                    + raw[at:]
                )
            case 6:
                raw = raw[:at]
            case _:
                flipped = bytearray(raw)
                if flipped:
                    flipped[at % len(flipped)] ^= 1 << dice.randint(0, 7)
                raw = bytes(flipped)
    return raw


def fuzz(parser: str, seconds: float, seed: int) -> int:
    """Mutations of all kept inputs. What breaks the reader is kept, and 1 returned."""
    dice, end, count = random.Random(seed), time.monotonic() + seconds, 0
    inputs = list(kept(parser))
    while time.monotonic() < end:
        raw = mutated(dice.choice(inputs), dice)
        count += 1
        if not _passes(parser, raw):
            return 1
    print(f"{parser}: {count:,} inputs in {seconds:.0f} s, seed {seed}: nothing raised")
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
