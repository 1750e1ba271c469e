"""What is taken, kept and sent: whole or not at all, each thing once, in order, whatever fails in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import ProducerFenced
from sqlalchemy import select

from schemas.incident import IncidentReported
from schemas.mapping_file import load_mapping
from schemas.person import OffenderDescribed, VictimsDescribed
from schemas.topics import Topic
from services.common.migrations import metadata_of
from services.intake.cloudevents import event_in
from services.intake.domain import AsOf, Feed, FeedPausedError, Reject, RejectLimit, Terms, Unit
from services.intake.identity import Identifiers, Sighting
from services.intake.mapped.charges import Charge
from services.intake.mapped.snapshot import Booking, Snapshot
from services.intake.people import OffenderFacts, VictimFacts
from services.intake.store import outbox
from services.intake.store.feeds import agency_feeds, resume
from services.intake.store.receipts import Receipt
from services.intake.usecases import Sender, StreamError, StreamSink
from services.intake.usecases.taking import Taken, take, take_snapshot, take_with_receipt
from tests.harness import feed
from tests.harness.intake import Bench, bench

NOW = datetime(2025, 1, 11, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=9)
FEED = Feed("test", feed.ORI)
TERMS = Terms(feed.seal)


@pytest.fixture
async def intake(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


def unit(data: dict[str, Any], kind: str = "ipvi.incident.reported.v1", **more: Any) -> Unit:
    return Unit(1, (event_in(feed.line(data, kind)),), **more)


def reject(line: int, raw: bytes = b"{") -> Unit:
    return Unit(line, reject=Reject("feed", line, feed_code(), None, raw, len(raw)))


def feed_code() -> Any:
    from schemas.rejects import RejectCode

    return RejectCode.BROKEN_JSON


async def taken(intake: Bench, *units: Unit, now: datetime = NOW) -> Taken:
    found = await take(intake.database, units, FEED, AsOf.NOW, now, TERMS)
    await intake.sender.deliver(found.upto)
    return found


def victims(intake: Bench) -> list[list[str | None]]:
    found = [data for data in intake.stream.data(Topic.VICTIMS) if isinstance(data, VictimsDescribed)]
    return [[victim.incident_id for victim in data.victims] for data in found]


async def test_victims_are_whole_over_deliveries(intake: Bench) -> None:
    await taken(intake, unit(feed.incident(number="1")))
    await taken(intake, unit(feed.incident(number="2")))
    assert victims(intake) == [["ZZ0010000:1"], ["ZZ0010000:1", "ZZ0010000:2"]]


async def test_a_repeat_says_nothing(intake: Bench) -> None:
    for _ in range(3):
        found = await taken(intake, unit(feed.incident()), reject(7))
    assert found.said.repeated == 1
    assert len(intake.stream.rows) == 3, "victims, incident, dead letter: once each"


async def test_final_words_hold_over_deliveries(intake: Bench) -> None:
    gone = {"incident_id": "ZZ0010000:25-001", "offender_id": "O1", "agency": feed.ORI}
    await taken(intake, unit(gone, "ipvi.incident.expunged.v1"))
    await taken(intake, unit(feed.incident(revision=9)))
    assert victims(intake) == []


async def test_merged_and_moved_people_are_found_again(intake: Bench) -> None:
    await taken(intake, unit(feed.incident("O1", "1")), unit(feed.incident("O2", "2")))
    await taken(intake, unit({"offender_id": "O1", "merged_offender_id": "O2"}, "ipvi.offender.merged.v1"))
    await taken(intake, unit(feed.incident("O2", "3")))
    assert sorted(map(str, victims(intake)[-1])) == ["ZZ0010000:1", "ZZ0010000:2", "ZZ0010000:3"]
    split = {"offender_id": "O1", "new_offender_id": "O9", "incident_ids": ["ZZ0010000:1"]}
    await taken(intake, unit(split, "ipvi.offender.split.v1"))
    await taken(intake, unit(feed.incident("O1", "1", revision=2)))
    last = intake.stream.events(Topic.VICTIMS)[-1]
    assert last.subject == "O9"


async def test_what_came_with_an_event_reaches_its_own_topic_alone(intake: Bench) -> None:
    facts = (
        OffenderFacts("O1", name="Offender 1"),
        VictimFacts("O1", "ZZ0010000:25-001", 1, name="Victim 1", contact=("contact 1",)),
    )
    await taken(intake, unit(feed.incident(), facts=facts))
    [him] = [data for data in intake.stream.data(Topic.OFFENDERS) if isinstance(data, OffenderDescribed)]
    assert him.name == "Offender 1"
    for topic, message in intake.stream.rows:
        assert (b"Victim 1" in (message.value or b"")) is (topic == Topic.VICTIMS)
    again = (OffenderFacts("O1", places=("place 1",)),)
    await taken(intake, unit(feed.incident(), facts=again))
    him = intake.stream.data(Topic.OFFENDERS)[-1]  # type: ignore[assignment]
    assert (him.name, him.places) == ("Offender 1", ["place 1"]), "news of a known incident is news"


async def test_what_the_broker_would_not_take_goes_out_later_and_first(intake: Bench) -> None:
    intake.stream.broken = True
    with pytest.raises(StreamError, match="nothing is doubled"):
        await taken(intake, unit(feed.incident(number="1")))
    intake.stream.broken = False
    await taken(intake, unit(feed.incident(number="2")))
    incidents = [event.correlationid or event.data.incident_id for event in intake.stream.events(Topic.INCIDENTS)]  # type: ignore[attr-defined]
    assert incidents == ["ZZ0010000:1", "ZZ0010000:2"]


async def test_who_takes_over_starts_a_producer_that_fences(intake: Bench) -> None:
    now = [NOW]
    one = Sender(intake.database, lambda: intake.stream, clock=lambda: now[0])
    other = Sender(intake.database, lambda: intake.stream, patience=0.1, clock=lambda: now[0])
    found = await take(intake.database, [unit(feed.incident(number="1"))], FEED, AsOf.NOW, NOW, TERMS)
    await one.deliver(found.upto)
    found = await take(intake.database, [unit(feed.incident(number="2"))], FEED, AsOf.NOW, NOW, TERMS)
    with pytest.raises(StreamError, match="another process"):
        await other.deliver(found.upto)
    now[0] += timedelta(seconds=30)
    await other.deliver(found.upto)
    assert intake.stream.starts == 2
    await other.close()
    found = await take(intake.database, [unit(feed.incident(number="3"))], FEED, AsOf.NOW, NOW, TERMS)
    now[0] += timedelta(milliseconds=1)
    await one.deliver(found.upto)
    assert intake.stream.starts == 3, "it was another's in between"


async def test_one_that_was_fenced_begins_again(intake: Bench) -> None:
    fenced = [ProducerFenced(), None]

    class Once(type(intake.stream)):  # type: ignore[misc]
        async def publish(self, rows: Any) -> None:
            if (error := fenced.pop(0)) is not None:
                raise error
            await super().publish(rows)

    stream = Once()
    sender = Sender(intake.database, lambda: stream)
    found = await take(intake.database, [unit(feed.incident())], FEED, AsOf.NOW, NOW, TERMS)
    await sender.deliver(found.upto)
    assert (len(stream.rows), stream.starts) == (2, 2)


async def test_many_at_once(intake: Bench) -> None:
    await asyncio.gather(*(taken(intake, unit(feed.incident(number=f"{n}"))) for n in range(20)))
    assert [len(whole) for whole in victims(intake)] == list(range(1, 21))
    async with intake.database.read() as conn:
        assert await outbox.last(conn) == 0


async def test_a_sighting_that_came_with_no_event_is_kept_once(intake: Bench) -> None:
    seen = Sighting("O1", Identifiers(feed.ORI, "B1", state_id="NC7"))
    table = metadata_of("intake").tables["identities"]
    for many in (1, 1, 2):
        found = await taken(intake, Unit(1, sightings=(seen,)))
        assert found.said.messages == []
        async with intake.database.read() as conn:
            assert len((await conn.execute(select(table))).all()) == many
        if found.said.keys == []:
            seen = replace(seen, known=replace(seen.known, fbi_number="F7"))


# feeds -----------------------------------------------------------------------------------------------


async def test_too_many_rejects_pause_the_feed_until_a_person_resumes_it(intake: Bench) -> None:
    limit = RejectLimit(0.5, 4)
    sink = StreamSink(intake.database, intake.sender, FEED, Terms(feed.seal, limit))
    with pytest.raises(FeedPausedError, match="ipvi agencies resume ZZ0010000 test"):
        await sink.take([unit(feed.incident()), reject(1), reject(2), reject(3)])
    with pytest.raises(FeedPausedError):
        await sink.take([unit(feed.incident(number="2"))])
    assert len(intake.stream.data(Topic.INCIDENTS)) == 1, "what was taken is on the stream, and nothing after it"
    async with intake.database.write() as conn:
        assert await resume(conn, (feed.ORI, "test"), NOW, accept_short=False)
        assert not await resume(conn, (feed.ORI, "other"), NOW, accept_short=False)
    await sink.take([unit(feed.incident(number="2")), reject(1), reject(2), reject(3)])
    await sink.finish()
    assert len(intake.stream.data(Topic.INCIDENTS)) == 2, "rejects that were told before do not count again"


def order(number: int, agency: str = feed.ORI) -> Unit:
    data = {"incident_id": f"{agency}:{number}", "offender_id": "O1", "agency": agency}
    return Unit(1, (event_in(feed.line(data, "ipvi.incident.expunged.v1", source=f"/agencies/{agency}")),))


async def test_many_expunctions_in_a_day_wait_for_a_persons_word_and_nothing_else_does(intake: Bench) -> None:
    terms = Terms(feed.seal, expunctions=2)

    async def come(*units: Unit, at: datetime = NOW) -> bool:
        return (await take(intake.database, units, FEED, AsOf.NOW, at, terms)).waits

    assert not await come(order(1), order(2))
    assert not await come(order(1), order(2)), "said again it is no more"
    assert await come(order(3), unit(feed.incident(number="9"))), "the whole batch stays, in its order"
    with pytest.raises(FeedPausedError):
        await come(order(3))
    assert not await come(order(1), unit(feed.incident(number="8"))), "what was carried out before waits for nobody"
    with pytest.raises(FeedPausedError):
        await come(order(3), at=NOW + timedelta(days=1))
    assert not await come(unit(feed.incident(number="7")))
    assert not await come(order(1, "ZZ0020000"), order(2, "ZZ0020000")), "another agency's are its own"
    async with intake.database.read() as conn:
        [one] = await agency_feeds(conn, NOW, feed.ORI)
    assert (one.paused_for, one.today["events"]) == ("expunctions", 4)
    async with intake.database.write() as conn:
        assert await resume(conn, (feed.ORI, "test"), NOW, accept_short=False)
    assert not await come(*(order(number) for number in range(3, 30)))
    assert await come(*(order(number) for number in range(30, 40)), at=NOW + timedelta(days=1))


async def test_a_delivery_with_too_many_expunctions_is_taken_as_a_whole_once_a_person_says_so(intake: Bench) -> None:
    """Refused with a code that says: send it again. Nothing of it is kept, the receipt neither."""
    terms, api = Terms(feed.seal, expunctions=2), Feed("api", feed.ORI)
    orders = [order(number) for number in range(5)]

    async def deliver() -> Receipt:
        return await take_with_receipt(intake.database, "R1", orders, api, NOW, terms, "digest")

    for _ in range(2):
        with pytest.raises(FeedPausedError):
            await deliver()
    async with intake.database.write() as conn:
        assert await outbox.last(conn) == 0
        assert await resume(conn, (feed.ORI, "api"), NOW, accept_short=False)
    assert (await deliver()).events == 5
    assert (await deliver()).events == 5


async def test_a_row_that_is_refused_in_every_file_pauses_nobody(intake: Bench) -> None:
    """The good rows of a file that grows are new once, the bad one under each new name."""
    terms = Terms(feed.seal, RejectLimit(0.5, 4))
    good = [unit(feed.incident(number=f"{number}")) for number in range(3)]
    for number in range(12):
        bad = Unit(1, reject=Reject(f"calls-{number}", 1, feed_code(), None, b"{", 1))
        found = await take(intake.database, [*good, bad], FEED, AsOf.NOW, NOW, terms)
        assert found.paused is None
    for number in range(12):
        rows = Snapshot({}, (Unit(9, reject=Reject(f"jail-{number}", 9, feed_code(), None, b"x", 1)),), 100)
        at = NOW - timedelta(minutes=60 - number)
        found, _ = await take_snapshot(intake.database, rows, load_mapping("roster"), at, NOW, terms)
        assert found.paused is None
    torn = Snapshot({}, tuple(Unit(n, reject=Reject("jail", n, feed_code(), None, b"x", 1)) for n in range(2000)), 2000)
    found, _ = await take_snapshot(intake.database, torn, load_mapping("roster"), NOW, NOW, terms)
    assert found.paused == ("ZZ0000000", "roster")


async def test_a_jail_that_was_empty_at_first_is_still_new(intake: Bench) -> None:
    roster = load_mapping("roster")
    him = Booking("ZZ0000000", "B1", "O1", NOW - timedelta(days=90), Identifiers("ZZ0000000", "B1", agency_person="P1"))
    him = replace(him, charges=(Charge("13B", charged=True, has_victim=True),))
    for minute, shown in enumerate(({}, {him.booking_id: him})):
        at = NOW - timedelta(minutes=9 - minute)
        found, _ = await take_snapshot(intake.database, Snapshot(shown, (), 1), roster, at, NOW, TERMS)
    await intake.sender.deliver(found.upto)
    [told] = [data for data in intake.stream.data(Topic.INCIDENTS) if isinstance(data, IncidentReported)]
    assert told.bulk


async def test_how_many_were_held_when_a_fault_began_is_kept(intake: Bench) -> None:
    roster = load_mapping("roster")

    async def shows(minute: int, numbers: Iterable[int]) -> str | None:
        known = Identifiers("ZZ0000000", "B1", agency_person="P1")
        held = [Booking("ZZ0000000", f"B{number}", f"O{number}", NOW - timedelta(days=1), known) for number in numbers]
        snapshot = Snapshot({each.booking_id: each for each in held}, (), len(held))
        _, found = await take_snapshot(intake.database, snapshot, roster, NOW + timedelta(minutes=minute), LATER, TERMS)
        assert found is not None
        return found.fault

    assert await shows(1, range(40)) is None
    for minute in range(2, 12):
        assert await shows(minute, [*range(28), *range(100, 100 + 3 * minute)]) == "snapshot_short"
    assert await shows(12, [*range(39), *range(100, 133)]) is None
    assert await shows(13, [*range(28), *range(100, 133)]) is None, "11 of 72, and no fault before"


async def test_how_a_feed_stands(intake: Bench) -> None:
    unknown = [{"victim_no": 1, "relationship": "RU"}, {"victim_no": 2, "relationship": "BG"}]
    for day in range(4):
        now = NOW + timedelta(days=day)
        incident = feed.incident(number=f"{day}", victims=unknown, bulk=day == 0)
        await taken(intake, unit(incident), reject(day), now=now)
        await taken(intake, unit(incident), reject(day), now=now)
    await take(intake.database, [], FEED, AsOf.NOW, NOW + timedelta(days=5), TERMS)
    async with intake.database.read() as conn:
        [stands] = await agency_feeds(conn, NOW + timedelta(days=3, hours=1))
    assert stands.today == {"units": 2, "events": 1, "rejected": 1, "bulk": 0}
    assert stands.normal == pytest.approx(2 / 3), "three days before, of which one was a history load"
    assert stands.without_relationship == 0.5
    assert (stands.bulk, dict(stands.reasons)) == (1, {"broken_json": 4})
    assert stands.last_heard == NOW + timedelta(days=5), "a delivery with nothing in it is heard"
    assert stands.last_event == NOW + timedelta(days=3)


async def test_a_day_that_is_unlike_the_others(intake: Bench) -> None:
    for day in range(12):
        now = NOW + timedelta(days=day)
        for number in range(0 if day == 10 else 6):
            await take(intake.database, [unit(feed.incident(number=f"{day}-{number}"))], FEED, AsOf.NOW, now, TERMS)
    async with intake.database.read() as conn:
        assert [one.volume for one in await agency_feeds(conn, NOW + timedelta(days=10))] == [None]
        assert [one.volume for one in await agency_feeds(conn, NOW + timedelta(days=11))] == ["low"]


async def test_what_the_topic_would_not_take_stops_nothing(intake: Bench) -> None:
    """Many agencies hold much of his victims: the newest are told."""
    for number in range(8):
        contact = [f"{number:03}{'x' * 190}"] * 20
        hers = [{"victim_no": n, "incident_id": f"ZZ00{number}0000:7", "contact": contact} for n in range(1, 25)]
        found = await take(
            intake.database,
            [Unit(1, (event_in(feed.line({"offender_id": "O1", "victims": hers}, "ipvi.victims.described.v1")),))],
            FEED, AsOf.NOW, NOW, TERMS,
        )  # fmt: skip
        await intake.sender.deliver(found.upto)
    sizes = [len(message.value or b"") for topic, message in intake.stream.rows if topic == Topic.VICTIMS]
    assert max(sizes) <= 900_000
    last = intake.stream.data(Topic.VICTIMS)[-1]
    assert isinstance(last, VictimsDescribed)
    assert last.victims[-1].incident_id == "ZZ0070000:7"


async def test_nothing_is_left_of_what_was_expunged(intake: Bench) -> None:
    """In no column, though the source's own ids name the incident, and he and she were described with it."""
    number = "ZZ0010000:25-001"
    told = replace(event_in(feed.line(feed.incident())), id=f"report-of-{number}", correlationid=number)
    about = VictimFacts("O1", number, 1, "R. Roe")
    await taken(intake, Unit(1, (told,), facts=(about,)), unit(feed.incident(number="25-002")))
    assert await cells_with(intake, number)
    gone = {"incident_id": number, "offender_id": "O1", "agency": feed.ORI}
    order = replace(event_in(feed.line(gone, "ipvi.incident.expunged.v1")), id=f"expunge-{number}")
    for each in (order, told):
        await taken(intake, Unit(1, (each,)))
    assert await cells_with(intake, number) == []
    assert await cells_with(intake, "ZZ0010000:25-002")
    assert (await taken(intake, Unit(1, (told,)))).said.repeated == 1, "and a repeat is known all the same"


