"""Several offenders' lanes over one database, and the teller between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.advocacy import Hear
from schemas.envelope import Data, Event, pair_id, referral_id
from schemas.referral import ReferralAmended, ReferralOpened, ReferralWithdrawn
from services.victim_outreach.domain import CaseFile
from services.victim_outreach.store import OutreachStore, metadata
from services.victim_outreach.store.tables import news
from services.victim_outreach.teller import Teller
from tests.harness.outreach import Bench, amended, incident, opened

MOST_ROUNDS = 20


def ids(offender_id: str, number: int) -> dict[str, Any]:
    pair = pair_id(incident(number), offender_id)
    return {"offender_id": offender_id, "pair_id": pair, "referral_id": referral_id(pair, 1)}


def referred(offender_id: str, number: int, victim_id: str | None, **more: Any) -> ReferralOpened:
    return opened(number, victim_id=victim_id, **ids(offender_id, number), **more)


def renamed(offender_id: str, number: int, victim_id: str | None) -> ReferralAmended:
    """The incident's victim was another woman."""
    return amended(number, victim_id=victim_id, **ids(offender_id, number))


def taken_back(offender_id: str, number: int, **more: Any) -> ReferralWithdrawn:
    return ReferralWithdrawn(victim_no=1, **ids(offender_id, number), **more)


@dataclass
class Memory:
    """What the teller needs of a `Database`."""

    engine: AsyncEngine

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.engine.begin()

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return self.engine.begin()


@dataclass
class Lanes:
    """Each offender in a lane of his own. `heard`: what the teller said, in order."""

    database: Memory
    benches: dict[str, Bench] = field(default_factory=dict)
    kept: dict[str, CaseFile] = field(default_factory=dict)
    heard: list[Hear] = field(default_factory=list)
    waiting: dict[str, Hear] = field(default_factory=dict)
    """In the log and not yet applied, by what is the same event."""
    seen: set[str] = field(default_factory=set)

    def of(self, offender_id: str) -> Bench:
        if offender_id not in self.benches:
            self.benches[offender_id] = Bench(file=CaseFile(offender_id))
            self.kept[offender_id] = CaseFile(offender_id)
        return self.benches[offender_id]

    def put(self, offender_id: str, *records: Data) -> str:
        """In one county all clocks are the broker's."""
        bench = self.of(offender_id)
        bench.now = max(each.now for each in self.benches.values())
        return bench.put(*records).result

    def case(self, offender_id: str, number: int) -> str:
        return self.of(offender_id).file.referrals[ids(offender_id, number)["referral_id"]].case_id

    async def report(self, data: Data, *, about: str, offender_id: str) -> None:
        """Stands in for the log: the inbox ignores repeats."""
        assert isinstance(data, Hear)
        assert data.offender_id == offender_id
        self.heard.append(data)
        if about not in self.seen:
            self.seen.add(about)
            self.waiting[about] = data

    async def keep(self) -> None:
        async with self.database.write() as conn:
            for lane, (offender_id, bench) in enumerate(sorted(self.benches.items())):
                step = (self.kept[offender_id], bench.file)
                if step[0] is not step[1]:
                    await OutreachStore().save(conn, lane, {offender_id: step})
                    self.kept[offender_id] = bench.file

    async def tell(self) -> None:
        """One round of the teller; what it says is in the log."""
        await Teller().round(self.database, self)

    async def hear(self) -> None:
        """Each lane takes what is in the log for it, and what it relays."""
        waiting, self.waiting = self.waiting, {}
        for data in waiting.values():
            self.put(data.offender_id, data)
        await self.keep()

    def relay(self) -> None:
        """What lanes say to lanes."""
        for bench in list(self.benches.values()):
            said, bench.out = bench.out, []
            for out in said:
                if out.other_lane:
                    self._arrives(out.event)

    def _arrives(self, event: Event[Data]) -> None:
        """It carries its cause's record time."""
        bench = self.of(event.subject)
        bench.now = max(each.now for each in self.benches.values())
        assert event.recordedtime is not None
        bench.apply(replace(bench.input(event.data), at=event.recordedtime))

    async def settle(self) -> None:
        """Until nothing is news, and nothing in the log for anybody."""
        for _ in range(MOST_ROUNDS):
            self.relay()
            await self.keep()
            if not self.waiting and not await self.news():
                return
            await self.tell()
            await self.hear()
        raise AssertionError("the teller comes to no end")

    async def news(self) -> list[str]:
        async with self.database.read() as conn:
            return list(await conn.scalars(select(news.c.victim_id).order_by(news.c.seq)))


@asynccontextmanager
async def lanes() -> AsyncIterator[Lanes]:
    """On SQLite, in memory."""
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with engine.begin() as conn:
        await conn.run_sync(metadata.create_all)
    yield Lanes(Memory(engine))
    await engine.dispose()
