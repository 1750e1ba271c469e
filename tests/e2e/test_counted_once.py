"""The same months sent in three forms, by two agencies, with corrections, and all of it again: everything counts once.

A made-up county: its agencies' submissions to NIBRS, flat and as XML, and their own feeds as CloudEvents with their own numbers
of the same people; a second agency tells most incidents again under numbers of its own. What NIBRS and the second agency cannot
say (who he is) a person says, as a merge. What must come of it is worked out from the first telling alone.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from schemas.advocacy import ChannelSafety, ContactSafety, RecordSafeContact
from schemas.classification import Tier
from schemas.commands import Role
from schemas.envelope import Classification, Data, Event, Message, decode, to_json_line
from schemas.incident import IncidentExpunged, IncidentReported, OffenderMerged
from schemas.outreach import ContactChannel, TaskKind
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
from services.victim_outreach.domain import case_of_victim
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

    *tables, last = files
    for path, kind in tables:
        assert ingested(made, path, kind).rejected == 0
    made.wait_settled()
    gone = {
        one.data.merged_offender_id: one.data.offender_id
        for one in merged(county)
        if isinstance(one.data, OffenderMerged)
    }
    asked = ask(made, gone)
    made.wait_settled()
    before = referred(made) & with_a_partner(made, gone)
    assert ingested(made, *last).rejected == 0
    made.wait_settled()
    her_side(made, gone, asked, before)
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
    her_side(made, gone, asked, before)
    twice = made.rows(
        "notifier",
        "SELECT offender_id FROM notifications WHERE state <> 'cancelled' GROUP BY offender_id, tier HAVING count(*) > 1",
    )
    assert not twice, "one notice per tier"
    assert not any(made.rows(service, "SELECT 1 FROM rejects") for service in made.services)


PARTNERS = ("SE", "CS", "BG", "XS", "XR", "HR")
LIVE = """
SELECT offender_id, victim_id, case_id, incident_id, victim_no, gravest, purpose, homicide FROM referrals
WHERE NOT withdrawn AND outreach = 'opened' ORDER BY place, case_id
"""
TO_DO = """
SELECT offender_id, case_id, kind FROM tasks WHERE state NOT IN ('completed', 'cancelled') AND kind IN
('written_information', 'call', 'in_person_contact', 'safety_planning', 'advocacy', 'case_management')
"""


def ask(made: Pipeline, gone: Mapping[str, str]) -> list[tuple[str, str]]:
    """Before his records are known to be one, an advocate is told in some women's cases that a call is not safe.

    Offender as he was known and victim of each.
    """
    found = [row for row in made.rows("victim_outreach", LIVE) if row.victim_id and row.offender_id in gone]
    chosen = list({row.case_id: row for row in found}.values())[:10]
    unsafe = ChannelSafety(channel=ContactChannel.CALL, safety=ContactSafety.UNSAFE)
    for row in chosen:
        said = RecordSafeContact(
            offender_id=row.offender_id,
            by="ada",
            role=Role.COMMUNITY_ADVOCATE,
            case_id=row.case_id,
            channels=[unsafe],
            valid_until=COUNTY.until + timedelta(days=90),
        )
        event: Event[Data] = Event(
            id=f"said.{row.case_id}",
            source="/tests",
            subject=row.offender_id,
            time=COUNTY.until,
            recordedtime=COUNTY.until,
            data=said,
            dataclassification=Classification.RESTRICTED,
        )
        made.feed([event], Topic.VICTIM_OUTREACH_COMMANDS)
    return [(row.offender_id, row.victim_id) for row in chosen]


def referred(made: Pipeline) -> set[tuple[str, str]]:
    """Offender and incident of each referral in force."""
    return {(row.offender_id, row.incident_id) for row in made.rows("victim_outreach", LIVE)}


def with_a_partner(made: Pipeline, gone: Mapping[str, str]) -> set[tuple[str, str]]:
    """Of an incident told of two of his records the latest words hold; those of which one of these names a partner."""
    last: dict[tuple[str, str], list[IncidentReported]] = {}
    for record in kafka.read_all(made.bootstrap, str(Topic.INCIDENTS)):
        data = decode(Message(record.key, record.value, record.headers)).data
        if isinstance(data, IncidentReported):
            who = data.offender.offender_id
            others = last.setdefault((gone.get(who, who), data.incident_id), [])
            others[:] = [*(one for one in others if one.revision >= data.revision), data]
    found = set()
    for (_, incident), told in last.items():
        newest = max(one.revision for one in told)
        words = [one for one in told if one.revision == newest]
        if any(her.relationship in PARTNERS for one in words for her in one.victims):
            found |= {(one.offender.offender_id, incident) for one in told}
    return found


def her_side(
    made: Pipeline, gone: Mapping[str, str], asked: Sequence[tuple[str, str]], before: set[tuple[str, str]]
) -> None:
    """It follows him: one case of each woman, each task once, what she said, what police hold; under the old id nothing."""

    def rows(statement: str) -> list[Any]:
        return made.rows("victim_outreach", statement)

    assert {(gone.get(him, him), incident) for him, incident in before} <= referred(made), "no incident is lost"
    live = [row for row in rows(LIVE) if row.victim_id and row.purpose == "outreach" and not row.homicide]
    cases = {(row.offender_id, row.victim_id): row.case_id for row in live}
    assert all(cases[row.offender_id, row.victim_id] == row.case_id for row in live), "one case"
    tiers: dict[str, str | None] = {}
    for row in live:
        tiers[row.case_id] = min(filter(None, (tiers.get(row.case_id), row.gravest)), default=None)
    policy, tasks = load_policy(POLICY), rows(TO_DO)
    calls_for = Counter(
        (case, str(kind))
        for case, gravest in tiers.items()
        for kind in {
            TaskKind.WRITTEN_INFORMATION,
            *(task.kind for task in policy.victim_tasks(Tier(gravest) if gravest else None)),
        }
    )
    assert Counter((row.case_id, row.kind) for row in tasks) == calls_for, "no task is lost, none is there twice"
    assert not {row.offender_id for row in tasks} & gone.keys()
    assert not {row.offender_id for row in rows("SELECT offender_id FROM victims")} & gone.keys()
    reachable(made, gone)
    assert len(asked) == 10
    said = {(row.offender_id, row.case_id): row.channels for row in rows("SELECT * FROM profiles")}
    for him, her in asked:
        assert '"unsafe"' in str(said[gone[him], case_of_victim(gone[him], her)])


def reachable(made: Pipeline, gone: Mapping[str, str]) -> None:
    """Of each named woman who is sought one row where she is sought, with the last contact that intake gave of her there."""
    given: dict[tuple[str, str | None, int], list[list[str]]] = {}
    for record in kafka.read_all(made.bootstrap, str(Topic.VICTIMS)):
        if record.value is None:
            continue
        data = decode(Message(record.key, record.value, record.headers)).data
        assert isinstance(data, VictimsDescribed)
        for her in data.victims:
            him = gone.get(data.offender_id, data.offender_id)
            given.setdefault((him, her.incident_id, her.victim_no), []).append(her.contact)
    held: dict[tuple[str, str | None, int], list[Any]] = {}
    for row in made.rows("victim_outreach", "SELECT * FROM victims"):
        held.setdefault((row.offender_id, row.incident_id, row.victim_no), []).append(row)
    sought = [row for row in made.rows("victim_outreach", LIVE) if row.victim_id and row.purpose == "outreach"]
    with_contact = 0
    for referral in sought:
        place = (referral.offender_id, referral.incident_id, referral.victim_no)
        assert [row.victim_id for row in held.get(place, [])] == [referral.victim_id]
        [row] = held[place]
        known = [contact for contact in given[place] if contact]
        with_contact += bool(known)
        assert json.loads(row.contact) == (known[-1] if known else [])
    assert len(sought) >= 50
    assert with_contact >= 10


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
