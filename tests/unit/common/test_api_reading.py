"""Records are shown in pages, as JSON or CSV, and never without its being written down first."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, Response
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry
from sqlalchemy import Column, Integer, MetaData, String, Table, insert, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.commands import Role
from services.common.api import Health, Listing, SeenVersion, Showing, build_app
from services.common.auth import Needs, Person, Tokens
from services.common.columns import UtcDateTime
from services.common.reads import Purpose, Read
from tests.harness.http import KeptReads, coded

metadata = MetaData()
things = Table(
    "things", metadata, Column("id", String, primary_key=True), Column("at", UtcDateTime), Column("n", Integer)
)
START = datetime(2025, 1, 10, 22, tzinfo=UTC)
OFFICER = {"Authorization": "Bearer officer"}
TOKENS = Tokens(((hashlib.sha256(b"officer").digest(), Person("m.ortiz", frozenset({Role.OFFICER}))),))
COUNT = 7


@dataclass(frozen=True)
class Thing:
    id: str
    at: datetime
    n: int


class Broken(KeptReads):
    """Cannot be written to."""

    async def write(self, entries: Sequence[Read]) -> None:
        raise OperationalError("INSERT", {}, Exception("read only"))


@pytest.fixture
async def engine() -> AsyncIterator[AsyncEngine]:
    made = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with made.begin() as conn:
        await conn.run_sync(metadata.create_all)
        rows = [{"id": f"=T-{n}", "at": START + timedelta(hours=n // 3), "n": -n} for n in range(COUNT)]
        await conn.execute(insert(things), rows)
    yield made
    await made.dispose()


@pytest.fixture
def reads() -> KeptReads:
    return KeptReads()


def client_of(engine: AsyncEngine, reads: KeptReads) -> AsyncClient:
    router = APIRouter(dependencies=[Depends(Needs(Role.OFFICER))])

    @router.get("/things", response_model=list[Thing])
    async def list_things(listing: Annotated[Listing, Depends()], least: int = -99) -> Response:
        async with engine.connect() as conn:
            query = select(things).where(things.c.n >= least)
            found = (await listing.page.of(conn, query, things.c.at, things.c.id)).map(
                lambda row: Thing(row.id, row.at, row.n)
            )
        return await listing.answer(found, "thing", lambda one: one.id)

    @router.get("/things/{id_}", response_model=Thing)
    async def show_thing(id_: str, showing: Annotated[Showing, Depends()], version: SeenVersion) -> Response:
        return await showing.answer(Thing(id_, START, 1), "thing", id_, version or "v1")

    async def health() -> Health:
        return Health(healthy=True, ready=True)

    app = build_app("test", [router], TOKENS, health, CollectorRegistry(), reads)
    return AsyncClient(transport=ASGITransport(app), base_url="http://api/v1", headers=OFFICER)


@pytest.fixture
async def client(engine: AsyncEngine, reads: KeptReads) -> AsyncIterator[AsyncClient]:
    async with client_of(engine, reads) as opened:
        yield opened


@pytest.mark.parametrize("limit", range(1, COUNT + 2))
async def test_pages_follow_on_each_other_and_keep_the_filter(client: AsyncClient, limit: int) -> None:
    whole = (await client.get("/things?least=-5")).json()
    answered = await client.get(f"/things?least=-5&limit={limit}")
    found = answered.json()
    while "next" in answered.links:
        answered = await client.get(f"/things{answered.links['next']['url']}")
        assert 0 < len(answered.json()) <= limit
        found += answered.json()
    assert found == whole
    assert len(whole) == 6


async def test_rows_that_go_in_between_shift_nothing(client: AsyncClient, engine: AsyncEngine) -> None:
    first = await client.get("/things?limit=3")
    async with engine.begin() as conn:
        await conn.execute(things.delete().where(things.c.id.in_([one["id"] for one in first.json()])))
    rest = await client.get(f"/things{first.links['next']['url']}")
    assert [one["n"] for one in rest.json()] == [-3, -4, -5]


@pytest.mark.parametrize("cursor", ["x", "e30", "WyJ4Il0", "WzEsMl0", "WyIyMDI1LTAxLTEwIiwgIngiXQ", "%00", "a" * 1_999])
async def test_a_cursor_of_ones_own_making(client: AsyncClient, cursor: str) -> None:
    answered = await client.get("/things", params={"after": cursor})
    assert coded(answered) == (422, "invalid")
    assert answered.json()["fields"] == [{"field": "query.after", "problem": "cursor"}]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", f"after={'a' * 2_001}", "least=x", "skip=1"])
async def test_what_is_not_a_page(client: AsyncClient, query: str) -> None:
    assert coded(await client.get(f"/things?{query}")) == (422, "invalid")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv; charset=utf-8"),
        ("text/csv, application/json;q=0.5", "text/csv; charset=utf-8"),
        ("application/json, text/csv;q=0.9", "application/json"),
        ("text/csv;q=x", "application/json"),
        ("text/html,*/*", "application/json"),
        ("", "application/json"),
    ],
)
async def test_csv_is_for_who_asks_for_it(client: AsyncClient, accept: str, kind: str) -> None:
    answered = await client.get("/things", headers={"Accept": accept})
    assert answered.headers["Content-Type"] == kind
    assert answered.headers["X-Content-Type-Options"] == "nosniff"


async def test_csv_is_the_same_page(client: AsyncClient, reads: KeptReads) -> None:
    answered = await client.get("/things?limit=2", headers={"Accept": "text/csv"})
    assert answered.headers["Content-Disposition"] == 'attachment; filename="thing.csv"'
    assert list(csv.DictReader(io.StringIO(answered.content.decode("utf-8-sig")))) == [
        {"id": "'=T-0", "at": "2025-01-10T22:00:00Z", "n": "0"},
        {"id": "'=T-1", "at": "2025-01-10T22:00:00Z", "n": "-1"},
    ]
    assert "next" in answered.links
    assert [record for _, _, record in reads.shown] == ["=T-0", "=T-1"]


async def test_an_empty_list(client: AsyncClient, reads: KeptReads) -> None:
    assert (await client.get("/things?least=5")).json() == []
    assert (await client.get("/things?least=5", headers={"Accept": "text/csv"})).content == b"\xef\xbb\xbf\r\n"
    assert reads.shown == []


async def test_what_is_shown_is_written_down(client: AsyncClient, reads: KeptReads) -> None:
    answered = await client.get("/things/T-9")
    assert (answered.json()["id"], answered.headers["ETag"]) == ("T-9", '"v1"')
    [one] = reads.entries
    assert (one.person, one.route, one.kind, one.record) == ("m.ortiz", "/things/{id_}", "thing", "T-9")
    assert (one.purpose, datetime.now(UTC) - one.at < timedelta(minutes=1)) == (Purpose.CASE_WORK, True)


@pytest.mark.parametrize("path", ["/things", "/things/T-9"])
async def test_what_cannot_be_written_down_is_not_shown(engine: AsyncEngine, path: str) -> None:
    async with client_of(engine, Broken()) as client:
        answered = await client.get(path)
    assert coded(answered) == (503, "store_unreachable")
    assert "T-" not in answered.text


@pytest.mark.parametrize(
    ("sent", "etag"), [('"abc123"', '"abc123"'), ("abc123", '"abc123"'), ("*", '"v1"'), (" * ", '"v1"')]
)
async def test_one_version_or_any(client: AsyncClient, sent: str, etag: str) -> None:
    assert (await client.get("/things/x", headers={"If-Match": sent})).headers["ETag"] == etag


@pytest.mark.parametrize("sent", ['W/"abc"', '"a", "b"', '""', '"a b"', '"é"', "x" * 101])
async def test_anything_else_is_no_version(client: AsyncClient, sent: str) -> None:
    answered = await client.get("/things/x", headers={b"If-Match": sent.encode("latin-1")})
    assert answered.status_code == 422
