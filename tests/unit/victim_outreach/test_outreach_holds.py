"""A safety hold that ends is called out before it does, to those who may renew it, and they find it when they sign in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.commands import Role
from schemas.outreach import GateChanged, TaskOwner
from services.common.paging import Page
from services.victim_outreach.domain import CaseFile
from services.victim_outreach.store import HoldInForce, OutreachStore, holds_in_force, metadata
from tests.harness.outreach import LANE, Bench, asked, custody, opened, withdrawn

HOUR = timedelta(hours=1)
ALL, POLICE = frozenset(TaskOwner), frozenset({TaskOwner.AGENCY})


def called(bench: Bench, hold_id: str = "H-1") -> int:
    return bench.file.holds[hold_id].alerts


def on_hold() -> Bench:
    bench = Bench()
    bench.put(opened())
    bench.hold()
    return bench


def every_minute(bench: Bench, hours: int) -> list[float]:
    """Hours after the first, at which it is called out."""
    found, began = [], bench.now
    for _ in range(hours * 60):
        before = called(bench)
        bench.wait(minutes=1, seconds=-1).tick()
        if called(bench) > before:
            found.append(round((bench.now - began) / HOUR, 1))
    return found


# when ----------------------------------------------------------------------------------------------------------------


def test_its_end_is_called_out_a_day_before_and_again_each_time_half_of_what_is_left_has_passed() -> None:
    bench = on_hold()
    bench.wait(hours=47).tick()
    assert called(bench) == 0
    assert every_minute(bench, 25) == [1.0, 13.0, 19.0, 22.0, 23.5, 24.2, 24.6, 24.9]
    assert not bench.file.on_hold


def test_the_clock_wakes_the_lane_for_it() -> None:
    """Nothing else may be due: she was reached, and everything is done."""
    bench = on_hold()
    for task in bench.file.unfinished_tasks():
        bench.cancel(task.kind)
    assert bench.file.wake_at == bench.file.holds["H-1"].until - 24 * HOUR


def test_renewed_nobody_is_to_be_told_any_more_until_that_end_is_near() -> None:
    bench = on_hold()
    bench.wait(hours=50).tick()
    assert (called(bench), bench.file.holds["H-1"].alerted_at) == (1, bench.now)
    bench.hold(by="cora", role=Role.COORDINATOR)
    assert bench.file.holds["H-1"].alerted_at is None
    bench.wait(hours=47).tick()
    assert called(bench) == 1
    bench.wait(hours=1).tick()
    assert called(bench) == 2


def test_lifted_or_over_it_calls_nobody() -> None:
    bench = on_hold()
    bench.lift()
    bench.wait(hours=60).tick()
    assert called(bench) == 0
    late = on_hold()
    late.wait(hours=73).tick()  # no tick came for a day
    assert (called(late), late.file.on_hold) == (0, False)


def test_where_he_waits_for_nobody_no_end_is_called_out() -> None:
    bench = on_hold()
    bench.wait(hours=50).tick()
    bench.put(withdrawn())
    assert (bench.file.on_hold, bench.file.holds["H-1"].alerted_at) == (True, None)
    bench.wait(hours=12).tick()
    assert called(bench) == 1


def test_on_his_side_nothing_shows_of_it() -> None:
    bench = on_hold()
    bench.put(custody())
    bench.reach()
    told, gate = len(bench.out), bench.file.gates
    for _ in range(3):
        bench.wait(hours=20).tick(5)
    assert called(bench) == 1
    assert bench.file.gates == gate
    assert not [out for out in bench.out[told:] if isinstance(out.event.data, GateChanged)]


# what is found -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def conn() -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with engine.begin() as made:
        await made.run_sync(metadata.create_all)
        yield made
    await engine.dispose()


async def listed(
    conn: AsyncConnection,
    owners: frozenset[TaskOwner] = ALL,
    *,
    person: str = "zoe",
    supervises: bool = False,
    ending: bool | None = None,
    page: Page | None = None,
) -> list[HoldInForce]:
    lifts = None if supervises else frozenset({person})
    found = await holds_in_force(conn, owners, page or Page(), person=person, lifts=lifts, ending=ending)
    return list(found.items)


async def keep(conn: AsyncConnection, bench: Bench) -> None:
    store = OutreachStore()
    await store.save(conn, LANE, {bench.file.offender_id: (store.new(bench.file.offender_id), bench.file)})


async def test_holds_are_listed_with_their_end_and_for_whom(conn: AsyncConnection) -> None:
    bench = Bench()
    bench.put(opened(1), opened(2, victim_id="V-2"), asked(3, victim_id="V-3"))
    bench.hold("H-1")
    bench.wait(hours=40).tick()
    bench.hold("H-2", by="cora", role=Role.COORDINATOR)
    bench.wait(hours=10).tick()
    await keep(conn, bench)
    hers = tuple(sorted([bench.case(1), bench.case(2)]))
    near, far = await listed(conn)
    assert (near.hold_id, near.until, near.told_at) == ("H-1", bench.file.holds["H-1"].until, bench.now)
    assert (far.hold_id, far.told_at) == ("H-2", None)
    assert near.case_ids == far.case_ids == hers
    assert [one.hold_id for one in await listed(conn, ending=True)] == ["H-1"]
    assert [one.hold_id for one in await listed(conn, ending=False)] == ["H-2"]
    assert [one.hold_id for one in await listed(conn, page=Page(1))] == ["H-1"]


async def test_who_placed_it_is_listed_for_herself_and_the_supervisor(conn: AsyncConnection) -> None:
    await keep(conn, on_hold())
    assert [one.by for one in await listed(conn)] == [None]
    assert [one.by for one in await listed(conn, person="ada")] == ["ada"]
    assert [one.by for one in await listed(conn, supervises=True)] == ["ada"]


async def test_police_are_shown_none_of_a_case_they_may_not_see_but_their_own(conn: AsyncConnection) -> None:
    """He is one of them: no task of hers is theirs."""
    bench = Bench()
    bench.put(opened(conflict_of_interest=True))
    bench.hold()
    bench.hold("H-2", by="cora", role=Role.COORDINATOR)
    await keep(conn, bench)
    assert [one.hold_id for one in await listed(conn)] == ["H-1", "H-2"]
    assert await listed(conn, POLICE) == []
    [own] = await listed(conn, POLICE, person="cora")
    assert (own.hold_id, own.by, own.case_ids) == ("H-2", "cora", ())


async def test_what_holds_nobody_or_has_ended_is_not_listed(conn: AsyncConnection) -> None:
    bench = on_hold()
    bench.hold("H-2")
    bench.lift("H-2")
    await keep(conn, bench)
    assert [one.hold_id for one in await listed(conn)] == ["H-1"]
    gone = Bench(file=CaseFile("O-3"))
    gone.put(opened())
    gone.hold("H-3")
    gone.put(withdrawn())
    await keep(conn, gone)
    assert gone.file.on_hold
    assert [one.hold_id for one in await listed(conn)] == ["H-1"]
