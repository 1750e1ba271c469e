"""Two members both believe that they own every lane, and fence each other for 5 s: nothing goes twice, and it settles."""

from __future__ import annotations

from tests.harness.replicas import Bench

WAR_S = 5


def test_war_and_peace(bench: Bench) -> None:
    member = bench.start(max_batch="5")
    member.wait_said("lane.claimed", bench.lanes)
    rival = bench.start("rival", "tests.harness.rival", max_batch="5")
    rival.wait_said("lane.claimed", bench.lanes)
    bench.feed_for(WAR_S)
    claims = [len(one.said("lane.claimed")) for one in (member, rival)]
    assert min(claims) > 3 * bench.lanes, claims
    rival.kill()
    bench.feed(20)
    bench.wait_settled()
    bench.judge()
