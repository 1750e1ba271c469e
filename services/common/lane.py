"""The loop: how each incident takes effect once, whatever crashes, repeats or changes hands.

A lane is partition n of all inputs of a service, with one owner, one transactional id and one writer of its rows.

1. Claim: new producer (fences the zombie, ends its transaction), epoch, Kafka's committed offsets, publish what SQL has and
   Kafka has not, seek.
2. Read a batch, commands first (what a restored database has forgotten: as it came); what cannot be parsed becomes a reject.
3. Decide, in memory, in order (`work.py`).
4. One SQL transaction: positions by compare-and-set, journal, inbox, state.
5. One Kafka transaction: the journal rows and the group's offsets.

A step whose outcome is unknown (answer lost, fenced, timed out, cancelled) is never repeated and never passed over: what is
in memory is dropped and the lane claimed again. `docs/why.md` says why each simpler way loses or doubles an event.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

import structlog
from aiokafka import ConsumerRecord

from services.common import erasing, failpoints, metrics, positions, tables
from services.common.database import Database
from services.common.errors import DecideFailedError, LaneLostError, LaneRefusedError
from services.common.mailbox import HIGH_WATER, Mailbox
from services.common.offsets import GroupOffsets, check_offsets
from services.common.positions import LaneRow, Place
from services.common.producer import JournalRow, LaneProducer
from services.common.recent import Recent
from services.common.records import Parsed, parse
from services.common.service import LaneStore, Service
from services.common.turns import in_turns
from services.common.work import PARK_AFTER, Worked, Worker

S = TypeVar("S")

log = structlog.get_logger(__name__)

IDLE_S = 0.2
"""How long a lane waits for records before it counts as idle and settles its positions."""
SETTLED_S = 0.5
"""How often a lane at rest looks whether markers without records have moved its position."""
RECOVERY_CHUNK = 1_000
PIPELINE_DEPTH = 1
"""Batches written to SQL while an earlier one is being published."""
RETRY_REFUSED_S = 10.0


class LaneStatus(StrEnum):
    """Only a `running` lane takes records."""

    CLAIMING = "claiming"
    RUNNING = "running"
    REFUSED = "refused"
    RELEASED = "released"


class Source(Protocol):
    """What a lane needs of the consumer that feeds it."""

    async def fit(self, lane: int) -> None:
        """Raises `LaneRefusedError` if all inputs' partitions are not here, or the topics are not those they were."""
        ...

    def pause(self, lane: int, topic: str | None = None) -> None:
        """Stop fetching for the lane, of one topic or of all."""
        ...

    def resume(self, lane: int, topic: str | None = None) -> None:
        """Fetch again."""
        ...

    def seek(self, lane: int, nexts: Mapping[str, int]) -> None:
        """Next poll starts there; what was fetched before is dropped. No await inside."""
        ...

    async def positions(self, lane: int) -> dict[str, int]:
        """Where the next poll starts: past every record handed over and past transaction markers."""
        ...


@dataclass(frozen=True, slots=True)
class LaneTools(Generic[S]):
    """What every lane of a replica shares."""

    service: Service[S]
    database: Database
    source: Source
    offsets: GroupOffsets
    producer: Callable[[int], LaneProducer]
    process: Callable[[Batch[S]], Awaitable[object]]
    """Runs `Batch.handle` under the framework's middlewares."""
    partitions: int
    max_batch: int = 250
    cached_states: int = 500
    """Of offenders, in each lane, between batches."""
    pipeline: bool = True
    live: bool = True


class Batch(list[ConsumerRecord], Generic[S]):
    """Records of one lane, as the framework sees them; knows the lane that works them."""

    lane: Lane[S]

    @classmethod
    def of(cls, lane: Lane[S], records: Sequence[ConsumerRecord]) -> Batch[S]:
        batch: Batch[S] = cls(records)
        batch.lane = lane
        return batch

    async def handle(self) -> None:
        """Empty when it is done: FastStream puts its message into the context, which every timer that is set meanwhile keeps.

        asyncpg has one of five minutes for each prepared statement.
        """
        try:
            await self.lane.write(self)
        finally:
            self.clear()


