"""Two agencies' records of one man on a real broker: merged, decided again as one, one notice a list; then parted again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.cli.serve import migrate_all
from services.common.cluster import Cluster
from services.common.database import Database, database_url
from services.intake.domain import AsOf, Feed, Unit
from services.intake.identity import Identifiers, offender_id
from services.intake.linkage.rules import Reason
from services.intake.people import VictimFacts
from services.intake.sinks import OutboxProducer
from services.intake.store import outbox
from services.intake.usecases import Sender
from services.intake.usecases.judging import Form, split
from services.intake.usecases.linking import link_numbers
from services.intake.usecases.taking import take
from tests.harness import feed
from tests.harness.identity import CITY, SHERIFF, TERMS, later, record
from tests.harness.pipeline import Pipeline, pipeline
from tests.harness.replicas import wait_for

CITYS = Identifiers(
    CITY, "I1", fbi_number="1AB", agency_person="P1", name="Mills, Robert", birth_date=date(1985, 3, 14)
)
SHERIFFS = Identifiers(SHERIFF, "S1", state_id="NC7", fbi_number="1AB", name="MILLS, BOB", birth_date=date(1985, 3, 14))


@pytest.fixture
def county() -> Iterator[Pipeline]:
    with pipeline(None) as made:
        asyncio.run(migrate_all(made.settings(), ["intake"]))
        yield made


def his(known: Identifiers, days_ago: int) -> Unit:
    made = record(known, at=datetime.now(UTC).replace(microsecond=0) - timedelta(days=days_ago))
    incident = f"{known.agency}:{known.report}"
    her = VictimFacts(offender_id(known), incident, 1, name="Ana Mills", birth_date=date(1988, 1, 2), contact=("555",))
    return replace(made, facts=(*made.facts, her))


@asynccontextmanager
async def intake(county: Pipeline) -> Any:
    database = Database(database_url(county.settings(), "intake"), "intake")
    sender = Sender(database, lambda: OutboxProducer(Cluster(county.bootstrap)))
    try:
        yield database, sender
    finally:
        await sender.close()
        await database.close()


async def taken(county: Pipeline, units: Sequence[Unit], *, link: bool = False) -> None:
    async with intake(county) as (database, sender):
        if units:
            await take(database, units, Feed("test", feed.ORI), AsOf.NOW, datetime.now(UTC), TERMS)
        while link and await link_numbers(database, TERMS, datetime.now(UTC)):
            pass
        async with database.read() as conn:
            last = await outbox.last(conn)
        await sender.deliver(last)


async def parted(county: Pipeline, stays: str, goes: str) -> str | None:
    async with intake(county) as (database, sender):
        form = Form("clerk", Reason.RELATIVES, "form-0001")
        reply = await split(database, TERMS, stays, goes, [], form, datetime.now(UTC))
        async with database.read() as conn:
            last = await outbox.last(conn)
        await sender.deliver(last)
        return reply.code


def tiers_and_notices(county: Pipeline, who: str) -> tuple[str | None, list[str]]:
    query = f"SELECT tier FROM notifications WHERE offender_id = '{who}' AND state <> 'cancelled'"  # noqa: S608
    return county.tiers().get(who), sorted(row.tier for row in county.rows("notifier", query))


def test_two_records_of_one_man_become_one_history(county: Pipeline) -> None:
    one, other = offender_id(CITYS), offender_id(SHERIFFS)
    asyncio.run(taken(county, [his(CITYS, 20), his(SHERIFFS, 10)]))
    county.start_all(IPVI_AS_OF="now")
    county.wait_settled()
    assert tiers_and_notices(county, one) == tiers_and_notices(county, other) == ("C", ["C"])

    asyncio.run(taken(county, [], link=True))
    county.wait_settled()
    wait_for(lambda: tiers_and_notices(county, one) == ("B", ["B"]), 60, "one history decided again, one notice")
    assert tiers_and_notices(county, other)[1] == []
    assert county.tiers().get(other) is None

    asyncio.run(taken(county, [his(later(SHERIFFS, "S2"), 1)]))
    county.wait_settled()
    wait_for(lambda: tiers_and_notices(county, one) == ("A", ["A"]), 60, "what comes under the old id is his")

    assert asyncio.run(parted(county, one, other)) is None
    county.wait_settled()
    wait_for(lambda: tiers_and_notices(county, one)[0] == "C", 60, "the one who stays is decided again")
    assert sorted(tier or "" for tier in county.tiers().values() if tier) == ["B", "C"]
    county.judge_delivery()
