"""No partner can tell what it may not know: two histories that differ in D alone, and files that ask for more."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.classification import OffenderDecided, Tier, TierCurrent
from schemas.envelope import Event, Message, decode
from schemas.incident import Disposition, Offense, ProhibitedBehavior
from schemas.notification import FailureReason, NotificationFailed, NotificationServed, Proof
from schemas.partner import PartnerKind, PartnerTier
from schemas.partner_file import Partner
from schemas.rejects import InvalidRecord
from schemas.topics import Topic
from services.common.service import Outgoing
from tests.harness import incidents as reports
from tests.harness.incidents import PRACTICE, SEED
from tests.harness.partners import ALL_TIERS, Bench, everyone, notice, partner

EXAMPLES = int(os.environ.get("IPVI_PARTNER_EXAMPLES", "40"))
CHARGED = st.integers(1, 5)
COMPLAINTS = st.integers(11, 15)
"""Numbers of incidents of which nobody is ever charged."""

ALIAS = "O-2"
"""Another record of the same man, on which there are complaints and nothing else."""

WITHOUT_D = [each for each in everyone() if not each.sees_d]
SHOWN_LESS = partner(PartnerKind.PROSECUTION, id="graver", tiers=["A", "B"])
FILTERED = partner(
    PartnerKind.COURT,
    id="filtered",
    events=[
        {
            "type": "ipvi.partner.decided.v1",
            "fields": ["tier", "evidence"],
            "where": {"change": ["entered", "removed", "kept"], "agency": [reports.AGENCY]},
        },
        {"type": "ipvi.partner.tier.v1", "fields": ["tier"], "where": {"tier": ["A", "C"]}},
        {"type": "ipvi.partner.notification.v1", "fields": ["state"], "where": {"agency": [reports.AGENCY]}},
    ],
)
LAPSING = partner(PartnerKind.PROBATION, id="lapsing", expires="2025-03-25")


@st.composite
def charges(draw: st.DrawFn) -> Event[Any]:
    """What everybody on this side may know: charges, their revisions, retractions, dispositions and expunctions."""
    number = draw(CHARGED)
    day = draw(st.floats(10, 60))
    kind = draw(st.sampled_from(["report", "report", "report", "revised", "retracted", "expunged", "disposed"]))
    if kind == "retracted":
        return reports.retracted(number, day=day)
    if kind == "expunged":
        return reports.expunged(number, day=day)
    if kind == "disposed":
        outcome = draw(st.sampled_from([Disposition.ACQUITTED, Disposition.CONVICTED, Disposition.DISMISSED]))
        return reports.disposed(f"A-{reports.HIM}-{number}", outcome, day=day)
    return reports.report(
        number,
        day=number,
        late=timedelta(days=day - number),
        charged=True,
        code=draw(st.sampled_from(["13A", "13B"])),
        force=draw(st.sampled_from([(), ("11",)])),
        breach=draw(st.sampled_from([(), (ProhibitedBehavior.PROTECTIVE_ORDER,)])),
        revision=draw(st.integers(2, 5)) if kind == "revised" else 1,
        victims=draw(st.sampled_from([("BG",), ("XS",), ("VO", "BG")])) if kind == "revised" else ("BG",),
    )


@st.composite
def complaints(draw: st.DrawFn) -> Event[Any]:
    """What is D's alone: complaints without a charge or a breach, and what becomes of them."""
    number = draw(COMPLAINTS)
    day = draw(st.floats(number, 60))
    kind = draw(st.sampled_from(["report", "report", "report", "revised", "retracted", "expunged", "merged"]))
    if kind == "merged":
        return reports.merged(ALIAS, day=day)
    if kind == "retracted":
        return reports.retracted(number, day=day)
    if kind == "expunged":
        return reports.expunged(number, day=day)
    return reports.report(
        number,
        draw(st.sampled_from([reports.HIM, reports.HIM, ALIAS])),
        day=draw(st.floats(0, 9)),
        late=timedelta(days=day),
        code=draw(st.sampled_from(["13B", "13C", "290"])),
        force=draw(st.sampled_from([(), ("11",)])),
        probable_cause=draw(st.none() | st.booleans()),
        offender_informed=draw(st.none() | st.booleans()),
        revision=draw(st.integers(2, 5)) if kind == "revised" else 1,
        victims=[draw(st.sampled_from(["BG", "SE", "RU"]))],
        offenses=[Offense(code="13B", charged=False)] if draw(st.booleans()) else None,
    )


def said_of(history: Sequence[Event[Any]], policy: Any) -> list[Outgoing]:
    bench = reports.Bench(policy)
    for event in history:
        with suppress(InvalidRecord):  # a revision that says something else
            bench.put(event)
    return bench.said


