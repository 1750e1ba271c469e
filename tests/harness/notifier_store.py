"""How the notifier's store behaves, whatever the database: a class of tests for each to inherit."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.call_in import CallInState, SeatState
from schemas.classification import Change, ReviewCode, Tier
from schemas.commands import (
    AskGiven,
    AskHelp,
    CloseEnforcement,
    GivenBefore,
    LiftableHold,
    ReferHelp,
    Role,
    TakeEnforcement,
    TellGiven,
)
from schemas.enforcement import EnforcementOutcome, EnforcementState, Lever
from schemas.help import HelpKind, HelpState
from schemas.notice_work import Correction
from schemas.notification import Place
from schemas.outreach import GateState
from schemas.person import OffenderDescribed
from services.common.paging import Page
from services.notifier.domain import CallIn, Deadline, Offender
from services.notifier.domain import Place as Seat
from services.notifier.store import (
    NotifierStore,
    Shown,
    Sight,
    corrections,
    enforcement_queue,
    help_queue,
    holds,
    is_call_in,
    listed,
    listed_call_ins,
    owner_of,
    shown_notification,
)
from services.notifier.store import roster as roster_of
from services.notifier.store.tables import enforcements, lifts, notifications, pairs
from tests.harness.notices import HIM, LANE, OTHER_AGENCY, START, Bench, custody, decision, expunction, gate, withdrawal

STORE = NotifierStore()
ALL = Sight(whole=True)


async def kept(conn: AsyncConnection, bench: Bench, before: Offender | None = None) -> Offender:
    """Saved and read again."""
    await STORE.save(conn, LANE, {HIM: (before or STORE.new(HIM), bench.offender)})
    found = (await STORE.load(conn, [HIM]))[HIM]
    assert isinstance(found, Offender)
    return found


def full() -> Bench:
    """An offender with one of everything."""
    bench = Bench()
    bench.heartbeat()
    bench.put(custody(held=True, language="es", name="No Body", places=["12 Elm St"]), gate(3))
    bench.put(decision(1, Tier.D, charged=False, mutual=True), gate(1))
    bench.lift(LiftableHold.UNANNOUNCED)
    bench.lift(LiftableHold.UNANNOUNCED, Role.OUTREACH_SUPERVISOR)
    bench.lift(LiftableHold.MUTUAL)
    bench.fail(place=Place.JAIL)
    bench.retry()
    bench.claim()
    bench.serve(place=Place.JAIL, served_by="k.obi")
    bench.put(decision(None, Tier.D, merged_offender_id="O-0", review=[ReviewCode.MERGE_PENDING], merge_pending=True))
    given = GivenBefore(notification_id="N-0", tier=Tier.A, served_at=START)
    bench.put(TellGiven(offender_id=HIM, from_offender_id="O-0", given=[given]))
    bench.put(AskGiven(offender_id=HIM, surviving_offender_id="O-9"))
    bench.put(decision(2, Tier.B, change=Change.ESCALATED, review=[ReviewCode.ALSO_VICTIM]))
    bench.put(gate(2, GateState.SHUT, version=4))
    notice_id = next(iter(bench.offender.notices))
    person: dict[str, Any] = {"offender_id": HIM, "by": "k.obi", "role": Role.COORDINATOR}
    bench.put(AskHelp(**person, notification_id=notice_id, kind=HelpKind.HOUSING))
    bench.put(ReferHelp(**person, help_id=next(iter(bench.offender.helps)), provider="Open Door"))
    bench.put(decision(5, Tier.A), decision(6, Tier.A))
    first, *_ = bench.offender.enforcements
    bench.put(TakeEnforcement(**person, enforcement_id=first))
    levers = [Lever.FAST_TRACK]
    closed: dict[str, Any] = {"outcome": EnforcementOutcome.LEVERS_USED, "levers": levers}
    bench.put(CloseEnforcement(**person, enforcement_id=first, **closed))
    bench.put(decision(4, Tier.C, withdrawn_pair_ids=[decision(2).pair_id], change=Change.LOWERED))
    return bench


async def seeded(conn: AsyncConnection) -> list[str]:
    """Three notices, oldest first: waiting for the gate, waiting for a person, released."""
    ids = []
    for place, (him, mutual, clear) in enumerate([("A", False, False), ("B", True, True), ("C", False, True)]):
        bench = Bench(offender=Offender(him), now=START + timedelta(minutes=place))
        bench.heartbeat()
        one = decision(1, offender_id=him, mutual=mutual)
        bench.put(one, *([gate(1)] if clear else []))
        await STORE.save(conn, LANE, {him: (STORE.new(him), bench.offender)})
        ids.append(bench.notice.notification_id)
    return ids


class NotifierStoreBehaviour:
    """Needs a fixture `conn`: a connection in a transaction, to a database with the notifier's tables and no rows."""

    async def test_a_state_is_read_as_it_was_saved(self, conn: AsyncConnection) -> None:
        bench = full()
        assert {notice.state for notice in bench.offender.notices.values()} == {"served", "cancelled", "held"}
        assert await kept(conn, bench) == bench.offender

    async def test_only_what_was_asked_for_and_is_there_is_loaded(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(decision(1))
        await kept(conn, bench)
        assert await STORE.load(conn, ["O-9"]) == {}
        assert await STORE.load(conn, []) == {}
        many = [f"O-{number}" for number in range(1_300)]
        assert set(await STORE.load(conn, many)) == {HIM}

    async def test_each_difference_is_saved(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.heartbeat()
        before = bench.offender
        for records in ([decision(1)], [gate(1)], [decision(2, Tier.B, change=Change.ESCALATED)], [gate(2)]):
            bench.wait(seconds=1).put(*records)
            assert await kept(conn, bench, before) == bench.offender
            before = bench.offender
        bench.serve()
        assert await kept(conn, bench, before) == bench.offender

    async def test_saving_what_has_not_changed_writes_nothing_new(self, conn: AsyncConnection) -> None:
        bench = full()
        await kept(conn, bench)
        assert await kept(conn, bench, bench.offender) == bench.offender

    async def test_an_expunction_leaves_no_row(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(decision(1, Tier.A, mutual=True))
        bench.lift(LiftableHold.MUTUAL)
        before = bench.offender
        await kept(conn, bench)
        bench.put(expunction(1, None))
        assert await kept(conn, bench, before) == bench.offender
        for table in (pairs, notifications, lifts, enforcements):
            assert await conn.scalar(select(func.count()).select_from(table)) == 0

    async def test_a_notice_and_its_successor_of_the_same_tier_in_one_batch(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(decision(1))
        before = bench.offender
        await kept(conn, bench)
        bench.put(decision(2, change=Change.KEPT), decision(1, None, withdrawn_pair_ids=[decision(1).pair_id]))
        bench.put(decision(2, change=Change.KEPT))
        assert await kept(conn, bench, before) == bench.offender

    async def test_the_database_too_refuses_a_second_notice_of_a_tier(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(decision(1))
        await kept(conn, bench)
        row: dict[str, Any] = dict((await conn.execute(select(notifications))).one()._mapping)
        with pytest.raises(IntegrityError):
            await conn.execute(insert(notifications).values(row | {"notification_id": "second"}))

    async def test_due_are_those_the_clock_can_change(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(decision(1))
        assert list(await STORE.due(conn, LANE, bench.now)) == []
        before = bench.offender
        await kept(conn, bench)
        assert list(await STORE.due(conn, LANE, bench.now)) == []
        bench.put(gate(1))
        await kept(conn, bench, before)
        assert list(await STORE.due(conn, LANE, bench.now)) == [HIM]
        assert list(await STORE.due(conn, LANE + 1, bench.now)) == []

    async def test_due_are_those_whose_clock_has_run_out(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(decision(1))
        await kept(conn, bench)
        assert list(await STORE.due(conn, LANE, bench.now + timedelta(hours=71))) == []
        assert list(await STORE.due(conn, LANE, bench.now + timedelta(hours=72))) == [HIM]

    async def test_the_prosecutors_and_the_helpers_lists(self, conn: AsyncConnection) -> None:
        bench = full()
        await kept(conn, bench)
        queue = (await enforcement_queue(conn, list(EnforcementState), Page())).items
        assert {(one.state, one.taken_by, one.version) for one in queue} == {
            (one.state, one.taken_by, one.version) for one in bench.offender.enforcements.values()
        }
        assert all(one.due_at is not None for one in queue if one.state is EnforcementState.REFERRED)
        [asked] = (await help_queue(conn, [HelpState.REFERRED], Page(), ALL)).items
        [known] = bench.offender.helps.values()
        assert (asked.provider, asked.version) == ("Open Door", known.version)
        assert (await help_queue(conn, [HelpState.CLOSED], Page(), ALL)).items == []
        assert await owner_of(conn, "help", asked.help_id, ALL) == HIM
        assert await owner_of(conn, "enforcement", queue[0].enforcement_id, ALL) == HIM

    async def test_a_call_in_is_read_as_it_was_saved(self, conn: AsyncConnection) -> None:
        roster = {name: Seat(name, HIM, state) for name, state in (("N-1", SeatState.TAKEN), ("N-2", SeatState.FREED))}
        due = Deadline(START, START + timedelta(hours=24), 1)
        one = CallIn("C-1", START, "City Hall", 20, ("Chief of Police",), roster=roster, due=due)
        await STORE.save(conn, LANE, {"C-1": (STORE.new("C-1"), one)})
        assert await STORE.load(conn, ["C-1", HIM]) == {"C-1": one}
        freed = one.with_place(Seat("N-1", HIM, SeatState.FREED))
        await STORE.save(conn, LANE, {"C-1": (one, freed)})
        assert await STORE.load(conn, ["C-1"]) == {"C-1": freed}
        assert list(await STORE.due(conn, LANE, due.at)) == ["C-1"]
        assert list(await STORE.due(conn, LANE, START)) == []
        [line] = (await listed_call_ins(conn, [CallInState.PLANNED], Page())).items
        assert (line.places_left, line.version) == (20, freed.version)
        assert [place.seat for place in (await roster_of(conn, "C-1", Page(), ALL)).items] == ["freed", "freed"]
        assert (await is_call_in(conn, "C-1"), await is_call_in(conn, HIM)) == (True, False)

    async def test_who_decides_is_shown_what_is_to_be_set_right_and_who_tells_him_only_what_is_decided(
        self, conn: AsyncConnection
    ) -> None:
        bench = Bench()
        bench.heartbeat()
        bench.put(decision(1), gate(1))
        bench.fail()
        bench.serve()
        bench.put(withdrawal(1, None))
        before = bench.offender
        await kept(conn, bench)
        [one] = (await corrections(conn, Page(), ALL, decides=True)).items
        assert (one.reason, one.served_at, one.correction) == ("retracted", bench.now, None)
        assert (await corrections(conn, Page(), ALL, decides=False)).items == []
        bench.decide(Correction.LETTER)
        await kept(conn, bench, before)
        before = bench.offender
        [one] = (await corrections(conn, Page(), ALL, decides=False)).items
        assert (one.reason, one.correction, one.version) == (None, "letter", bench.notice.version)
        bench.correct()
        await kept(conn, bench, before)
        assert (await corrections(conn, Page(), ALL, decides=True)).items == []

    @pytest.mark.parametrize(("agency", "seen"), [(None, 0), ("NC0410200", 0), ("NC0419900", 0), (OTHER_AGENCY, 1)])
    async def test_a_colleagues_notice_is_seen_by_the_agency_it_was_lifted_to(
        self, conn: AsyncConnection, agency: str | None, seen: int
    ) -> None:
        bench = Bench()
        bench.heartbeat()
        bench.put(decision(1, conflict_of_interest=True), gate(1))
        bench.lift(LiftableHold.CONFLICT)
        await kept(conn, bench)
        sight = Sight(whole=False, agency=agency)
        assert len((await listed(conn, list(Shown), Page(), sight)).items) == seen
        notice_id = bench.notice.notification_id
        assert bench.offender.is_for(bench.notice, agency) is bool(seen)
        assert (await owner_of(conn, "notification", notice_id, sight) == HIM) is bool(seen)
        assert (await shown_notification(conn, notice_id, sight) is not None) is bool(seen)
        before = bench.offender
        bench.put(decision(2, conflict_of_interest=True, change=Change.KEPT, agency=OTHER_AGENCY), gate(2))
        await kept(conn, bench, before)
        assert (await listed(conn, list(Shown), Page(), sight)).items == []

    async def test_a_colleague_by_his_own_record_alone_by_one_that_took_it_over_or_by_one_that_is_withdrawn(
        self, conn: AsyncConnection
    ) -> None:
        nobody = Sight(whole=False)
        bench = Bench()
        bench.heartbeat()
        bench.put(decision(1), gate(1))
        bench.serve()
        bench.put(withdrawal(1, None))
        bench.decide(Correction.LETTER)
        await kept(conn, bench)
        assert len((await corrections(conn, Page(), nobody, decides=False)).items) == 1
        given = GivenBefore(notification_id=bench.notice.notification_id, tier=Tier.C, served_at=START)
        other = Bench(offender=Offender("O-2"))
        other.put(TellGiven(offender_id="O-2", from_offender_id=HIM, given=[given]))
        other.put(OffenderDescribed(offender_id="O-2"))
        await STORE.save(conn, LANE, {"O-2": (STORE.new("O-2"), other.offender)})
        assert len((await corrections(conn, Page(), nobody, decides=False)).items) == 1
        before = other.offender
        other.put(OffenderDescribed(offender_id="O-2", conflict_of_interest=True))
        await STORE.save(conn, LANE, {"O-2": (before, other.offender)})
        assert (await corrections(conn, Page(), nobody, decides=False)).items == []
        assert len((await corrections(conn, Page(), ALL, decides=False)).items) == 1
        third = Bench(offender=Offender("O-3"))
        third.heartbeat()
        third.put(decision(1, offender_id="O-3", pair_id="P-3", conflict_of_interest=True, askings={}))
        third.put(withdrawal(1, None, offender_id="O-3", pair_id="P-3", withdrawn_pair_ids=["P-3"]))
        await STORE.save(conn, LANE, {"O-3": (STORE.new("O-3"), third.offender)})
        assert third.offender.conflict and not third.offender.open_pairs
        for key in third.offender.notices:
            assert await owner_of(conn, "notification", key, nobody) is None
            assert await owner_of(conn, "notification", key, ALL) == "O-3"

    async def test_the_lists_people_see(self, conn: AsyncConnection) -> None:
        ids = await seeded(conn)
        whole = await listed(conn, list(Shown), Page(), ALL)
        everything = whole.items
        assert [(one.notification_id, one.state) for one in everything] == [
            (ids[0], Shown.WAITING),
            (ids[1], Shown.WAITING),
            (ids[2], Shown.RELEASED),
        ]
        assert [one.notification_id for one in (await listed(conn, [Shown.RELEASED], Page(), ALL)).items] == [ids[2]]
        first = await listed(conn, list(Shown), Page(1), ALL)
        rest = await listed(conn, list(Shown), Page(9, first.next), ALL)
        assert ([*first.items, *rest.items], rest.next, whole.next) == (everything, None, None)
        asking = (await holds(conn, Page())).items
        assert [(one.notification_id, one.holds) for one in asking] == [(ids[1], (LiftableHold.MUTUAL,))]
        assert (everything[2].serve_by, everything[2].attempts) == (START + timedelta(hours=48, minutes=2), 0)
        assert await owner_of(conn, "notification", ids[2], ALL) == "C"
        assert await owner_of(conn, "notification", "N-9", ALL) is None
