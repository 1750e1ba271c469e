"""The loop: how each incident takes effect once, whatever crashes, repeats or changes hands.

A lane is partition n of all inputs of a service, with one owner, one transactional id and one writer of its rows.

1. Claim (`claiming.py`): new producer (fences the zombie, ends its transaction), epoch, Kafka's committed offsets, publish
   what SQL has and Kafka has not, seek.
2. Read a batch, commands first (what a restored database has forgotten: as it came); what cannot be parsed becomes a reject.
3. Decide, in memory, in order (`work.py`).
4. One SQL transaction (`ledger.py`): positions by compare-and-set, journal, inbox, state.
5. One Kafka transaction: the journal rows and the group's offsets.

A step whose outcome is unknown (answer lost, fenced, timed out, cancelled) is never repeated and never passed over: what is
in memory is dropped and the lane claimed again. `docs/why.md` says why each simpler way loses or doubles an event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from enum import StrEnum
from typing import Generic, TypeVar

import structlog
from aiokafka import ConsumerRecord

from services.common import failpoints, metrics
from services.common.claiming import Claiming
from services.common.errors import LaneLostError, LaneRefusedError, error_names
from services.common.lane_tools import LaneTools
from services.common.ledger import Batch, Ledger, Written
from services.common.mailbox import HIGH_WATER, Mailbox
from services.common.producer import LaneProducer

S = TypeVar("S")

log = structlog.get_logger(__name__)

IDLE_S = 0.2
"""How long a lane waits for records before it counts as idle and settles its positions."""
SETTLED_S = 0.5
"""How often a lane at rest looks whether markers without records have moved its position."""
PIPELINE_DEPTH = 1
"""Batches written to SQL while an earlier one is being published."""
RETRY_REFUSED_S = 10.0


class LaneStatus(StrEnum):
    """Only a `running` lane takes records."""

    CLAIMING = "claiming"
    RUNNING = "running"
    REFUSED = "refused"
    RELEASED = "released"


class Lane(Generic[S]):
    """One lane while it is assigned to this replica."""

    def __init__(self, number: int, tools: LaneTools[S]) -> None:
        self.number = number
        self.status = LaneStatus.RELEASED
        self.refusal: LaneRefusedError | None = None
        self.progress_at = time.monotonic()
        """When it last worked a batch or found nothing to do; neither a claim nor a batch that fails counts."""
        self.ledger: Ledger[S] | None = None
        """From the end of a claim until what is in memory is dropped."""
        self._failures = 0
        self._tools = tools
        self._claiming = Claiming(number, tools)
        topics = sorted(tools.service.inputs, key=lambda topic: not topic.is_commands)
        self._mailbox = Mailbox([str(topic) for topic in topics])
        self._paused: set[str] = set()
        self._producer: LaneProducer | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._log = log.bind(service=tools.service.name, lane=number)

    @property
    def caught_up(self) -> bool:
        """Whether all that was there at the claim has been worked."""
        return self.status is LaneStatus.RUNNING and self.ledger is not None and self.ledger.standing.caught_up

    # assignment ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Assigned: claim in a task of its own, since no heartbeat flows while a rebalance listener runs."""
        self.status = LaneStatus.CLAIMING
        self._mailbox.clear()
        self._mailbox.open()
        self._task = asyncio.create_task(self._run(), name=f"lane-{self.number}")

    async def release(self, deadline: float) -> None:
        """Revoked or stopping: finish what is in flight by `deadline` (loop time), else abandon it."""
        working = self.status is LaneStatus.RUNNING
        self.status = LaneStatus.RELEASED
        self._mailbox.close()
        task, self._task = self._task, None
        if task is not None:
            if working:
                await asyncio.wait([task], timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
            task.cancel()
            await asyncio.wait([task], timeout=1)
        self._drop()
        metrics.parked.labels(self._tools.service.name, self.number).set(0)  # the next owner says it
        if self._closing:
            await asyncio.wait(self._closing, timeout=max(0.1, deadline - asyncio.get_running_loop().time()))

    def claim_again(self, reason: str) -> None:
        """Drop what is in memory and claim; something outside the loop has shown that it must."""
        self.status = LaneStatus.CLAIMING
        self._log.warning("lane.claim_again", reason=reason)
        self._task = asyncio.create_task(self._run_after(self._task), name=f"lane-{self.number}")

    async def _run_after(self, earlier: asyncio.Task[None] | None) -> None:
        if earlier is not None:
            earlier.cancel()
            await asyncio.wait([earlier])
        if not self._mailbox.closed:
            await self._run()

    async def _run(self) -> None:
        while True:
            try:
                await self._claim()
                await self._work()
                return
            except LaneRefusedError as refusal:
                await self._refuse(refusal)
                await asyncio.sleep(RETRY_REFUSED_S)
            except Exception as error:  # noqa: BLE001 (whatever it was, its outcome is unknown: claim again)
                if self._mailbox.closed:
                    return  # released: the next owner's claim finds out
                task = asyncio.current_task()
                if task is None or task is not self._task:
                    return  # a task group that is failing swallows a cancel from outside: another loop has the lane
                while task.uncancel():  # before Python 3.11.7 a group leaves its own request standing
                    pass
                self.status = LaneStatus.CLAIMING
                self._log.warning("lane.claim_again", reason=error_names(error))
                metrics.reclaims.labels(self._tools.service.name).inc()
                await asyncio.sleep(0.02 * 2**self._failures)
                self._failures = min(self._failures + 1, 7)  # 2.6 s

    async def _refuse(self, refusal: LaneRefusedError) -> None:
        self._drop()
        self.status = LaneStatus.REFUSED
        self.refusal = refusal
        self._log.error("lane.refused", code=refusal.code, reason=str(refusal))
        try:
            await self._claiming.refuse(refusal.code)
        except Exception as error:  # noqa: BLE001 (the refusal stands in memory and in health all the same)
            self._log.warning("lane.refusal_not_written", reason=error_names(error))

    def _drop(self) -> None:
        """Forget everything in memory: it may not be what SQL and Kafka hold."""
        self._mailbox.clear()
        self.ledger = None
        producer, self._producer = self._producer, None
        if producer is not None:  # in the background: a fenced producer may take its time
            closing = asyncio.create_task(producer.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    # records ---------------------------------------------------------------------------------------------------------

    def offer(self, topic: str, records: Sequence[ConsumerRecord]) -> None:
        """Take polled records; a lane that is not running takes none (the claim's seek brings them again)."""
        if self.status is not LaneStatus.RUNNING or self.ledger is None:
            return
        since = self.ledger.standing.next[topic]
        self._mailbox.put(topic, [record for record in records if record.offset >= since])
        if self._mailbox.count(topic) >= HIGH_WATER and topic not in self._paused:
            self._paused.add(topic)
            self._tools.source.pause(self.number, topic)

    def _resume_if_low(self) -> None:
        if self.status is not LaneStatus.RUNNING:
            return
        for topic in [each for each in self._paused if self._mailbox.count(each) < HIGH_WATER // 4]:
            self._paused.remove(topic)
            self._tools.source.resume(self.number, topic)

    # 1. claim --------------------------------------------------------------------------------------------------------

    async def _claim(self) -> None:
        started = time.monotonic()
        tools = self._tools
        self.status = LaneStatus.CLAIMING
        tools.source.pause(self.number)
        self._drop()
        await self._claiming.check_fit()

        self._producer = tools.producer(self.number)
        await self._producer.start()
        await failpoints.reach("claim.init_producer")
        ledger = await self._claiming.take(self._producer)

        tools.source.seek(self.number, ledger.standing.next)
        # From here to RUNNING no await: nothing older can reach the mailbox.
        self._mailbox.clear()
        self.ledger = ledger
        self.status = LaneStatus.RUNNING
        self.refusal = None
        self._paused.clear()
        tools.source.resume(self.number)
        metrics.claim_seconds.labels(tools.service.name).observe(time.monotonic() - started)
        self._log.info("lane.claimed", epoch=ledger.epoch)
        await failpoints.reach("claim.done")

    # 2 to 5. work ----------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        """With what the claim gave, until the lane is released or a step fails."""
        ledger, producer = self.ledger, self._producer
        assert ledger is not None and producer is not None
        outbox: asyncio.Queue[Written | None] = asyncio.Queue(maxsize=PIPELINE_DEPTH)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_batches(ledger, outbox))
            group.create_task(self._publish_batches(ledger, producer, outbox))
        await ledger.mark_published()

    async def _write_batches(self, ledger: Ledger[S], outbox: asyncio.Queue[Written | None]) -> None:
        while not self._mailbox.closed:
            records = self._mailbox.take(self._tools.max_batch, ledger.standing.quiet or None)
            written = await (self._write(ledger, records) if records else self._rest(ledger))
            if written is not None and not ledger.standing.quiet:
                await outbox.put(written)
                if not self._tools.pipeline:
                    await outbox.join()
            self._resume_if_low()
            self.progress_at = time.monotonic()
        await outbox.put(None)

    async def _write(self, ledger: Ledger[S], records: Sequence[ConsumerRecord]) -> Written:
        batch = Batch.of(ledger, records)
        try:
            await self._tools.process(batch)
        finally:
            written, batch.written = batch.written, None
        if written is None:  # the next batch would pass these records over
            raise LaneLostError("a middleware kept a batch from the lane")
        self._mailbox.put_back(records[written.taken :])
        return written

    async def _publish_batches(
        self, ledger: Ledger[S], producer: LaneProducer, outbox: asyncio.Queue[Written | None]
    ) -> None:
        while (written := await outbox.get()) is not None:
            started = time.monotonic()
            await producer.publish(written.rows, written.ends)
            ledger.standing.published = written.ends
            self._failures = 0
            outbox.task_done()
            metrics.publish_seconds.labels(self._tools.service.name).observe(time.monotonic() - started)

    async def _rest(self, ledger: Ledger[S]) -> Written | None:
        """Nothing to do, or nothing that may be done yet."""
        await self._mailbox.wait(IDLE_S)
        if len(self._mailbox) and not ledger.standing.quiet:
            return None
        written = await self._settle(ledger)
        if written is None:
            await self._mailbox.wait(SETTLED_S if ledger.standing.is_settled else IDLE_S)
        return written

    async def _settle(self, ledger: Ledger[S]) -> Written | None:
        """Move past transaction markers, so that lag is 0 and `published` exact when a lane rests."""
        where = await self._tools.source.positions(self.number)
        if self._mailbox.closed or self.status is not LaneStatus.RUNNING:
            return None
        standing = ledger.standing
        # The consumer's position lies past the records in hand: where some are, the lane stands at the first of them.
        where |= {topic: head for topic in standing.next if (head := self._mailbox.head(topic)) is not None}
        ends = {topic: max(at, where.get(topic, at)) for topic, at in standing.next.items()}
        if ends != standing.next:
            return await ledger.move_to(ends)
        if standing.published == standing.next:
            await ledger.mark_published()
        return None
