"""How the queries of deliveries behave, whatever the database: a class of tests for each to inherit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from services.common import tables
from services.common.database import Database
from services.partners.store import deliveries
from services.partners.store.deliveries import Delivered, Due
from services.partners.store.tables import deliveries as rows

TOPIC = "ipvi.partner.hook.v1"
NOW = datetime(2026, 3, 1, 20, 30, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
NOTE = ["note", "é".encode().decode("latin-1")]
"""A header as the journal keeps it."""
LATER = NOW + MINUTE
"""Until when a lease lasts."""


def name(seq: int, lane: int = 0) -> str:
    return f"{lane}-{seq}"


async def journalled(
    database: Database, *said: tuple[int, str | None], lane: int = 0, topic: str = TOPIC, erased: bool = False
) -> None:
    """Rows (seq, subject) as a lane commits them."""
    values = [
        {
            "lane": lane, "seq": seq, "in_topic": "in", "in_offset": seq, "topic": topic, "partition": lane,
            "key": subject.encode() if subject is not None else None, "value": None if erased else b'{"tier":"C"}',
            "headers": [["ce_id", name(seq, lane)], ["ce_type", "ipvi.partner.decided.v1"], NOTE],
            "erased": erased,
        }
        for seq, subject in said
    ]  # fmt: skip
    async with database.write() as conn:
        await conn.execute(insert(tables.journal), values)


async def enlisted(database: Database, now: datetime = NOW) -> int:
    async with database.write() as conn:
        return await deliveries.enlist(conn, TOPIC, now)


async def leased(database: Database, now: datetime = NOW, limit: int = 16) -> list[Due]:
    async with database.write() as conn:
        return await deliveries.lease(conn, now, now + MINUTE, limit)


async def ended(
    database: Database, found: Sequence[Due], state: Delivered = Delivered.DONE, now: datetime = NOW
) -> None:
    async with database.write() as conn:
        for one in found:
            await deliveries.end(conn, one, state, now, "204")


async def row(database: Database, seq: int) -> Any:
    async with database.read() as conn:
        return (await conn.execute(select(rows).where(rows.c.seq == seq))).one()


def ids(found: Sequence[Due]) -> list[str]:
    return [one.event_id for one in found]


class DeliveriesBehaviour:
    """`database` has the tables of one partner and nothing in them."""

    async def test_what_was_journalled_is_taken_in_once_lane_by_lane(self, database: Database) -> None:
        await journalled(database, (0, "a"), (2, "b"))
        await journalled(database, (7, "c"), (8, None), lane=1)
        await journalled(database, (1, "a"), topic="another")
        assert await enlisted(database) == 4
        assert await enlisted(database) == 0
        await journalled(database, (5, "a"))
        assert await enlisted(database, LATER) == 1
        async with database.read() as conn:
            found = (await conn.execute(select(rows).order_by(rows.c.lane, rows.c.seq))).all()
        assert [(one.lane, one.seq, one.subject, one.added_at) for one in found] == [
            (0, 0, "a", NOW), (0, 2, "b", NOW), (0, 5, "a", LATER), (1, 7, "c", NOW), (1, 8, "", NOW),
        ]  # fmt: skip
        assert {(one.state, one.tries, one.next_at == one.added_at) for one in found} == {("waiting", 0, True)}

    async def test_a_great_many_are_taken_in_some_at_a_time(self, database: Database) -> None:
        many = deliveries.AT_ONCE + 5
        await journalled(database, *((seq, f"p{seq}") for seq in range(many)))
        assert [await enlisted(database) for _ in range(3)] == [deliveries.AT_ONCE, 5, 0]

    async def test_two_replicas_take_in_at_once(self, database: Database) -> None:
        await journalled(database, *((seq, f"p{seq}") for seq in range(50)))
        assert sum(await asyncio.gather(*(enlisted(database) for _ in range(4)))) >= 50
        async with database.read() as conn:
            assert [one.seq for one in await deliveries.waiting(conn)] == list(range(50))

    async def test_only_the_first_of_each_offender_is_leased_and_once(self, database: Database) -> None:
        await journalled(database, (0, "a"), (1, "b"), (2, "a"), (3, "b"), (4, "c"))
        await enlisted(database)
        first = await leased(database)
        assert ids(first) == [name(0), name(1), name(4)]
        assert [(one.body, one.headers["note"], one.tries, one.added_at) for one in first[:1]] == [
            (b'{"tier":"C"}', "é", 0, NOW)
        ]
        assert await leased(database, NOW + SECOND) == []
        await ended(database, first[:1])
        assert ids(await leased(database, NOW + SECOND)) == [name(2)]

    async def test_a_lease_that_has_run_out_is_another_s(self, database: Database) -> None:
        await journalled(database, (0, "a"))
        await enlisted(database)
        assert ids(await leased(database)) == [name(0)]
        assert await leased(database, LATER) == [], "not before it is over"
        assert ids(await leased(database, LATER + SECOND)) == [name(0)]

    async def test_no_more_than_asked_for_and_the_longest_due_first(self, database: Database) -> None:
        await journalled(database, (0, "a"), (1, "b"), (2, "c"))
        await enlisted(database)
        async with database.write() as conn:
            await conn.execute(update(rows).where(rows.c.seq == 2).values(next_at=NOW - HOUR))
        assert ids(await leased(database, limit=2)) == [name(2), name(0)]
        assert await leased(database, limit=0) == []

    async def test_of_many_who_lease_at_once_each_row_has_one(self, database: Database) -> None:
        await journalled(database, *((seq, f"p{seq % 20}") for seq in range(60)))
        await enlisted(database)
        found = [one for each in await asyncio.gather(*(leased(database, limit=20) for _ in range(4))) for one in each]
        assert sorted(ids(found)) == sorted(name(seq) for seq in range(20))

    async def test_what_failed_waits_and_holds_back_its_own_offender_alone(self, database: Database) -> None:
        await journalled(database, (0, "a"), (1, "a"), (2, "b"), (3, "b"))
        await enlisted(database)
        found = await leased(database)
        async with database.write() as conn:
            await deliveries.again(conn, found[0], NOW + HOUR, "503")
        await ended(database, found[1:])
        rest = await leased(database)
        assert ids(rest) == [name(3)]
        await ended(database, rest)
        assert await leased(database, NOW + HOUR - SECOND) == []
        assert ids(await leased(database, NOW + HOUR)) == [name(0)]
        failed = await row(database, 0)
        assert (failed.state, failed.tries, failed.answer) == ("waiting", 1, "503")
        done = await row(database, 2)
        assert (done.state, done.tries, done.answer, done.ended_at, done.leased_until) == (
            "delivered",
            1,
            "204",
            NOW,
            None,
        )

    async def test_what_was_not_tried_is_not_counted_as_a_try(self, database: Database) -> None:
        await journalled(database, (0, "a"))
        await enlisted(database)
        [one] = await leased(database)
        async with database.write() as conn:
            await deliveries.again(conn, one, NOW, None, tried=False)
        assert (await row(database, 0)).tries == 0
        await ended(database, [one], Delivered.LAPSED)
        assert (await row(database, 0)).tries == 0

    async def test_what_was_erased_meanwhile_has_no_body(self, database: Database) -> None:
        await journalled(database, (0, "a"), erased=True)
        await enlisted(database)
        [one] = await leased(database)
        assert one.body is None
        assert "tier" not in repr(one)

    async def test_replay_is_by_when_it_came_and_leaves_what_may_not_be_said(self, database: Database) -> None:
        await journalled(database, *((seq, "a") for seq in range(5)))
        await enlisted(database)
        states = [Delivered.DONE, Delivered.DEAD, Delivered.ERASED, Delivered.LAPSED, Delivered.DONE]
        async with database.write() as conn:
            for seq, state in enumerate(states):
                values = {"state": state, "added_at": NOW + seq * HOUR, "tries": 3, "ended_at": NOW, "answer": "500"}
                await conn.execute(update(rows).where(rows.c.seq == seq).values(values))
        async with database.write() as conn:
            assert await deliveries.replay(conn, LATER, NOW, NOW + HOUR) == 1, "the end is not in it"
            assert await deliveries.replay(conn, LATER, NOW + HOUR, None, dead_only=True) == 1
            assert await deliveries.replay(conn, LATER, datetime.min.replace(tzinfo=UTC), None) == 1
            assert await deliveries.replay(conn, LATER, NOW, None) == 0, "they wait already"
        async with database.read() as conn:
            assert [one.seq for one in await deliveries.waiting(conn)] == [0, 1, 4]
        again = await row(database, 0)
        assert (again.tries, again.next_at, again.ended_at, again.leased_until) == (0, LATER, None, None)

    async def test_after_a_lapse_what_takes_back_waits_again_and_of_lists_the_last(self, database: Database) -> None:
        kinds = ["list", "note", "copy", "list", "list", "note"]
        await journalled(database, *((seq, "b" if seq == 4 else "a") for seq in range(len(kinds))))
        await enlisted(database)
        async with database.write() as conn:
            for seq, kind in enumerate(kinds):
                headers = [["ce_id", name(seq)], ["ce_type", kind]]
                await conn.execute(update(tables.journal).where(tables.journal.c.seq == seq).values(headers=headers))
                answer = deliveries.NOT_ASKED if seq == 5 else None
                values = {"state": Delivered.LAPSED, "answer": answer, "tries": 3, "ended_at": NOW}
                await conn.execute(update(rows).where(rows.c.seq == seq).values(values))
        for _ in range(2):
            async with database.write() as conn:
                await deliveries.renew(conn, LATER, "note", "list")
            async with database.read() as conn:
                assert [one.seq for one in await deliveries.waiting(conn)] == [1, 3, 4]
        again, missed = await row(database, 1), await row(database, 0)
        assert (again.tries, again.next_at, again.ended_at) == (0, LATER, None)
        assert (missed.state, missed.answer) == (Delivered.LAPSED, deliveries.MISSED)

    async def test_a_list_waits_again_only_if_no_later_one_of_his_was_or_will_be_sent(self, database: Database) -> None:
        told = [
            ("a", "list", Delivered.LAPSED), ("a", "list", Delivered.DONE),
            ("b", "list", Delivered.LAPSED), ("b", "list", Delivered.WAITING),
            ("c", "list", Delivered.LAPSED), ("c", "list", Delivered.ERASED), ("c", "copy", Delivered.DONE),
        ]  # fmt: skip
        await journalled(database, *((seq, subject) for seq, (subject, _, _) in enumerate(told)))
        await enlisted(database)
        async with database.write() as conn:
            for seq, (_, kind, state) in enumerate(told):
                headers = [["ce_id", name(seq)], ["ce_type", kind]]
                await conn.execute(update(tables.journal).where(tables.journal.c.seq == seq).values(headers=headers))
                await conn.execute(update(rows).where(rows.c.seq == seq).values(state=state))
            await deliveries.renew(conn, LATER, "note", "list")
            assert [one.seq for one in await deliveries.waiting(conn)] == [3, 4]
        assert [(await row(database, seq)).answer for seq in (0, 2)] == [deliveries.MISSED] * 2

    async def test_of_the_files_that_replicas_have_read_the_last_holds(self, database: Database) -> None:
        said = [("old", NOW), ("new", LATER), ("old", NOW), ("new", NOW), ("new", LATER + MINUTE), ("old", LATER)]
        async with database.write() as conn:
            found = [await deliveries.holds_newest(conn, digest, at) for digest, at in said]
        assert found == [True, True, False, True, True, False]

    async def test_disabled_and_enabled(self, database: Database) -> None:
        async with database.write() as conn:
            await deliveries.enable(conn)
            assert await deliveries.marked(conn, "disabled") is None
            await deliveries.mark(conn, "disabled", "gone", NOW)
            await deliveries.mark(conn, "disabled", "gone", LATER)
            assert (await deliveries.going(conn)).disabled == LATER
            await deliveries.enable(conn)
            assert (await deliveries.going(conn)).disabled is None

    async def test_a_period_begins_ends_and_is_written_once(self, database: Database) -> None:
        assert [await self._period(database, NOW + hours * HOUR) for hours in (0, 0.4, 1)] == [None, None, None]
        end = datetime(2026, 3, 2, 20, tzinfo=UTC)
        assert await self._period(database, end - SECOND) is None
        assert await self._period(database, end + MINUTE) == end
        assert await self._period(database, end + MINUTE) is None
        assert await self._period(database, end + 75 * HOUR) == end + 72 * HOUR, "those that nobody wrote are in it"

    async def test_of_two_who_begin_a_period_one_writes_it(self, database: Database) -> None:
        await self._period(database, NOW)
        found = await asyncio.gather(*(self._period(database, NOW + 30 * HOUR) for _ in range(4)))
        assert sorted(each is None for each in found) == [False, True, True, True]

    @staticmethod
    async def _period(database: Database, now: datetime) -> datetime | None:
        async with database.write() as conn:
            return await deliveries.begin_period(conn, now, 24 * HOUR)

    async def test_how_it_goes(self, database: Database) -> None:
        async with database.read() as conn:
            empty = await deliveries.going(conn)
        assert (set(empty.counts.values()), empty.failing, empty.oldest, empty.last) == ({0}, 0, None, None)
        await journalled(database, *((seq, f"p{seq}") for seq in range(4)))
        await enlisted(database)
        found = await leased(database)
        async with database.write() as conn:
            await deliveries.again(conn, found[0], NOW + HOUR, "500")
        await ended(database, found[1:2], now=LATER)
        await ended(database, found[2:3], Delivered.DEAD)
        async with database.read() as conn:
            going = await deliveries.going(conn)
        assert dict(going.counts) == {"waiting": 2, "delivered": 1, "dead": 1, "erased": 0, "lapsed": 0}
        assert (going.failing, going.oldest, going.last) == (1, NOW, LATER)

    async def test_the_record_clock_is_that_of_the_lane_which_is_furthest(self, database: Database) -> None:
        values = {"epoch": 1, "journal_next": 0, "last_tick": 0, "heard": {}, "counted": {}, "failures": 0}
        async with database.write() as conn:
            assert await deliveries.record_clock(conn) is None
            for lane, clock in ((0, None), (1, LATER), (2, NOW)):
                await conn.execute(insert(tables.lanes).values(lane=lane, clock=clock, **values))
            assert await deliveries.record_clock(conn) == LATER
