"""Members join, leave in order and are killed every 2 s, under load."""

from __future__ import annotations

import os
import random
import time

import pytest

from tests.harness.replicas import Bench

LONG = int(os.environ.get("IPVI_FAULT_SEEDS", "2")) >= 50
SECONDS = 300 if LONG else 30
EVERY_S = 2


@pytest.mark.timeout(SECONDS + 240)
def test_members_come_and_go(bench: Bench) -> None:
    chance = random.Random(1)
    members = {"0": bench.start("0")}
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        bench.feed_for(EVERY_S)
        name = chance.choice("012")
        if name not in members:
            members[name] = bench.start(name)
        elif len(members) > 1:
            gone = members.pop(name)
            chance.choice((gone.stop, gone.kill))()
    bench.wait_settled(60)
    bench.judge()
