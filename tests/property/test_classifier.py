"""What holds for any history: the order of arrival, repeats, totality, pairing, merges."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise, product
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.classification import Change, OffenderDecided, Outreach, ReviewCode, Tier
from schemas.commands import ClassifierActivatePolicy, ClassifierTick, Redecide, Role
from schemas.envelope import Event, encode, pair_id
from schemas.incident import CaseDisposed, Disposition, ProhibitedBehavior
from schemas.referral import ReferralOutreach, ReferralPurpose
from schemas.reviews import (
    AnswerChallenge,
    ChallengeGround,
    ChallengeListing,
    ChallengeOutcome,
    Challenger,
    RaiseReason,
    RaiseTier,
)
from schemas.topics import Topic
from services.classifier import domain
from services.classifier.domain.finding import is_intimate
from services.common.service import Input
from tests.harness.incidents import (
    HIM,
    PRACTICE,
    SEED,
    START,
    Bench,
    disposed,
    event,
    expunged,
    later,
    merged,
    noticed,
    opened,
    report,
    retracted,
    split,
)

PEOPLE = ("O-1", "O-2", "O-3")
NUMBERS = (1, 2, 3, 4)
ARRESTS = ("A-1", "A-2", "A-3")
GONE = "gone"
"""How arrests begin that are an expunged incident's alone."""
brief = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
thorough = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def teller(number: int) -> str:
    """Each incident is told of one person, so that histories can be merged and told apart again."""
    return PEOPLE[number % len(PEOPLE)]


@st.composite
def tellings(draw: st.DrawFn, him: str, number: int, arrests: tuple[str, ...]) -> list[Event[Any]]:
    """One to three revisions of one incident."""
    revisions = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True))
    return [draw(told(him, number, revision, arrests)) for revision in revisions]


@st.composite
def told(draw: st.DrawFn, him: str, number: int, revision: int, arrests: tuple[str, ...] = ARRESTS) -> Event[Any]:
    """Any report of the incident."""
    charged = draw(st.booleans())
    return report(
        number,
        him,
        revision=revision,
        victims=draw(
            st.lists(st.sampled_from(["BG", "XS", "RU", "VO", "SB", "ST"]), min_size=0, max_size=2, unique=True)
        ),
        code=draw(st.sampled_from(["13A", "13B", "09A", "35A", "290"])),
        charged=charged,
        force=draw(st.sampled_from([(), ("12",), ("85",), ("40",)])),
        disposition=draw(st.sampled_from([None, Disposition.DISMISSED, Disposition.ACQUITTED])) if charged else None,
        breach=draw(st.sampled_from([(), (ProhibitedBehavior.NO_CONTACT,)])),
        arrest=draw(st.sampled_from(arrests)) if charged else None,
        late=timedelta(days=draw(st.sampled_from([0, 3, 45]))),
        bulk=draw(st.booleans()),
        probable_cause=draw(st.sampled_from([None, True, False])),
        offender={"conflict_of_interest": draw(st.booleans()), "tried_as_adult": draw(st.booleans())},
        born=draw(
            st.sampled_from([None, (START - timedelta(days=365 * 40)).date(), (START - timedelta(days=6000)).date()])
        ),
    )


@st.composite
def histories(draw: st.DrawFn, everybody: bool = False) -> list[Event[Any]]:
    """Records of one person, or of three, in some order of arrival.

    What is expunged has arrests of its own: what was said of one that another incident shares is erased if that is not known
    yet (docs/decisions/0080).
    """
    events: list[Event[Any]] = []
    for number in draw(st.lists(st.sampled_from(NUMBERS), unique=True, min_size=1)):
        him = teller(number) if everybody else HIM
        gone = draw(st.integers(0, 5)) == 0
        events += draw(tellings(him, number, (f"{GONE}-{number}", f"{GONE}-{number}-b") if gone else ARRESTS))
        for take_back in draw(st.lists(st.sampled_from([1, 2, 3, None]), max_size=1)):
            events.append(retracted(number, him, revision=take_back))
        if gone:
            events.append(expunged(number, him))
            for arrest in draw(st.lists(st.sampled_from([f"{GONE}-{number}", f"{GONE}-{number}-b"]), unique=True)):
                disposition = draw(st.sampled_from(list(Disposition)))
                events.append(disposed(arrest, disposition, him, charge=draw(st.sampled_from(["13A", "13B", "90Z"]))))
    for him, arrest in product(PEOPLE if everybody else (HIM,), ARRESTS):
        if draw(st.integers(0, 3)) == 0:
            disposition = draw(st.sampled_from(list(Disposition)))
            events.append(disposed(arrest, disposition, him, day=draw(st.sampled_from([2, 70, 71]))))
    events += [noticed(name=name) for name in draw(st.lists(st.sampled_from(["N-1", "N-2"]), max_size=2, unique=True))]
    return list(draw(st.permutations(events)))


