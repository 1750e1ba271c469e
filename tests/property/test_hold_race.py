"""A safety hold set one second before a release wins, whatever is on its way in which order."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.classification import Change, OffenderDecided, Outreach, Tier
from schemas.commands import (
    Attempt,
    Claim,
    Fail,
    LiftableHold,
    LiftHold,
    LiftSafetyHold,
    RetryNotification,
    Role,
    SafetyHold,
)
from schemas.envelope import pair_id, referral_id
from schemas.notification import FailureReason, NotificationReleased, NotificationState
from schemas.outreach import AttemptOutcome, ContactChannel, TaskKind, TaskOpened
from schemas.person import Custody, OffenderDescribed
from schemas.referral import ReferralOpened, ReferralOutreach, ReferralWithdrawn
from schemas.topics import Topic
from tests.harness.two_lanes import POLICY, START, TwoLanes

RACES = int(os.environ.get("IPVI_RACES", "1000"))
PARTS = 10
HIM = "O-1"
AGENCY = "NC0410200"
COOL_OFF = timedelta(hours=4)


def opens(lanes: TwoLanes, number: int = 1, tier: Tier = Tier.C, victim: str = "V-1", **more: Any) -> None:
    """An incident: the decision and her referral."""
    incident = f"{AGENCY}:{number}"
    pair = pair_id(incident, HIM)
    referred = ReferralOpened(
        referral_id=referral_id(pair, 1),
        pair_id=pair,
        offender_id=HIM,
        victim_no=1,
        victim_id=victim,
        incident_id=incident,
        agency=AGENCY,
        tier=tier,
        policy=POLICY.ref,
        outreach=ReferralOutreach.OPENED,
        occurred_at=lanes.now - timedelta(hours=1),
        asking=number,
    )
    lanes.put(Topic.REFERRALS, referred, HIM)
    lanes.put(Topic.DECISIONS, decision(lanes.now, number, tier, **more), HIM)


def decision(at: datetime, number: int = 1, tier: Tier = Tier.C, **more: Any) -> OffenderDecided:
    incident = f"{AGENCY}:{number}"
    made: dict[str, Any] = {
        "decision_id": f"D-{at.isoformat()}",
        "pair_id": pair_id(incident, HIM),
        "offender_id": HIM,
        "incident_id": incident,
        "tier": tier,
        "previous_tier": None,
        "change": Change.ENTERED,
        "rules": [],
        "evidence": [incident],
        "review": [],
        "outreach": Outreach.OPENED,
        "charged": True,
        "policy": POLICY.ref,
        "occurred_at": at,
        "decided_at": at,
        "agency": AGENCY,
        "askings": {pair_id(incident, HIM): number},
    }
    return OffenderDecided(**(made | more))


def reached(lanes: TwoLanes) -> None:
    """She is called and answers."""
    calls = [task for _, task in lanes.of(TaskOpened) if task.kind is TaskKind.CALL]
    common = {"offender_id": HIM, "by": "ada", "role": Role.ADVOCATE, "task_id": calls[-1].task_id}
    lanes.put(Topic.VICTIM_OUTREACH_COMMANDS, Claim(**common), HIM)
    attempt = Attempt(**common, channel=ContactChannel.CALL, outcome=AttemptOutcome.REACHED, attempted_at=lanes.now)
    lanes.put(Topic.VICTIM_OUTREACH_COMMANDS, attempt, HIM)


def acts(lanes: TwoLanes, model: type[Any], **more: Any) -> None:
    [*_, notice] = lanes.notifier.states[HIM].notices.values()
    common = {"offender_id": HIM, "by": "j.castellano", "role": Role.COORDINATOR}
    lanes.put(Topic.NOTIFIER_COMMANDS, model(**common, notification_id=notice.notification_id, **more), HIM)


def booked(lanes: TwoLanes, at: datetime) -> None:
    described = OffenderDescribed(offender_id=HIM, custody=Custody(booking_id="J-1", booked_at=at))
    lanes.put(Topic.OFFENDERS, described, HIM)


Trigger = Callable[[], None]
"""What would release him, a second after the hold."""


def by_the_clock(lanes: TwoLanes) -> tuple[datetime, Trigger]:
    """Four hours after she was reached, with the round."""
    opens(lanes)
    lanes.run(lanes.now + timedelta(seconds=90))
    reached(lanes)
    lanes.run(lanes.now + timedelta(seconds=90))
    five = 300
    moment = datetime.fromtimestamp(-(-int((lanes.now + COOL_OFF).timestamp()) // five) * five, START.tzinfo)
    lanes.jump(moment - timedelta(minutes=3))
    return moment, lambda: None


def by_her_advocate(lanes: TwoLanes) -> tuple[datetime, Trigger]:
    """In jail the gate clears with the call."""
    booked(lanes, lanes.now)
    opens(lanes)
    lanes.run(lanes.now + timedelta(minutes=3))
    return lanes.now + timedelta(seconds=40), lambda: reached(lanes)


def _clear(lanes: TwoLanes, **more: Any) -> None:
    """Her outreach is done and the gate has long been clear."""
    opens(lanes, **more)
    lanes.run(lanes.now + timedelta(seconds=90))
    reached(lanes)
    lanes.jump(lanes.now + COOL_OFF + timedelta(minutes=1))
    lanes.run(lanes.now + timedelta(minutes=7))


def by_a_lift(lanes: TwoLanes) -> tuple[datetime, Trigger]:
    _clear(lanes, mutual=True)
    return lanes.now + timedelta(seconds=20), lambda: acts(lanes, LiftHold, hold=LiftableHold.MUTUAL)


def by_a_retry(lanes: TwoLanes) -> tuple[datetime, Trigger]:
    _clear(lanes)
    acts(lanes, Fail, reason=FailureReason.REFUSED)
    lanes.run(lanes.now + timedelta(minutes=2))
    return lanes.now + timedelta(seconds=20), lambda: acts(lanes, RetryNotification)


def by_a_booking(lanes: TwoLanes) -> tuple[datetime, Trigger]:
    _clear(lanes)
    acts(lanes, Fail, reason=FailureReason.NOT_FOUND)
    lanes.run(lanes.now + timedelta(minutes=2))
    return lanes.now + timedelta(seconds=20), lambda: booked(lanes, lanes.now)


def by_a_decision(lanes: TwoLanes) -> tuple[datetime, Trigger]:
    """The same incident is found to be graver."""
    _clear(lanes)

    def found() -> None:
        lanes.put(Topic.DECISIONS, decision(lanes.now, tier=Tier.B, change=Change.ESCALATED), HIM)

    return lanes.now + timedelta(seconds=20), found


def _decided_anew(lanes: TwoLanes, **held: Any) -> tuple[datetime, Trigger]:
    """What has held it is so no more, by the next decision."""
    _clear(lanes, **held)

    def found() -> None:
        lanes.put(Topic.DECISIONS, decision(lanes.now, change=Change.KEPT), HIM)

    return lanes.now + timedelta(seconds=20), found


def by_a_charge(lanes: TwoLanes) -> tuple[datetime, Trigger]:
    return _decided_anew(lanes, charged=False)


def by_an_answer_to_a_challenge(lanes: TwoLanes) -> tuple[datetime, Trigger]:
    return _decided_anew(lanes, challenged=True)


def by_naming_the_aggressor(lanes: TwoLanes) -> tuple[datetime, Trigger]:
    return _decided_anew(lanes, mutual=True)


def by_no_conflict(lanes: TwoLanes) -> tuple[datetime, Trigger]:
    lanes.put(Topic.OFFENDERS, OffenderDescribed(offender_id=HIM, conflict_of_interest=True), HIM)
    _clear(lanes)

    def described() -> None:
        lanes.put(Topic.OFFENDERS, OffenderDescribed(offender_id=HIM), HIM)

    return lanes.now + timedelta(seconds=20), described


def by_a_retraction(lanes: TwoLanes) -> tuple[datetime, Trigger]:
    """The incident for which nobody has called her yet."""
    _clear(lanes)
    opens(lanes, 2, change=Change.KEPT, victim="V-2")
    lanes.run(lanes.now + timedelta(minutes=2))
    gone = pair_id(f"{AGENCY}:2", HIM)

    def retracted() -> None:
        withdrawn = ReferralWithdrawn(referral_id=referral_id(gone, 1), pair_id=gone, offender_id=HIM, victim_no=1)
        lanes.put(Topic.REFERRALS, withdrawn, HIM)
        more: dict[str, Any] = {
            "outreach": Outreach.NONE,
            "evidence": [f"{AGENCY}:1"],
            "withdrawn_pair_ids": [gone],
            "askings": {},
        }
        lanes.put(Topic.DECISIONS, decision(lanes.now, 2, change=Change.KEPT, **more), HIM)

    return lanes.now + timedelta(seconds=20), retracted


WAYS = (
    by_the_clock,
    by_her_advocate,
    by_a_lift,
    by_a_retry,
    by_a_booking,
    by_a_decision,
    by_a_charge,
    by_an_answer_to_a_challenge,
    by_naming_the_aggressor,
    by_no_conflict,
    by_a_retraction,
)


def slow(chance: random.Random) -> Callable[[], float]:
    """Some topics' records take milliseconds, some seconds, some most of a minute."""
    most = chance.choice([0.01, 0.5, 2.0, 45.0])
    return lambda: chance.random() * most


