"""A policy comes into force in a lane of victim outreach: from that record on, kept in SQL, whatever file a replica has."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import Tier
from schemas.commands import OutreachActivatePolicy
from schemas.outreach import TaskKind
from schemas.policy import Policy
from services.common.database import Database, database_url
from services.common.errors import LaneRefusedError
from services.common.migrations import upgrade
from services.common.policies import Policies, in_force
from services.common.settings import CommonSettings
from services.victim_outreach.store import OutreachStore
from tests.harness.outreach import LANE, POLICY, Bench, amended, opened


def other(call_within: int = 24) -> Policy:
    """C: she is called sooner, and met instead of planned with. He waits a day more after she was spoken to."""
    document = json.loads(POLICY.model_dump_json())
    document |= {"id": "other-county", "version": str(call_within)}
    tasks = {one["kind"]: one for one in document["tiers"]["C"]["victim"]}
    tasks["call"]["due_within_hours"] = call_within
    tasks["safety_planning"]["kind"] = "in_person_contact"
    document["gate"]["cool_off_hours"] = 28
    return Policy.model_validate_json(json.dumps(document))


OTHER = other()


def activation(**more: Any) -> OutreachActivatePolicy:
    document = json.loads(OTHER.model_dump_json())
    return OutreachActivatePolicy(**{"lane": LANE, "policy": document, "digest": OTHER.digest, "by": "ana"} | more)


def started_with(policy: Policy) -> OutreachStore:
    return OutreachStore(Policies(policy, lambda each: each))


@pytest.fixture
async def conn(tmp_path: Path) -> AsyncIterator[AsyncConnection]:
    url = database_url(CommonSettings(home=tmp_path), "victim_outreach")
    await upgrade(url, "victim_outreach")
    database = Database(url, "victim_outreach", pool_size=1)
    async with database.write() as opened_:
        yield opened_
    await database.close()


def test_tasks_and_clocks_are_those_of_the_policy_in_force_from_its_record_on() -> None:
    bench = Bench()
    bench.put(activation())
    bench.put(opened(tier=Tier.C))
    assert bench.kept == OTHER.digest
    assert bench.task(TaskKind.CALL).due_at == bench.now + timedelta(hours=24)
    assert {task.kind for task in bench.file.tasks.values()} == {
        TaskKind.WRITTEN_INFORMATION,
        TaskKind.CALL,
        TaskKind.IN_PERSON_CONTACT,
    }


def test_what_is_open_keeps_its_tasks_and_their_due_times() -> None:
    bench = Bench()
    bench.put(opened(1, tier=Tier.C))
    tasks = dict(bench.file.tasks)
    bench.put(activation())
    bench.wait(hours=1).tick()
    bench.put(amended(1, tier=Tier.C))
    assert bench.file.tasks == tasks
    bench.put(opened(2, tier=Tier.C))  # joins her case, and restarts its clocks, under the new policy
    assert {task.kind for task in bench.file.tasks.values() if task.unfinished} == {
        TaskKind.WRITTEN_INFORMATION,
        TaskKind.CALL,
        TaskKind.IN_PERSON_CONTACT,
    }
    assert bench.task(TaskKind.CALL).due_at == bench.now + timedelta(hours=24)


@pytest.mark.parametrize("tier", [Tier.A, Tier.B])
def test_a_graver_list_brings_what_the_policy_in_force_then_asks_for(tier: Tier) -> None:
    bench = Bench()
    bench.put(opened(1, tier=Tier.D), activation(), amended(1, tier=tier))
    assert {task.kind for task in bench.file.tasks.values() if task.unfinished} == {
        task.kind for task in OTHER.victim_tasks(tier)
    }
    assert {one.policy for one in bench.file.referrals.values()} == {OTHER.digest}


def test_a_gate_is_judged_by_the_policy_in_force() -> None:
    bench = Bench()
    bench.put(opened(tier=Tier.C))
    bench.reach()
    bench.put(activation())
    bench.wait(hours=4).on_the_round()
    assert bench.gate() == "shut", "clear by now under the file's"
    bench.wait(hours=24).on_the_round()
    assert bench.gate() == "clear"


@pytest.mark.parametrize("broken", [{"policy": {"id": "x"}}, {"digest": "0" * 64}])
async def test_what_is_no_policy_changes_nothing(conn: AsyncConnection, broken: dict[str, Any]) -> None:
    bench = Bench()
    bench.put(activation(**broken))
    bench.put(opened(tier=Tier.C))
    assert bench.kept is None
    assert bench.task(TaskKind.CALL).due_at == bench.now + timedelta(hours=48)
    await started_with(POLICY).keep(conn, LANE, activation(**broken))
    assert await in_force(conn) == []


async def test_a_replica_started_with_another_file_works_under_the_lanes_policy(conn: AsyncConnection) -> None:
    assert await started_with(POLICY).opened(conn, LANE, None) == POLICY.digest
    for _ in range(2):
        await started_with(POLICY).keep(conn, LANE, activation())
    for filed in (POLICY, OTHER):
        restarted = started_with(filed)
        assert await restarted.opened(conn, LANE, OTHER.digest) == OTHER.digest
        assert restarted.policies.of(OTHER.digest) == OTHER
        assert await restarted.opened(conn, LANE + 1, POLICY.digest) == POLICY.digest
        assert await restarted.opened(conn, LANE + 2, None) == POLICY.digest, "nor in a lane that is new"
    assert [one.digest for one in await in_force(conn)] == [POLICY.digest, OTHER.digest]


async def test_a_policy_that_the_database_does_not_know_refuses_the_lane(conn: AsyncConnection) -> None:
    await started_with(POLICY).opened(conn, LANE, None)
    for filed in (POLICY, OTHER):  # a file is not the log's word
        with pytest.raises(LaneRefusedError) as refused:
            await started_with(filed).opened(conn, LANE, OTHER.digest)
        assert refused.value.code == "policy_unknown"