def decided(events: list[Event[Any]], policy: Any = PRACTICE) -> Bench:
    bench = Bench(policy)
    bench.put(*events)
    return bench


def end(bench: Bench) -> dict[str, Any]:
    """Where it all ends: what is kept of each person that a decision rests on, and what others were told."""
    people = {
        him: (one.tier, one.since, set(one.reviews), one.alias and one.alias.to, one.assessment.standing)
        for him, one in bench.offenders.items()
        if one.history.strands or one.alias
    }
    return {"people": people, "referrals": bench.live_referrals(), "tiers": bench.tiers()}


@thorough
@given(st.data(), histories())
def test_any_order_of_arrival_ends_alike(data: st.DataObject, events: list[Event[Any]]) -> None:
    other = list(data.draw(st.permutations(events)))
    assert end(decided(events)) == end(decided(other))


@thorough
@given(st.data(), histories(everybody=True), st.lists(st.sampled_from(PEOPLE), min_size=3, max_size=3))
def test_merges_in_any_order_end_alike(data: st.DataObject, events: list[Event[Any]], into: list[str]) -> None:
    """Also merges both ways, and in a ring."""
    merges = [merged(gone, one) for gone, one in zip(PEOPLE, into, strict=True) if gone != one]
    first = list(data.draw(st.permutations(events + merges)))
    other = list(data.draw(st.permutations(events + merges)))
    one, two = decided(first), decided(other)
    assert end(one) == end(two)
    assert not any(code is ReviewCode.MERGE_PENDING for him in PEOPLE for _, code in one.offender(him).reviews)


@thorough
@given(histories(everybody=True), st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)), max_size=2))
def test_nothing_is_left_of_an_expunged_arrest(events: list[Event[Any]], pairs: list[tuple[str, str]]) -> None:
    """Whatever the order, and whoever was merged into whom on the way: in no state, in nothing that was said."""
    named = {one.data.arrest.arrest_id for one in events if getattr(one.data, "arrest", None) is not None}
    said = [one for one in events if isinstance(one.data, CaseDisposed) and one.data.arrest_id.startswith(GONE)]
    events = [one for one in events if one not in said or one.data.arrest_id in named]
    bench = Bench()
    for place, one in enumerate(events):
        bench.put(one)
        if place < len(pairs) and pairs[place][0] != pairs[place][1]:
            bench.put(merged(*pairs[place]))
    assert GONE not in repr(bench.offenders)
    for sent in (*bench.said, *bench.handed):
        assert GONE.encode() not in (encode(sent.event).value or b"") or sent.about in bench.erased


@thorough
@given(st.data(), histories(everybody=True), st.lists(st.sampled_from(NUMBERS), min_size=1, unique=True), st.booleans())
def test_a_split_in_any_order_ends_alike(
    data: st.DataObject, events: list[Event[Any]], numbers: list[int], and_merged: bool
) -> None:
    him = teller(numbers[0])
    numbers = [number for number in numbers if teller(number) == him]
    others = [one for one in PEOPLE if one != him]
    more = [split(numbers, "O-9", him), *([merged(him, others[0])] if and_merged else [])]
    first = list(data.draw(st.permutations(events + more)))
    other = list(data.draw(st.permutations(events + more)))
    assert end(decided(first)) == end(decided(other))


