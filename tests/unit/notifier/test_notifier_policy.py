"""A policy comes into force in a lane of the notifier: from that record on, kept in SQL, whatever file a replica has."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import Tier
from schemas.commands import NotifierActivatePolicy
from schemas.notification import Channel, HoldReason, NotificationState
from schemas.outreach import GateState
from schemas.policy import Policy
from services.common.database import Database, database_url
from services.common.errors import LaneRefusedError
from services.common.migrations import upgrade
from services.common.policies import Policies, in_force
from services.common.settings import CommonSettings
from services.notifier.app import compose
from services.notifier.rules import NoticePolicy
from services.notifier.store import NotifierStore
from tests.harness.notices import COUNTY, LANE, Bench, custody, decision, gate


def other() -> Policy:
    """C is given by mail and within a day; what waits is looked at every week."""
    document = json.loads(COUNTY.model_dump_json())
    document |= {"id": "other-county", "version": "2"}
    document["tiers"]["C"]["offender"]["channels"] = ["mail"]
    document["notices"]["serve_within"]["C"]["hours"] = 24
    document["notices"]["held_reminder"]["hours"] = 168
    return Policy.model_validate_json(json.dumps(document))


OTHER = other()


def activation(**more: Any) -> NotifierActivatePolicy:
    document = json.loads(OTHER.model_dump_json())
    return NotifierActivatePolicy(**{"lane": LANE, "policy": document, "digest": OTHER.digest, "by": "ana"} | more)


def silence() -> NotifierActivatePolicy:
    """C is told nothing from now on."""
    document = json.loads(COUNTY.model_dump_json())
    document["tiers"]["C"]["offender"] = None
    return activation(policy=document, digest=Policy.model_validate_json(json.dumps(document)).digest)


def started_with(policy: Policy) -> Policies[NoticePolicy]:
    return compose(policy, lanes=1).policies


@pytest.fixture
async def conn(tmp_path: Path) -> AsyncIterator[AsyncConnection]:
    url = database_url(CommonSettings(home=tmp_path), "notifier")
    await upgrade(url, "notifier")
    database = Database(url, "notifier", pool_size=1)
    async with database.write() as opened:
        yield opened
    await database.close()


def prepared(bench: Bench) -> Bench:
    """A notice of C that may go."""
    bench.heartbeat()
    bench.put(decision(1, Tier.C), gate(1))
    return bench


def test_channel_and_clock_are_those_of_the_policy_in_force_from_its_record_on() -> None:
    before = prepared(Bench(policies=started_with(COUNTY))).notice
    bench = Bench(policies=started_with(COUNTY))
    bench.put(activation())
    after = prepared(bench).notice
    assert bench.kept == OTHER.digest
    assert (before.channel, after.channel) == (Channel.FACE_TO_FACE, Channel.MAIL)
    assert before.serve_by == before.released_at + timedelta(hours=48)  # type: ignore[operator]
    assert after.serve_by == after.released_at + timedelta(hours=24)  # type: ignore[operator]


def test_what_is_out_keeps_its_channel_and_its_due_times() -> None:
    bench = prepared(Bench(policies=started_with(COUNTY)))
    before = bench.notice
    bench.wait(minutes=2).put(activation())
    bench.heartbeat()
    assert bench.notice == before
    bench.put(gate(1, GateState.SHUT, version=2))
    bench.wait(minutes=1).heartbeat()
    bench.put(gate(1, version=3))
    again = bench.notice
    assert (again.channel, again.policy) == (Channel.MAIL, OTHER.digest), "what goes out later goes by the new one"
    assert again.serve_by == bench.now + timedelta(hours=24)


def test_what_waits_keeps_the_clock_that_runs() -> None:
    bench = Bench(policies=started_with(COUNTY))
    bench.heartbeat()
    bench.put(decision(1, Tier.C))
    due = bench.notice.due
    assert due is not None and due.first == bench.now + timedelta(hours=72)
    bench.put(activation())
    bench.wait(hours=1).heartbeat()
    assert bench.notice.due == due


def test_what_waits_for_a_list_that_is_told_nothing_any_more_goes_nowhere() -> None:
    """Held and not cancelled: a policy may come back, and a person cancels."""
    bench = Bench(policies=started_with(COUNTY))
    bench.heartbeat()
    bench.put(decision(1, Tier.C), silence(), gate(1))
    bench.wait(minutes=1).heartbeat()
    assert bench.notice.reasons == (HoldReason.UNSIGNED_TEMPLATE,)
    bench.put(custody(held=True))
    assert bench.states() == ["C held"]
    bench.put(activation())
    bench.wait(minutes=1).heartbeat()
    bench.wait(minutes=1).heartbeat()
    assert bench.states() == ["C released"]


def test_what_is_out_may_be_given_still_and_what_failed_may_not() -> None:
    bench = prepared(Bench(policies=started_with(COUNTY)))
    bench.put(silence())
    bench.wait(minutes=1).heartbeat()
    assert bench.notice.state is NotificationState.RELEASED
    assert bench.fail() == "applied"
    assert bench.serve(at=bench.now + timedelta(minutes=1)) == "refused:not_released"


@pytest.mark.parametrize("broken", [{"policy": {"id": "x"}}, {"digest": "0" * 64}])
async def test_what_is_no_policy_changes_nothing(conn: AsyncConnection, broken: dict[str, Any]) -> None:
    bench = Bench(policies=started_with(COUNTY))
    bench.put(activation(**broken))
    assert bench.kept is None
    assert prepared(bench).notice.channel is Channel.FACE_TO_FACE
    await NotifierStore(started_with(COUNTY)).keep(conn, LANE, activation(**broken))
    assert await in_force(conn) == []


async def test_a_replica_started_with_another_file_works_under_the_lanes_policy(conn: AsyncConnection) -> None:
    store = NotifierStore(started_with(COUNTY))
    assert await store.opened(conn, LANE, None) == COUNTY.digest
    for _ in range(2):
        await store.keep(conn, LANE, activation())
    for filed in (COUNTY, OTHER):
        policies = started_with(filed)
        restarted = NotifierStore(policies)
        assert await restarted.opened(conn, LANE, OTHER.digest) == OTHER.digest
        assert prepared(Bench(policies=policies, kept=OTHER.digest)).notice.channel is Channel.MAIL
        assert await restarted.opened(conn, LANE + 1, COUNTY.digest) == COUNTY.digest
        assert await restarted.opened(conn, LANE + 2, None) == COUNTY.digest, "nor in a lane that is new"
    assert [one.digest for one in await in_force(conn)] == [COUNTY.digest, OTHER.digest]


async def test_a_policy_that_the_database_does_not_know_refuses_the_lane(conn: AsyncConnection) -> None:
    store = NotifierStore(started_with(COUNTY))
    await store.opened(conn, LANE, None)
    with pytest.raises(LaneRefusedError) as refused:
        await store.opened(conn, LANE, OTHER.digest)
    assert refused.value.code == "policy_unknown"
    with pytest.raises(LaneRefusedError):
        await NotifierStore(started_with(OTHER)).opened(conn, LANE, OTHER.digest)  # a file is not the log's word