def run(seed: int, *, hold: bool) -> tuple[TwoLanes, datetime]:
    """To six minutes after the moment at which he would be told."""
    chance = random.Random(seed)
    lanes = TwoLanes(slow(chance))
    lanes.tick()
    moment, trigger = WAYS[seed % len(WAYS)](lanes)
    set_at = moment - timedelta(seconds=1)
    lanes.run(set_at)
    if hold:
        word = SafetyHold(offender_id=HIM, by="sue", role=Role.OUTREACH_SUPERVISOR, hold_id="H-1")
        lanes.put(Topic.VICTIM_OUTREACH_COMMANDS, word, HIM)
    lanes.run(moment)
    trigger()
    lanes.run(moment + timedelta(minutes=6))
    return lanes, set_at


def released_after(lanes: TwoLanes, moment: datetime) -> list[datetime]:
    return [at for at, _ in lanes.of(NotificationReleased) if at >= moment]


@pytest.mark.parametrize("part", range(PARTS))
def test_the_hold_wins(part: int) -> None:
    for seed in range(part, RACES, PARTS):
        lanes, set_at = run(seed, hold=True)
        assert released_after(lanes, set_at) == [], f"seed {seed}"
        [*_, notice] = lanes.notifier.states[HIM].notices.values()
        assert notice.state in (NotificationState.HELD, NotificationState.FAILED), f"seed {seed}"
        if seed % 50 < len(WAYS):
            goes_on(lanes, seed)


