"""A made-up county: every line is good, everything that goes wrong is there, and the rates are those of the sources."""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter, defaultdict
from datetime import timedelta
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from schemas.envelope import Data, Event
from schemas.incident import (
    CaseDisposed,
    CustodyChange,
    CustodyChanged,
    IncidentExpunged,
    IncidentReported,
    IncidentRetracted,
    NotificationRecorded,
    OffenderMerged,
    OrderChanged,
)
from schemas.mapping_file import load_mapping
from schemas.person import OffenderDescribed, VictimsDescribed
from schemas.policy_file import load_policy
from services.cli.main import app
from services.cli.replay import Replay
from services.cli.simulate import rates
from services.cli.simulate.county import County
from services.cli.simulate.feed import Format, feed, lives, sorted_on_disk
from services.cli.simulate.history import Life
from services.intake.cloudevents import event_of
from services.intake.domain import Unit
from services.intake.lines import Line, Source
from services.intake.mapped import read_mapped
from services.intake.mapped.snapshot import read_snapshot
from services.intake.nibrs import read_nibrs

COUNTY = County(seed=5, offenders=1_500)
RUNNER = CliRunner()


@cache
def everybody() -> list[Life]:
    return list(lives(COUNTY))


@cache
def events() -> list[Event[Data]]:
    return [event_of(Line(number, line.rstrip(b"\n"), len(line))) for number, line in enumerate(feed(COUNTY), start=1)]


def of(kind: type[Data]) -> list[Data]:
    return [event.data for event in events() if isinstance(event.data, kind)]


def reports() -> list[IncidentReported]:
    return [data for data in of(IncidentReported) if isinstance(data, IncidentReported)]


def incident_times() -> list[list[float]]:
    """By person when his incidents were, in days; one incident once, whoever told it and however often."""
    found = []
    for life in everybody():
        doubles = {other for _, other in life.same}
        at = {
            data.incident_id: data.occurred_at
            for sent in life.sent
            if isinstance(data := sent.event.data, IncidentReported) and data.incident_id not in doubles
        }
        found.append(sorted(moment.timestamp() / 86_400 for moment in at.values()))
    return found


def test_the_same_bytes_for_the_same_seed() -> None:
    assert list(islice(feed(County(seed=5, offenders=200)), 300)) == list(
        islice(feed(County(seed=5, offenders=200)), 300)
    )
    assert list(feed(County(seed=6, offenders=20))) != list(feed(County(seed=5, offenders=20)))


def test_in_the_order_in_which_it_came() -> None:
    told = [event.time for event in events() if isinstance(event.data, CaseDisposed | OrderChanged | IncidentRetracted)]
    assert told == sorted(told)
    assert list(sorted_on_disk([(2.0, b"b"), (1.0, b"a"), (2.0, b"c")])) == [b"a", b"b", b"c"]


def test_every_kind_of_record_is_there() -> None:
    counts = Counter(type(event.data) for event in events())
    for kind in (
        IncidentReported, IncidentRetracted, IncidentExpunged, OffenderMerged, CustodyChanged, OrderChanged, CaseDisposed,
        NotificationRecorded, OffenderDescribed, VictimsDescribed,
    ):  # fmt: skip
        assert counts[kind] >= 3, kind
    assert {data.change for data in of(CustodyChanged) if isinstance(data, CustodyChanged)} == set(CustodyChange)


