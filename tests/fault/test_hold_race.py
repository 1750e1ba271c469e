"""A safety hold set just before a release wins on a real broker too: both services, real topics, nothing waited for between."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.classification import Change, OffenderDecided, Outreach, Tier
from schemas.commands import Attempt, Claim, LiftableHold, LiftHold, OutreachTick, Role, SafetyHold
from schemas.envelope import Data, Event, Message, decode, deterministic_id, encode, pair_id, referral_id
from schemas.outreach import AttemptOutcome, ContactChannel, GateHeartbeat, TaskKind, TaskOpened
from schemas.person import Custody, OffenderDescribed
from schemas.policy_file import load_policy
from schemas.referral import ReferralOpened, ReferralOutreach
from schemas.topics import Topic
from services.cli.topics import create_topics
from services.common.clock import tick_event
from tests.harness import kafka
from tests.harness.pipeline import Pipeline
from tests.harness.replicas import LANES, wait_for

PAIRS = 200 if int(os.environ.get("IPVI_FAULT_SEEDS", "2")) >= 50 else 40
POLICY = load_policy("high-point-practice")
HELD_EVERY = 2
"""Every second one has a hold."""


@pytest.fixture
def both() -> Iterator[Pipeline]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, kafka.embedded_broker() as broker:
        create_topics(broker.bootstrap_servers, LANES)
        made = Pipeline(
            broker.bootstrap_servers,
            None,
            Path(folder),
            str(without_breaker(Path(folder))),
            services=["notifier", "victim_outreach"],
        )
        yield made
        made.close()


def without_breaker(folder: Path) -> Path:
    """The practice policy, but for the hourly limit of releases."""
    text = (Path(__file__).parents[2] / "policies" / f"{POLICY.id}.yaml").read_text()
    path = folder / "no-breaker.yaml"
    path.write_text(
        re.sub(r"releases_per_hour: \d+", "releases_per_hour: 100000", text).replace(POLICY.id, "no-breaker")
    )
    return path


def him(number: int) -> str:
    return f"H{number}"


def event(topic: Topic, subject: str, data: Data) -> Event[Data]:
    return Event(
        id=deterministic_id("race", data.TYPE, subject, getattr(data, "by", "")),
        source="/tests",
        subject=subject,
        time=datetime.now(UTC),
        data=data,
        dataclassification=topic.classification,
    )


def incident(number: int) -> tuple[OffenderDescribed, ReferralOpened, OffenderDecided]:
    """In jail, so that her gate clears with the first call; both were arrested, so that a person must lift a hold."""
    one, at = f"NC0410200:R-{number}", datetime.now(UTC)
    pair = pair_id(one, him(number))
    shared: dict[str, Any] = {
        "pair_id": pair,
        "offender_id": him(number),
        "incident_id": one,
        "agency": "NC0410200",
        "policy": POLICY.ref,
        "occurred_at": at,
        "mutual": True,
        "tier": Tier.C,
    }
    referred = ReferralOpened(
        **shared,
        referral_id=referral_id(pair, 1),
        victim_no=1,
        victim_id=f"V-{number}",
        outreach=ReferralOutreach.OPENED,
        asking=1,
    )
    decided = OffenderDecided(
        **shared,
        decision_id=deterministic_id("race", number),
        previous_tier=None,
        change=Change.ENTERED,
        rules=[],
        evidence=[one],
        review=[],
        outreach=Outreach.OPENED,
        charged=True,
        decided_at=at,
        askings={pair: 1},
    )
    custody = Custody(booking_id=f"J-{number}", booked_at=at)
    return OffenderDescribed(offender_id=him(number), custody=custody), referred, decided


def feed(both: Pipeline, topic: Topic, data: list[Data]) -> None:
    both.feed([event(topic, str(getattr(one, "offender_id", "")), one) for one in data], topic)


def to_lanes(both: Pipeline, topic: Topic, make: Any) -> None:
    for lane in range(LANES):
        message = encode(make(lane))
        kafka.produce(both.bootstrap, str(topic), [(lane, message.key, message.value, message.headers)])


def reach_everybody(both: Pipeline) -> None:
    """Each is called and answers: the gates clear."""
    tasks = {}
    for record in kafka.read_all(both.bootstrap, str(Topic.OUTREACH)):
        data = decode(Message(record.key, record.value, tuple(record.headers))).data
        if isinstance(data, TaskOpened) and data.kind is TaskKind.CALL:
            tasks[data.offender_id] = data.task_id
    assert len(tasks) == PAIRS
    words: list[Data] = []
    for offender_id, task_id in tasks.items():
        common: dict[str, Any] = {
            "offender_id": offender_id,
            "by": "ada",
            "role": Role.ADVOCATE,
            "task_id": task_id,
        }
        reached = {"channel": ContactChannel.CALL, "outcome": AttemptOutcome.REACHED}
        words += [Claim(**common), Attempt(**common, **reached, attempted_at=datetime.now(UTC))]  # type: ignore[arg-type]
    feed(both, Topic.VICTIM_OUTREACH_COMMANDS, words)


def count(both: Pipeline, what: str) -> int:
    [row] = both.rows("notifier", f"SELECT count(*) AS n FROM {what}")  # noqa: S608 (a test's own words)
    return int(row.n)


def released(both: Pipeline) -> set[str]:
    return {
        (record.key or b"").decode()
        for record in kafka.read_all(both.bootstrap, str(Topic.NOTIFICATIONS))
        if dict(record.headers)["ce_type"] == b"ipvi.notification.released.v1"
    }


def test_the_hold_wins(both: Pipeline) -> None:
    both.start_all(IPVI_AS_OF="now", IPVI_TICKS="false")
    made = [incident(number) for number in range(PAIRS)]
    for topic, part in ((Topic.OFFENDERS, 0), (Topic.REFERRALS, 1), (Topic.DECISIONS, 2)):
        feed(both, topic, [one[part] for one in made])
    both.wait_settled()
    reach_everybody(both)
    wait_for(lambda: count(both, "pairs WHERE gate = 'clear'") == PAIRS, 60, "all gates clear")

    # The keeper has just been heard, so that nothing but a younger word of his stands between a lift and a release.
    to_lanes(both, Topic.OUTREACH_GATES, lambda lane: event(Topic.OUTREACH_GATES, str(lane), GateHeartbeat(lane=lane)))
    both.wait_settled()
    notices = {row.offender_id: row.notification_id for row in both.rows("notifier", "SELECT * FROM notifications")}
    holds: list[Data] = [
        SafetyHold(offender_id=him(n), by="sue", role=Role.OUTREACH_SUPERVISOR, hold_id=f"H-{n}")
        for n in range(0, PAIRS, HELD_EVERY)
    ]
    lifts: list[Data] = [
        LiftHold(
            offender_id=offender_id,
            by="j.castellano",
            role=Role.COORDINATOR,
            notification_id=notification_id,
            hold=LiftableHold.MUTUAL,
        )
        for offender_id, notification_id in notices.items()
    ]
    feed(both, Topic.VICTIM_OUTREACH_COMMANDS, holds)
    time.sleep(1)
    feed(both, Topic.NOTIFIER_COMMANDS, lifts)
    both.wait_settled()
    assert released(both) == set()

    minute = int(time.time()) // 60
    to_lanes(
        both, Topic.VICTIM_OUTREACH_COMMANDS, lambda lane: tick_event(OutreachTick, "victim_outreach", lane, minute)
    )
    free = {him(n) for n in range(PAIRS) if n % HELD_EVERY}
    wait_for(lambda: count(both, "notifications WHERE state = 'released'") == len(free), 60, "the others released")
    both.wait_settled()
    assert released(both) == free
