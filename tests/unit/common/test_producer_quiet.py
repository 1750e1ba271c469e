"""A transaction that ends in the middle of its records says so once, and asyncio nothing besides."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from aiokafka.errors import ProducerFenced

from schemas.envelope import Message
from services.common.cluster import Cluster
from services.common.producer import JournalRow, LaneProducer
from services.intake.sinks import OutboxProducer
from services.intake.store.outbox import Waiting


class Fenced:
    """aiokafka's producer, from the moment that another has taken its transactional id."""

    def __init__(self) -> None:
        self.sent: list[asyncio.Future[None]] = []

    async def send(self, *_: Any, **__: Any) -> asyncio.Future[None]:
        if len(self.sent) == 2:
            for each in self.sent:
                each.set_exception(ProducerFenced())
            raise ProducerFenced
        self.sent.append(asyncio.get_running_loop().create_future())
        return self.sent[-1]

    async def begin_transaction(self) -> None: ...

    def transaction(self) -> Fenced:
        return self

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_: object) -> None: ...


def lane() -> Any:
    made = LaneProducer(Cluster("127.0.0.1:1"), "g", 0, "db", transaction_timeout_ms=1_000, timeout=1)
    return made, [JournalRow(seq, "in", seq, "out", 0, b"k", b"v", ()) for seq in range(3)], ({},)


def outbox() -> Any:
    return OutboxProducer(Cluster("127.0.0.1:1")), [Waiting(n, "out", Message(b"k", b"v", ())) for n in range(3)], ()


@pytest.mark.parametrize("of", [lane, outbox])
async def test_what_was_sent_before_it_was_fenced_is_not_told_as_a_traceback(of: Any) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    producer, rows, more = of()
    await producer._producer.stop()
    producer._producer = Fenced()
    with pytest.raises(ProducerFenced):
        await producer.publish(rows, *more)
    await asyncio.sleep(0)
    producer._producer = None
    gc.collect()
    assert told == []