@thorough
@given(histories(everybody=True), st.sampled_from(PEOPLE), st.sampled_from(PEOPLE))
def test_a_merge_is_one_history(events: list[Event[Any]], gone: str, into: str) -> None:
    """The same tier as if all had been told of one person."""
    if gone == into:
        return
    apart = decided([*events, merged(gone, into)]).offender(into)
    together = decided([_of(one, gone, into) for one in events]).offender(into)
    assert (apart.tier, apart.since) == (together.tier, together.since)
    assert set(apart.assessment.findings) == set(together.assessment.findings)


@thorough
@given(histories(), st.data())
def test_repeats_change_nothing(events: list[Event[Any]], data: st.DataObject) -> None:
    """The loop drops the same event; the same content under another id must do no more."""
    bench = decided(events)
    before, said = end(bench), len(bench.said)
    again = data.draw(st.lists(st.sampled_from(events)))
    for one in sorted(again, key=lambda one: one.type == "ipvi.incident.reported.v1"):
        bench.put(one)
    assert end(bench) == before
    assert len(bench.said) == said


@thorough
@given(histories(), st.sampled_from([PRACTICE, SEED]))
def test_every_incident_on_the_ladder_has_a_tier_or_a_review(events: list[Event[Any]], policy: Any) -> None:
    bench = decided(events, policy)
    him = bench.offender()
    for incident_id, found in him.assessment.findings.items():
        codes = {code for subject, code in him.reviews if subject == incident_id}
        tier = him.assessment.standing.tiers[incident_id]
        if found.on_ladder:
            assert tier is not None or codes
        elif found.qualifies:
            assert codes & {ReviewCode.MUTUAL, ReviewCode.JUVENILE}


@thorough
@given(histories(), st.sampled_from([PRACTICE, SEED]))
def test_time_never_lowers_a_tier(events: list[Event[Any]], policy: Any) -> None:
    """On the walk the tier only rises; and a call years later leaves it or raises it."""
    bench = decided(events, policy)
    tiers = [tier.gravity if tier else 0 for tier in bench.offender().assessment.standing.tiers.values()]
    assert tiers == sorted(tiers)
    before = bench.offender().tier
    bench.put(report(99, day=3650))
    after = bench.offender().tier
    assert after is not None and (before is None or after.gravity >= before.gravity)


@thorough
@given(histories(everybody=True), st.booleans())
def test_pairing_holds_after_every_record(events: list[Event[Any]], merge: bool) -> None:
    """Every partner of an incident that stands has exactly one live referral, and no decision opens outreach without."""
    bench = Bench()
    for one in [*events, *([merged("O-2", "O-1"), split([3], "O-9", "O-1")] if merge else [])]:
        known = len(bench.said)
        bench.put(one)
        live = bench.live_referrals()
        outreach = [one for one in live.values() if one.purpose is ReferralPurpose.OUTREACH]
        wanted = {
            (pair_id(found.incident_id, him), number)
            for him, offender in bench.offenders.items()
            for found in offender.assessment.findings.values()
            for number, victim in zip(domain.victim_numbers(found.report), found.report.victims, strict=True)
            if is_intimate(victim, PRACTICE) or (found.mutual and victim.relationship == "VO")
        }
        assert {(one.pair_id, one.victim_no) for one in outreach} == wanted
        assert len(outreach) == len(wanted)
        for said in bench.said[known:]:
            if getattr(said.event.data, "outreach", None) is Outreach.OPENED:
                pairs = [one for one in outreach if one.pair_id == said.event.data.pair_id]  # type: ignore[attr-defined]
                assert pairs and all(one.outreach is ReferralOutreach.OPENED for one in pairs)


@thorough
@given(histories())
def test_decisions_tell_the_whole_way(events: list[Event[Any]]) -> None:
    """Each says what the tier was and is; those published follow on each other, and `none` is never among them."""
    bench = decided(events)
    tier: Tier | None = None
    for one in bench.decisions:
        assert one.previous_tier is tier
        assert one.change is not Change.NONE
        assert (one.change is Change.KEPT) == (one.tier is tier)
        tier = one.tier
    assert tier is bench.offender().tier


@thorough
@given(histories())
def test_a_listed_incident_opens_once_a_person_opens_it(events: list[Event[Any]]) -> None:
    bench = decided(events)
    for number in NUMBERS:
        before = [one for one in bench.live_referrals().values() if one.outreach is ReferralOutreach.LISTED]
        outcome = bench.put(opened(number))
        after = [one for one in bench.live_referrals().values() if one.outreach is ReferralOutreach.LISTED]
        assert (len(after) < len(before)) <= (outcome.result == "applied")
    assert not [one for one in bench.live_referrals().values() if one.outreach is ReferralOutreach.LISTED]


