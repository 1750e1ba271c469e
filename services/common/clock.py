"""The clock's word, as records: one tick per lane and minute on the service's command topic.

Several replicas may tick the same lane: the id is of service, lane and period, and the lane ignores older or equal ones.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.commands import Tick
from schemas.envelope import Data, Event, deterministic_id, encode
from schemas.topics import Topic
from services.common.cluster import Cluster

PERIOD_S = 60
RETRY_S = 5.0

log = structlog.get_logger(__name__)


def period_of(moment: datetime) -> int:
    """Whole minutes since the epoch."""
    return int(moment.timestamp()) // PERIOD_S


def tick_event(model: type[Tick], service: str, lane: int, period: int) -> Event[Data]:
    """The tick of one lane and period; its record time is the broker's."""
    return Event(
        id=deterministic_id("tick", service, lane, period),
        source=f"/ipvi/{service}/clock",
        subject=str(lane),
        time=datetime.fromtimestamp(period * PERIOD_S, UTC),
        data=model(lane=lane, period=period),
        dataclassification=Topic.NOTIFIER_COMMANDS.classification,
    )


class Clock:
    """Ticks the lanes this replica works, until cancelled. A fault of Kafka delays a tick; none is made up for.

    `now`: seconds since the epoch as this machine has them. It may be wrong: what counts in the lane is the broker's time.
    """

    def __init__(
        self,
        cluster: Cluster,
        service: str,
        model: type[Tick],
        topic: Topic,
        lanes: Callable[[], Iterable[int]],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._cluster = cluster
        self._service = service
        self._model = model
        self._topic = topic
        self._lanes = lanes
        self._now = now

    async def run(self) -> None:
        while True:
            try:
                async with AIOKafkaProducer(
                    **self._cluster.client(), enable_idempotence=True, retry_backoff_ms=20
                ) as producer:
                    while True:
                        await self._tick(producer, int(self._now()) // PERIOD_S)
                        await asyncio.sleep(PERIOD_S - self._now() % PERIOD_S + 0.01)
            except KafkaError as error:
                log.warning("clock.tick_failed", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)

    async def _tick(self, producer: AIOKafkaProducer, period: int) -> None:
        """Send the tick of `period` to every lane worked here."""
        sent = []
        for lane in self._lanes():
            message = encode(tick_event(self._model, self._service, lane, period))
            sent.append(
                await producer.send(
                    str(self._topic), message.value, message.key, partition=lane, headers=list(message.headers)
                )
            )
        await asyncio.gather(*sent)
