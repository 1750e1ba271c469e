"""The consumer: FastStream's lifecycle, subscriber and middlewares around lanes that work by themselves.

FastStream's own batch loop sleeps 5 s on any Kafka error, awaits one handler for all partitions, and hands over batches
polled before a seek; so only its polling is replaced, and each lane passes its batches through the subscriber's middlewares.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.message import StreamMessage
from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512

from services.common import metrics
from services.common.cluster import Cluster, SaslMechanism, SecurityProtocol
from services.common.errors import LaneRefusedError
from services.common.lane import Lane, LaneStatus
from services.common.ledger import Batch

S = TypeVar("S")

log = structlog.get_logger(__name__)

REVOKE_DEADLINE_S = 3.0
POLL_MS = 500
CHECKED_S = 5.0
"""For how long claims rely on one look at the topics."""
_LOG_INS = {
    SaslMechanism.PLAIN: SASLPlaintext,
    SaslMechanism.SCRAM_SHA_256: SASLScram256,
    SaslMechanism.SCRAM_SHA_512: SASLScram512,
}


class Lanes(ConsumerRebalanceListener, Generic[S]):  # type: ignore[misc]  # aiokafka is untyped
    """The lanes assigned to this replica. Never raises in the listener: aiokafka would swallow it and records flow on."""

    def __init__(
        self,
        name: str,
        topics: Iterable[str],
        make: Callable[[int], Lane[S]],
        check_topics: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._name = name
        self._topics = frozenset(topics)
        self._make = make
        self._check_topics = check_topics
        self._checking = asyncio.Lock()
        self._checked_at = -math.inf
        self.lanes: dict[int, Lane[S]] = {}
        self.subscriber: Any = None
        self._stopping = False
        self.polled_at = time.monotonic()
        metrics.lanes_running.labels(name).set_function(lambda: len(self.running))
        metrics.lanes_refused.labels(name).set_function(lambda: len(self._refused))

    @property
    def consumer(self) -> AIOKafkaConsumer:
        """The subscriber's consumer, there from before it joins the group."""
        return self.subscriber.consumer

    # rebalance -------------------------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        await self.release_all()

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.consumer.pause(*assigned)
        for partition in assigned:
            # Until a claim seeks: aiokafka fetches nothing from a broker while one of its partitions has no position, and
            # that of a refused lane would never have one.
            self.consumer.seek(partition, 0)
        self._checked_at = -math.inf
        for number in sorted({partition.partition for partition in assigned}) if not self._stopping else ():
            lane = self.lanes[number] = self._make(number)
            lane.start()

    async def release_all(self) -> None:
        """Finish or abandon what is in flight, all lanes inside one deadline."""
        deadline = asyncio.get_running_loop().time() + REVOKE_DEADLINE_S
        lanes, self.lanes = self.lanes, {}
        await asyncio.gather(*(lane.release(deadline) for lane in lanes.values()))

    async def stop(self) -> None:
        """Release all lanes for good. Where others share them, they take over now, not when this member's session ends."""
        self._stopping = True
        shared = len(self.lanes) < len(self.consumer.partitions_for_topic(min(self._topics)) or ())
        await self.release_all()
        if (
            shared
        ):  # a static member does not say good-bye, for it may be back at once; aiokafka has no way to ask for it
            self.consumer._coordinator._group_instance_id = None

    # polling ---------------------------------------------------------------------------------------------------------

    async def poll(self, consumer: AIOKafkaConsumer) -> None:
        """One poll and its hand-over, with no await between them."""
        try:
            polled = await consumer.getmany(timeout_ms=POLL_MS)
        except NoOffsetForPartitionError:
            return  # a lane not claimed yet; its claim seeks
        except OffsetOutOfRangeError as error:
            self._out_of_range(error)
            return
        except KafkaError as error:
            log.warning("consumer.poll_failed", service=self._name, error=type(error).__name__)
            # What it had taken of other partitions by then is lost, while their positions have moved.
            for running in self.lanes.values():
                self._claim_again(running, "poll failed")
            await asyncio.sleep(0.2)
            return
        self.polled_at = time.monotonic()
        for partition, records in polled.items():
            lane = self.lanes.get(partition.partition)
            if lane is not None:
                lane.offer(partition.topic, records)

    def _out_of_range(self, error: OffsetOutOfRangeError) -> None:
        """The log does not hold what a lane is to read next: its next claim says so and refuses."""
        for partition in error.args[0] if error.args else ():
            lane = self.lanes.get(partition.partition)
            if lane is not None:
                self._claim_again(lane, "offset out of range")

    def _claim_again(self, lane: Lane[S], reason: str) -> None:
        if lane.status is LaneStatus.RUNNING:
            lane.claim_again(reason)

    # what lanes ask of the consumer ----------------------------------------------------------------------------------

    def _partitions(self, lane: int) -> list[TopicPartition]:
        return [TopicPartition(topic, lane) for topic in self._topics]

    def _assigned(self, lane: int) -> list[TopicPartition]:
        owned = self.consumer.assignment()
        return [partition for partition in self._partitions(lane) if partition in owned]

    async def fit(self, lane: int) -> None:
        async with self._checking:  # many lanes claim at once
            if self._check_topics is not None and time.monotonic() - self._checked_at > CHECKED_S:
                await self._check_topics()
                self._checked_at = time.monotonic()
        if len(self._assigned(lane)) < len(self._topics):
            raise LaneRefusedError("lane_split", "not every input's partition of this number is assigned here")

    def pause(self, lane: int, topic: str | None = None) -> None:
        self.consumer.pause(*self._of(lane, topic))

    def resume(self, lane: int, topic: str | None = None) -> None:
        self.consumer.resume(*self._of(lane, topic))

    def _of(self, lane: int, topic: str | None) -> list[TopicPartition]:
        return [each for each in self._assigned(lane) if topic in (None, each.topic)]

    def seek(self, lane: int, nexts: Mapping[str, int]) -> None:
        for topic, offset in nexts.items():
            self.consumer.seek(TopicPartition(topic, lane), offset)

    async def positions(self, lane: int) -> dict[str, int]:
        return {partition.topic: await self.consumer.position(partition) for partition in self._assigned(lane)}

    # health ----------------------------------------------------------------------------------------------------------

    @property
    def running(self) -> list[int]:
        """Lanes that take records now."""
        return [number for number, lane in self.lanes.items() if lane.status is LaneStatus.RUNNING]

    @property
    def _refused(self) -> list[int]:
        return [number for number, lane in self.lanes.items() if lane.status is LaneStatus.REFUSED]

    def health(self, stalled_s: float) -> LanesHealth:
        """`healthy` means progress, not that a process is there: polls go on, and every lane runs or rests."""
        now = time.monotonic()
        stalled = [
            lane.number
            for lane in self.lanes.values()
            if lane.status in (LaneStatus.CLAIMING, LaneStatus.RUNNING) and now - lane.progress_at > stalled_s
        ]
        polls = now - self.polled_at <= stalled_s
        return LanesHealth(
            healthy=polls and not stalled and not self._refused,
            ready=all(lane.caught_up for lane in self.lanes.values()),
            lanes={
                str(n): lane.refusal.code if lane.refusal else str(lane.status)
                for n, lane in sorted(self.lanes.items())
            },
        )


