"""Decision and gate of one pair arrive in either order, or at once, while the notifier is killed: none is left held."""

from __future__ import annotations

import os
import random
import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from schemas.classification import Change, OffenderDecided, Outreach, Tier
from schemas.commands import NotifierTick
from schemas.envelope import Data, Event, deterministic_id, pair_id
from schemas.outreach import GateChanged, GateHeartbeat, GateState
from schemas.policy_file import load_policy
from schemas.topics import Topic
from services.cli.topics import create_topics
from services.common.clock import tick_event
from tests.harness import kafka
from tests.harness.pipeline import Pipeline
from tests.harness.postgres import PostgresServer
from tests.harness.probe import at
from tests.harness.replicas import LANES, wait_for

PAIRS = 10_000 if int(os.environ.get("IPVI_FAULT_SEEDS", "2")) >= 50 else 2_000
FOLDER = Path(__file__).parents[2] / "policies"
POLICY = load_policy("high-point-practice")
KILLS = ("decide.done", "sql.before_commit", "sql.committed", "kafka.offsets", "kafka.end_txn")


@pytest.fixture
def notifier(postgres: PostgresServer) -> Iterator[Pipeline]:
    url = postgres.create_database()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, kafka.embedded_broker() as broker:
        create_topics(broker.bootstrap_servers, LANES)
        made = Pipeline(
            broker.bootstrap_servers, url, Path(folder), str(_without_breaker(Path(folder))), services=["notifier"]
        )
        yield made
        made.close()
    postgres.drop_database(url)


def _without_breaker(folder: Path) -> Path:
    """The practice policy, but for the hourly limit of releases."""
    text = re.sub(r"releases_per_hour: \d+", "releases_per_hour: 1000000", (FOLDER / f"{POLICY.id}.yaml").read_text())
    path = folder / "no-breaker.yaml"
    path.write_text(text.replace(f"id: {POLICY.id}", "id: no-breaker"))
    return path


def decided(number: int) -> Event[Data]:
    offender, incident = f"G{number}", f"NC0410200:G-{number}"
    return _event(
        Topic.DECISIONS,
        offender,
        OffenderDecided(
            decision_id=deterministic_id("test", number),
            pair_id=pair_id(incident, offender),
            offender_id=offender,
            incident_id=incident,
            tier=Tier.C,
            previous_tier=None,
            change=Change.ENTERED,
            rules=["c-first-charge"],
            evidence=[incident],
            review=[],
            outreach=Outreach.OPENED,
            charged=True,
            policy=POLICY.ref,
            occurred_at=at(number),
            decided_at=at(number),
            agency="NC0410200",
            askings={pair_id(incident, offender): 1},
        ),
    )


def cleared(number: int) -> Event[Data]:
    offender = f"G{number}"
    pair = pair_id(f"NC0410200:G-{number}", offender)
    data = GateChanged(pair_id=pair, offender_id=offender, gate=GateState.CLEAR, version=2, answers=1)
    return _event(Topic.OUTREACH_GATES, offender, data)


def _event(topic: Topic, subject: str, data: Data) -> Event[Data]:
    return Event(
        id=deterministic_id("test", data.TYPE, subject),
        source="/tests",
        subject=subject,
        time=at(0),
        recordedtime=at(0),
        data=data,
        dataclassification=topic.classification,
    )


def test_no_pair_left_held(notifier: Pipeline) -> None:
    chance = random.Random(7)
    numbers = list(range(PAIRS))
    notifier.start("notifier", IPVI_FAILPOINTS=f"{KILLS[0]}=kill@3", IPVI_MAX_BATCH="50").wait_said(
        "lane.claimed", LANES
    )
    for part, point in enumerate([*KILLS[1:], None]):
        mine = numbers[part :: len(KILLS)]
        first, second = (cleared, decided) if part % 2 else (decided, cleared)
        both = [(Topic.DECISIONS, decided(n)) for n in mine[::3]] + [
            (Topic.OUTREACH_GATES, cleared(n)) for n in mine[::3]
        ]
        chance.shuffle(both)
        for make in (first, second):
            one = [make(n) for n in mine if n not in set(mine[::3])]
            notifier.feed(one, Topic.DECISIONS if make is decided else Topic.OUTREACH_GATES)
        for topic in (Topic.DECISIONS, Topic.OUTREACH_GATES):
            notifier.feed([event for where, event in both if where is topic], topic)
        armed = {"IPVI_FAILPOINTS": f"{point}=kill@{chance.randint(2, 6)}"} if point else {}
        notifier._processes[-1].wait_dead()
        notifier.start("notifier", IPVI_MAX_BATCH="50", **armed)
    _beat_and_tick(notifier)
    wait_for(lambda: _states(notifier) == {"released": PAIRS}, 90, f"all released: {_states(notifier)}")
    notifier.wait_settled()
    _released_once(notifier)
    notifier.judge_delivery()


def _beat_and_tick(notifier: Pipeline) -> None:
    """The gate's keeper is alive, and the clock looks at everybody: more than once, as the hourly limit lets through."""
    for lane in range(LANES):
        beat = Event(
            id=f"beat-{lane}",
            source="/tests",
            subject=str(lane),
            time=at(0),
            recordedtime=at(0) + timedelta(minutes=1),
            data=GateHeartbeat(lane=lane),
            dataclassification=Topic.OUTREACH_GATES.classification,
        )
        _to_lane(notifier, Topic.OUTREACH_GATES, lane, beat)
        _to_lane(notifier, Topic.NOTIFIER_COMMANDS, lane, tick_event(NotifierTick, "notifier", lane, 1_000))


def _to_lane(notifier: Pipeline, topic: Topic, lane: int, event: Event[Data]) -> None:
    from schemas.envelope import encode

    message = encode(event)
    kafka.produce(notifier.bootstrap, str(topic), [(lane, message.key, message.value, message.headers)])


def _states(notifier: Pipeline) -> dict[str, int]:
    rows = notifier.rows("notifier", "SELECT state, count(*) AS n FROM notifications GROUP BY state")
    return {row.state: row.n for row in rows}


def _released_once(notifier: Pipeline) -> None:
    released = [
        record.key
        for record in kafka.read_all(notifier.bootstrap, str(Topic.NOTIFICATIONS))
        if dict(record.headers)["ce_type"] == b"ipvi.notification.released.v1"
    ]
    assert len(released) == len(set(released)) == PAIRS
