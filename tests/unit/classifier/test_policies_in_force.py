"""Which policy a lane decides under: kept in SQL, brought by the log, and never that of a file alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.commands import ClassifierActivatePolicy, Redecide
from schemas.topics import Topic
from services.classifier.app import compose
from services.classifier.store import CHUNK, in_force
from services.classifier.stream import Classifier
from services.common.database import Database, database_url
from services.common.errors import LaneRefusedError
from services.common.migrations import upgrade
from services.common.service import Input
from services.common.settings import CommonSettings
from tests.harness.classifier_store import saved
from tests.harness.incidents import PRACTICE, SEAL, SEED, Bench, event, later, report

LANE = 3


@pytest.fixture
async def conn(tmp_path: Path) -> AsyncIterator[AsyncConnection]:
    url = database_url(CommonSettings(home=tmp_path), "classifier")
    await upgrade(url, "classifier")
    database = Database(url, "classifier", pool_size=1)
    async with database.write() as opened:
        yield opened
    await database.close()


def activation(**more: Any) -> ClassifierActivatePolicy:
    document = json.loads(PRACTICE.model_dump_json())
    given = {"lane": LANE, "policy": document, "digest": PRACTICE.digest, "by": "ana"}
    return ClassifierActivatePolicy(**{**given, **more})


def to_lane(data: Any, kept: str | None = None, due: tuple[str, ...] = ()) -> Input:
    one = event(data, str(LANE), later(1))
    return Input(one, Topic.CLASSIFIER_COMMANDS, LANE, later(1), later(1), kept=kept, due=due)


def started_with(policy: Any) -> Classifier:
    return compose(policy, SEAL)


async def test_the_first_file_comes_into_force_and_no_later_one(conn: AsyncConnection) -> None:
    assert await started_with(SEED).store.opened(conn, 0, None) == SEED.digest
    other = started_with(PRACTICE)
    assert await other.store.opened(conn, 0, SEED.digest) == SEED.digest
    assert await other.store.opened(conn, 1, None) == SEED.digest, "nor in a lane that is new"
    report_ = report(1, charged=True)
    decided = other.decide(
        other.store.new("O-1"), Input(report_, Topic.INCIDENTS, 1, later(1), later(1), kept=SEED.digest)
    )
    assert decided.events[0].event.data.policy == SEED.ref  # type: ignore[attr-defined]


async def test_what_the_log_brings_is_kept_for_every_replica(conn: AsyncConnection) -> None:
    service = started_with(SEED)
    await service.store.opened(conn, LANE, None)
    given = to_lane(activation(), SEED.digest)
    [said] = service.on_lane_tick(given)
    assert (said.topic, said.event.data.policy, said.event.data.previous) == (Topic.DECISIONS, PRACTICE.ref, SEED.ref)  # type: ignore[attr-defined]
    assert service.lane_kept(given) == PRACTICE.digest
    for _ in range(2):
        await service.store.keep(conn, LANE, given.event.data)
    restarted = started_with(SEED)
    assert await restarted.store.opened(conn, LANE, PRACTICE.digest) == PRACTICE.digest
    assert restarted.lane_kept(to_lane(activation(), PRACTICE.digest)) == PRACTICE.digest
    assert restarted.on_lane_tick(to_lane(activation(), PRACTICE.digest)) == (), "in force already"
    assert [(one.id, one.version) for one in await in_force(conn)] == [
        (SEED.id, SEED.version),
        (PRACTICE.id, PRACTICE.version),
    ]


@pytest.mark.parametrize("broken", [{"policy": {"id": "x"}}, {"digest": "0" * 64}])
async def test_what_is_no_policy_changes_nothing(conn: AsyncConnection, broken: dict[str, Any]) -> None:
    service = started_with(SEED)
    given = to_lane(activation(**broken), SEED.digest)
    assert (service.on_lane_tick(given), service.lane_kept(given)) == ((), SEED.digest)
    await service.store.keep(conn, LANE, given.event.data)
    assert await in_force(conn) == []


async def test_a_policy_that_is_not_there_refuses_the_lane(conn: AsyncConnection) -> None:
    with pytest.raises(LaneRefusedError) as refused:
        await started_with(SEED).store.opened(conn, LANE, PRACTICE.digest)
    assert refused.value.code == "policy_unknown"


async def test_a_chunk_is_of_those_decided_under_another_policy(conn: AsyncConnection) -> None:
    bench = Bench(SEED)
    for number in range(4):
        bench.put(report(number, f"O-{number}", charged=True, victims=["BG"]))
    store = bench.service.store
    await saved(conn, bench)
    again = Redecide(lane=LANE, digest=PRACTICE.digest, run_id="1", by="ana")
    people = [f"O-{number}" for number in range(4)]
    assert [one for one in await store.wanted(conn, LANE, again) or () if one.startswith("O-")] == people
    later_ = again.model_copy(update={"after": "O-1"})
    assert [one for one in await store.wanted(conn, LANE, later_) or () if one.startswith("O-")] == people[2:]
    assert await store.wanted(conn, LANE, again.model_copy(update={"digest": SEED.digest})) == []
    assert await store.wanted(conn, LANE + 1, again) == []
    assert await store.wanted(conn, LANE, activation()) is None


def test_one_chunk_calls_the_next_until_one_is_short() -> None:
    service = started_with(PRACTICE)
    again = Redecide(lane=LANE, digest=PRACTICE.digest, run_id="1", by="ana")
    whole = tuple(f"O-{number:03}" for number in range(CHUNK))
    [said] = service.on_lane_tick(to_lane(again, PRACTICE.digest, whole))
    assert (said.topic, said.event.subject, said.event.data.after) == (Topic.CLASSIFIER_COMMANDS, str(LANE), whole[-1])  # type: ignore[attr-defined]
    assert service.on_lane_tick(to_lane(again, PRACTICE.digest, whole[1:])) == ()
    stale = again.model_copy(update={"digest": SEED.digest})
    assert service.on_lane_tick(to_lane(stale, PRACTICE.digest, whole)) == (), "another has come into force since"


def test_decided_again_is_marked_and_once() -> None:
    bench = Bench(SEED)
    bench.put(report(1, charged=True), report(2, charged=True))
    service = bench.service
    kept = service.lane_kept(to_lane(activation(), SEED.digest))
    again = to_lane(Redecide(lane=LANE, digest=PRACTICE.digest, run_id="1", by="ana"), kept)
    outcome = service.decide(bench.offender(), again)
    first = outcome.events[0].event.data
    assert (first.tier, first.bulk, first.pair_id, first.policy) == ("B", True, None, PRACTICE.ref)  # type: ignore[attr-defined]
    assert service.decide(outcome.state, again).events == ()
