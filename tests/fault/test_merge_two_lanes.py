"""Merges over two lanes, killed between their halves, also both ways at once: one history, nothing lost, one notice a list."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from schemas.envelope import Event, deterministic_id
from services.common.records import lane_of
from tests.harness.incidents import Bench, merged, noticed, report
from tests.harness.pipeline import Pipeline, pipeline
from tests.harness.postgres import PostgresServer

SEEDS = max(1, int(os.environ.get("IPVI_FAULT_SEEDS", "2")) // 2)
LANES = 4
HALVES = ("sql.before_commit", "sql.committed", "kafka.produced", "kafka.end_txn")


@pytest.fixture(scope="module")
def county(postgres: PostgresServer) -> Iterator[Pipeline]:
    url = postgres.create_database()
    with pipeline(url, lanes=LANES) as made:
        yield made
    postgres.drop_database(url)


def two_people(run: str) -> tuple[str, str]:
    """Of two lanes."""
    names = (f"{run}-{number}" for number in range(100))
    one = next(names)
    return one, next(name for name in names if lane_of(name, LANES) != lane_of(one, LANES))


def story(run: str, chance: random.Random, *, both_ways: bool) -> list[Event[Any]]:
    """Two people with a charge each, one with a notice given elsewhere; merged, and reported on under both ids."""
    one, other = two_people(run)
    number = chance.randrange(10**9)
    told = [report(number + n, who, day=n, charged=n % 2 == 0) for n, who in enumerate([one, other, one, other])]
    merges = [merged(other, one), *([merged(one, other)] if both_ways else [])]
    late = [report(number + n, who, day=n, charged=True) for n, who in enumerate([other, one, other], start=4)]
    events = [*told, noticed("C", other, name=f"N-{run}"), *merges, *late]
    return [replace(each, id=deterministic_id(run, each.id), recordedtime=each.time) for each in events]


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("both_ways", [False, True])
def test_killed_between_the_halves(county: Pipeline, seed: int, both_ways: bool) -> None:
    chance = random.Random(f"{seed}{both_ways}")
    stories = [story(f"m{seed}{int(both_ways)}{n}", chance, both_ways=both_ways) for n in range(6)]
    county.feed(each for events in zip(*stories, strict=True) for each in events)
    for half in chance.sample(HALVES, k=3):
        failpoints = f"{half}=kill@{chance.randint(3, 12)}"
        county.start("classifier", IPVI_MAX_BATCH="1", IPVI_FAILPOINTS=failpoints).wait_dead(timeout=60)
    county.start_all()
    county.wait_settled()
    county.judge_delivery()
    county.close()

    assert county.rows("classifier", "SELECT subject FROM reviews WHERE code = 'merge_pending'") == []
    found = {row.offender_id: row for row in county.rows("classifier", "SELECT * FROM offenders")}
    for events in stories:
        bench = Bench()
        bench.put(*events)
        for him, expected in bench.offenders.items():
            assert (found[him].tier, found[him].alias_to) == (expected.tier, expected.alias and expected.alias.to)
        (survivor,) = (him for him, one in bench.offenders.items() if one.history.strands)
        incidents = county.rows(
            "classifier",
            f"SELECT incident_id FROM incidents WHERE offender_id = '{survivor}'",  # noqa: S608
        )
        assert {row.incident_id for row in incidents} == set(bench.offender(survivor).assessment.findings)
        referrals = county.rows("classifier", f"SELECT referral_id FROM referrals WHERE offender_id = '{survivor}'")  # noqa: S608
        assert {row.referral_id for row in referrals} == set(bench.live_referrals())
        notices = county.rows(
            "notifier",
            f"SELECT tier FROM notifications WHERE offender_id = '{survivor}' AND state <> 'cancelled'",  # noqa: S608
        )
        tiers = [row.tier for row in notices]
        assert "C" not in tiers, "given before, under the other id"
        assert len(tiers) == len(set(tiers)) <= 1
