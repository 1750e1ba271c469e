"""The look-up for dispatch and records: a tier and nothing else, for a stated purpose, and not too often."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from httpx import ASGITransport, AsyncClient, Response
from prometheus_client import CollectorRegistry
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.commands import Role
from services.classifier.api import lookups
from services.classifier.api.lookups import LOOKERS
from services.classifier.store import metadata
from services.classifier.store.tables import offenders
from services.common.api import Health, build_app
from services.common.auth import Person, Tokens
from tests.harness.http import KeptReads, coded

TOKENS = Tokens(tuple((hashlib.sha256(role.encode()).digest(), Person(role, frozenset([role]))) for role in Role))
PEOPLE = {"A": "A", "B": "B", "C": "C", "D": "D", "N": None}
MERGED = {"M-1": "M-2", "M-2": "B", "R-1": "R-2", "R-2": "R-1", "G": "not-here"}
"""Into whom; `R` is a ring."""


@pytest.fixture
async def engine() -> AsyncIterator[AsyncEngine]:
    made = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    rest = {"lane": 0, "moved": {}, "pending": [], "absorbed": []}
    async with made.begin() as conn:
        await conn.run_sync(metadata.create_all)
        await conn.execute(
            insert(offenders),
            [{"offender_id": one, "tier": tier, "alias_to": None, **rest} for one, tier in PEOPLE.items()]
            + [{"offender_id": one, "tier": "A", "alias_to": into, **rest} for one, into in MERGED.items()],
        )
    yield made
    await made.dispose()


@pytest.fixture
def reads() -> KeptReads:
    return KeptReads()


@pytest.fixture
async def client(engine: AsyncEngine, reads: KeptReads) -> AsyncIterator[AsyncClient]:
    async def health() -> Health:
        return Health(healthy=True, ready=True)

    router = lookups.router(engine.connect, lookups.Limits(per_minute=12, per_day=20))
    app = build_app("classifier", [router], TOKENS, health, CollectorRegistry(), reads)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api/v1") as opened:
        yield opened


async def look(client: AsyncClient, who: str, *ids: str, purpose: str = "call_for_service") -> Response:
    query = {"offender_id": list(ids), "purpose": purpose}
    return await client.get("/offenders", params=query, headers={"Authorization": f"Bearer {who}"})


async def tiers(client: AsyncClient, who: str, *ids: str) -> list[str | None]:
    told = (await look(client, who, *ids)).json()
    assert [set(one) for one in told] == [{"offender_id", "tier"}] * len(ids)
    assert [one["offender_id"] for one in told] == list(ids)
    return [one["tier"] for one in told]


@pytest.mark.parametrize(("who", "d"), [("law_enforcement", "D"), ("officer", "D"), ("dispatch", None)])
async def test_d_is_law_enforcements_alone(client: AsyncClient, who: str, d: str | None) -> None:
    assert await tiers(client, who, "A", "B", "C", "D") == ["A", "B", "C", d]


async def test_nobody_learns_who_is_known(client: AsyncClient) -> None:
    assert await tiers(client, "dispatch", "N", "D", "not-here") == [None, None, None]


async def test_a_merged_record_is_the_one_it_went_into(client: AsyncClient) -> None:
    assert await tiers(client, "law_enforcement", "M-1", "M-2", "R-1", "G") == ["B", "B", None, None]


@pytest.mark.parametrize("who", sorted(set(Role) - LOOKERS))
async def test_who_may_not(client: AsyncClient, reads: KeptReads, who: str) -> None:
    assert coded(await look(client, who, "A")) == (403, "role_missing")
    assert reads.shown == []


async def test_every_one_looked_up_is_written_down_with_its_purpose(client: AsyncClient, reads: KeptReads) -> None:
    await look(client, "dispatch", "A", "not-here", purpose="bond_hearing")
    assert reads.shown == [("dispatch", "offender", "A"), ("dispatch", "offender", "not-here")]
    assert {one.purpose for one in reads.entries} == {"bond_hearing"}


@pytest.mark.parametrize(
    "query",
    [
        "offender_id=A",
        "offender_id=A&purpose=case_work",
        "offender_id=A&purpose=gossip",
        "purpose=investigation",
        "offender_id=&purpose=investigation",
        "&".join(f"offender_id=O-{n}" for n in range(11)) + "&purpose=investigation",
    ],
)
async def test_no_look_up_without_whom_and_what_for(client: AsyncClient, reads: KeptReads, query: str) -> None:
    answered = await client.get(f"/offenders?{query}", headers={"Authorization": "Bearer dispatch"})
    assert coded(answered) == (422, "invalid")
    assert reads.shown == []


async def test_so_many_a_minute_and_so_many_a_day(client: AsyncClient, reads: KeptReads) -> None:
    people = [f"O-{n}" for n in range(10)]
    assert (await look(client, "dispatch", *people)).status_code == 200
    answered = await look(client, "dispatch", *people)
    assert (coded(answered), answered.headers["Retry-After"]) == ((429, "too_many_lookups"), "60")
    assert len(reads.entries) == 10
    assert (await look(client, "officer", *people)).status_code == 200  # another's

    reads.entries = [replace(one, at=one.at - timedelta(hours=1)) for one in reads.entries]
    assert (await look(client, "dispatch", *people)).status_code == 200
    reads.entries = [replace(one, at=one.at - timedelta(hours=1)) for one in reads.entries]
    answered = await look(client, "dispatch", "O-1")
    assert (coded(answered), answered.headers["Retry-After"]) == ((429, "too_many_lookups"), "86400")
