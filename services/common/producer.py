"""Step 5: journal rows and the group's offsets in one Kafka transaction, under the lane's one transactional id."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError, NodeNotReadyError
from aiokafka.protocol.transaction import EndTxnRequest, TxnOffsetCommitRequest
from aiokafka.structs import OffsetAndMetadata

from services.common import failpoints
from services.common.cluster import Cluster

MAX_REQUEST_SIZE = 2 * 1024 * 1024
RETRY_BACKOFF_MS = 5  # aiokafka's 100 ms would be the whole 99th percentile of latency (shared BENCH)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One outgoing event: what caused it, and the bytes as they go out."""

    seq: int
    in_topic: str
    in_offset: int
    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    about: str | None = None
    subject: str | None = None


def offset_metadata(database_id: str) -> str:
    """Says whose offsets these are, so that a copied database is told apart from its original."""
    return f"db={database_id}"


def heard(answer: asyncio.Future[Any]) -> asyncio.Future[Any]:
    """What became of one record. Where the next could not be sent nobody waits for it, and asyncio would write a traceback."""
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
    return answer


class UnansweredError(Exception):
    """A request that must not be sent twice got no answer: the outcome is unknown."""


def _ask_once(client: AIOKafkaClient) -> None:
    """Fail where aiokafka would ask again: the first request may still arrive, late, in the next transaction.

    An EndTxn would end that one half way, a TxnOffsetCommit would set its offsets back; a claim's new epoch shuts both out.
    The other requests may come late: a Produce carries a sequence number, and what else a transaction takes in does no harm.
    """
    send = client.send

    async def send_once(node: int, request: object, **connection: object) -> object:
        try:
            return await send(node, request, **connection)
        except NodeNotReadyError:
            raise  # not sent
        except KafkaError as error:
            if isinstance(request, EndTxnRequest | TxnOffsetCommitRequest):
                raise UnansweredError(type(request).__name__) from error
            raise

    client.send = send_once


class LaneProducer:
    """A transactional producer. Starting it fences every earlier one of its id and ends their transaction.

    After any error or time-out the outcome is unknown: close it and claim the lane again, never use it further.
    """

    def __init__(
        self, cluster: Cluster, group: str, lane: int, database_id: str, *, transaction_timeout_ms: int, timeout: float
    ) -> None:
        self._group = group
        self._lane = lane
        self._metadata = offset_metadata(database_id)
        self._timeout = timeout
        self._producer = AIOKafkaProducer(
            **cluster.client(),
            transactional_id=f"{group}.{lane}",
            transaction_timeout_ms=transaction_timeout_ms,
            retry_backoff_ms=RETRY_BACKOFF_MS,
            max_request_size=MAX_REQUEST_SIZE,
            request_timeout_ms=int(timeout * 1000),
        )
        _ask_once(self._producer.client)

    async def start(self) -> None:
        """InitProducerId. Raises on time-out or a Kafka error."""
        async with asyncio.timeout(self._timeout):
            await self._producer.start()

    async def publish(self, rows: Sequence[JournalRow], ends: Mapping[str, int]) -> None:
        """Rows in order, then the offsets, then commit. Returns only when the broker has answered that it committed."""
        producer = self._producer
        async with asyncio.timeout(self._timeout):
            await producer.begin_transaction()
            answers = [
                heard(
                    await producer.send(
                        row.topic, row.value, row.key, partition=row.partition, headers=list(row.headers)
                    )
                )
                for row in rows
            ]
            await asyncio.gather(*answers)
            await failpoints.reach("kafka.produced")
            await producer.send_offsets_to_transaction(
                {
                    TopicPartition(topic, self._lane): OffsetAndMetadata(end, self._metadata)
                    for topic, end in ends.items()
                },
                self._group,
            )
            await failpoints.reach("kafka.offsets")
            end = asyncio.ensure_future(producer.commit_transaction())
            end.add_done_callback(lambda done: done.cancelled() or done.exception())
            await failpoints.reach("kafka.end_txn", after=0.01)
            await end
        await failpoints.reach("kafka.done")

    async def close(self) -> None:
        """Never raises: the producer may be fenced, its transaction timed out, its broker gone."""
        with contextlib.suppress(Exception):
            async with asyncio.timeout(self._timeout):
                await self._producer.stop()
                return
        # Cut short, it leaves tasks and connections behind: while Kafka hangs they would add up.
        self._producer._message_accumulator.fail_all(KafkaError("given up"))
        if (sender := self._producer._sender.sender_task) is not None:
            for _ in range(10):  # once for itself, once for each request that it waits for even so
                sender.cancel()
                if (await asyncio.wait([sender], timeout=0.1))[0]:
                    break
        with contextlib.suppress(Exception):
            async with asyncio.timeout(self._timeout):
                await self._producer.client.close()
