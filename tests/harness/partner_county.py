"""The partners' service as a process on a real broker, fed with decisions, and what lies on each partner's topic."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from schemas.envelope import Classification, Data, Event, Message, decode, deterministic_id
from schemas.partner_file import Partner
from services.cli.serve import migrate_all
from services.cli.topics import create_topics
from tests.harness import kafka
from tests.harness.partners import START, decision
from tests.harness.pipeline import Pipeline
from tests.harness.replicas import ReplicaProcess

LANES = 2


@contextmanager
def partner_county(partners: Sequence[Partner], url: str | None = None) -> Iterator[Pipeline]:
    """A broker, the topics, every partner's file and tables; nothing is started yet."""
    with (
        tempfile.TemporaryDirectory(prefix="ipvi-partners-", ignore_cleanup_errors=True) as folder,
        kafka.embedded_broker() as broker,
    ):
        create_topics(broker.bootstrap_servers, LANES, [each.topic for each in partners])
        made = Pipeline(broker.bootstrap_servers, url, Path(folder), "high-point-practice", LANES, services=())
        files(made).mkdir()
        for each in partners:
            (files(made) / f"{each.id}.yaml").write_text(each.model_dump_json(by_alias=True))
        asyncio.run(migrate_all(made.settings(), ["partners"], partners))
        made.services = [each.service for each in partners]
        try:
            yield made
        finally:
            made.close()


def files(county: Pipeline) -> Path:
    """The folder of the partner files."""
    return county.folder / "files"


def start(county: Pipeline, **environment: str) -> ReplicaProcess:
    """`ipvi serve partners`."""
    return county.start("partners", IPVI_PARTNERS=str(files(county)), **environment)


def charge(him: str, number: int) -> Event[Any]:
    """The `number`-th charge of `him`, in minute `number`: C, B, then A for good."""
    tier = "CBA"[min(number, 3) - 1]
    previous = None if number == 1 else "CBA"[min(number - 1, 3) - 1]
    evidence = [f"NC0990100:{n:03}" for n in range(1, number + 1)]
    return said(decision(number, tier, previous, him=him, evidence=evidence), him, number)


def said(data: Data, him: str, minute: int) -> Event[Any]:
    """As the classifier says it, in that minute of record time."""
    at = START + timedelta(minutes=minute)
    return Event(
        id=deterministic_id("test", him, minute, data.canonical()), source="/tests", subject=him, time=at,
        recordedtime=at, data=data, dataclassification=Classification.INTERNAL,
    )  # fmt: skip


def received(county: Pipeline, of: Partner) -> list[Event[Any]]:
    """What lies on its topic, by partition and offset."""
    records = kafka.read_all(county.bootstrap, of.topic)
    return [decode(Message(record.key, record.value, record.headers)) for record in records]
