"""The notifier's promises, over any records in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.classification import Change, OffenderDecided, Outreach, ReviewCode, Tier
from schemas.commands import AskGiven, GivenBefore, LiftableHold, NotifierTick, Role, TellGiven
from schemas.envelope import Data
from schemas.notice_work import Correction
from schemas.notification import FailureReason, NotificationReleased, NotificationState
from schemas.outreach import GateChanged, GateHeartbeat, GateState
from services.common.service import Input
from services.notifier.domain import UNSERVED
from services.notifier.store import NotifierStore
from services.notifier.store.tables import metadata
from tests.harness.notices import (
    HIM,
    LANE,
    START,
    Bench,
    custody,
    decision,
    expunction,
    gate,
    incident,
    limited,
    pair,
    withdrawal,
)

INCIDENTS = st.integers(1, 3)
TIER = st.sampled_from(Tier)
TIERS = st.none() | TIER


@st.composite
def opening(draw: st.DrawFn) -> OffenderDecided:
    number = draw(INCIDENTS)
    return decision(
        number,
        draw(TIERS),
        change=draw(st.sampled_from([Change.ENTERED, Change.ESCALATED, Change.KEPT, Change.LOWERED])),
        outreach=draw(st.sampled_from([Outreach.OPENED, Outreach.OPENED, Outreach.OPENED, Outreach.NONE])),
        evidence=draw(st.sampled_from([[incident(number)], [incident(number)], []])),
        charged=draw(st.booleans()),
        offender_informed=draw(st.none() | st.booleans()),
        mutual=draw(st.sampled_from([False, False, True])),
        bulk=draw(st.sampled_from([False, False, True])),
        conflict_of_interest=draw(st.sampled_from([False, False, True])),
        review=draw(st.sampled_from([[], [], [ReviewCode.ALSO_VICTIM]])),
    )


PLAIN = st.builds(decision, INCIDENTS, TIERS)
"""Decisions that raise no hold but the gate, so that notices do get released."""
WITHDRAWALS = st.builds(withdrawal, INCIDENTS, TIERS, change=st.just(Change.REMOVED))
EXPUNCTIONS = st.builds(expunction, INCIDENTS, TIERS)
DECISIONS = opening() | PLAIN | PLAIN | WITHDRAWALS
GATES = st.builds(
    gate, INCIDENTS, st.sampled_from([GateState.CLEAR, GateState.CLEAR, GateState.SHUT]), st.integers(1, 9)
)
CLOCK = st.just(GateHeartbeat(lane=LANE)) | st.just(NotifierTick(lane=LANE, period=1))
PEOPLE = st.builds(custody, held=st.booleans(), language=st.sampled_from(["en", "es"]))
ACTS = st.sampled_from(
    [
        lambda bench: bench.serve(),
        lambda bench: bench.fail(),
        lambda bench: bench.cancel(),
        *(lambda bench, hold=hold: bench.lift(hold) for hold in LiftableHold),
        lambda bench: bench.lift(LiftableHold.UNANNOUNCED, Role.OUTREACH_SUPERVISOR),
        lambda bench: bench.lift(LiftableHold.ALSO_VICTIM, Role.OUTREACH_SUPERVISOR),
        lambda bench: bench.fail(reason=FailureReason.REFUSED),
        lambda bench: bench.claim(),
        lambda bench: bench.retry(Role.COORDINATOR),
        *(lambda bench, how=how: bench.decide(how) for how in Correction),
        lambda bench: bench.correct(),
        lambda bench: bench.undo(),
        lambda bench: bench.serve(at=bench.now - timedelta(minutes=10)),
    ]
)
OTHERS = st.sampled_from(["O-0", "O-2"])
MERGES = st.builds(
    lambda other, review, pending, tier: decision(
        None,
        tier,
        merged_offender_id=other,
        review=review,
        merge_pending=pending or bool(review),
        change=Change.KEPT,
    ),
    OTHERS,
    st.sampled_from([[], [ReviewCode.MERGE_PENDING]]),
    st.booleans(),
    TIERS,
)
GIVEN = st.builds(GivenBefore, notification_id=st.sampled_from(["N-1", "N-2"]), tier=TIER, served_at=st.just(START))
TOLD = st.builds(
    TellGiven, offender_id=st.just(HIM), from_offender_id=OTHERS, given=st.lists(GIVEN, max_size=2)
) | st.builds(AskGiven, offender_id=st.just(HIM), surviving_offender_id=st.just("O-9"))
PAUSES = st.integers(0, 120) | st.integers(0, 120) | st.integers(0, 10 * 24 * 3600)
STEPS = st.lists(
    st.tuples(
        PAUSES,
        DECISIONS | GATES | GATES | CLOCK | CLOCK | PEOPLE | EXPUNCTIONS | ACTS | ACTS | MERGES | TOLD,
    ),
    max_size=40,
)
"""(seconds gone by, what comes)."""


@dataclass
class Book:
    """Who is waited for, written down as plainly as can be, to judge the notifier by."""

    open: set[str] = field(default_factory=set)
    gates: dict[str, tuple[int, GateState, datetime]] = field(default_factory=dict)
    withdrawn: dict[str, datetime] = field(default_factory=dict)
    heard: datetime | None = None

    def note(self, data: Data, now: datetime) -> None:
        if isinstance(data, GateHeartbeat):
            self.heard = now
        elif isinstance(data, GateChanged):
            if data.pair_id not in self.gates or self.gates[data.pair_id][0] < data.version:
                self.gates[data.pair_id] = (data.version, data.gate, now)
        elif isinstance(data, OffenderDecided):
            for pair_id in data.withdrawn_pair_ids:
                self.open.discard(pair_id)
                self.withdrawn[pair_id] = now
                if data.incident_id is None:
                    self.gates.pop(pair_id, None)
            if data.pair_id is not None and data.outreach is Outreach.OPENED:
                self.open.add(data.pair_id)

    def allows(self, now: datetime) -> bool:
        fresh = self.heard is not None and now - self.heard <= timedelta(minutes=3)
        return fresh and bool(self.open) and all(self.clear(pair_id) for pair_id in self.open)

    def clear(self, pair_id: str) -> bool:
        _, state, at = self.gates.get(pair_id, (0, GateState.SHUT, START))
        return state is GateState.CLEAR and (pair_id not in self.withdrawn or at > self.withdrawn[pair_id])


def play(steps: Sequence[tuple[int, Any]]) -> Bench:
    """Run the steps and hold every one against the promises."""
    bench, book = Bench(policy=limited(3)), Book()
    for seconds, step in steps:
        bench.wait(seconds=seconds)
        known = len(bench.said)
        if isinstance(step, Data):
            bench.put(step)
            book.note(step, bench.now)
        elif any(one.state is not NotificationState.CANCELLED for one in bench.offender.notices.values()):
            act_on_one(bench, step)
        check(bench, book, known)
        if isinstance(step, (GateHeartbeat, NotifierTick)):
            assert all(one.due is None or one.due.at > bench.now for one in bench.offender.notices.values())
    return bench


def act_on_one(bench: Bench, act: Any) -> None:
    """Commands act on the bench's one notice; where there are more (served, and one above), on the youngest."""
    alive = [one for one in bench.offender.of(NotificationState) if one.state is not NotificationState.CANCELLED]
    whole = bench.offender
    only = {alive[-1].notification_id: alive[-1]}
    bench.offender = replace(whole, notices=only)
    act(bench)
    bench.offender = replace(bench.offender, notices={**whole.notices, **bench.offender.notices})


