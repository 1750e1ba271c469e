"""When a notice may go: closed unless everything allows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from schemas.classification import Change, Tier
from schemas.envelope import Data
from schemas.notification import Channel, HoldReason, NotificationState
from schemas.outreach import GateHeartbeat, GateState
from schemas.person import OffenderDescribed
from services.notifier.domain import waits_for_clock
from tests.harness.notices import HIM, LANE, Bench, custody, decision, gate, limited, withdrawal


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_decision_gate_and_heartbeat_come_in_any_order(order: tuple[int, ...]) -> None:
    records: list[Data] = [decision(1), gate(1), GateHeartbeat(lane=LANE)]
    bench = Bench()
    bench.put(*(records[place] for place in order))
    assert bench.notice.state is NotificationState.RELEASED


@pytest.mark.parametrize(
    "records",
    [
        [decision(1), gate(1)],
        [decision(1), GateHeartbeat(lane=LANE)],
        [decision(1), gate(1, GateState.SHUT), GateHeartbeat(lane=LANE)],
        [decision(1), gate(2), GateHeartbeat(lane=LANE)],
        [decision(1), decision(2, change=Change.KEPT), gate(1), GateHeartbeat(lane=LANE)],
        [decision(1), gate(1, version=2), gate(1, GateState.SHUT, version=3), GateHeartbeat(lane=LANE)],
    ],
    ids=["no heartbeat", "no gate", "shut", "another's gate", "one of two", "shut again"],
)
def test_what_is_missing_is_shut(records: list[Data]) -> None:
    bench = Bench()
    bench.put(*records)
    bench.tick()
    assert (bench.notice.state, bench.notice.reasons) == (NotificationState.HELD, (HoldReason.GATE,))


def test_a_gate_that_is_overtaken_changes_nothing() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), gate(1, GateState.SHUT, version=5))
    for version in (4, 5):
        before = bench.offender
        assert bench.put(gate(1, version=version)).result == "none"
        assert bench.offender is before
    bench.put(gate(1, version=6))
    assert bench.notice.state is NotificationState.RELEASED


def test_three_minutes_of_silence_are_a_shut_gate() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    bench.story()
    bench.wait(minutes=3).tick()
    assert bench.story() == []
    bench.wait(seconds=1).tick()
    assert bench.story() == ["C held (gate)"]
    bench.heartbeat()
    assert bench.story() == ["C released"]


def test_a_stale_heartbeat_releases_nothing_that_comes_new() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.wait(minutes=4).put(gate(1), decision(1))
    assert bench.story() == ["C prepared", "C held (gate)"]


def test_a_record_that_comes_late_does_not_make_a_silent_keeper_fresh() -> None:
    bench = Bench()
    bench.heartbeat()
    given = bench.wait(minutes=10).input(decision(1))
    bench.put(gate(1))
    late = type(given)(given.event, given.topic, LANE, at=given.at, now=given.at.replace(hour=1), heard=given.heard)
    bench.apply(late)
    assert bench.notice.state is NotificationState.HELD


@pytest.mark.parametrize(
    ("held", "freed"),
    [
        ([decision(1, Tier.C, charged=False)], decision(1, change=Change.KEPT)),
        ([decision(1, mutual=True)], decision(1, change=Change.KEPT)),
        ([decision(1, challenged=True)], decision(1, change=Change.KEPT)),
        (
            [decision(1), OffenderDescribed(offender_id=HIM, conflict_of_interest=True)],
            OffenderDescribed(offender_id=HIM),
        ),
        ([decision(1), decision(2, change=Change.KEPT)], withdrawal(2, Tier.C)),
    ],
    ids=[
        "charged since",
        "not mutual after all",
        "challenge answered",
        "no officer after all",
        "a shut pair withdrawn",
    ],
)
def test_whatever_ends_a_hold_waits_for_the_gates_next_word(held: list[Data], freed: Data) -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(gate(1), *held)
    bench.wait(seconds=20).put(freed)
    assert (bench.notice.state, bench.notice.reasons) == (NotificationState.HELD, (HoldReason.GATE,))
    bench.wait(seconds=20).heartbeat()
    assert bench.notice.state is NotificationState.RELEASED


def test_what_failed_may_not_be_given_either_before_the_gates_next_word() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(gate(1), decision(1))
    assert bench.fail() == "applied"
    bench.put(decision(1, mutual=True, change=Change.KEPT))
    bench.wait(seconds=20).put(decision(1, change=Change.KEPT))
    assert bench.serve(at=bench.now + timedelta(minutes=1)) == "refused:not_released"
    bench.wait(seconds=20).heartbeat()
    assert bench.serve() == "applied"


def test_a_word_from_before_a_hold_ended_does_not_let_it_go() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), decision(2, change=Change.KEPT), gate(1, GateState.SHUT))
    said = bench.now
    bench.wait(seconds=20).put(withdrawal(2, Tier.C))
    late = bench.input(gate(1, version=2))
    bench.apply(replace(late, at=said, event=replace(late.event, time=said)))
    assert bench.notice.reasons == (HoldReason.GATE,)
    bench.wait(seconds=20).heartbeat()
    assert bench.notice.state is NotificationState.RELEASED


def test_another_pair_withdrawn_takes_back_nothing() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(gate(1), gate(2), decision(1), decision(2, change=Change.KEPT))
    assert bench.notice.state is NotificationState.RELEASED
    bench.wait(seconds=20).put(withdrawal(2, Tier.C))
    assert bench.notice.state is NotificationState.RELEASED


def test_a_shut_gate_takes_a_released_notice_back() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    bench.put(gate(1, GateState.SHUT, version=2))
    assert bench.story() == ["C prepared", "C held (gate)", "C released", "C held (gate)"]


@pytest.mark.parametrize(
    ("record", "reasons"),
    [
        (decision(1, Tier.D, charged=False, offender_informed=None), (HoldReason.UNANNOUNCED,)),
        (decision(1, Tier.D, charged=False, offender_informed=False), (HoldReason.UNANNOUNCED,)),
        (decision(1, Tier.D, charged=False, offender_informed=True), ()),
        (decision(1, Tier.C, charged=True, offender_informed=False), ()),
        (decision(1, mutual=True), (HoldReason.MUTUAL,)),
        (decision(1, bulk=True), (HoldReason.BULK,)),
        (decision(1, conflict_of_interest=True), (HoldReason.CONFLICT,)),
        (
            decision(1, charged=False, mutual=True, bulk=True, conflict_of_interest=True),
            (HoldReason.BULK, HoldReason.CONFLICT, HoldReason.MUTUAL, HoldReason.UNANNOUNCED),
        ),
    ],
)
def test_holds_that_a_person_lifts(record: Data, reasons: tuple[HoldReason, ...]) -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(record, gate(1))
    assert bench.notice.reasons == reasons
    assert bench.notice.state is (NotificationState.HELD if reasons else NotificationState.RELEASED)


def test_a_conflict_in_the_described_record_holds_too() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    bench.put(OffenderDescribed(offender_id=HIM, conflict_of_interest=True))
    assert bench.notice.reasons == (HoldReason.CONFLICT,)


def test_a_mutual_incident_holds_a_notice_that_waits_on_another() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), gate(1), decision(2, mutual=True, change=Change.KEPT), gate(2))
    assert bench.notice.reasons == (HoldReason.MUTUAL,)


def test_custody_and_language_change_the_way_of_a_notice_that_is_not_given() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    assert bench.notice.channel is Channel.MAIL
    bench.story()
    bench.put(custody(held=True, language="es"))
    assert bench.story() == ["C released"]
    assert (bench.notice.channel, bench.notice.language) == (Channel.CUSTODY_VISIT, "es")
    bench.put(custody(held=False, language="es"))
    assert bench.notice.channel is Channel.MAIL
    bench.serve()
    bench.story()
    bench.put(custody(held=True))
    assert bench.story() == []


def test_the_breaker_stops_what_is_more_and_asks_a_person() -> None:
    bench = Bench(policy=limited(2))
    bench.counted = [("releases", bench.now)] * 2
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    assert bench.notice.reasons == (HoldReason.BREAKER,)
    bench.wait(hours=2).heartbeat()
    bench.tick()
    assert bench.notice.reasons == (HoldReason.BREAKER,)  # an hour gone by is no person's word


def test_a_release_is_counted_once() -> None:
    bench = Bench(policy=limited(1))
    bench.heartbeat()
    assert bench.put(decision(1), gate(1)).counted == ("releases",)
    bench.put(gate(1, GateState.SHUT, version=2))
    assert bench.put(gate(1, version=3)).counted == ()
    assert bench.notice.state is NotificationState.RELEASED


def test_only_what_time_can_change_waits_for_the_clock() -> None:
    bench = Bench()
    assert not waits_for_clock(bench.offender)
    bench.put(decision(1))
    assert not waits_for_clock(bench.offender)
    bench.put(gate(1))
    assert waits_for_clock(bench.offender)  # the keeper was never heard
    bench.heartbeat()
    assert waits_for_clock(bench.offender)  # released: his silence takes it back
    bench.serve()
    assert not waits_for_clock(bench.offender)


def test_a_notice_that_waits_for_a_person_does_not_wait_for_the_clock() -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, mutual=True), gate(1))
    assert not waits_for_clock(bench.offender)
