"""Steps 2 to 4: a batch of records is read, decided in memory, and written down in one SQL transaction.

A ledger lasts from one claim to the next: what it has in memory is what SQL has, because it is the lane's only writer, and
memory moves only when SQL has. Whatever fails here has an unknown outcome: the ledger is dropped and the lane claimed again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from aiokafka import ConsumerRecord

from services.common import erasing, failpoints, metrics, positions, tables
from services.common.errors import DecideFailedError, error_names
from services.common.lane_tools import LaneTools
from services.common.positions import LaneRow
from services.common.producer import JournalRow
from services.common.recent import Recent
from services.common.records import Parsed, parse
from services.common.service import LaneStore
from services.common.standing import Standing
from services.common.turns import in_turns
from services.common.work import PARK_AFTER, Worker
from services.common.worked import Worked

S = TypeVar("S")

log = structlog.get_logger(__name__)

COMMIT_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Written:
    """What SQL has now: the first `taken` records of a batch; what step 5 publishes, and where it leaves each topic."""

    taken: int
    rows: Sequence[JournalRow]
    ends: Mapping[str, int]


class Ledger(Generic[S]):
    """All that one owner of a lane knows of it."""

    def __init__(self, number: int, tools: LaneTools[S], row: LaneRow, standing: Standing, parked: int) -> None:
        """`parked`: offenders who are set aside in this lane."""
        self.standing = standing
        self.states: Recent[S] = Recent()
        self._number = number
        self._tools = tools
        self._row = row
        self._parked = parked
        self._worker = Worker(tools.service, number, tools.partitions, tools.live)
        self._log = log.bind(service=tools.service.name, lane=number)

    @property
    def epoch(self) -> int:
        return self._row.epoch

    async def write(self, records: Sequence[ConsumerRecord]) -> Written:
        """Work as many of `records`, from the first, as make one batch; at least one."""
        batch = _cut([parse(record) async for record in in_turns(records)])
        worked = await self._decide(batch)
        await failpoints.reach("decide.done")
        if worked.failed is not None and not worked.done:
            worked = await self._failed(batch[0], worked.failed)
        self._count(batch[: worked.done], worked)
        return await self._commit(worked, self.standing.after(records[: worked.done]))

    async def move_to(self, ends: Mapping[str, int]) -> Written:
        """Nothing was there to be worked up to `ends`."""
        return await self._commit(Worked(self._row), ends)

    async def mark_published(self) -> None:
        """Let SQL know what Kafka has."""
        published = self.standing.published
        if self.standing.marked == published:
            return
        async with self._tools.database.write() as conn:
            await positions.hold(conn, self._number, self._row)
            await positions.mark_published(conn, self._number, published)
        self.standing.marked = published

    async def _decide(self, batch: Sequence[Parsed]) -> Worked[S]:
        tools = self._tools
        first = batch[0]
        async with tools.database.read(apart=True) as conn:
            queue = await positions.parked_records(conn, first.key) if first.is_retry else ()
            again = [(place, parse(record)) for place, record in queue]
            events = [parsed.event for parsed in (*batch, *(parsed for _, parsed in again)) if parsed.event is not None]
            if first.is_for_lane:
                now = max(self._row.clock or first.at, first.at) if tools.live else self._row.clock or first.at
                due = await tools.service.store.due(conn, self._number, now)
                if isinstance(tools.service.store, LaneStore) and first.event is not None:
                    more = await tools.service.store.wanted(conn, self._number, first.event.data)
                    due = due if more is None else more
                keys, seen = list(due), set[tuple[str, str]]()
            else:
                due = ()
                keys = list({parsed.key for parsed in batch if parsed.event is not None})
                seen = await positions.known(conn, [(event.source, event.id) for event in events])
            parked = await positions.parked_keys(conn, keys) if self._parked else {}
            self.states.met(keys)
            missing = [key for key in keys if key not in self.states]
            if missing:
                self.states |= await tools.service.store.load(conn, missing)
        worked: Worked[S] = Worked(self._row)
        async for _ in in_turns(self._worker.steps(worked, batch, self.states, seen, parked, due, again)):
            pass
        return worked

    async def _failed(self, parsed: Parsed, error: Exception) -> Worked[S]:
        """Deciding the record in hand failed: count it in SQL and claim again; at the third time park its offender."""
        row = positions.with_failure(self._row, f"{parsed.record.topic}:{parsed.record.offset}")
        self._log.error(
            "lane.decide_failed", reason=error_names(error), times=row.failures, offset=parsed.record.offset
        )
        metrics.decide_failures.labels(self._tools.service.name).inc()
        if row.failures < PARK_AFTER:
            async with self._tools.database.write() as conn:
                await positions.hold(conn, self._number, row)
            raise DecideFailedError from error
        parked = self._worker.park(self._row, parsed, place=0)
        self._log.error("lane.offender_parked", topic=parsed.record.topic, offset=parsed.record.offset)
        return parked

    async def _commit(self, worked: Worked[S], ends: Mapping[str, int]) -> Written:
        """Step 4, in one transaction."""
        store = self._tools.service.store
        published, parked = self.standing.published, self._parked
        async with asyncio.timeout(COMMIT_TIMEOUT_S), self._tools.database.write() as conn:
            await positions.hold(conn, self._number, worked.row)
            await failpoints.reach("sql.open")
            await positions.advance(conn, self._number, self.standing.next, ends, published)
            journal = [positions.journal_values(self._number, row) for row in worked.journal]
            await positions.write_rows(conn, tables.journal, journal)
            await positions.write_rows(conn, tables.inbox, worked.inbox)
            await positions.write_rows(conn, tables.rejects, worked.rejects)
            await positions.write_rows(conn, tables.parked, worked.parked)
            if worked.unparked:
                await positions.unpark(conn, worked.unparked[0][0], [place for _, place in worked.unparked])
            if worked.parked or worked.unparked:
                parked = await positions.parked_offenders(conn, self._number)
            if worked.changed:
                await store.save(conn, self._number, worked.changed)
            if worked.lane_record is not None and isinstance(store, LaneStore):
                await store.keep(conn, self._number, worked.lane_record)
            await erasing.erase(conn, worked.erase, worked.redact)
            await failpoints.reach("sql.before_commit")
        await failpoints.reach("sql.committed")
        was_quiet = bool(self.standing.quiet)  # a restored database: Kafka has all this already
        self.standing.advance(ends, published)
        self._row = worked.row
        self._parked = parked
        tell_parked(self._tools, self._number, parked)
        self.states |= {key: after for key, (_, after) in worked.changed.items()}
        self.states.trim(self._tools.cached_states)
        return Written(worked.done, () if was_quiet else worked.journal, ends)

    def _count(self, batch: Sequence[Parsed], worked: Worked[S]) -> None:
        name = self._tools.service.name
        metrics.records.labels(name).inc(len(batch))
        metrics.events.labels(name).inc(len(worked.journal))
        for reject in worked.rejects:
            metrics.rejects.labels(name, reject["code"]).inc()
        for error in worked.overslept:
            metrics.decide_failures.labels(name).inc()
            self._log.error("lane.tick_failed_for_one", reason=error_names(error))
        for error in worked.still_failing:
            metrics.decide_failures.labels(name).inc()
            self._log.error("lane.offender_stays_parked", reason=error_names(error))


class Batch(list[ConsumerRecord], Generic[S]):
    """Records of one lane, as the framework sees them; knows the ledger they are for, which a later claim replaces."""

    ledger: Ledger[S]
    written: Written | None

    @classmethod
    def of(cls, ledger: Ledger[S], records: Sequence[ConsumerRecord]) -> Batch[S]:
        batch: Batch[S] = cls(records)
        batch.ledger = ledger
        batch.written = None
        return batch

    async def handle(self) -> None:
        """Once. Empty when it is done: FastStream puts its message into the context, which every timer and connection that is
        made meanwhile keeps. asyncpg has a timer of five minutes for each prepared statement.
        """
        try:
            self.written = await self.ledger.write(self)
        finally:
            self.clear()
            del self.ledger


def tell_parked(tools: LaneTools[S], lane: int, parked: int) -> None:
    """How many offenders are set aside in the lane."""
    metrics.parked.labels(tools.service.name, lane).set(parked)


def _cut(batch: Sequence[Parsed]) -> Sequence[Parsed]:
    """What needs more of SQL than its offender's state is a batch of its own."""
    alone = (place for place, parsed in enumerate(batch) if parsed.is_for_lane or parsed.is_retry)
    return batch[: next(alone, len(batch)) or 1]
