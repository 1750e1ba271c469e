"""`ipvi policy activate` and `status`: each service's lanes are told, and what each of them keeps is said."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert
from typer.testing import CliRunner

from schemas.envelope import Data
from schemas.policy import Policy
from schemas.topics import Topic, allowed
from services.cli.main import app
from services.cli.policy import activate as command
from services.cli.policy.activate import COMMANDS, NotInForceError
from services.cli.registry import SERVICES
from services.common.database import Database, database_url
from services.common.migrations import upgrade
from services.common.policies import Policies, PolicyStore
from services.common.settings import CommonSettings
from services.common.tables import lanes
from tests.harness.incidents import PRACTICE, SEED

Sent = list[tuple[Topic, Data]]


@pytest.fixture
def sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What would go to the log; the databases are in a home of their own."""
    monkeypatch.setenv("IPVI_HOME", str(tmp_path))
    monkeypatch.setenv("IPVI_PARTITIONS", "2")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(command, "PATIENCE_S", 0.0)
    found: Sent = []

    async def send(settings: CommonSettings, topic: Topic, of: Callable[[int], Data]) -> None:
        found.extend((topic, of(lane)) for lane in range(settings.partitions))

    monkeypatch.setattr(command, "_send", send)
    return found


async def keep(service: str, *kept: Policy) -> None:
    """By lane."""
    url = database_url(CommonSettings(), service)
    await upgrade(url, service)
    database = Database(url, service, pool_size=1)
    new: dict[str, Any] = {"epoch": 1, "journal_next": 0, "last_tick": -1, "heard": {}, "counted": {}, "failures": 0}
    try:
        async with database.write() as conn:
            for lane, policy in enumerate(kept):
                store = PolicyStore(Policies(policy, lambda one: one))
                await store.opened(conn, lane, None)
                await conn.execute(insert(lanes).values(new | {"lane": lane, "kept": policy.digest}))
    finally:
        await database.close()


def test_every_service_is_told() -> None:
    assert COMMANDS.keys() == SERVICES.keys()
    assert all(allowed(topic, kind.TYPE) for kind, topic in COMMANDS.values())


def test_each_lane_of_each_service_gets_its_command(sent: Sent) -> None:
    for service in COMMANDS:
        asyncio.run(keep(service, PRACTICE, PRACTICE))
    done = CliRunner().invoke(app, ["policy", "activate", PRACTICE.id, "--by", "ana"])
    assert done.exit_code == 0, done.output
    assert [(topic, data.TYPE, data.lane, data.digest) for topic, data in sent] == [  # type: ignore[attr-defined]
        (topic, kind.TYPE, lane, PRACTICE.digest) for kind, topic in COMMANDS.values() for lane in range(2)
    ]


def test_who_has_not_heard_of_it_is_named(sent: Sent) -> None:
    for service in COMMANDS:
        asyncio.run(keep(service, PRACTICE, *([PRACTICE] if service != "notifier" else [])))
    done = CliRunner().invoke(app, ["policy", "activate", PRACTICE.id, "--by", "ana"])
    assert isinstance(done.exception, NotInForceError)
    assert "notifier" in str(done.exception) and "classifier" not in str(done.exception)


def test_one_service_alone(sent: Sent) -> None:
    asyncio.run(keep("notifier", PRACTICE, PRACTICE))
    done = CliRunner().invoke(app, ["policy", "activate", PRACTICE.id, "--by", "ana", "--service", "notifier"])
    assert done.exit_code == 0, done.output
    assert {topic for topic, _ in sent} == {Topic.NOTIFIER_COMMANDS}
    assert CliRunner().invoke(app, ["policy", "activate", PRACTICE.id, "--by", "a", "--service", "mail"]).exit_code == 2


def test_status_says_what_is_in_force_where(sent: Sent) -> None:
    asyncio.run(keep("classifier", SEED))
    asyncio.run(keep("notifier", SEED, SEED))
    asyncio.run(keep("victim_outreach", PRACTICE))
    done = CliRunner().invoke(app, ["policy", "status"])
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        f"classifier: {SEED.id} {SEED.version} ({SEED.digest[:12]}): 1 lanes, 0 offenders",
        f"notifier: {SEED.id} {SEED.version} ({SEED.digest[:12]}): 2 lanes",
        f"victim_outreach: {PRACTICE.id} {PRACTICE.version} ({PRACTICE.digest[:12]}): 1 lanes",
    ]