def goes_on(lanes: TwoLanes, seed: int) -> None:
    """The hold lifted, he is told: it was the hold that kept it."""
    word = LiftSafetyHold(offender_id=HIM, by="sue", role=Role.OUTREACH_SUPERVISOR, hold_id="H-1")
    lanes.put(Topic.VICTIM_OUTREACH_COMMANDS, word, HIM)
    since = lanes.now
    lanes.jump(lanes.now + COOL_OFF)
    lanes.run(lanes.now + timedelta(minutes=8))
    assert released_after(lanes, since) != [], f"seed {seed}"


@pytest.mark.parametrize("way", range(len(WAYS)))
def test_without_it_he_would_have_been_told(way: int) -> None:
    for seed in range(way, 10 * len(WAYS), len(WAYS)):
        lanes, set_at = run(seed, hold=False)
        assert released_after(lanes, set_at) != [], f"seed {seed}"


def test_a_week_without_victim_outreach() -> None:
    """Its gate was clear when it stopped; nothing more is released, and what was is taken back."""
    lanes = TwoLanes()
    lanes.tick()
    _clear(lanes)
    [notice] = lanes.notifier.states[HIM].notices.values()
    assert notice.state is NotificationState.RELEASED
    lanes.outreach.down = True
    stopped = lanes.now
    lanes.run(stopped + timedelta(minutes=4))
    for number, tier in ((2, Tier.B), (3, Tier.A)):
        opens(lanes, number, tier, change=Change.ESCALATED)
    booked(lanes, lanes.now)
    for hour in range(7 * 24):
        lanes.jump(stopped + timedelta(hours=hour + 1))
        lanes.tick()
        acted = [one for one in lanes.notifier.states[HIM].notices.values() if one.state is NotificationState.HELD]
        assert acted
        if hour % 24 == 0:
            acts(lanes, LiftHold, hold=LiftableHold.MUTUAL)
            acts(lanes, RetryNotification)
        lanes.run(lanes.now + timedelta(seconds=1), ticks=False)
        assert not any(one.state is NotificationState.RELEASED for one in lanes.notifier.states[HIM].notices.values())
    assert released_after(lanes, stopped + timedelta(minutes=3)) == []
