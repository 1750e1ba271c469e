"""How a partner's store behaves, whatever the database: a class of tests for each to inherit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import Tier, TierCurrent
from schemas.commands import ConfirmNote, Role
from schemas.envelope import Data
from services.common.paging import Page
from services.partners.domain import Offender
from services.partners.store import PartnerStore, counts, note_lines, offender_of_note
from services.partners.store.tables import pairs, sent
from tests.harness.partners import HIM, START, Bench, decision, expunction, incident_id, pair, partner, prepared

LANE = 3
LAPSED = datetime(2031, 1, 1, tzinfo=UTC)


def store_of(bench: Bench) -> PartnerStore:
    store = bench.worker.service.store
    assert isinstance(store, PartnerStore)
    return store


async def step(
    conn: AsyncConnection, bench: Bench, *said: Data, at: datetime | None = None, about: str | None = None
) -> Offender:
    """Say these, save what has changed, and read it again."""
    store = store_of(bench)
    before = bench.states.get(HIM, store.new(HIM))
    bench.tell(*said, at=at, about=about)
    await store.save(conn, LANE, {HIM: (before, bench.state())})
    return (await store.load(conn, [HIM, "nobody"]))[HIM]


class PartnersStoreBehaviour:
    async def test_what_is_saved_is_read(self, conn: AsyncConnection) -> None:
        bench = Bench(partner())
        steps: list[Data] = [
            prepared(2),
            decision(1),
            TierCurrent(offender_id=HIM, tier=Tier.C, since=START, policy_version="1"),
            prepared(1),
            decision(2, "B", "C", evidence=[incident_id(1), incident_id(2)]),
            decision(2, "C", "B", charged=False, evidence=[], withdrawn_pair_ids=[pair(2)]),
            expunction(1, None, "C"),
            decision(None, None, None, purged=True, withdrawn_pair_ids=[pair(3)]),
        ]
        for one in steps:
            assert await step(conn, bench, one, about=pair(1)) == bench.state()
        assert bench.state().early == ()
        assert [at is None for at in bench.state().erased.values()] == [True, False]
        gone = decision(2, None, None, evidence=[], withdrawn_pair_ids=[pair(2)])
        assert await step(conn, bench, gone, at=LAPSED) == bench.state()
        assert bench.state().owed == (pair(2),)

    async def test_what_is_expunged_is_gone_from_the_tables(self, conn: AsyncConnection) -> None:
        bench = Bench(partner())
        await step(conn, bench, decision(1))
        await step(conn, bench, expunction(1, None, "C"))
        assert await conn.scalar(select(func.count()).select_from(pairs)) == 0
        assert list(await conn.scalars(select(sent.c.pair_id))) == []

    async def test_counts_and_notes(self, conn: AsyncConnection) -> None:
        bench = Bench(partner(events=[{"type": "ipvi.partner.decided.v1", "fields": ["tier"]}]))
        assert (await counts(conn)).sent == 0
        await step(conn, bench, decision(1), decision(2, "B", "C"))
        await step(conn, bench, expunction(1, "C", "B"), expunction(2, None, "C"))
        now = await counts(conn)
        assert (now.sent, now.notes, now.confirmed, now.outstanding) == (0, 2, 0, 2)
        first, second = (await note_lines(conn, Page())).items
        assert now.oldest_outstanding == first.at < second.at
        assert await offender_of_note(conn, first.note_id) == HIM
        assert await offender_of_note(conn, "0" * 32) is None
        confirmed = ConfirmNote(offender_id=HIM, by="x", role=Role.PARTNER, partner="da", note_id=first.note_id)
        await step(conn, bench, confirmed)
        assert (await counts(conn)).outstanding == 1
        assert [one.note_id for one in (await note_lines(conn, Page(), True)).items] == [first.note_id]
        assert [one.note_id for one in (await note_lines(conn, Page(), False)).items] == [second.note_id]

    async def test_who_is_due_once_the_subscription_is_renewed(self, conn: AsyncConnection) -> None:
        bench = Bench(partner())
        await step(conn, bench, decision(1), at=START)
        await step(conn, bench, decision(1, None, "C", evidence=[], withdrawn_pair_ids=[pair(1)]), at=LAPSED)
        assert (await counts(conn)).owed == 1
        later = LAPSED + timedelta(days=1)
        assert await store_of(bench).due(conn, LANE, later) == ()
        renewed = store_of(Bench(partner(expires="2040-01-01")))
        assert await renewed.due(conn, LANE, later) == [HIM]
        assert await renewed.due(conn, LANE + 1, later) == []

    async def test_who_waits_for_a_decision(self, conn: AsyncConnection) -> None:
        bench = Bench(partner())
        await step(conn, bench, prepared(1))
        assert (await counts(conn)).waiting == 1
        await step(conn, bench, decision(1))
        assert (await counts(conn)).waiting == 0