def test_everything_that_goes_wrong_is_there() -> None:
    made = Counter[str]()
    revisions = defaultdict(set)
    for data in reports():
        born = data.offender.birth_date
        made["late"] += data.reported_at - data.occurred_at > timedelta(days=1)
        made["juvenile"] += born is not None and data.occurred_at.date() - born < timedelta(days=18 * 365)
        made["age unknown"] += born is None and data.offender.age is None
        made["mutual"] += any(victim.relationship == "VO" for victim in data.victims)
        made["unidentified"] += any(victim.victim_id is None for victim in data.victims)
        made["relationship unknown"] += any(victim.relationship == "RU" for victim in data.victims)
        made["not a partner"] += all(victim.relationship in {"SB", "PA", "AQ", "OF", "FR"} for victim in data.victims)
        made["breach"] += bool(data.prohibited_behavior)
        made["conflict"] += data.offender.conflict_of_interest
        made["history"] += data.bulk
        made["live"] += not data.bulk
        made["probable cause, not charged"] += bool(data.probable_cause) and data.arrest is None
        revisions[data.incident_id].add(data.revision)
    made["corrected"] = sum(len(each) > 1 for each in revisions.values())
    ids = Counter((event.source, event.id) for event in events())
    made["sent twice"] = sum(count > 1 for count in ids.values())
    made["told by two agencies"] = sum(len(life.same) for life in everybody())
    made["several ids"] = sum(len(life.known) > 1 for life in everybody())
    gone = {data.incident_id for data in of(IncidentRetracted) if isinstance(data, IncidentRetracted)}
    made["taken back and told anew"] = sum(len(revisions[incident]) > 1 for incident in gone)
    assert min(made.values()) >= 3, made


def test_an_arrest_that_two_agencies_tell_is_one() -> None:
    arrests = defaultdict(set)
    for data in reports():
        if data.arrest:
            arrests[data.incident_id].add(data.arrest.arrest_id)
    both = [(arrests[a], arrests[b]) for life in everybody() for a, b in life.same if a in arrests and b in arrests]
    assert both
    assert all(a & b for a, b in both)


