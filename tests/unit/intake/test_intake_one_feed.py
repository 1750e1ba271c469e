"""An agency without a number of the man sends both its own table and its NIBRS submission: neither hides the other unseen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.envelope import Data, Event, Message, from_json_line
from schemas.incident import IncidentExpunged, IncidentReported, IncidentRetracted, ProhibitedBehavior
from schemas.rejects import RejectCode
from schemas.topics import Topic
from services.intake.domain import AsOf, Feed, IngestSummary, Reject, Unit
from services.intake.identity import Identifiers
from services.intake.lines import Source
from services.intake.nibrs import read_nibrs
from services.intake.people import VictimFacts
from services.intake.usecases.ingesting import StreamSink, ingest
from services.intake.usecases.taking import Taken, take, take_with_receipt
from tests.harness import nibrs
from tests.harness.identity import NOW, TERMS, record, sent
from tests.harness.intake import Bench, bench

NIBRS, TABLE = Feed("nibrs-flat", nibrs.ORI), Feed("county-table", nibrs.ORI)
NUMBER = "25-001"


@pytest.fixture
async def intake(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


def submission(folder: Path, *lines: str) -> list[Unit]:
    path = nibrs.written(folder / "month.txt", [*(lines or nibrs.incident(NUMBER))])
    return list(read_nibrs(Source(path), lambda _: ZoneInfo("UTC")))


def table(revision: int = 1, number: str = NUMBER) -> Unit:
    """As the agency's own system tells it: a breach, her name and telephone, no number of his."""
    unit = record(Identifiers(nibrs.ORI, number))
    [event] = unit.events
    assert isinstance(event.data, IncidentReported)
    told = event.data.model_copy(update={"revision": revision, "prohibited_behavior": [ProhibitedBehavior.NO_CONTACT]})
    her = VictimFacts(event.subject, told.incident_id, 1, name="Ana", contact=("555",))
    return replace(unit, events=(replace(event, id=f"table-{revision}", data=told),), facts=(*unit.facts, her))


async def taken(intake: Bench, units: Sequence[Unit], feed: Feed) -> Taken:
    found = await take(intake.database, units, feed, AsOf.NOW, NOW, TERMS)
    await sent(intake)
    return found


def told(intake: Bench) -> list[tuple[str, int]]:
    """Reports on the stream: source and revision."""
    events = intake.stream.events(Topic.INCIDENTS)
    return [(one.source, one.data.revision) for one in events if isinstance(one.data, IncidentReported)]


def letters(intake: Bench) -> list[Message]:
    return [message for topic, message in intake.stream.rows if topic == Topic.INTAKE_REJECTS]


async def test_a_submission_does_not_replace_what_the_agency_itself_told(intake: Bench, tmp_path: Path) -> None:
    await taken(intake, [table()], TABLE)
    [unit] = submission(tmp_path)
    found = await taken(intake, [unit], NIBRS)
    assert [(one.code, one.field, one.line) for one in found.apart] == [(RejectCode.OTHER_FEED, "revision", unit.line)]
    assert len(told(intake)) == 1
    [letter] = letters(intake)
    assert dict(letter.headers)["reject-code"] == b"other_feed"
    assert from_json_line(letter.value or b"").data == unit.events[0].data, "nothing of it is lost"
    assert "Ana" not in str(found.apart[0])


async def test_sent_again_it_is_one_reject(intake: Bench, tmp_path: Path) -> None:
    await taken(intake, [table()], TABLE)
    for _ in range(2):
        await taken(intake, submission(tmp_path), NIBRS)
    assert len(letters(intake)) == 1


async def test_what_was_refused_can_be_ingested_as_events(intake: Bench, tmp_path: Path) -> None:
    """A person has compared the two, and the submission is right."""
    await taken(intake, [table()], TABLE)
    await taken(intake, submission(tmp_path), NIBRS)
    [letter] = letters(intake)
    event = from_json_line(letter.value or b"")
    await taken(intake, [Unit(1, (event,))], Feed("cloudevents"))
    assert told(intake)[-1][1] == 20250101


