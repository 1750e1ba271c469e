"""Records of made-up people, as intake takes them and as the linkage knows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from schemas import incident as contract
from schemas.envelope import Classification, Event, deterministic_id
from services.intake.domain import AsOf, Feed, Terms, Unit
from services.intake.identity import Identifiers, Sighting, offender_id
from services.intake.people import OffenderFacts
from services.intake.usecases.linking import link_numbers
from services.intake.usecases.taking import take
from tests.harness import feed
from tests.harness.intake import Bench

NOW = datetime(2025, 1, 11, 12, tzinfo=UTC)
TERMS = Terms(feed.seal)
CITY, SHERIFF = "ZZ0010000", "ZZ0020000"


def record(known: Identifiers, *, arrest: str | None = None, at: datetime = NOW, charged: bool = True) -> Unit:
    """One incident of his, against one partner, as a table's reader makes it."""
    who = offender_id(known)
    incident = f"{known.agency}:{known.report}"
    data = contract.IncidentReported(
        incident_id=incident,
        revision=1,
        agency=known.agency,
        occurred_at=at,
        reported_at=at,
        offender=contract.Offender(offender_id=who, birth_date=known.birth_date),
        victims=[contract.Victim(victim_no=1, victim_id=f"v-{known.report}", relationship="BG", offenses=["13B"])],
        offenses=[contract.Offense(code="13B", charged=charged)],
        offender_informed=True,
        arrest=contract.Arrest(arrest_id=arrest, arrested_at=at, type="T") if arrest else None,
    )
    event = Event(
        id=deterministic_id("test", incident, who),
        source=f"/agencies/{known.agency}/test",
        subject=who,
        time=at,
        data=data,
        dataclassification=Classification.RESTRICTED,
        correlationid=incident,
    )
    facts = OffenderFacts(who, name=known.name, birth_date=known.birth_date)
    return Unit(1, (event,), facts=(facts,), sightings=(Sighting(who, known, incident, arrest),))


async def taken(intake: Bench, *units: Unit, link: bool = True) -> None:
    """Take them, compare their numbers, and bring all of it to the stream."""
    found = await take(intake.database, units, Feed("test", feed.ORI), AsOf.NOW, NOW, TERMS)
    await intake.sender.deliver(found.upto)
    if link:
        await linked(intake)


async def linked(intake: Bench) -> None:
    while await link_numbers(intake.database, TERMS, NOW):
        pass
    await sent(intake)


async def sent(intake: Bench) -> None:
    from services.intake.store import outbox

    async with intake.database.read() as conn:
        last = await outbox.last(conn)
    await intake.sender.deliver(last)


def merges(intake: Bench) -> list[tuple[str, str]]:
    """(who stays, who folds into him), in the order in which they went out."""
    return [
        (data.offender_id, data.merged_offender_id)
        for data in intake.stream.data("ipvi.restricted.incidents.v1")
        if isinstance(data, contract.OffenderMerged)
    ]


def splits(intake: Bench) -> list[contract.OffenderSplit]:
    found = intake.stream.data("ipvi.restricted.incidents.v1")
    return [data for data in found if isinstance(data, contract.OffenderSplit)]


def later(known: Identifiers, report: str) -> Identifiers:
    """The same record of him in another incident."""
    return replace(known, report=report)


def days(count: int) -> timedelta:
    return timedelta(days=count)


def ids(known: Sequence[Identifiers]) -> list[str]:
    return [offender_id(each) for each in known]