@dataclass(frozen=True, slots=True)
class Written:
    """A batch that SQL has: what step 5 publishes, and where it leaves each topic."""

    rows: Sequence[JournalRow]
    ends: Mapping[str, int]


class Lane(Generic[S]):
    """One lane while it is assigned to this replica."""

    def __init__(self, number: int, tools: LaneTools[S]) -> None:
        self.number = number
        self.status = LaneStatus.RELEASED
        self.refusal: LaneRefusedError | None = None
        self.progress_at = time.monotonic()
        """When it last worked a batch or found nothing to do; neither a claim nor a batch that fails counts."""
        self._failures = 0
        self._tools = tools
        self._topics = sorted(tools.service.inputs, key=lambda topic: not topic.is_commands)
        self._mailbox = Mailbox([str(topic) for topic in self._topics])
        self._worker = Worker(tools.service, number, tools.partitions, tools.live)
        self._states: Recent[S] = Recent()
        self._row = LaneRow(epoch=0)
        self._next: dict[str, int] = {}
        self._published: dict[str, int] = {}
        self._marked: dict[str, int] = {}
        self._quiet: dict[str, int] = {}
        self._ends_at_claim: dict[str, int] = {}
        self._producer: LaneProducer | None = None
        self._outbox: asyncio.Queue[Written | None] = asyncio.Queue()
        self._paused: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._closing: set[asyncio.Task[None]] = set()
        self._parked_here = 0
        self._parked = metrics.parked.labels(tools.service.name, number)
        self._log = log.bind(service=tools.service.name, lane=number)

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
        self._parked.set(0)  # the next owner says it
        self._mailbox.close()
        task, self._task = self._task, None
        if task is not None:
            if working:
                await asyncio.wait([task], timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
            task.cancel()
            await asyncio.wait([task], timeout=1)
        self._drop()
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
        await self._run()

    def offer(self, topic: str, records: Sequence[ConsumerRecord]) -> None:
        """Take polled records; a lane that is not running takes none (the claim's seek brings them again)."""
        if self.status is not LaneStatus.RUNNING:
            return
        self._mailbox.put(topic, [record for record in records if record.offset >= self._next[topic]])
        if self._mailbox.count(topic) >= HIGH_WATER and topic not in self._paused:
            self._paused.add(topic)
            self._tools.source.pause(self.number, topic)

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
                self.status = LaneStatus.CLAIMING
                self._log.warning("lane.claim_again", reason=_reason(error))
                metrics.reclaims.labels(self._tools.service.name).inc()
                await asyncio.sleep(0.02 * 2**self._failures)
                self._failures = min(self._failures + 1, 7)  # 2.6 s

    async def _refuse(self, refusal: LaneRefusedError) -> None:
        self._drop()
        self.status = LaneStatus.REFUSED
        self.refusal = refusal
        self._log.error("lane.refused", code=refusal.code, reason=str(refusal))
        try:
            async with self._tools.database.write() as conn:
                await positions.refuse(conn, self.number, self._row, refusal.code)
        except Exception as error:  # noqa: BLE001 (the refusal stands in memory and in health all the same)
            self._log.warning("lane.refusal_not_written", reason=_reason(error))

    def _drop(self) -> None:
        """Forget everything in memory: it may not be what SQL and Kafka hold."""
        self._mailbox.clear()
        self._states = Recent()
        self._outbox = asyncio.Queue(maxsize=PIPELINE_DEPTH)
        producer, self._producer = self._producer, None
        if producer is not None:  # in the background: a fenced producer may take its time
            closing = asyncio.create_task(producer.close())
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)

    # 1. claim --------------------------------------------------------------------------------------------------------

    async def _claim(self) -> None:
        started = time.monotonic()
        tools = self._tools
        self.status = LaneStatus.CLAIMING
        tools.source.pause(self.number)
        self._drop()
        await self._check_fit()

        self._producer = tools.producer(self.number)
        await self._producer.start()
        await failpoints.reach("claim.init_producer")

        starts = await tools.offsets.starts(self.number)
        async with tools.database.write() as conn:
            row, places = await positions.claim(conn, self.number, starts)
            if isinstance(tools.service.store, LaneStore):
                row = replace(row, kept=await tools.service.store.opened(conn, self.number, row.kept))
                await positions.hold(conn, self.number, row)
            self._parked_here = await positions.parked_offenders(conn, self.number)
        self._parked.set(self._parked_here)
        self._row = row
        await failpoints.reach("claim.epoch")

        committed = await tools.offsets.committed(self.number)  # never before InitProducerId
        await failpoints.reach("claim.committed")
        ends = await tools.offsets.ends(self.number)
        check_offsets(places, committed, starts, ends)

        self._next = {topic: place.next for topic, place in places.items()}
        self._ends_at_claim = ends
        self._marked = {topic: place.published for topic, place in places.items()}
        self._quiet = {topic: at for topic, at in committed.items() if at is not None and at > self._next[topic]}
        await self._recover(places, committed)
        await failpoints.reach("claim.recovery")

        self._published = {topic: max(at, self._quiet.get(topic, at)) for topic, at in self._next.items()}
        tools.source.seek(self.number, self._next)  # from here to RUNNING no await: nothing older can reach the mailbox
        self._mailbox.clear()
        self.status = LaneStatus.RUNNING
        self.refusal = None
        self._paused.clear()
        tools.source.resume(self.number)
        metrics.claim_seconds.labels(tools.service.name).observe(time.monotonic() - started)
        self._log.info("lane.claimed", epoch=row.epoch)
        await failpoints.reach("claim.done")

    async def _check_fit(self) -> None:
        """Before anything is fenced. Whose lane is unfit owns its row all the same, to write there why."""
        try:
            await self._tools.source.fit(self.number)
        except LaneRefusedError:
            async with self._tools.database.write() as conn:
                self._row, _ = await positions.claim(conn, self.number, {})
            raise

    async def _recover(self, places: Mapping[str, Place], committed: Mapping[str, int | None]) -> None:
        """Publish journal rows in [committed, next), and give a new lane its first committed offsets."""
        assert self._producer is not None
        since = {topic: at if (at := committed[topic]) is not None else place.next for topic, place in places.items()}
        async with self._tools.database.read(apart=True) as conn:
            rows = await positions.unpublished(conn, self.number, since)
        for chunk, reached in positions.chunks(rows, self._next, RECOVERY_CHUNK):
            await self._producer.publish(chunk, {**reached, **self._quiet})
        if rows:
            self._log.info("lane.republished", rows=len(rows))
        elif any(at is None or at < self._next[topic] for topic, at in committed.items()):
            await self._producer.publish((), {**self._next, **self._quiet})

    # 2 to 5. work ----------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._write_batches())
            group.create_task(self._publish_batches())
        await self._mark_published()

    async def _write_batches(self) -> None:
        while not self._mailbox.closed:
            records = self._mailbox.take(self._tools.max_batch, self._quiet or None)
            if records:
                stood = self._next
                await self._tools.process(Batch.of(self, records))
                if self._next is stood:  # the next batch would pass these records over
                    raise LaneLostError("a middleware kept a batch from the lane")
            else:
                await self._rest()
            self._resume_if_low()
            self.progress_at = time.monotonic()
        await self._outbox.put(None)

    async def _rest(self) -> None:
        await self._mailbox.wait(IDLE_S)
        if not len(self._mailbox) or self._quiet:
            await self._settle()
            await self._mailbox.wait(SETTLED_S if self._settled else IDLE_S)

    def _resume_if_low(self) -> None:
        if self.status is not LaneStatus.RUNNING:
            return
        for topic in [each for each in self._paused if self._mailbox.count(each) < HIGH_WATER // 4]:
            self._paused.remove(topic)
            self._tools.source.resume(self.number, topic)

    async def write(self, records: Sequence[ConsumerRecord]) -> None:
        """Steps 2 to 4 for the records of one batch, and hand-over to step 5."""
        batch = [parse(record) async for record in in_turns(records)]
        alone = (i for i, parsed in enumerate(batch) if parsed.is_for_lane or parsed.is_retry)
        cut = next(alone, len(batch)) or 1
        self._mailbox.put_back(records[cut:])  # what needs more of SQL than its offender's state is a batch of its own
        batch = batch[:cut]

        worked = await self._decide(batch)
        await failpoints.reach("decide.done")
        if worked.failed is not None:
            if not worked.done:
                worked = await self._failed(batch[0], worked.failed)
            self._mailbox.put_back(records[worked.done : cut])
        self._count(batch[: worked.done], worked)

        ends = dict(self._next)
        for parsed in batch[: worked.done]:
            ends[parsed.record.topic] = parsed.record.offset + 1
        await self._commit(worked, ends)

    async def _decide(self, batch: Sequence[Parsed]) -> Worked[S]:
        tools = self._tools
        first = batch[0]
        async with tools.database.read(apart=True) as conn:
            queue = await positions.parked_records(conn, first.key) if first.is_retry else ()
            again = [(place, parse(record)) for place, record in queue]
            events = [parsed.event for parsed in (*batch, *(parsed for _, parsed in again)) if parsed.event is not None]
            if first.is_for_lane:
                now = max(self._row.clock or first.at, first.at) if tools.live else self._row.clock or first.at
                due = await tools.service.store.due(conn, self.number, now)
                if isinstance(tools.service.store, LaneStore) and first.event is not None:
                    more = await tools.service.store.wanted(conn, self.number, first.event.data)
                    due = due if more is None else more
                keys, seen = list(due), set[tuple[str, str]]()
            else:
                due = ()
                keys = list({parsed.key for parsed in batch if parsed.event is not None})
                seen = await positions.known(conn, [(event.source, event.id) for event in events])
            parked = await positions.parked_keys(conn, keys) if self._parked_here else {}
            self._states.met(keys)
            missing = [key for key in keys if key not in self._states]
            if missing:
                self._states |= await tools.service.store.load(conn, missing)
        worked: Worked[S] = Worked(self._row)
        async for _ in in_turns(self._worker.steps(worked, batch, self._states, seen, parked, due, again)):
            pass
        return worked

    async def _failed(self, parsed: Parsed, error: Exception) -> Worked[S]:
        """Deciding the record in hand failed: count it in SQL and claim again; at the third time park its offender."""
        row = positions.with_failure(self._row, f"{parsed.record.topic}:{parsed.record.offset}")
        self._log.error("lane.decide_failed", reason=_reason(error), times=row.failures, offset=parsed.record.offset)
        metrics.decide_failures.labels(self._tools.service.name).inc()
        if row.failures < PARK_AFTER:
            async with self._tools.database.write() as conn:
                await positions.hold(conn, self.number, row)
            raise DecideFailedError from error
        parked = self._worker.park(self._row, parsed, place=0)
        self._log.error("lane.offender_parked", topic=parsed.record.topic, offset=parsed.record.offset)
        return parked

    async def _commit(self, worked: Worked[S], ends: Mapping[str, int]) -> None:
        """Step 4, in one transaction, then the hand-over to step 5. Memory moves only when SQL has."""
        service = self._tools.service
        async with asyncio.timeout(30), self._tools.database.write() as conn:
            await positions.hold(conn, self.number, worked.row)
            await failpoints.reach("sql.open")
            await positions.advance(conn, self.number, self._next, ends, self._published)
            journal = [positions.journal_values(self.number, row) for row in worked.journal]
            await positions.write_rows(conn, tables.journal, journal)
            await positions.write_rows(conn, tables.inbox, worked.inbox)
            await positions.write_rows(conn, tables.rejects, worked.rejects)
            await positions.write_rows(conn, tables.parked, worked.parked)
            if worked.unparked:
                await positions.unpark(conn, worked.unparked[0][0], [place for _, place in worked.unparked])
            here = self._parked_here
            if worked.parked or worked.unparked:
                here = await positions.parked_offenders(conn, self.number)
            if worked.changed:
                await service.store.save(conn, self.number, worked.changed)
            if worked.lane_record is not None and isinstance(service.store, LaneStore):
                await service.store.keep(conn, self.number, worked.lane_record)
            await erasing.erase(conn, worked.erase, worked.redact)
            await failpoints.reach("sql.before_commit")
        await failpoints.reach("sql.committed")
        self._row = worked.row
        self._parked_here = here
        self._parked.set(here)
        for topic, end in ends.items():
            if end != self._next[topic]:
                self._marked[topic] = self._published[topic]
        self._next = dict(ends)
        self._states |= {key: after for key, (_, after) in worked.changed.items()}
        self._states.trim(self._tools.cached_states)
        await self._hand_over(Written(worked.journal, ends))

    async def _hand_over(self, written: Written) -> None:
        if self._quiet:  # a restored database: Kafka has all this already
            self._quiet = {topic: at for topic, at in self._quiet.items() if at > self._next[topic]}
            if self._quiet:
                return
            written = Written((), written.ends)
        await self._outbox.put(written)
        if not self._tools.pipeline:
            await self._outbox.join()

    async def _publish_batches(self) -> None:
        while (written := await self._outbox.get()) is not None:
            assert self._producer is not None
            started = time.monotonic()
            await self._producer.publish(written.rows, written.ends)
            self._published = dict(written.ends)
            self._failures = 0
            self._outbox.task_done()
            metrics.publish_seconds.labels(self._tools.service.name).observe(time.monotonic() - started)

    # idle ------------------------------------------------------------------------------------------------------------

    @property
    def caught_up(self) -> bool:
        """Whether all that was there at the claim has been worked."""
        return self.status is LaneStatus.RUNNING and all(
            self._next[topic] >= end for topic, end in self._ends_at_claim.items()
        )

    @property
    def _settled(self) -> bool:
        return self._published == self._next == self._marked

    async def _settle(self) -> None:
        """Nothing to do: move past transaction markers, so that lag is 0 and `published` exact when a lane rests."""
        where = await self._tools.source.positions(self.number)
        if self._mailbox.closed or self.status is not LaneStatus.RUNNING:
            return
        # The consumer's position lies past the records in hand: where some are, the lane stands at the first of them.
        where |= {topic: head for topic in self._next if (head := self._mailbox.head(topic)) is not None}
        ends = {topic: max(at, where.get(topic, at)) for topic, at in self._next.items()}
        if ends != self._next:
            await self._commit(Worked(self._row), ends)
        elif self._published == self._next:
            await self._mark_published()

    async def _mark_published(self) -> None:
        if self._marked == self._published:
            return
        async with self._tools.database.write() as conn:
            await positions.hold(conn, self.number, self._row)
            await positions.mark_published(conn, self.number, self._published)
        self._marked = dict(self._published)

    def _count(self, batch: Sequence[Parsed], worked: Worked[S]) -> None:
        name = self._tools.service.name
        metrics.records.labels(name).inc(len(batch))
        metrics.events.labels(name).inc(len(worked.journal))
        for reject in worked.rejects:
            metrics.rejects.labels(name, reject["code"]).inc()
        for error in worked.overslept:
            metrics.decide_failures.labels(name).inc()
            self._log.error("lane.tick_failed_for_one", reason=_reason(error))
        for error in worked.still_failing:
            metrics.decide_failures.labels(name).inc()
            self._log.error("lane.offender_stays_parked", reason=_reason(error))


def _reason(error: BaseException) -> str:
    """Names of error types only: their texts may hold what a record held."""
    if isinstance(error, BaseExceptionGroup):
        return "+".join(sorted({_reason(inner) for inner in error.exceptions}))
    if isinstance(error, LaneLostError):
        return f"LaneLostError: {error}"
    return type(error).__name__