def check(bench: Bench, book: Book, known: int) -> None:
    if any(isinstance(event, NotificationReleased) for event in bench.said[known:]):
        assert book.allows(bench.now)
    live = Counter(one.tier for one in bench.offender.notices.values() if one.counts)
    assert not live or max(live.values()) == 1
    assert {pair_.pair_id for pair_ in bench.offender.open_pairs} == book.open
    for notice in bench.offender.notices.values():
        assert (notice.state is NotificationState.HELD) == bool(notice.reasons)
        assert notice.state is not NotificationState.PREPARED
        assert (notice.due is None) is notice.over
        assert notice.state not in UNSERVED or all(
            one.tier is not notice.tier for one in bench.offender.past if one.stands
        )
    if bench.said[known:] and not book.allows(bench.now):
        assert not any(one.state is NotificationState.RELEASED for one in bench.offender.notices.values())


@given(STEPS)
@settings(max_examples=400, deadline=None)
def test_nothing_is_released_unless_every_open_pair_is_clear_and_the_keeper_is_heard(
    steps: list[tuple[int, Any]],
) -> None:
    play(steps)


@given(STEPS)
@settings(max_examples=200, deadline=None)
def test_a_silent_keeper_ends_with_nothing_released(steps: list[tuple[int, Any]]) -> None:
    bench = play(steps)
    bench.wait(minutes=4).tick()
    assert not any(one.state is NotificationState.RELEASED for one in bench.offender.notices.values())