async def test_what_stays_on_the_stream_does_not_name_what_was_expunged(intake: Bench) -> None:
    """Compacted topics keep the last record of each for good, and an agency's event ids may name the incident."""
    number = "ZZ0010000:25-001"
    him = {"offender_id": "O1", "birth_date": "1985-06-15"}

    def said(data: dict[str, Any], kind: str, **more: Any) -> Unit:
        read = event_in(feed.line(data, f"ipvi.{kind}.v1"))
        return Unit(1, (replace(read, id=f"{kind}-of-{number}", correlationid=number),), **more)

    gone = {"incident_id": number, "offender_id": "O1", "agency": feed.ORI}
    await taken(
        intake,
        unit(feed.incident(number="25-002")),
        said(feed.incident(offender=him), "incident.reported", facts=(VictimFacts("O1", number, 1, "R. Roe"),)),
    )
    assert any(b"1985-06-15" in value for value in last_of_each(intake))
    await taken(intake, said({**gone, "revision": 1}, "incident.retracted"))
    await taken(intake, said(gone, "incident.expunged"))
    assert not [value for value in last_of_each(intake) if number.encode() in value or b"1985-06-15" in value]
    assert any(b"25-002" in value for value in last_of_each(intake)), "what stands is there"


def last_of_each(intake: Bench) -> list[bytes]:
    """Headers and value of what compaction leaves on the topics of people."""
    last = {
        (topic, message.key): b"|".join([*(value for _, value in message.headers), message.value or b""])
        for topic, message in intake.stream.rows
        if topic in (Topic.OFFENDERS, Topic.VICTIMS)
    }
    return list(last.values())


async def cells_with(intake: Bench, text: str) -> list[str]:
    """Table and column of each cell that holds it."""
    found = []
    async with intake.database.read() as conn:
        for table in metadata_of("intake").sorted_tables:
            for row in await conn.execute(select(table)):
                found += [f"{table.name}.{name}" for name, value in row._mapping.items() if text in str(value)]
    return found
