"""A quarter is counted when it has settled, once; who may see it, and that of no woman a row leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from services.cli.measures.outreach import outreach
from services.common.api import Health, build_app
from services.common.database import Database, database_url
from services.common.errors import IpviError
from services.common.migrations import upgrade
from services.common.settings import CommonSettings
from services.victim_outreach.api import router
from services.victim_outreach.publisher import Publisher
from services.victim_outreach.rules.measures import Quarter
from services.victim_outreach.store import OutreachStore, measures
from tests.harness.http import TOKENS, KeptReads, NoDesk, as_, coded
from tests.harness.outreach import LANE, START, Bench, opened

SETTLED = datetime(2025, 5, 1, tzinfo=UTC)
WOMEN = 40


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """Forty women of the first quarter of 2025, of whom one was reached."""
    url = database_url(CommonSettings(home=tmp_path), "victim_outreach")
    await upgrade(url, "victim_outreach")
    made = Database(url, "victim_outreach")
    await more(made, 0, WOMEN)
    yield made
    await made.close()


async def more(database: Database, first: int, women: int) -> None:
    bench = Bench()
    bench.put(*(opened(number, victim_id=f"V-{number}") for number in range(first, first + women)))
    bench.reach(first)
    store = OutreachStore()
    async with database.write() as conn:
        before = (await store.load(conn, [bench.file.offender_id])).get(bench.file.offender_id)
        await store.save(conn, LANE, {bench.file.offender_id: (before or store.new(""), bench.file)})


async def shown(database: Database, quarter: Quarter) -> object:
    async with database.read() as conn:
        return await measures.published(conn, quarter)


async def test_a_quarter_is_counted_when_it_has_settled(database: Database) -> None:
    quarter = Quarter.of(START)
    early = Publisher(lambda: quarter.settled_at - timedelta(seconds=1))
    assert await early.publish(database) == []
    assert await shown(database, quarter) is None
    assert await Publisher(lambda: quarter.settled_at).publish(database) == [quarter]


async def test_and_never_again_whatever_is_known_later(database: Database) -> None:
    await Publisher(lambda: SETTLED).publish(database)
    before = await shown(database, Quarter.of(START))
    await more(database, 100, 30)
    assert await Publisher(lambda: SETTLED + timedelta(days=1)).publish(database) == []
    assert await shown(database, Quarter.of(START)) == before


async def test_who_may_see_it_sees_no_number_under_eleven(database: Database) -> None:
    await Publisher(lambda: SETTLED).publish(database)
    reads = KeptReads()
    app = build_app("victim_outreach", [router(NoDesk(), database.read)], TOKENS, _healthy, CollectorRegistry(), reads)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:

        async def ask(who: str, quarter: str = "2025-Q1") -> httpx.Response:
            return await http.get("/v1/measures", params={"quarter": quarter}, headers=as_(who))

        answered = await ask("coordinator")
        assert answered.status_code == 200
        [contact, *_] = answered.json()
        everybody = contact["lines"][-1]
        assert (everybody["tier"], everybody["women"]) == ("all", WOMEN)
        # One was reached: whoever knows the forty must not learn it from the others' number.
        assert (everybody["cells"]["within_24_hours"], everybody["cells"]["not_reached"]) == (None, None)
        assert "V-" not in answered.text
        assert reads.shown == [("coordinator", "measures", "2025-Q1")]
        assert coded(await ask("coordinator", "2025-Q2")) == (404, "not_published")
        assert (await ask("coordinator", "2025")).status_code == 422
        for role in ("officer", "prosecutor", "advocate", "operator", "law_enforcement"):
            assert (await ask(role)).status_code == 403
        assert (await ask("outreach_supervisor")).status_code == 200


async def _healthy() -> Health:
    return Health(healthy=True, ready=True)


async def test_on_the_command_line_it_is_the_same_and_a_quarter_still_open_is_none(
    database: Database, tmp_path: Path
) -> None:
    settings = CommonSettings(home=tmp_path)
    [contact, *_] = await outreach(settings, "2025-Q1")
    assert contact.columns[:2] == ("tier", "women")
    assert contact.rows[-1] == ("all", "40", "*", "*", "*", "*")
    for quarter in ("2199-Q4", "2025-03"):
        with pytest.raises(IpviError):
            await outreach(settings, quarter)