def test_repeats_are_as_the_sources_say() -> None:
    times = [each for each in incident_times() if each]
    gaps = [later - earlier for each in times for earlier, later in pairwise(each)]
    soon = sum(gap <= rates.SOON_DAYS for gap in gaps) / len(gaps)
    assert 0.50 < soon < 0.65, "56.5 % in three months [VPR4], and somewhat more since nobody is watched for ever"
    watched = [each for each in times if each[0] < COUNTY.until.timestamp() / 86_400 - 365]
    within_a_year = sum(len(each) > 1 and each[1] - each[0] <= 365 for each in watched) / len(watched)
    assert 0.13 < within_a_year < 0.20, "16 to 17 % [QFCC]"
    counts = sorted((len(each) for each in times), reverse=True)
    assert sum(counts[: len(counts) // 20]) > 0.15 * sum(counts), "a few are chronic"
    assert counts[0] >= 6


def test_the_lists_come_out_about_as_they_did_in_high_point() -> None:
    """D 469, C 166, B 38 in the first year [POSTER]."""
    run = Replay(load_policy("high-point-practice"))
    for event in events():
        if not isinstance(event.data, OffenderDescribed | VictimsDescribed):
            run.decide(event)
    tiers = Counter(str(run.offender(one.offender_id).tier) for life in everybody() for one in life.known)
    listed = sum(tiers[tier] for tier in "ABCD")
    assert 0.55 < tiers["D"] / listed < 0.75
    assert 0.15 < tiers["C"] / listed < 0.35
    assert 0.03 < tiers["B"] / listed < 0.12
    assert 0.01 < tiers["A"] / listed < 0.10


def test_so_many_incidents_as_asked_for() -> None:
    assert sum(life.incidents for life in lives(County(offenders=None, incidents=333))) == 333
    assert len(list(lives(County(offenders=77)))) == 77


def test_nothing_lies_outside_its_years() -> None:
    county = County(offenders=200, years=2, live_days=0)
    for made in lives(county):
        for sent in made.sent:
            assert county.since <= sent.at + timedelta(seconds=1)
            assert sent.at < county.until
            assert getattr(sent.event.data, "bulk", True), "without live days all is history"


def test_memory_is_flat() -> None:
    stream = lives(County(offenders=None, incidents=10**9))
    list(islice(stream, 50))
    tracemalloc.start()
    for _ in islice(stream, 500):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_as_nibrs_they_are_the_same_incidents(tmp_path: Path) -> None:
    path = tmp_path / "county.txt"
    path.write_bytes(b"".join(feed(COUNTY, Format.NIBRS_FLAT)))
    units = list(read_nibrs(Source(path), lambda _: ZoneInfo("America/New_York")))
    assert not [str(unit.reject) for unit in units if unit.reject]
    told = {data.incident_id: data for data in reports()}
    mutual = {data.incident_id for data in reports() if any(each.relationship == "VO" for each in data.victims)}
    read = {
        event.data.incident_id: event.data
        for unit in units
        for event in unit.events
        if isinstance(event.data, IncidentReported)
    }
    assert set(read) == set(told)
    for key, each in told.items():
        if key in mutual:
            continue  # NIBRS does not say which of the two an arrest is of
        ours, theirs = each.arrest, read[key].arrest
        if ours and not ours.arrest_id.startswith(each.agency):
            ours = None  # an agency reports its own arrests
        assert (ours and ours.arrest_id) == (theirs and theirs.arrest_id)
    related = [
        (read[key].victims[0].relationship, each.victims[0].relationship)
        for key, each in told.items()
        if read[key].victims and each.victims[0].offenses and each.victims[0].offenses[0] in rates.OF_PERSONS
    ]
    assert len(related) > 1_000
    assert all(a == b for a, b in related)


@pytest.mark.parametrize("kind", [Format.ROSTER, Format.NOTICES])
def test_tables_are_read_by_the_mappings_that_are_shipped(kind: Format, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"".join(feed(COUNTY, kind)))
    mapping = load_mapping(str(kind))
    rows = len(path.read_bytes().splitlines()) - 1
    assert rows >= 3
    if kind is Format.ROSTER:
        snapshot = read_snapshot(Source(path), mapping)
        assert snapshot.whole
        assert len(snapshot.bookings) == rows
        return
    units: list[Unit] = list(read_mapped(Source(path), mapping))
    assert all(unit.events for unit in units)
    assert len(units) == rows == len(of(NotificationRecorded))


def test_the_command_writes_a_county_and_its_truth(tmp_path: Path) -> None:
    out, truth = tmp_path / "county.jsonl", tmp_path / "truth.jsonl"
    done = RUNNER.invoke(
        app, ["simulate", "--seed", "5", "--offenders", "60", "--out", str(out), "--truth", str(truth)]
    )
    assert done.exit_code == 0, done.output
    assert out.read_bytes() == b"".join(feed(County(seed=5, offenders=60)))
    told = [json.loads(line) for line in truth.read_text().splitlines()]
    people = {one["offender_id"]: one["person"] for one in told if "offender_id" in one}
    named = {json.loads(line)["subject"] for line in out.read_text().splitlines()}
    assert len(set(people.values())) == 60
    unknown = named - set(people)
    assert len(unknown) < 0.1 * len(named), "only those she was taken for in a mutual arrest"
    packed = tmp_path / "county.jsonl.gz"
    for _ in range(2):
        RUNNER.invoke(app, ["simulate", "--seed", "5", "--offenders", "60", "--out", str(packed)])
        assert [line.raw for line in Source(packed).lines()] == out.read_bytes().splitlines()


def test_merges_join_what_is_one_person() -> None:
    people = {one.offender_id: one.person for life in everybody() for one in life.known}
    merges = [data for data in of(OffenderMerged) if isinstance(data, OffenderMerged)]
    assert all(people[data.offender_id] == people[data.merged_offender_id] for data in merges)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--offenders", "1", "--incidents", "1"], "not both"),
        (["--out", "/nowhere/at/all"], "No such file"),
        (["--until", "1970-01-01"], "old enough"),
    ],
)
def test_what_cannot_be_done_is_told(given: list[str], told: str) -> None:
    done = RUNNER.invoke(app, ["simulate", *given])
    assert done.exit_code != 0
    assert told in str(done.exception)