@given(STEPS, DECISIONS | GATES | CLOCK | PEOPLE | EXPUNCTIONS)
@settings(max_examples=300, deadline=None)
def test_a_repeat_changes_nothing(steps: list[tuple[int, Any]], last: Data) -> None:
    bench = play(steps)
    given_ = bench.input(last)
    once = bench.apply(given_).state
    again = bench.notifier.decide(once, given_)
    assert (again.state, again.events, again.counted) == (once, (), ())


@st.composite
def two_topics(draw: st.DrawFn) -> tuple[list[tuple[datetime, Data]], list[tuple[datetime, Data]], list[bool]]:
    """Decisions and gates, each in the order and with the times of its own topic, and one way to shuffle them."""

    def timed(records: list[Data]) -> list[tuple[datetime, Data]]:
        gaps = draw(st.lists(st.integers(0, 9), min_size=len(records), max_size=len(records)))
        return [(START + timedelta(seconds=sum(gaps[: place + 1])), one) for place, one in enumerate(records)]

    decisions = timed(draw(st.lists(DECISIONS, max_size=8)))
    gates = timed(draw(st.lists(GATES, max_size=8)))
    return decisions, gates, draw(st.permutations([True] * len(decisions) + [False] * len(gates)))


@given(two_topics())
@settings(max_examples=400, deadline=None)
def test_gates_and_decisions_end_the_same_however_they_meet(
    topics: tuple[list[tuple[datetime, Data]], list[tuple[datetime, Data]], list[bool]],
) -> None:
    decisions, gates, turns = topics
    in_order = [*((True, place) for place in range(len(decisions))), *((False, place) for place in range(len(gates)))]
    left = {True: iter(range(len(decisions))), False: iter(range(len(gates)))}
    assert end(decisions, gates, in_order) == end(decisions, gates, [(turn, next(left[turn])) for turn in turns])


def end(
    decisions: list[tuple[datetime, Data]], gates: list[tuple[datetime, Data]], order: Sequence[tuple[bool, int]]
) -> Any:
    """What is left after all has come in this order and the keeper was heard, without the times it took."""
    bench = Bench()
    for is_decision, place in order:
        at, data = (decisions if is_decision else gates)[place]
        bench.heartbeat()
        made = bench.input(data, id_=f"{'decision' if is_decision else 'gate'}-{place}")
        bench.now = max(bench.now, at)
        bench.apply(Input(made.event, made.topic, LANE, at, bench.now, made.heard))
    bench.heartbeat()
    notices = {
        one.notification_id: (one.tier, one.pair_id, one.state, one.reasons, one.channel, one.ended)
        for one in bench.offender.notices.values()
    }
    return bench.offender.tier, dict(bench.offender.pairs), notices


@given(st.lists(st.tuples(INCIDENTS, st.sampled_from(Tier)), min_size=1, max_size=6, unique_by=lambda one: one[0]))
@settings(deadline=None)
def test_no_notice_is_left_held_with_its_gate_clear(incidents: list[tuple[int, Tier]]) -> None:
    bench = Bench()
    for number, tier in incidents:
        bench.put(decision(number, tier))
    for number, _ in incidents:
        bench.put(gate(number))
    bench.heartbeat()
    assert {pair_.pair_id for pair_ in bench.offender.open_pairs} == {pair(number) for number, _ in incidents}
    assert not any(one.state is NotificationState.HELD for one in bench.offender.notices.values())


@given(st.lists(STEPS.map(lambda steps: steps[:10]), min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
async def test_what_is_saved_step_by_step_is_what_is_loaded(batches: list[list[tuple[int, Any]]]) -> None:
    """Whatever comes, of which only the last of a batch is saved, and what was loaded is gone on from."""
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    store, bench = NotifierStore(), Bench(policy=limited(3))
    try:
        async with engine.begin() as conn:
            await conn.run_sync(metadata.create_all)
            before: Any = store.new(HIM)
            for steps in batches:
                for seconds, step in steps:
                    bench.wait(seconds=seconds)
                    if isinstance(step, Data):
                        bench.put(step)
                    elif any(one.state is not NotificationState.CANCELLED for one in bench.offender.notices.values()):
                        act_on_one(bench, step)
                await store.save(conn, LANE, {HIM: (before, bench.offender)})
                before = (await store.load(conn, [HIM]))[HIM]
                assert before == bench.offender
                bench.offender = before
    finally:
        await engine.dispose()
