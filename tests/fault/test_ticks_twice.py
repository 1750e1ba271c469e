"""Two replicas tick, one with its clock an hour fast, and every tick is repeated: one effect a period, nothing early."""

from __future__ import annotations

import json
import time
from collections import defaultdict

from schemas.commands import NotifierTick
from schemas.envelope import encode
from schemas.topics import Topic
from services.common.clock import PERIOD_S, tick_event
from tests.harness import kafka
from tests.harness.probe import Probe
from tests.harness.replicas import Bench, wait_for

HOUR = 3_600
SOON = 8.0
"""Seconds until the replicas' clocks strike, that they need not be waited for."""


def test_ticks_twice(bench: Bench) -> None:
    bench.feed(40)
    bench.start().wait_said("lane.claimed", bench.lanes)
    bench.wait_settled()  # every offender is there before the first tick
    bench.close()
    ahead = PERIOD_S - (time.time() + SOON) % PERIOD_S
    for name, fast in (("right", 0), ("fast", HOUR)):
        bench.start(name, ticks="true", probe_ahead_s=str(ahead + fast))
    wait_for(
        lambda: {lane for lane, _, _ in ticks(bench)} == set(range(bench.lanes)), SOON + 70, "a tick in every lane"
    )
    assert max(claimed - broker for _, claimed, broker in ticks(bench)) >= HOUR / PERIOD_S

    repeated: list[kafka.Outgoing] = []
    for lane, claimed, _ in ticks(bench):
        for period in (claimed, claimed - 1, claimed + HOUR, 0):
            message = encode(tick_event(NotifierTick, Probe.name, lane, period))
            repeated.append((lane, message.key, message.value, message.headers))
    kafka.produce(bench.bootstrap, Topic.NOTIFIER_COMMANDS, repeated)
    bench.wait_settled()
    bench.judge()
    minutes = defaultdict(set)
    for lane, claimed, broker in ticks(bench):
        if claimed >= broker:
            minutes[lane].add(broker)
    for row in bench.rows("SELECT lane, ticks FROM counts"):
        assert row.ticks == len(minutes[row.lane])
    for row in bench.rows("SELECT lane, last_tick, extract(epoch FROM clock) AS clock FROM lanes"):
        assert row.last_tick == max(minutes[row.lane])
        assert row.clock < (row.last_tick + 1) * PERIOD_S


def ticks(bench: Bench) -> list[tuple[int, int, int]]:
    """Lane, the period it claims and the broker's, of every tick on the log."""
    return [
        (record.partition, json.loads(record.value or b"{}")["period"], record.timestamp // 1000 // PERIOD_S)
        for record in kafka.read_all(bench.bootstrap, Topic.NOTIFIER_COMMANDS)
    ]
