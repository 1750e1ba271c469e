"""How the classifier's store behaves, whatever the database: a class of tests for each to inherit."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import Tier
from schemas.incident import Disposition, ProhibitedBehavior
from schemas.notification import Channel, NotificationServed, Proof
from services.classifier.domain import Offender
from services.classifier.store import metadata
from services.classifier.store.tables import incidents
from tests.harness.incidents import (
    HIM,
    Bench,
    disposed,
    event,
    expunged,
    incident_id,
    later,
    merged,
    noticed,
    opened,
    report,
    retracted,
    split,
)

LANE = 3


async def saved(conn: AsyncConnection, bench: Bench, before: dict[str, Offender] | None = None) -> dict[str, Offender]:
    """Everybody on the bench, saved and read again."""
    known = before or {}
    store = bench.service.store
    people = {*known, *bench.offenders}
    changed = {him: (known.get(him, store.new(him)), bench.offender(him)) for him in people}
    await store.save(conn, LANE, changed)
    return await store.load(conn, list(bench.offenders))


def full() -> Bench:
    """People with one of everything."""
    bench = Bench()
    bench.put(
        report(1, charged=True, breach=[ProhibitedBehavior.NO_CONTACT]),
        report(2, late=timedelta(days=50), victims=["BG", "XS"]),
        opened(2),
        report(3, victims=["BG", "VO"], force=["12"]),
        report(4, revision=2, charged=True, arrest="A-4"),
        retracted(4, revision=1),
        report(5),
        retracted(5),
        retracted(6, revision=3),
        report(7, charged=True),
        expunged(7),
        disposed("A-4", Disposition.DISMISSED),
        disposed("A-never", Disposition.CONVICTED),
        noticed(),
        event(_served(), HIM, later(9)),
        report(8, "O-2", charged=True),
        merged("O-2", HIM),
        report(9, "O-2", revision=999_999_999_999_999, bulk=True),
        report(10),
        split([10], "O-9"),
    )
    bench.decide(report(11, "O-3"))
    bench.decide(report(12, "O-3"))
    bench.decide(merged("O-3", HIM))
    bench.decide(bench.crossing.popleft())  # the first of the hand-over: more is to come
    return bench


def _served() -> NotificationServed:
    return NotificationServed(
        notification_id="N-2",
        pair_id="pair",
        offender_id=HIM,
        tier=Tier.C,
        channel=Channel.FACE_TO_FACE,
        template="c-1",
        by="sam",
        served_at=later(9),
        proof=Proof.BODY_CAMERA,
    )


class ClassifierStoreBehaviour:
    """Needs a fixture `conn`: a connection in a transaction, to a database with the classifier's tables and no rows."""

    async def test_who_was_never_seen_is_not_there(self, conn: AsyncConnection) -> None:
        assert await Bench().service.store.load(conn, ["nobody"]) == {}

    async def test_everything_comes_back_as_it_was(self, conn: AsyncConnection) -> None:
        bench = full()
        assert bench.offender().pending and bench.offender().moved and bench.offender("O-2").alias
        assert await saved(conn, bench) == bench.offenders

    async def test_what_comes_back_shares_the_sets_of_given_fields(self, conn: AsyncConnection) -> None:
        """A third of the memory of a state: see `schemas.sharing`."""
        bench = Bench()
        bench.put(report(1, victims=["BG", "XS"]), disposed("A-4", Disposition.DISMISSED))
        one, other = (await saved(conn, bench))[HIM], (await bench.service.store.load(conn, [HIM]))[HIM]
        told = [him.history.strands[incident_id(1)][0].report for him in (one, other)]
        assert told[0] is not None and told[1] is not None and told[0] is not told[1]
        assert told[0].data.victims[1].model_fields_set is told[1].data.victims[1].model_fields_set
        words = [next(iter(him.history.records.values())) for him in (one, other)]
        assert words[0] is not words[1] and words[0].data.model_fields_set is words[1].data.model_fields_set

    async def test_saving_step_by_step_gives_the_same(self, conn: AsyncConnection) -> None:
        """Rows of what is taken back, handed over or expunged go; the others stay as they are."""
        bench, before = full(), {}
        await saved(conn, bench)
        for step in (
            bench.cross,
            lambda: bench.put(retracted(1)),
            lambda: bench.put(report(1, revision=2)),
            lambda: bench.put(expunged(2)),
            lambda: bench.put(merged(HIM, "O-9")),
        ):
            before = dict(bench.offenders)
            step()
            assert await saved(conn, bench, before) == bench.offenders
        assert bench.offender("O-9").tier is Tier.B

    async def test_what_is_loaded_goes_on_as_if_it_had_stayed(self, conn: AsyncConnection) -> None:
        bench, other = full(), full()
        other.offenders = await saved(conn, bench)
        for one in (bench, other):
            one.said.clear()
            one.cross()
            one.put(report(20, charged=True), expunged(1), disposed("A-4", Disposition.ACQUITTED, day=75))
        assert other.said == bench.said
        assert other.offenders == bench.offenders

    async def test_expunction_leaves_no_trace(self, conn: AsyncConnection) -> None:
        """Not in any column of any table, but for the keyed hash."""
        bench = Bench()
        bench.put(report(1, charged=True), report(2))
        before = dict(bench.offenders)
        await saved(conn, bench)
        bench.put(expunged(1))
        assert await saved(conn, bench, before) == bench.offenders
        kept = [str(row) for table in metadata.sorted_tables for row in await conn.execute(select(table))]
        assert kept and not [row for row in kept if incident_id(1) in row or "A-O-1-1" in row or "V-1-BG" in row]

    async def test_many_at_once(self, conn: AsyncConnection) -> None:
        """More keys than one query takes."""
        bench = Bench()
        for number in range(1_100):
            bench.put(report(number, f"O-{number}", day=1))
        assert await saved(conn, bench) == bench.offenders
        assert await conn.scalar(select(func.count()).select_from(incidents)) == 1_100

    async def test_due_is_whose_raise_ends_or_suspicion_lapses(self, conn: AsyncConnection) -> None:
        bench = Bench()
        bench.put(report(1, charged=True), report(2, "O-2"))
        await saved(conn, bench)
        store = bench.service.store
        assert await store.due(conn, LANE, later(1800)) == []
        assert await store.due(conn, LANE, later(1830)) == ["O-2"]
        assert await store.due(conn, LANE + 1, later(1830)) == []