def notices(said: Sequence[Outgoing], serve: bool, early: bool) -> list[Any]:
    """A notice of each list he comes on, as the notifier would give it; `early`: on its topic it comes before its decision."""
    given: set[str] = set()
    out: list[Any] = []
    for one in said:
        out.append(one)
        data = one.event.data
        if isinstance(data, OffenderDecided) and data.tier is not None and data.pair_id and data.tier not in given:
            given.add(data.tier)
            fields = notice(1, data.tier, reports.HIM) | {"pair_id": data.pair_id}
            made = (
                NotificationServed(**fields, served_at=data.decided_at, proof=Proof.SIGNATURE)
                if serve
                else NotificationFailed(**fields, reason=FailureReason.NOT_FOUND)
            )
            out.insert(len(out) - early, (made, data.decided_at))
    return out


def sent_to(each: Partner, said: Sequence[Any]) -> list[Any]:
    bench = Bench(each)
    for one in said:
        if isinstance(one, Outgoing):
            bench.relay([one])
        else:
            bench.tell(one[0], at=one[1], him=reports.HIM)
    return bench.sent


def in_time(events: Sequence[Event[Any]]) -> list[Event[Any]]:
    return sorted(events, key=lambda one: (one.time, one.id))


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(
    common=st.lists(charges(), min_size=1, max_size=8),
    alone=st.lists(complaints(), min_size=1, max_size=6),
    policy=st.sampled_from([PRACTICE, SEED]),
    serve=st.booleans(),
    early=st.booleans(),
)
def test_two_histories_that_differ_in_d_alone_give_the_same_bytes(
    common: list[Event[Any]], alone: list[Event[Any]], policy: Any, serve: bool, early: bool
) -> None:
    without = notices(said_of(in_time(common), policy), serve, early)
    with_d = notices(said_of(in_time([*common, *alone]), policy), serve, early)
    for each in (*WITHOUT_D, SHOWN_LESS, FILTERED, LAPSING):
        assert sent_to(each, with_d) == sent_to(each, without), each.id
    told = sent_to(partner(PartnerKind.LAW_ENFORCEMENT, id="with-d", tiers=ALL_TIERS), with_d)
    if any(isinstance(o, Outgoing) and getattr(o.event.data, "tier", None) is Tier.D for o in with_d):
        assert told, "whoever may know is told"


def test_a_notice_before_its_decision_does_not_tell_of_an_earlier_complaint() -> None:
    """Topics have no order among them: it waits for the decision, whatever else is known of him."""
    common = [reports.report(1, day=1, late=timedelta(days=30), charged=True)]
    alone = [reports.report(11, day=0, late=timedelta(days=12))]
    without = notices(said_of(common, PRACTICE), serve=True, early=True)
    with_d = notices(said_of(in_time([*common, *alone]), PRACTICE), serve=True, early=True)
    for each in WITHOUT_D:
        assert sent_to(each, with_d) == sent_to(each, without) != [], each.id


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(common=st.lists(charges(), min_size=1, max_size=8), alone=st.lists(complaints(), max_size=3), data=st.data())
def test_however_the_topics_come_the_list_told_is_the_last_decision_s_and_in_the_end_the_current_one(
    common: list[Event[Any]], alone: list[Event[Any]], data: st.DataObject
) -> None:
    said = said_of(in_time([*common, *alone]), PRACTICE)
    waiting = {
        topic: [one for one in said if one.topic == topic and one.event.subject == reports.HIM]
        for topic in (Topic.DECISIONS, Topic.TIERS)
    }
    bench, decided = Bench(partner(PartnerKind.PROBATION)), None
    lists = [None if one.tombstone else one.event.data for one in waiting[Topic.TIERS]]
    while ready := [topic for topic in waiting if waiting[topic]]:
        topic = data.draw(st.sampled_from(ready)) if len(ready) > 1 else ready[0]
        one = waiting[topic].pop(0)
        if isinstance(one.event.data, OffenderDecided):
            decided = one.event.data.tier
        before = len(bench.rows)
        bench.relay([one])
        for row in bench.rows[before:]:
            copy = decode(Message(row.key, row.value, row.headers)).data
            assert not isinstance(copy, PartnerTier) or copy.tier in (None, decided)
    if reports.HIM in bench.states:
        told, current = bench.state(reports.HIM).tier_sent, lists[-1] if lists else None
        assert (told is None) is (current is None)
        if told is not None and isinstance(current, TierCurrent):
            assert told == orjson.loads(current.model_dump_json()) | {"pair_id": told["pair_id"]}