def _of(one: Event[Any], gone: str, into: str) -> Event[Any]:
    """The same record, told of the other person."""
    if one.subject != gone:
        return one
    data = one.data
    nested = getattr(data, "offender", None)
    changed = {"offender": nested.model_copy(update={"offender_id": into})} if nested else {"offender_id": into}
    return Event(
        id=one.id, source=one.source, subject=into, time=one.time, data=data.model_copy(update=changed),
        dataclassification=one.dataclassification,
    )  # fmt: skip


# what people do, and another policy in force --------------------------------------------------------------------------


def act(kind: Any, him: str, *, by: str = "ana", day: float = 55, name: str | None = None, **data: Any) -> Event[Any]:
    return event(kind(offender_id=him, by=by, role=Role.COORDINATOR, **data), him, later(day), name)


@st.composite
def deeds(draw: st.DrawFn, him: str) -> list[Event[Any]]:
    """Acts that may fit or not."""
    found: list[Event[Any]] = []
    for tier in draw(st.lists(st.sampled_from(["A", "B"]), max_size=2, unique=True)):
        until = later(draw(st.sampled_from([100, 200])))
        raise_ = act(RaiseTier, him, tier=Tier(tier), reason=RaiseReason.STALKING, until=until)
        found.append(raise_)
    if draw(st.booleans()):
        challenge = act(ChallengeListing, him, challenger=Challenger.PERSON, ground=ChallengeGround.FACTS)
        found.append(challenge)
        for by in draw(st.lists(st.sampled_from(["ana", "bo"]), unique=True)):
            outcome = draw(st.sampled_from(list(ChallengeOutcome)))
            found.append(act(AnswerChallenge, him, by=by, challenge_id=challenge.id, outcome=outcome))
    return found


def standing(bench: Bench, him: str = HIM) -> Any:
    """Without the court's words: one that comes after an expunction belongs to nothing that is known, and stays."""
    one = bench.offender(him)
    records = {key: kept for key, kept in one.history.records.items() if key[0] != "disposition"}
    history = replace(one.history, records=records)
    return (one.tier, one.since, history, set(one.reviews), one.wake_at, bench.live_referrals(), bench.tiers())


@brief
@given(st.data(), histories(), deeds(HIM))
def test_acts_hold_whatever_comes_before_or_after_them(
    data: st.DataObject, events: list[Event[Any]], done: list[Event[Any]]
) -> None:
    """Those that were taken are part of the history: with the same ones, any order of the rest ends alike."""
    first = decided([report(9, day=0), *events, *done])
    taken = [one for one in done if any(kept.id == one.id for kept in first.offender().history.records.values())]
    other = Bench()
    other.put(report(9, day=0), *taken, *data.draw(st.permutations(events)))
    if all(any(kept.id == one.id for kept in other.offender().history.records.values()) for one in taken):
        assert standing(other) == standing(first)
    said = len(first.said)
    for one in taken:
        first.decide(one)
    assert len(first.said) == said, "the same word again adds nothing"


@brief
@given(histories(), deeds(HIM))
def test_a_raise_lifts_itself_alone(events: list[Event[Any]], done: list[Event[Any]]) -> None:
    bench = decided([*events, *done])
    by_rules = decided(events).offender().assessment.standing
    raised = bench.offender()
    assert raised.assessment.standing.by_rules is by_rules.tier
    assert (raised.tier.gravity if raised.tier else 0) >= (by_rules.tier.gravity if by_rules.tier else 0)
    at = later(200)
    given_ = Input(event(ClassifierTick(lane=0, period=1), "0", at), Topic.CLASSIFIER_COMMANDS, 0, at, at)
    after = bench.service.decide(raised, given_).state
    assert after.assessment.standing.tier is by_rules.tier


