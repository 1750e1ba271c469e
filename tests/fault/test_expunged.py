"""After an expunction nothing of the incident is left: in no column of any service, in no log, whatever came before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from schemas.envelope import Classification, Event, deterministic_id, encode
from schemas.incident import Disposition
from schemas.person import DescribedVictim, VictimsDescribed
from schemas.topics import Topic
from services.common.records import lane_of
from tests.harness import kafka
from tests.harness.incidents import (
    HIM,
    disposed,
    event,
    expunged,
    incident_id,
    later,
    merged,
    report,
    retracted,
    split,
)
from tests.harness.pipeline import Pipeline, pipeline
from tests.harness.postgres import PostgresServer
from tests.harness.remains import remains

GONE = (1, 3, 4, 5)
STAYS = 2
ARRESTS = ("A-O-1-1", "A-O-2-4", "A-O-1-5")
"""Of what is gone; and of what stays."""
STANDS = "A-O-1-2"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def county(request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    if request.param == "sqlite":
        with pipeline(None) as made:
            yield made
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create_database()
    with pipeline(url) as made:
        yield made
    server.drop_database(url)


def named(one: Event[Any]) -> Event[Any]:
    """As careless as a source can be: its own ids hold the incident's number, and so does the correlation."""
    number = getattr(one.data, "incident_id", None)
    suffix = deterministic_id(one.id)[:8]
    return replace(
        one,
        id=f"{number or 'x'}-{suffix}",
        recordedtime=one.time,
        correlationid=number,
    )


def history() -> list[Event[Any]]:
    return [
        named(one)
        for one in (
            report(1, charged=True),
            report(2, charged=True),
            report(1, revision=2, charged=True, victims=["BG", "XS"]),
            report(3),
            retracted(3),
            disposed("A-O-1-1", Disposition.PENDING),
            report(4, "O-2", charged=True),
            disposed("A-O-2-4", Disposition.PENDING, "O-2"),
            merged("O-2", HIM),
            report(5, charged=True),
            split([5], "O-9"),
            report(6, "O-9"),
            report(7, charged=True),
        )
    ]


def conflicting(one: Event[Any]) -> Event[Any]:
    """The same revision with other content: a dead letter that holds the whole report."""
    data = one.data.model_copy(update={"probable_cause": True})
    return replace(one, id=f"{one.id}-again", data=data)


Raw = tuple[int, bytes, bytes, tuple[tuple[str, bytes], ...]]


def broken(number: int) -> Raw:
    """No event at all, and still it names the incident."""
    return _torn(named(report(number, charged=True)))


def broken_word(arrest: str) -> Raw:
    """Nor this, which names an arrest."""
    return _torn(named(disposed(arrest, Disposition.DISMISSED)))


def _torn(one: Event[Any]) -> Raw:
    message = encode(one)
    assert message.value is not None
    return (lane_of(HIM, 4), HIM.encode(), message.value[:-20], message.headers)


def described() -> Event[Any]:
    victims = [
        DescribedVictim(victim_no=1, incident_id=incident_id(n), victim_id=f"V-{n}-BG", name="N") for n in (1, 2)
    ]
    one = event(VictimsDescribed(offender_id=HIM, victims=victims), HIM, later(8))
    return replace(one, correlationid=incident_id(1), dataclassification=Classification.RESTRICTED)


def test_unpublished(county: Pipeline) -> None:
    """Expunged while what was said of it is still to be published, and killed: it goes out once, as a stub."""
    county.start("classifier").wait_said("lane.claimed", county.lanes)
    county.wait_settled(without=["notifier", "victim_outreach"])
    county.close()
    county.feed(
        [named(report(11, "O-7", charged=True)), named(report(12, "O-7", charged=True)), named(expunged(12, "O-7"))]
    )
    doomed = county.start(
        "classifier", IPVI_MAX_BATCH="2", IPVI_FAILPOINTS="kafka.produced=hang:20;sql.committed=kill@2"
    )
    doomed.wait_dead()
    stubs = county.rows("classifier", "SELECT count(*) AS n FROM journal WHERE erased AND subject = 'O-7'")[0].n
    assert stubs >= 3, "the decision, the referral and the list"
    county.start_all()
    county.wait_settled()
    county.judge_delivery()
    out = [
        record
        for topic in (Topic.DECISIONS, Topic.REFERRALS, Topic.TIERS)
        for record in kafka.read_all(county.bootstrap, topic)
        if record.key == b"O-7"
    ]
    assert sum(record.value is None for record in out) == stubs
    assert not [record for record in out if incident_id(12).encode() in (record.value or b"")]
    assert remains(county, [incident_id(12)]) == []
    assert remains(county, [incident_id(11)])
    for service in ("notifier", "victim_outreach"):
        assert county.rows(service, "SELECT code FROM rejects") == [], "a stub is passed over"
    county.close()


def test_nothing_is_left(county: Pipeline) -> None:
    numbers = [incident_id(number) for number in GONE]
    county.start_all()
    county.feed(history())
    county.feed(
        [
            conflicting(named(report(7, charged=True))),
            conflicting(named(report(1, revision=2, charged=True, victims=["BG", "XS"]))),
        ]
    )
    of_court = broken_word(ARRESTS[0]), broken_word(STANDS)
    kafka.produce(county.bootstrap, Topic.INCIDENTS, [broken(1), broken(STAYS), *of_court])
    county.feed([described()], Topic.VICTIMS)
    county.wait_settled()
    assert len(county.rows("classifier", "SELECT code FROM rejects")) == 6
    assert "classifier.journal.value" in remains(county, ARRESTS)
    before = remains(county, numbers)
    assert {place.split(".")[0] for place in before} >= {"classifier", "victim_outreach"}

    county.feed(
        [
            named(expunged(1)),
            named(expunged(3)),
            named(expunged(4, HIM)),  # told as O-2, before the merge
            named(expunged(5, "O-9")),  # told as O-1, before the split
        ]
    )
    county.wait_settled()
    late = [report(1, revision=9, charged=True), report(4, "O-2", revision=9), retracted(5, "O-9"), expunged(1, day=95)]
    words = [
        disposed(arrest, Disposition.DISMISSED, him, day=99)
        for arrest, him in (*zip(ARRESTS, (HIM, "O-2", HIM), strict=True), (ARRESTS[1], HIM), (ARRESTS[2], "O-9"))
    ]
    county.feed([named(one) for one in (*late, *words, disposed(STANDS, Disposition.PENDING, day=99))])
    county.wait_settled()
    assert remains(county, [*numbers, *ARRESTS]) == []
    kept = remains(county, [incident_id(STAYS)])
    assert {"classifier.records.matter", "classifier.journal.value"} <= set(remains(county, [STANDS]))
    assert {place.split(".")[0] for place in kept} >= {"classifier", "victim_outreach"}
    assert any(place == "classifier.journal.value" for place in kept)
    county.judge_delivery()
