"""An operator resets the group: back, and lanes refuse; forward, and what lies between takes effect but is not told.

And the log itself ends before the lanes' positions.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from schemas.topics import Topic
from services.cli.offsets import mend
from services.cli.rebase import rebase
from tests.harness import kafka
from tests.harness.operators import Offsets, move_group, wait_empty
from tests.harness.postgres import PostgresServer
from tests.harness.probe import Probe
from tests.harness.replicas import GROUP, Bench

BRIEF = {"session_timeout_ms": "1000"}


def test_back(shared_bench: Bench) -> None:
    bench = shared_bench
    replica = bench.start(**BRIEF)
    bench.feed(40)
    bench.wait_settled()
    replica.stop()
    before = bench.traces()
    move_group(bench.bootstrap, GROUP, {place: offset - 3 for place, offset in incidents(bench).items()})

    replica = bench.start(**BRIEF)
    replica.wait_said("lane.refused", bench.lanes)
    assert {line["code"] for line in replica.said("lane.refused")} == {"offset_below_published"}
    assert {row.refusal for row in bench.rows("SELECT refusal FROM lanes")} == {"offset_below_published"}
    assert bench.traces() == before
    replica.stop()

    wait_empty(bench.bootstrap, GROUP)
    assert len(asyncio.run(mend(bench.settings(), Probe.name, apply=True))) == bench.lanes
    replica = bench.start(**BRIEF)
    bench.feed(40)
    bench.wait_settled()
    assert not any(row.refusal for row in bench.rows("SELECT refusal FROM lanes"))
    bench.judge()
    replica.kill()


def test_log_cut_short(shared_bench: Bench, postgres: PostgresServer) -> None:
    """As a broker leaves it that came back without its last records: lanes refuse, until an operator gives those up."""
    bench = shared_bench
    assert bench.url is not None
    replica = bench.start(**BRIEF)
    bench.feed(40)
    bench.wait_settled()
    replica.stop()
    ahead = "UPDATE probe.positions SET next_offset = next_offset + 3, published = published + 3 WHERE topic = '{}'"
    postgres.execute(ahead.format(Topic.INCIDENTS), bench.url)
    before = bench.traces()

    replica = bench.start(**BRIEF)
    replica.wait_said("lane.refused", bench.lanes)
    assert {line["code"] for line in replica.said("lane.refused")} == {"past_log_end"}
    assert bench.traces() == before
    replica.stop()

    wait_empty(bench.bootstrap, GROUP)
    assert len(asyncio.run(rebase(bench.settings(), Probe.name, apply=True))) == bench.lanes
    replica = bench.start(**BRIEF)
    bench.feed(40)
    bench.wait_settled()
    bench.judge()
    replica.kill()


def test_forward(bench: Bench) -> None:
    replica = bench.start(**BRIEF)
    bench.feed(20)
    bench.wait_settled()
    replica.stop()
    bench.feed(12, offenders=4, prefix="Q")
    told = Counter(bench.sent)
    move_group(bench.bootstrap, GROUP, {place: offset - 1 for place, offset in incidents(bench).items()})

    bench.start()
    bench.wait_settled()
    bench.feed(4, offenders=4, prefix="Q")
    bench.wait_settled()
    assert bench.visible() == {who: [1] for who in told if who[0] == "O"} | {f"Q{n}": [3, 4] for n in range(4)}
    assert {row.offender_id: row.reports for row in bench.rows("SELECT * FROM counts")} == dict(bench.sent)
    assert bench.rows("SELECT count(*) AS n FROM journal")[0].n == sum(bench.sent.values())


def incidents(bench: Bench) -> Offsets:
    """Ends of the topic that is fed."""
    return kafka.end_offsets(bench.bootstrap, [str(Topic.INCIDENTS)])