@brief
@given(st.data(), histories(everybody=True))
def test_another_policy_in_force_ends_as_if_it_had_always_been(data: st.DataObject, events: list[Event[Any]]) -> None:
    """Wherever it comes in, once everybody has been decided again; twice is once. Referrals and tiers follow."""
    cut = data.draw(st.integers(0, len(events)))
    bench = Bench(SEED)
    for one in events[:cut]:
        bench.put(one)
    kept = bench.service.lane_kept(lane_input(ClassifierActivatePolicy(**activation(PRACTICE)), None))
    assert kept == PRACTICE.digest
    bench.kept = kept
    for one in events[cut:]:
        bench.put(one)
    again = Redecide(lane=0, digest=PRACTICE.digest, run_id="1", by="ana")
    for _ in range(2):
        told = len(bench.said)
        for him in list(bench.offenders):
            outcome = bench.service.decide(bench.offender(him), lane_input(again, kept))
            bench.offenders[him] = outcome.state
            bench.said += [one for one in outcome.events if not one.other_lane]
    assert len(bench.said) == told, "decided again already"
    expected = decided(events)
    assert end(bench)["people"] == end(expected)["people"]
    assert bench.tiers() == expected.tiers()
    stand = {key: (one.tier, one.outreach) for key, one in bench.live_referrals().items()}
    assert stand == {key: (one.tier, one.outreach) for key, one in expected.live_referrals().items()}
    decisions = [one for one in bench.of(Topic.DECISIONS) if isinstance(one, OffenderDecided)]
    for him, offender in bench.offenders.items():
        his = [each for each in decisions if each.offender_id == him]
        assert (his[-1].tier if his else None) is offender.tier
        opened = {each.pair_id for each in his if each.outreach is Outreach.OPENED}
        live = {each.pair_id for each in bench.live_referrals().values() if each.offender_id == him}
        stand_open = {
            each.pair_id for each in bench.live_referrals().values() if each.outreach is ReferralOutreach.OPENED
        }
        asked = {
            each.pair_id for each in bench.live_referrals().values() if each.purpose is not ReferralPurpose.OUTREACH
        }
        assert (live & stand_open) - asked <= opened, "no pair's outreach opens without a decision that says so"


def activation(policy: Any) -> dict[str, Any]:
    return {"lane": 0, "policy": json.loads(policy.model_dump_json()), "digest": policy.digest, "by": "ana"}


def lane_input(data: Any, kept: str | None) -> Input:
    return Input(event(data, "0", later(300)), Topic.CLASSIFIER_COMMANDS, 0, later(300), later(300), kept=kept)


# what is stored ------------------------------------------------------------------------------------------------------


@st.composite
def lives(draw: st.DrawFn) -> list[Event[Any]]:
    """Everything that can come of several people: reports, courts, notices, acts, merges, a split, expunctions."""
    events = draw(histories(everybody=True))
    for him in PEOPLE:
        events += draw(deeds(him))
    merges = draw(st.lists(st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)), max_size=2, unique=True))
    events += [merged(gone, into) for gone, into in merges if gone != into]
    if draw(st.booleans()):
        events.append(split(draw(st.lists(st.sampled_from(NUMBERS), min_size=1, unique=True)), "O-9"))
    events += [expunged(number) for number in draw(st.lists(st.sampled_from(NUMBERS), max_size=1))]
    return list(draw(st.permutations(events)))


@given(lives(), st.lists(st.integers(0, 30), max_size=2))
@settings(max_examples=40, deadline=None)
async def test_what_is_saved_step_by_step_is_what_is_loaded(events: list[Event[Any]], cuts: list[int]) -> None:
    """Whatever comes, of which only the last of a batch is saved, and what was loaded is gone on from."""
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    bench = Bench()
    store = bench.service.store
    marks = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    before: dict[str, domain.Offender] = {}
    try:
        async with engine.begin() as conn:
            await conn.run_sync(store.metadata.create_all)
            for start, stop in pairwise(marks):
                for one in events[start:stop]:
                    bench.put(one)
                after = {him: bench.offender(him) for him in {*before, *bench.offenders}}
                changed = {him: (before.get(him, store.new(him)), now) for him, now in after.items()}
                await store.save(conn, 0, changed)
                before = await store.load(conn, list(after))
                assert before == bench.offenders
                bench.offenders = dict(before)
    finally:
        await engine.dispose()
