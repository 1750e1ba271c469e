"""The clerk's exports of a made-up county: each verdict finds its charge, and only what was damaged on purpose is refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

from schemas.envelope import Data, Event
from schemas.incident import CaseDisposed, IncidentExpunged, OrderChanged
from schemas.mapping_file import load_mapping
from schemas.person import OffenderDescribed, VictimsDescribed
from schemas.policy_file import load_policy
from schemas.rejects import RejectCode
from services.cli.replay import Replay
from services.cli.simulate.county import County
from services.cli.simulate.court import NO_DATE
from services.cli.simulate.feed import Format, feed, lives
from services.cli.simulate.history import Life
from services.intake.domain import Unit
from services.intake.identity import Identifiers
from services.intake.lines import Source
from services.intake.mapped import read_mapped

COUNTY = County(seed=23, offenders=900, years=2, live_days=10_000)


@cache
def everybody() -> list[Life]:
    return list(lives(COUNTY))


@cache
def exported(kind: Format) -> bytes:
    return b"".join(feed(COUNTY, kind))


def ingested(kind: Format, folder: Path) -> list[Unit]:
    path = folder / f"{kind}.csv"
    path.write_bytes(exported(kind))
    return list(read_mapped(Source(path), load_mapping(str(kind))))


def taken(units: list[Unit]) -> Iterator[Event[Data]]:
    for unit in units:
        assert unit.events or unit.reject, "a row that is neither taken nor refused is lost"
        yield from unit.events


def damaged(kind: Format) -> set[int]:
    lines = enumerate(exported(kind).decode().splitlines(), start=1)
    return {number for number, line in lines if NO_DATE in line}


def tried() -> list[Life]:
    """Who stood before the court."""
    return [life for life in everybody() if any(isinstance(sent.event.data, CaseDisposed) for sent in life.sent)]


def said(kind: type[Data]) -> list[Data]:
    return [sent.event.data for life in everybody() for sent in life.sent if isinstance(sent.event.data, kind)]


def test_only_rows_damaged_on_purpose_are_refused_and_the_refusal_names_the_column(tmp_path: Path) -> None:
    for kind, column in ((Format.DISPOSITIONS, "disposed"), (Format.ORDERS, "from")):
        units = ingested(kind, tmp_path)
        refused = {unit.line: unit.reject for unit in units if unit.reject is not None}
        assert set(refused) == damaged(kind) != set()
        assert {(one.code, one.field) for one in refused.values()} == {(RejectCode.ROW_DATE, column)}


def test_every_verdict_is_found_on_its_charge(tmp_path: Path) -> None:
    run = Replay(load_policy("high-point-practice"))
    apart = CaseDisposed | OrderChanged | OffenderDescribed | VictimsDescribed | IncidentExpunged
    reported = sorted((sent for life in tried() for sent in life.sent), key=lambda sent: sent.at)
    for sent in reported:
        if not isinstance(sent.event.data, apart):
            run.decide(sent.event)
    for event in taken(ingested(Format.DISPOSITIONS, tmp_path)):
        run.decide(event)

    lost = [line.split(b",") for line in exported(Format.DISPOSITIONS).splitlines() if NO_DATE.encode() in line]
    unread = {(line[0] + b":" + line[-5]).decode() for line in lost}
    found = 0
    for data in said(CaseDisposed):
        assert isinstance(data, CaseDisposed)
        if data.arrest_id in unread:
            continue
        verdict = run.offender(data.offender_id).history.disposed(data.arrest_id, data.charge)
        assert verdict is not None, data.arrest_id
        assert verdict.data.disposition is data.disposition
        found += 1
    assert found > 100


def test_every_order_of_somebody_with_a_number_is_his(tmp_path: Path) -> None:
    by_order = {
        e.data.order_id: e.data for e in taken(ingested(Format.ORDERS, tmp_path)) if isinstance(e.data, OrderChanged)
    }
    numbered = {one.offender_id for life in everybody() for one in life.known if is_numbered(one.identifiers)}
    told = [data for data in said(OrderChanged) if isinstance(data, OrderChanged) and data.order_id in by_order]
    assert len(told) == len(by_order) > 150
    for data in told:
        read = by_order[data.order_id]
        assert (read.kind, read.change) == (data.kind, data.change)
        assert abs(read.from_ - data.from_).total_seconds() < 60, "to the minute, as a clerk writes it"
        assert read.offender_id == data.offender_id or data.offender_id not in numbered


def is_numbered(known: Identifiers) -> bool:
    return bool(known.agency_person or known.state_id or known.fbi_number)


def test_late_twice_and_misspelt_rows_are_there_and_the_same_seed_is_the_same_bytes() -> None:
    rows = exported(Format.DISPOSITIONS).splitlines()[1:]
    assert len(set(rows)) < len(rows)
    assert len({row.split(b",")[-4] for row in set(rows)}) > 9, "seven or so charges, and some misspelt"
    assert exported(Format.DISPOSITIONS) == b"".join(feed(COUNTY, Format.DISPOSITIONS))


def test_of_any_size_in_flat_memory() -> None:
    peaks = []
    for offenders in (50, 200):
        tracemalloc.start()
        for _ in islice(feed(County(seed=3, offenders=offenders, years=2), Format.ORDERS), 10_000_000):
            pass
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
