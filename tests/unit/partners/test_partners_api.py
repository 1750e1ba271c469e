"""The partners' routes: a partner's credential opens its own, and what is handed in at the desk."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.commands import ConfirmNote, PersonCommand, Role
from schemas.generate.site import site
from services.common.api import Health, build_app, document
from services.common.auth import Person, Tokens
from services.common.desk import Reply, Standing
from services.common.migrations import metadata_of
from services.partners import pages
from services.partners.api import Office, router
from tests.harness.http import KeptReads, as_, coded
from tests.harness.partners import HIM, Bench, decision, expunction, partner
from tests.harness.partners_store import step

FILES = site()
ONE, OTHER = partner(id="one"), partner(id="other")
TOKENS = Tokens(
    tuple(
        (hashlib.sha256(person.name.encode()).digest(), person)
        for person in (
            Person("one", frozenset({Role.PARTNER}), partner="one"),
            Person("other", frozenset({Role.PARTNER}), partner="other"),
            Person("operator", frozenset({Role.OPERATOR})),
            Person("officer", frozenset({Role.OFFICER})),
        )
    )
)


@dataclass
class Tray:
    """A desk that keeps what is handed in."""

    taken: list[tuple[PersonCommand, str, str]] = field(default_factory=list)

    async def submit(self, command: PersonCommand, *, form_id: str, offender_id: str) -> Reply:
        self.taken.append((command, form_id, offender_id))
        return Reply(Standing.APPLIED, "c-1")


@pytest.fixture
async def engines() -> AsyncIterator[dict[str, AsyncEngine]]:
    made = {}
    for each in (ONE, OTHER):
        engine = made[each.id] = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
        async with engine.begin() as conn:
            await conn.run_sync(metadata_of("partners").create_all)
    yield made
    for engine in made.values():
        await engine.dispose()


@pytest.fixture
async def note_id(engines: dict[str, AsyncEngine]) -> str:
    bench = Bench(ONE)
    async with engines["one"].begin() as conn:
        await step(conn, bench, decision(1))
        await step(conn, bench, expunction(1, None, "C"))
    (note,) = bench.state().notes.values()
    return note.note_id


@pytest.fixture
def tray() -> Tray:
    return Tray()


@pytest.fixture
def reads() -> KeptReads:
    return KeptReads()


@pytest.fixture
def app(engines: dict[str, AsyncEngine], tray: Tray, reads: KeptReads) -> FastAPI:
    async def health() -> Health:
        return Health(healthy=True, ready=True)

    offices = {each.id: Office(each, tray, engines[each.id].connect) for each in (ONE, OTHER)}
    return build_app("partners", [router(offices)], TOKENS, health, CollectorRegistry(), reads, pages=[pages.router()])


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api/v1") as opened:
        yield opened


async def test_a_partner_confirms_its_own_note(client: AsyncClient, tray: Tray, note_id: str) -> None:
    answered = await client.post("/partners/one/confirmations", json={"note_id": note_id}, headers=as_("one", note_id))
    assert answered.status_code == 200
    command = ConfirmNote(offender_id=HIM, by="one", role=Role.PARTNER, partner="one", note_id=note_id)
    assert tray.taken == [(command, note_id, HIM)]
    assert HIM not in answered.text


@pytest.mark.parametrize(
    ("who", "whose", "told"),
    [
        ("other", "one", (404, "unknown_partner")),
        ("one", "nobody", (404, "unknown_partner")),
        ("other", "other", (404, "unknown_note")),
        ("operator", "one", (403, "role_missing")),
        ("officer", "one", (403, "role_missing")),
    ],
)
async def test_nobody_confirms_for_another(
    client: AsyncClient, tray: Tray, note_id: str, who: str, whose: str, told: tuple[int, str]
) -> None:
    answered = await client.post(f"/partners/{whose}/confirmations", json={"note_id": note_id}, headers=as_(who))
    assert coded(answered) == told
    assert tray.taken == []


async def test_notes_are_shown_to_their_partner_and_to_whoever_answers_for_it(
    client: AsyncClient, reads: KeptReads, note_id: str
) -> None:
    for who in ("one", "operator"):
        answered = await client.get("/partners/one/notes?confirmed=false", headers=as_(who))
        (line,) = answered.json()
        assert (line["note_id"], line["kind"], line["confirmed_at"]) == (note_id, "ipvi.partner.erased.v1", None)
        assert reads.shown[-1] == (who, "partner_note", note_id)
    assert (await client.get("/partners/one/notes?confirmed=true", headers=as_("one"))).json() == []
    assert coded(await client.get("/partners/one/notes", headers=as_("other"))) == (404, "unknown_partner")
    assert coded(await client.get("/partners/one/notes", headers=as_("officer"))) == (403, "role_missing")


async def test_the_numbers_of_all(client: AsyncClient, note_id: str) -> None:
    answered = await client.get("/partners", headers=as_("operator"))
    one, other = answered.json()
    assert (one["partner"], one["notes"], one["outstanding"], one["lapsed"]) == ("one", 1, 1, False)
    assert (other["partner"], other["sent"], other["expires"]) == ("other", 0, "2030-12-31")
    assert coded(await client.get("/partners", headers=as_("one"))) == (403, "role_missing")
    first = await client.get("/partners?limit=1", headers=as_("operator"))
    assert [line["partner"] for line in first.json()] == ["one"]
    after = first.headers["Link"].split("?")[1].split(">")[0]
    assert [x["partner"] for x in (await client.get(f"/partners?{after}", headers=as_("operator"))).json()] == ["other"]


@pytest.mark.parametrize("who", ["one", "operator", "officer"])
async def test_the_contract_is_shown_to_whoever_is_known_here(client: AsyncClient, reads: KeptReads, who: str) -> None:
    there = await client.get("http://api/contract", headers=as_(who))
    assert (there.status_code, there.headers["Location"]) == (307, "contract/")
    page = await client.get("http://api/contract/", headers=as_(who))
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.text == FILES["index.html"]
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
    for path, kind in (("asyncapi.yaml", "application/yaml"), ("json/envelope.schema.json", "application/json")):
        found = await client.get(f"http://api/contract/{path}", headers=as_(who))
        assert (found.text, found.headers["Content-Type"]) == (FILES[path], kind)
    assert reads.shown == [], "it shows no record"


async def test_the_contract_is_read_and_nothing_else(client: AsyncClient) -> None:
    assert coded(await client.get("http://api/contract/")) == (401, "no_credential")
    for path in ("nothing.html", "..%2F..%2Fpyproject.toml", "json/%2e%2e/index.html", "json", "json/"):
        assert coded(await client.get(f"http://api/contract/{path}", headers=as_("one"))) == (404, "not_found")
    for method in ("POST", "PUT", "DELETE"):
        for path in ("", "asyncapi.yaml"):
            answered = await client.request(method, f"http://api/contract/{path}", headers=as_("one"))
            assert coded(answered) == (405, "method_not_allowed")


def test_every_operation_says_what_may_come_of_it(app: FastAPI) -> None:
    made = document(app)
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            assert {"200", "401", "403", "422", "503"} <= set(operation["responses"]), f"{method} {path}"
            schema = operation["responses"]["200"].get("content", {}).get("application/json", {}).get("schema")
            assert schema != {}