async def test_a_table_after_the_submission_is_said_to_be_passed_over(intake: Bench, tmp_path: Path) -> None:
    await taken(intake, submission(tmp_path), NIBRS)
    found = await taken(intake, [table()], TABLE)
    assert [one.code for one in found.apart] == [RejectCode.OTHER_FEED]
    [her] = intake.stream.data(Topic.VICTIMS)[-1].victims  # type: ignore[attr-defined]
    assert (her.name, her.contact) == ("Ana", ["555"]), "whoever calls her needs it"
    await taken(intake, [table()], TABLE)
    assert len(letters(intake)) == 1


async def test_a_table_with_its_time_of_change_stands(intake: Bench, tmp_path: Path) -> None:
    await taken(intake, submission(tmp_path), NIBRS)
    assert not (await taken(intake, [table(1_736_600_000)], TABLE)).apart
    [late] = submission(tmp_path, nibrs.administrative(NUMBER, month="02"), *nibrs.incident(NUMBER)[1:])
    assert not (await taken(intake, [late], NIBRS)).apart, "older than the table's: passed over as ever"


async def test_a_submission_does_not_take_back_what_the_agency_told(intake: Bench, tmp_path: Path) -> None:
    await taken(intake, [table()], TABLE)
    found = await taken(intake, submission(tmp_path, nibrs.administrative(NUMBER, action="D", month="02")), NIBRS)
    [reject] = found.apart
    assert isinstance(from_json_line(reject.raw).data, IncidentRetracted)
    him = table().events[0].subject
    gone = [one for one in intake.stream.data(Topic.INCIDENTS) if isinstance(one, IncidentRetracted)]
    assert gone, "of whom the table has not told"
    assert him not in {one.offender_id for one in gone}


async def test_of_two_offenders_the_one_it_did_not_tell_of_goes_on(intake: Bench, tmp_path: Path) -> None:
    await taken(intake, [table()], TABLE)
    whole = nibrs.incident(NUMBER)
    place = next(i for i, line in enumerate(whole) if line[4] == "5")
    [unit] = submission(tmp_path, *whole[: place + 1], nibrs.offender(NUMBER, 2), *whole[place + 1 :])
    assert len(unit.events) == 2
    found = await taken(intake, [unit], NIBRS)
    assert len(found.apart) == 1
    assert len(told(intake)) == 2


async def test_its_own_corrections_are_taken_from_either(intake: Bench, tmp_path: Path) -> None:
    await taken(intake, [table()], TABLE)
    assert not (await taken(intake, [table(2)], TABLE)).apart
    other = nibrs.incident("25-002")
    await taken(intake, submission(tmp_path, *other), NIBRS)
    again = [
        nibrs.administrative("25-002", action="D", month="02"),
        nibrs.administrative("25-002", month="02"),
        *other[1:],
    ]
    assert not (await taken(intake, submission(tmp_path, *again), NIBRS)).apart


async def test_the_person_who_ingests_is_told(intake: Bench, tmp_path: Path) -> None:
    await taken(intake, [table()], TABLE)
    refused: list[Reject] = []
    sink = StreamSink(intake.database, intake.sender, NIBRS, TERMS)
    units = [*submission(tmp_path), *submission(tmp_path, *nibrs.incident("25-002"))]
    summary = await ingest(units, sink, name="month.txt", on_reject=refused.append)
    assert summary == IngestSummary(units=2, events=2, rejected=1)
    assert [one.code for one in refused] == [RejectCode.OTHER_FEED]


async def test_the_receipt_names_it(intake: Bench, tmp_path: Path) -> None:
    await taken(intake, submission(tmp_path), NIBRS)
    receipt = await take_with_receipt(intake.database, "R1", [table()], TABLE, NOW, TERMS, "digest")
    assert [one["code"] for one in receipt.rejects] == ["other_feed"]


async def test_an_erased_incident_leaves_no_feed_behind(intake: Bench, tmp_path: Path) -> None:
    unit = table()
    [event] = unit.events
    await taken(intake, [unit], TABLE)
    order = IncidentExpunged(offender_id=event.subject, incident_id=f"{nibrs.ORI}:{NUMBER}", agency=nibrs.ORI)
    gone: Event[Data] = replace(event, id="gone", data=order)
    await taken(intake, [Unit(1, (gone,))], TABLE)
    assert not (await taken(intake, submission(tmp_path), NIBRS)).apart
    [*_, last] = [message for topic, message in intake.stream.rows if topic == Topic.VICTIMS]
    assert last.value is None
