"""Step 1: how a replica becomes the one owner of a lane, and finds where it stands. The order is binding (`docs/why.md`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Generic, TypeVar

import structlog

from services.common import failpoints, positions
from services.common.errors import LaneRefusedError
from services.common.lane_tools import LaneTools
from services.common.ledger import Ledger, tell_parked
from services.common.offsets import check_offsets
from services.common.positions import Place
from services.common.producer import LaneProducer
from services.common.service import LaneStore
from services.common.standing import Standing

S = TypeVar("S")

log = structlog.get_logger(__name__)

RECOVERY_CHUNK = 1_000


class Claiming(Generic[S]):
    """The claims of one lane by this replica, one after the other."""

    def __init__(self, number: int, tools: LaneTools[S]) -> None:
        self._number = number
        self._tools = tools
        self._epoch = 0

    async def check_fit(self) -> None:
        """Before anything is fenced. Whose lane is unfit owns its row all the same, to write there why.

        Raises `LaneRefusedError`.
        """
        try:
            await self._tools.source.fit(self._number)
        except LaneRefusedError:
            await self._own_row()
            raise

    async def take(self, producer: LaneProducer) -> Ledger[S]:
        """`producer` has started: every earlier owner's is fenced, and its open transaction ended.

        Raises `LaneRefusedError` where the offsets, or what the lane keeps, are not what they must be.
        """
        tools, number = self._tools, self._number
        starts = await tools.offsets.starts(number)
        try:
            async with tools.database.write() as conn:
                row, places = await positions.claim(conn, number, starts)
                if isinstance(tools.service.store, LaneStore):
                    row = replace(row, kept=await tools.service.store.opened(conn, number, row.kept))
                    await positions.hold(conn, number, row)
                parked = await positions.parked_offenders(conn, number)
        except LaneRefusedError:
            await self._own_row()
            raise
        self._epoch = row.epoch
        tell_parked(tools, number, parked)
        await failpoints.reach("claim.epoch")

        committed = await tools.offsets.committed(number)  # never before InitProducerId
        await failpoints.reach("claim.committed")
        ends = await tools.offsets.ends(number)
        check_offsets(places, committed, starts, ends)

        standing = Standing.claimed(places, committed, ends)
        await self._recover(producer, places, committed, standing)
        await failpoints.reach("claim.recovery")
        return Ledger(number, tools, row, standing, parked)

    async def _own_row(self) -> None:
        async with self._tools.database.write() as conn:
            row, _ = await positions.claim(conn, self._number, {})
        self._epoch = row.epoch

    async def refuse(self, code: str) -> None:
        """Write down why the lane is not worked; unless another owner has claimed it since."""
        async with self._tools.database.write() as conn:
            await positions.refuse(conn, self._number, self._epoch, code)

    async def _recover(
        self,
        producer: LaneProducer,
        places: Mapping[str, Place],
        committed: Mapping[str, int | None],
        standing: Standing,
    ) -> None:
        """Publish journal rows in [committed, next), and give a new lane its first committed offsets."""
        since = {topic: at if (at := committed[topic]) is not None else place.next for topic, place in places.items()}
        async with self._tools.database.read(apart=True) as conn:
            rows = await positions.unpublished(conn, self._number, since)
        for chunk, reached in positions.chunks(rows, standing.next, RECOVERY_CHUNK):
            await producer.publish(chunk, {**reached, **standing.quiet})
        if rows:
            log.info("lane.republished", service=self._tools.service.name, lane=self._number, rows=len(rows))
        elif any(at is None or at < standing.next[topic] for topic, at in committed.items()):
            await producer.publish((), {**standing.next, **standing.quiet})