@dataclass(frozen=True, slots=True)
class LanesHealth:
    """`ready`: every lane has reached the end its inputs had when it was claimed."""

    healthy: bool
    ready: bool
    lanes: Mapping[str, str]


def make_broker(cluster: Cluster, metadata_max_age_ms: int = 30_000) -> KafkaBroker:
    """A FastStream broker that logs nothing of records and creates no topics."""
    return KafkaBroker(
        cluster.servers,
        security=security(cluster),
        logger=None,
        allow_auto_create_topics=False,
        apply_types=False,
        graceful_timeout=REVOKE_DEADLINE_S + 2,
        metadata_max_age_ms=metadata_max_age_ms,
        retry_backoff_ms=20,
    )


def security(cluster: Cluster) -> BaseSecurity | None:
    """FastStream's word for it. Raises `ConfigurationError`."""
    if cluster.protocol is SecurityProtocol.PLAINTEXT:
        return None
    how: dict[str, Any] = {"ssl_context": cluster.tls(), "use_ssl": cluster.protocol.is_encrypted}
    if not cluster.protocol.logs_in:
        return BaseSecurity(**how)
    return _LOG_INS[cluster.mechanism](username=cluster.username, password=cluster.password, **how)


def subscribe(
    broker: KafkaBroker,
    lanes: Lanes[S],
    topics: Iterable[str],
    *,
    group: str,
    instance: str | None,
    session_timeout_ms: int,
) -> Callable[[Batch[S]], Any]:
    """Declare the subscriber whose polls feed `lanes`; returns what runs a batch under its middlewares."""
    subscriber: Any = broker.subscriber(
        *topics,
        batch=True,
        group_id=group,
        group_instance_id=instance,
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="none",
        isolation_level="read_committed",
        partition_assignment_strategy=[RangePartitionAssignor],
        session_timeout_ms=session_timeout_ms,
        heartbeat_interval_ms=min(1_000, session_timeout_ms // 3),  # by which members hear of a rebalance
        max_poll_interval_ms=300_000,
        fetch_max_wait_ms=250,
        listener=lanes,
        parser=_as_it_came,
        decoder=_raw,
        title=group,
    )

    @subscriber  # type: ignore[untyped-decorator]
    async def work(batch: Batch[S]) -> None:
        await batch.handle()

    async def get_msg(consumer: AIOKafkaConsumer) -> tuple[ConsumerRecord, ...]:
        await lanes.poll(consumer)
        return ()

    lanes.subscriber = subscriber
    subscriber.get_msg = get_msg
    return subscriber.process_message  # type: ignore[no-any-return]


async def _as_it_came(batch: Any) -> StreamMessage[Any]:
    return StreamMessage(raw_message=batch, body=b"")


async def _raw(message: StreamMessage[Any]) -> Any:
    return message.raw_message
