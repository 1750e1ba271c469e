"""Our image with Kafka and PostgreSQL beside it: prepared, fed, settled, stopped. Everything on loopback."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient
from testcontainers.core.config import testcontainers_config

from schemas.commands import Role
from services.cli.broker.jars import PROJECT
from services.cli.registry import SERVICES
from services.cli.settled import ends, is_settled, places
from services.cli.summary import summarise
from services.common.database import Database, database_url
from services.common.settings import CommonSettings
from services.intake.domain import IngestSummary
from tests.e2e.containers.engine import Engine, NoEngineError, engine
from tests.e2e.containers.images import Images, standins, stock
from tests.e2e.containers.servers import kafka, postgres, until
from tests.e2e.containers.services import Place, answers, job, service, stop

pytestmark = [pytest.mark.containers, pytest.mark.timeout(240)]

SAMPLE = PROJECT / "deploy" / "sample" / "county.jsonl"
PARTITIONS = 6


@pytest.fixture(scope="module")
def docker() -> Iterator[Engine]:
    """Never missing in CI; elsewhere without an engine these tests say so and pass by."""
    with ExitStack() as stack:
        try:
            running = stack.enter_context(engine())
        except NoEngineError as none:
            if os.environ.get("CI"):
                raise
            pytest.skip(str(none))
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        patched.setenv("DOCKER_HOST", running.address)
        # The suite ends what it starts; a reaper would be one more image to fetch.
        patched.setattr(testcontainers_config, "ryuk_disabled", True)
        yield running


@pytest.fixture(scope="module")
def images(docker: Engine) -> Images:
    """`IPVI_TEST_IMAGES=stock|standin` chooses; else stand-ins on an engine of our own, which may reach no registry."""
    wanted = os.environ.get("IPVI_TEST_IMAGES") or ("standin" if docker.own else "stock")
    return {"stock": stock, "standin": standins}[wanted](docker.client)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """An operator's token, and beside it the file by which the services know him."""
    token = secrets.token_urlsafe(32)
    entry = {"sha256": hashlib.sha256(token.encode()).hexdigest(), "person": "operator", "roles": [Role.OPERATOR]}
    for name, text in (("token", token), ("tokens.jsonl", json.dumps(entry))):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o640)
    return tmp_path / "token"


def test_from_an_empty_cluster_to_notices_and_tasks_and_a_clean_stop(images: Images, secret: Path) -> None:
    with kafka(images) as bootstrap, postgres(images) as url, ExitStack() as stack:
        place = Place(images.ours, bootstrap, url, PARTITIONS, secret)
        for _ in range(2):
            assert job(place, "migrate").status == 0
        running = {name: stack.enter_context(service(place, name)) for name in SERVICES}
        for name, started in running.items():
            until(f"{name} is ready", partial(answers, place, started.port, "/ready"), started.container)

        fed = job(place, "ingest", "--format", "cloudevents", "--as-of", "reported", "/in/county.jsonl", sample=SAMPLE)
        assert fed.status == 0, fed.text

        settings = CommonSettings(KAFKA_BOOTSTRAP_SERVERS=bootstrap, DATABASE_URL=url, partitions=PARTITIONS)
        until("everything has had its effects", lambda: settled_twice(settings))
        found = asyncio.run(summarise(settings, IngestSummary()))
        assert found["pairs"]["incomplete"] == 0
        assert found["pairs"]["complete"] > 0
        assert all(found["offenders"][tier] > 0 for tier in "ABCD")
        assert found["notifications"]["held"] > 0
        assert found["notifications"].keys() <= {"held", "cancelled"}, "released, though nobody has reached a victim"
        assert found["tasks"]["open"] >= found["referrals"] > 0

        for name, started in running.items():
            status, said = stop(started)
            assert status == 0, f"{name} did not end by itself in good order:\n{said}"
            assert "Traceback" not in said
            assert not [line for line in said.splitlines() if any(word in line for word in personal_words())]


def test_the_image_says_what_is_wrong_in_one_line(images: Images, secret: Path) -> None:
    place = Place(images.ours, "127.0.0.1:1", "postgresql://ipvi@127.0.0.1:1/ipvi", PARTITIONS, secret)
    assert job(place, "--help").status == 0
    refused = job(place, "migrate")
    assert refused.status == 2
    assert refused.text.strip() == "ipvi: no Kafka broker answers at 127.0.0.1:1"


def settled_twice(settings: CommonSettings) -> bool:
    """Between the two looks each service had time to say what another's word made it say."""
    return all(asyncio.run(settled(settings)) for _ in range(2))


async def settled(settings: CommonSettings) -> bool:
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers, "log_level": 0})
    for name in SERVICES:
        database = Database(database_url(settings, name), name, pool_size=1)
        try:
            async with database.read() as connection:
                at = await places(connection)
        finally:
            await database.close()
        topics = sorted({topic for topic, _ in at})
        if not topics or not is_settled(at, ends(admin, topics, PARTITIONS)):
            return False
    return True


def personal_words() -> set[str]:
    """Who is in the sample: ids and names that must not come to a log."""
    words = set()
    for line in SAMPLE.read_text("utf-8").splitlines():
        try:
            data = json.loads(line)["data"]
        except (json.JSONDecodeError, KeyError, TypeError):
            continue
        for person in (data.get("offender"), *(data.get("victims") or ())):
            if isinstance(person, dict):
                words |= {
                    value for key in ("offender_id", "victim_id", "name") if isinstance(value := person.get(key), str)
                }
    return words
