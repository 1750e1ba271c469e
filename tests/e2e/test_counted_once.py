"""The same months sent in three forms, by two agencies, with corrections, and all of it again: everything counts once.

A made-up county: its agencies' submissions to NIBRS, flat and as XML, and their own feeds as CloudEvents with their own numbers
of the same people; a second agency tells most incidents again under numbers of its own. What NIBRS and the second agency cannot
say (who he is) a person says, as a merge. What must come of it is worked out from the first telling alone.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from schemas.envelope import Classification, Data, Event, to_json_line
from schemas.incident import IncidentExpunged, IncidentReported, OffenderMerged
from schemas.person import OffenderDescribed, VictimsDescribed
from schemas.policy_file import load_policy
from schemas.topics import Topic
from services.cli.ingest import ingest_file
from services.cli.replay import Replay
from services.cli.serve import migrate_all
from services.cli.simulate import flat, rates
from services.cli.simulate.county import County
from services.cli.simulate.feed import lives
from services.cli.simulate.history import Life
from services.cli.simulate.voice import Known
from services.intake.domain import AsOf, Format, IngestSummary
from services.intake.identity import Identifiers, offender_id
from tests.harness import kafka, nibrs_xml
from tests.harness.pipeline import Pipeline, pipeline

ZONE = "America/New_York"
POLICY = "high-point-practice"
COUNTY = County(seed=11, offenders=60, years=0.25, agency_count=3, live_days=10_000)


@pytest.fixture(scope="module")
def county() -> Iterator[list[Life]]:
    """Most incidents told twice and many corrected; without mutual arrests, whose two offenders NIBRS does not tell apart."""
    with pytest.MonkeyPatch.context() as given:
        for name, rate in (("DOUBLE", 0.6), ("MUTUAL", 0.0), ("MERGED", 0.0), ("AMENDED", 0.4), ("RETRACTED", 0.1)):
            given.setattr(rates, name, rate)
        given.setattr(rates, "REPEATERS", ((0.5, 0.8), (0.5, 0.3)))
        yield [life for life in lives(COUNTY) if all(map(is_numbered, life.known))]


def is_numbered(known: Known) -> bool:
    """Else his agency's own feed knows him as its NIBRS submission does, and says other things under one id and revision.

    That is `conflicting_revision`, whichever comes second.
    """
    return bool(known.identifiers.agency_person or known.identifiers.state_id or known.identifiers.fbi_number)


@pytest.fixture(scope="module")
def made() -> Iterator[Pipeline]:
    with pipeline(None, POLICY) as started:
        asyncio.run(migrate_all(started.settings(), ["intake"]))
        started.start_all()
        yield started


def test_counted_once(county: list[Life], made: Pipeline, tmp_path: Path) -> None:
    doubles = sum(len(life.same) for life in county)
    assert doubles >= 20
    months = submissions(county)
    assert len(months) >= 3
    files: list[tuple[Path, Format]] = []
    for month, text in sorted(months.items()):
        files.append((written(tmp_path / f"{month}.txt", text), Format.NIBRS_FLAT))
        xml = "".join(nibrs_xml.converted(text.splitlines())).encode()
        files.append((written(tmp_path / f"{month}.xml", xml), Format.NIBRS_XML))
    feeds = b"".join(to_json_line(event) + b"\n" for event in told(county))
    files.append((written(tmp_path / "feeds.jsonl", feeds), Format.CLOUDEVENTS))
    merges = b"".join(to_json_line(event) + b"\n" for event in merged(county))
    files.append((written(tmp_path / "merges.jsonl", merges), Format.CLOUDEVENTS))

    for path, kind in files:
        assert ingested(made, path, kind).rejected == 0
    made.wait_settled()
    expected = once(county)
    assert {tier for tier in expected.values() if tier} == set("ABCD")
    assert tiers(made, county) == expected

    ends = kafka.end_offsets(made.bootstrap, [str(Topic.INCIDENTS)])
    for path, kind in reversed(files):
        ingested(made, path, kind)
    assert kafka.end_offsets(made.bootstrap, [str(Topic.INCIDENTS)]) == ends, (
        "nothing that was sent before goes out again"
    )
    made.wait_settled()
    assert tiers(made, county) == expected
    twice = made.rows(
        "notifier",
        "SELECT offender_id FROM notifications WHERE state <> 'cancelled' GROUP BY offender_id, tier HAVING count(*) > 1",
    )
    assert not twice, "one notice per tier"
    assert not any(made.rows(service, "SELECT 1 FROM rejects") for service in made.services)


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def ingested(made: Pipeline, path: Path, kind: Format) -> IngestSummary:
    return ingest_file(path, kind, AsOf.REPORTED, ZONE, made.settings(), Console(quiet=True))


def submissions(county: Iterable[Life]) -> dict[str, bytes]:
    """By month of submission, as agencies send them: year and month, the segments."""
    reports = sorted(itertools.chain.from_iterable(map(flat.reports, county)), key=lambda each: each[0])
    months: dict[str, bytes] = {}
    for _, text in reports:
        month = f"{text[8:12].decode()}-{text[6:8].decode()}"
        months[month] = months.get(month, b"") + text
    return months


def told(county: Iterable[Life]) -> list[Event[Data]]:
    """What agencies' own systems sent, in order. Courts' orders to expunge are left out: they say no incident number twice."""
    sent = sorted((sent for life in county for sent in life.sent), key=lambda each: each.at)
    return [each.event for each in sent if not isinstance(each.event.data, IncidentExpunged)]


def survivor(life: Life) -> str:
    return life.known[0].offender_id


def merged(county: Iterable[Life]) -> Iterator[Event[Data]]:
    """Each of a person's other ids, and each of his NIBRS reports, is him."""
    for life in county:
        him = survivor(life)
        others = {one.offender_id for one in life.known}
        for sent in life.sent:
            if isinstance(data := sent.event.data, IncidentReported):
                agency, _, number = data.incident_id.partition(":")
                others.add(offender_id(Identifiers(agency, number)))
        for other in sorted(others - {him}):
            yield Event(
                id=f"merged.{other}",
                source="/linkage",
                subject=him,
                time=COUNTY.until,
                data=OffenderMerged(offender_id=him, merged_offender_id=other),
                dataclassification=Classification.RESTRICTED,
            )


def once(county: Iterable[Life]) -> dict[str, str | None]:
    """By person the tier that follows from each incident's first telling alone, all of them his under one id."""
    run = Replay(load_policy(POLICY))
    found: dict[str, str | None] = {}
    for life in county:
        him, doubles = survivor(life), {other for _, other in life.same}
        for sent in life.sent:
            data = sent.event.data
            if (
                isinstance(data, OffenderDescribed | VictimsDescribed | IncidentExpunged)
                or sent.event.correlationid in doubles
            ):
                continue
            if isinstance(data, IncidentReported):
                data = data.model_copy(update={"offender": data.offender.model_copy(update={"offender_id": him})})
            else:
                data = data.model_copy(update={"offender_id": him})
            run.decide(replace(sent.event, subject=him, data=data))
        tier = run.offender(him).tier
        found[him] = str(tier) if tier else None
    return found


def tiers(made: Pipeline, county: Iterable[Life]) -> dict[str, str | None]:
    found = made.tiers()
    return {survivor(life): found.get(survivor(life)) for life in county}
