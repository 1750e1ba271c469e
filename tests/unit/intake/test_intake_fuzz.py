"""Whatever bytes come: a reader raises nothing, every unit is told, what was not damaged comes through unchanged."""

from __future__ import annotations

import tempfile
from datetime import UTC
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.envelope import Data, Event
from schemas.rejects import RejectCode
from services.intake.app import Format, read_units
from services.intake.domain import IngestSummary, Unit
from services.intake.lines import Source
from tests.harness import feed, nibrs

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
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "feed"
        path.write_bytes(raw)
        return list(read_units(Source(path), kind, lambda _: UTC))


def events(units: list[Unit]) -> list[Event[Data]]:
    return [event for unit in units for event in unit.events]


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


@given(damage)
def test_a_damaged_line_leaves_its_neighbours_alone(at: list[tuple[float, int, bytes]]) -> None:
    good = feed.line(feed.incident())
    units = read(b"\n".join([good, damaged(LINE, at), good]), Format.CLOUDEVENTS)
    assert [event.subject for event in (*units[0].events, *units[-1].events)] == ["O1", "O1"]
    assert_summed(units)


@given(st.binary(max_size=3000))
def test_noise(raw: bytes) -> None:
    for kind in Format:
        if not raw.startswith(b"\x1f\x8b"):
            assert_summed(read(raw, kind))


def assert_summed(units: list[Unit]) -> None:
    summary = IngestSummary()
    for unit in units:
        summary = summary.plus(unit)
        assert not (unit.events and unit.reject)
    assert summary.units == summary.with_events + summary.rejected + summary.no_offender
    assert summary.with_events == sum(bool(unit.events) for unit in units)
