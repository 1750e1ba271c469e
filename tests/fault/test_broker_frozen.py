"""A broker that answers nothing and is not gone either: what claims leave behind must not add up until it is back."""

from __future__ import annotations

import asyncio
import signal

import pytest

from schemas.topics import Topic
from services.cli.topics import create_topics
from services.common.cluster import Cluster
from services.common.producer import JournalRow, LaneProducer
from tests.harness import kafka


async def test_producer_given_up_leaves_nothing() -> None:
    """Neither its task, which would go on asking, nor a connection (each is a task that reads it)."""
    with kafka.embedded_broker() as broker:
        create_topics(broker.bootstrap_servers, 1)
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # aiokafka's futures that nobody waits for
        before = asyncio.all_tasks()
        producer = LaneProducer(
            Cluster(broker.bootstrap_servers), "g", 0, "db", transaction_timeout_ms=2_000, timeout=2
        )
        await producer.start()
        row = JournalRow(0, "", 0, str(Topic.TIERS), 0, b"key", b"value", ())
        await producer.publish([row], {str(Topic.INCIDENTS): 1})
        assert broker._process is not None
        broker._process.send(signal.SIGSTOP)
        with pytest.raises(TimeoutError):
            await producer.publish([row], {str(Topic.INCIDENTS): 2})
        await producer.close()
        for _ in range(50):  # of 0.1 s
            if asyncio.all_tasks() == before:
                break
            await asyncio.sleep(0.1)
        assert asyncio.all_tasks() == before
