"""An input topic deleted and made again under its name: lanes refuse, for its offsets say nothing; then the act that mends."""

from __future__ import annotations

import asyncio

import pytest

from schemas.topics import Topic
from services.cli.group import Group, OffsetsError
from services.cli.rebase import Rebase, _moved, rebase
from services.common.positions import Place
from tests.harness.operators import recreate, wait_empty
from tests.harness.probe import Probe
from tests.harness.replicas import GROUP, Bench


def test_while_it_runs_and_after(bench: Bench) -> None:
    replica = bench.start(metadata_max_age_ms="500", session_timeout_ms="1000")
    bench.feed(40)
    bench.wait_settled()
    before = bench.traces()

    recreate(bench.bootstrap, Topic.INCIDENTS, bench.lanes)
    bench.feed(20)
    replica.wait_said("lane.refused", bench.lanes)
    replica.wait_said(
        "lane.refused", 2 * bench.lanes
    )  # while it is gone half a lane is missing; then it is another topic
    assert replica.said("lane.refused")[-1]["code"] == "topic_recreated"
    assert bench.traces() == before
    replica.kill()

    again = bench.start()
    again.wait_dead()
    assert "topic_recreated" in again.tail()
    assert bench.traces() == before

    wait_empty(bench.bootstrap, GROUP)
    seen = asyncio.run(rebase(bench.settings(), Probe.name, apply=False))
    assert {(one.lane, one.topic, one.now, len(one.again)) for one in seen} == {
        (lane, str(Topic.INCIDENTS), 0, 0) for lane in range(bench.lanes)
    }
    assert bench.traces() == before
    assert asyncio.run(rebase(bench.settings(), Probe.name, apply=True)) == seen
    assert asyncio.run(rebase(bench.settings(), Probe.name, apply=True)) == []
    bench.start(failpoints="sql.committed=kill@3", max_batch="4").wait_dead()
    bench.start()
    bench.wait_settled()
    bench.judge()


def test_what_was_said_is_not_said_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between Kafka's answer and the word of it in SQL: the output topic knows, and is asked.

    The answer holds for as long as nobody takes the lane: else nothing is done.
    """
    bench.feed(100, offenders=bench.lanes)
    bench.start(failpoints=f"kafka.done=kill@{bench.lanes + 4}", max_batch="8").wait_dead()
    places = bench.rows("SELECT next_offset, published FROM positions")
    assert any(place.published < place.next_offset for place in places)
    recreate(bench.bootstrap, Topic.INCIDENTS, bench.lanes)
    wait_empty(bench.bootstrap, GROUP)
    before = bench.visible()
    with monkeypatch.context() as patched, pytest.raises(OffsetsError, match="somebody has taken it"):
        patched.setattr("services.cli.rebase._moved", taken_then)
        asyncio.run(rebase(bench.settings(), Probe.name, apply=True))
    assert bench.visible() == before
    assert bench.rows("SELECT next_offset, published FROM positions") == places
    asyncio.run(rebase(bench.settings(), Probe.name, apply=True))
    worked = {row.offender_id: row.reports for row in bench.rows("SELECT offender_id, reports FROM counts")}
    assert bench.visible() == {who: list(range(1, reports + 1)) for who, reports in worked.items()}

    bench.sent.clear()
    bench.sent.update(worked)  # the rest went with the topic
    bench.feed(20, offenders=bench.lanes)
    bench.start()
    bench.wait_settled()
    bench.judge()


async def taken_then(group: Group, lane: int, topic: str, place: Place, anew: bool) -> Rebase | None:
    """As a replica takes the lane that starts just then."""
    found = await _moved(group, lane, topic, place, anew)
    async with group.producers([lane]):
        return found
