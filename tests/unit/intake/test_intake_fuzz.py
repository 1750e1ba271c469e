"""Whatever bytes come: a reader raises nothing, every unit is told, what was not damaged comes through unchanged."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.envelope import Data, Event
from schemas.rejects import RejectCode
from services.intake.app import Format
from services.intake.domain import IngestSummary, Unit
from tests.harness import feed, fuzz, nibrs, nibrs_xml

BEFORE, AFTER = nibrs.incident("25-000", arrested=True), nibrs.incident("25-999")
MIDDLE = "\n".join([nibrs.administrative("25-001", action="D"), *nibrs.incident("25-001", arrested=True)]).encode()
LINE = feed.line(feed.incident("O5"))

damage = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True), st.integers(0, 30), st.binary(max_size=30) | st.sampled_from([b"\n", b"\r"])
    ),
    min_size=1,
    max_size=4,
)


def damaged(raw: bytes, at: list[tuple[float, int, bytes]]) -> bytes:
    """At each place some bytes are cut out and others put in."""
    for share, length, put in at:
        place = int(share * len(raw))
        raw = raw[:place] + put + raw[place + length :]
    return raw


def read(raw: bytes, kind: Format) -> list[Unit]:
    return fuzz.read(str(kind), raw)


def events(units: list[Unit]) -> list[Event[Data]]:
    return [event for unit in units for event in unit.events]


@settings(deadline=None)
@given(damage)
@example([(0.0, 400, b"")])
def test_a_damaged_report_leaves_its_neighbours_alone(at: list[tuple[float, int, bytes]]) -> None:
    """Only a line torn within its header may count against the incident before it: it may be its last segment."""
    before, after = "\n".join(BEFORE).encode(), "\n".join(AFTER).encode()
    units = read(b"\n".join([before, damaged(MIDDLE, at), after]), Format.NIBRS_FLAT)
    assert units[-1].events == tuple(events(read(after, Format.NIBRS_FLAT)))
    if units[0].reject:
        assert units[0].reject.line > len(BEFORE)
        assert units[0].reject.code is RejectCode.NIBRS_TRUNCATED
    else:
        assert units[0].events == tuple(events(read(before, Format.NIBRS_FLAT)))
    assert_summed(units)


@settings(deadline=None)
@given(damage)
def test_a_damaged_line_leaves_its_neighbours_alone(at: list[tuple[float, int, bytes]]) -> None:
    good = feed.line(feed.incident())
    units = read(b"\n".join([good, damaged(LINE, at), good]), Format.CLOUDEVENTS)
    assert [event.subject for event in (*units[0].events, *units[-1].events)] == ["O1", "O1"]
    assert_summed(units)


@settings(deadline=None)
@given(damage)
@example([(0.9999999999999999, 1, b"<")])
def test_a_damaged_xml_report_leaves_its_neighbours_alone(at: list[tuple[float, int, bytes]]) -> None:
    """Unless it begins a comment, or the like, that goes on to the end: then all the rest is told as one reject."""
    head, before, *middle, after, tail = nibrs_xml.converted(
        [*(line.encode() for line in BEFORE), *MIDDLE.splitlines(), *(line.encode() for line in AFTER)]
    )
    text = damaged("".join(middle).encode(), at)
    units = read(b"".join([head.encode(), before.encode(), text, after.encode(), tail.encode()]), Format.NIBRS_XML)
    assert units[0].events == tuple(events(read("".join([head, before, tail]).encode(), Format.NIBRS_XML)))
    if not any(mark in text for mark in (b"<!", b"<?")):
        assert units[-1].events == tuple(events(read("".join([head, after, tail]).encode(), Format.NIBRS_XML)))
    assert_summed(units)


@settings(deadline=None)
@given(damage)
def test_a_damaged_row_leaves_its_neighbours_alone(at: list[tuple[float, int, bytes]]) -> None:
    """Unless it opens a quote: then what is not a row together with it is told, and the next rows are read."""
    header, first, _ = fuzz.CALLS.splitlines()
    middle = damaged(first.replace(b"K1", b"K2"), at)
    rest = [first.replace(b"K1", b"K%d" % number) for number in range(10, 40)]
    units = read(b"\n".join([header, first, middle, *rest]), Format.CSV)
    found = {event.correlationid for event in events(units)}
    assert "FL0060000:K1" in found
    assert {f"FL0060000:K{number}" for number in range(31, 40)} <= found
    if b'"' not in middle:
        assert {f"FL0060000:K{number}" for number in range(10, 40)} <= found
    assert_summed(units)


@pytest.mark.parametrize("parser", sorted(set(fuzz.SEEDS) - {"roster"}))
def test_undamaged_every_seed_is_read_whole(parser: str) -> None:
    units = fuzz.check(parser, fuzz.SEEDS[parser])
    assert units
    assert all(unit.events and not unit.reject for unit in units)


@pytest.mark.parametrize("parser", fuzz.SEEDS)
@settings(deadline=None, max_examples=50)
@given(raw=st.binary(max_size=3000))
def test_noise(parser: str, raw: bytes) -> None:
    if not raw.startswith(b"\x1f\x8b"):
        fuzz.check(parser, raw)


@pytest.mark.parametrize("parser", fuzz.SEEDS)
@given(dice=st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_mutations(parser: str, dice: int) -> None:
    chance = random.Random(dice)
    fuzz.check(parser, fuzz.mutated(chance.choice(list(fuzz.kept(parser))), chance))


@pytest.mark.parametrize("parser", fuzz.SEEDS)
def test_what_once_broke_a_reader(parser: str) -> None:
    for raw in fuzz.kept(parser):
        fuzz.check(parser, raw)


@pytest.mark.parametrize("parser", fuzz.SEEDS)
def test_long(parser: str) -> None:
    """`IPVI_FUZZ_SECONDS` a parser; `make fuzz` sets it to half an hour."""
    assert fuzz.fuzz(parser, float(os.environ.get("IPVI_FUZZ_SECONDS", "0.5")), seed=1) == 0


def assert_summed(units: list[Unit]) -> None:
    summary = IngestSummary()
    for unit in units:
        summary = summary.plus(unit)
        assert not (unit.events and unit.reject)
    assert summary.units == summary.with_events + summary.rejected + summary.no_offender
    assert summary.with_events == sum(bool(unit.events) for unit in units)
