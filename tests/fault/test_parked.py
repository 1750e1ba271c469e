"""A record that cannot be decided parks its offender at the third try; others go on; after the fix all comes back in order."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from schemas.commands import NotifierRetryParked
from schemas.envelope import encode
from schemas.topics import Topic
from services.cli.parked import retry, waiting
from services.common.desk import Standing
from services.common.records import lane_of
from tests.harness import kafka
from tests.harness.probe import POISON, Probe
from tests.harness.replicas import Bench, incident


def feed(bench: Bench, offender: str, *, poison: bool = False) -> None:
    """One more report, in the lane of its key."""
    bench.sent[offender] += 1
    message = encode(incident(offender, bench.sent[offender], agency=POISON if poison else "NC0410200"))
    record = (lane_of(offender, bench.lanes), message.key, message.value, message.headers)
    kafka.produce(bench.bootstrap, Topic.INCIDENTS, [record])


def retried(bench: Bench, offender: str) -> tuple[Standing, str | None]:
    """What is answered to `ipvi parked retry`."""
    (reply,) = asyncio.run(retry(bench.settings(), Probe.name, NotifierRetryParked, [offender], "r.lindqvist"))
    return reply.standing, reply.code


def queue(bench: Bench) -> dict[str, int]:
    return {one.offender_id: one.records for one in asyncio.run(waiting(bench.settings(), Probe.name))}


@pytest.mark.parametrize("point", ["sql.before_commit", "kafka.produced"])
def test_parked_and_back(shared_bench: Bench, point: str) -> None:
    """Killed on the way back, too."""
    bench, his = shared_bench, f"killed at {point}"
    broken = bench.start()
    feed(bench, his)
    feed(bench, his, poison=True)
    bench.feed(20)
    bench.wait_settled()
    feed(bench, his)
    feed(bench, his, poison=True)
    feed(bench, his)
    bench.feed(20)
    bench.wait_settled()
    assert len(broken.said("lane.decide_failed")) == 3 and len(broken.said("lane.offender_parked")) == 1
    assert {who: len(numbers) for who, numbers in bench.visible().items()} == {**bench.sent, his: 1}
    assert retried(bench, his) == (Standing.REFUSED, "fails_again")
    assert queue(bench) == {his: 4}
    bench.wait_settled()  # else the next one has this batch's offsets to publish, and is killed before it is asked anything
    broken.kill()

    fixed = bench.start(IPVI_PROBE_FIXED="1", failpoints=f"{point}=kill")
    bench.wait_settled()
    with ThreadPoolExecutor(max_workers=1) as pool:
        answer = pool.submit(retried, bench, his)
        fixed.wait_dead()
        fixed = bench.start(IPVI_PROBE_FIXED="1")
        assert answer.result(30) == (Standing.APPLIED, None)
    feed(bench, his, poison=True)
    bench.wait_settled()
    assert queue(bench) == {}
    assert retried(bench, his) == (Standing.APPLIED, None)  # with nothing left to do
    bench.wait_settled()
    bench.judge()
    fixed.kill()
