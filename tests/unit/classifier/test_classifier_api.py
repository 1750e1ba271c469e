"""The classifier's routes: who may, what is listed, and what is handed in at the desk."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.classification import Tier
from schemas.commands import OpenListed, PersonCommand, Role
from schemas.envelope import Event, deterministic_id
from schemas.incident import Disposition, Offense, Victim
from schemas.topics import KEPT_DAYS, SEGMENT_DAYS
from services.classifier.api import router
from services.common.api import Health, build_app
from services.common.auth import Person, Tokens
from services.common.desk import Reply, Standing
from services.common.migrations import metadata_of
from tests.harness.http import KeptReads, coded
from tests.harness.incidents import AGENCY, HIM, Bench, expunged, incident_id, opened, report

TOKENS = Tokens(
    tuple((hashlib.sha256(role.encode()).digest(), Person(f"{role}-person", frozenset([role]))) for role in Role)
)


@dataclass
class Tray:
    """A desk that keeps what is handed in."""

    taken: list[tuple[PersonCommand, str, str]] = field(default_factory=list)

    async def submit(self, command: PersonCommand, *, form_id: str, offender_id: str) -> Reply:
        self.taken.append((command, form_id, offender_id))
        return Reply(Standing.APPLIED, "c-1")


@pytest.fixture
async def engine() -> AsyncIterator[AsyncEngine]:
    made = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    bench = Bench()
    bench.put(
        report(1, bulk=True),
        report(2, late=timedelta(days=60), victims=["RU"]),
        report(3, bulk=True, victims=["SB"]),
        report(4, force=["12"]),
        report(5, "O-2", bulk=True),
        opened(5, "O-2"),
    )
    async with made.begin() as conn:
        await conn.run_sync(metadata_of("classifier").create_all)
        store = bench.service.store
        await store.save(conn, 0, {him: (store.new(him), one) for him, one in bench.offenders.items()})
    yield made
    await made.dispose()


@pytest.fixture
def tray() -> Tray:
    return Tray()


@pytest.fixture
def reads() -> KeptReads:
    return KeptReads()


@pytest.fixture
def app(engine: AsyncEngine, tray: Tray, reads: KeptReads, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setenv("IPVI_BACKUP_DAYS", "40")

    async def health() -> Health:
        return Health(healthy=True, ready=True)

    return build_app("classifier", [router(tray, engine.connect)], TOKENS, health, CollectorRegistry(), reads)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api/v1") as opened:
        yield opened


def as_(who: str, form: str = "form-0001") -> dict[str, str]:
    return {"Authorization": f"Bearer {who}", "Idempotency-Key": form}


async def test_every_route_refuses_without_a_credential(app: FastAPI, client: AsyncClient) -> None:
    paths = app.openapi()["paths"]
    assert {"/v1/reviews", "/v1/listed", "/v1/listed/open", "/v1/offenders"} < set(paths)
    for path, methods in paths.items():
        for method in methods:
            assert (await client.request(method, path)).status_code == 401


@pytest.mark.parametrize("who", ["officer", "advocate", "operator", "dispatch", "law_enforcement"])
async def test_who_may_not(client: AsyncClient, tray: Tray, who: str) -> None:
    for path in ("/reviews", "/listed"):
        assert (await client.get(path, headers=as_(who))).status_code == 403
    body = {"offender_id": HIM, "incident_id": incident_id(1)}
    assert (await client.post("/listed/open", headers=as_(who), json=body)).status_code == 403
    assert not tray.taken


async def test_open_reviews(client: AsyncClient) -> None:
    found = (await client.get("/reviews", headers=as_("coordinator"))).json()
    assert [(one["subject"], one["code"]) for one in found] == [
        (incident_id(4), "weapon_uncharged"),
        (incident_id(2), "relationship_unknown"),
    ]
    one = (await client.get("/reviews?code=relationship_unknown", headers=as_("coordinator"))).json()
    assert [each["subject"] for each in one] == [incident_id(2)]
    first = await client.get("/reviews?limit=1", headers=as_("coordinator"))
    second = await client.get(f"/reviews{first.links['next']['url']}", headers=as_("coordinator"))
    assert ([*first.json(), *second.json()], second.links) == (found, {})
    assert (await client.get("/reviews?code=gossip", headers=as_("coordinator"))).status_code == 422


async def test_listed_incidents_are_those_with_somebody_to_reach(client: AsyncClient) -> None:
    found = (await client.get("/listed", headers=as_("outreach_supervisor"))).json()
    assert [one["incident_id"] for one in found] == [incident_id(1), incident_id(2)]
    first = await client.get("/listed?limit=1", headers=as_("coordinator"))
    assert (await client.get(f"/listed{first.links['next']['url']}", headers=as_("coordinator"))).json() == found[1:]


async def test_an_incident_is_opened_by_a_command(client: AsyncClient, tray: Tray) -> None:
    body = {"offender_id": HIM, "incident_id": incident_id(1)}
    reply = await client.post("/listed/open", headers=as_("coordinator", "form-7777"), json=body)
    assert (reply.status_code, reply.json()["standing"]) == (200, "applied")
    [(command, form_id, offender_id)] = tray.taken
    assert (form_id, offender_id) == ("form-7777", HIM)
    assert command == OpenListed(
        offender_id=HIM, incident_id=incident_id(1), by="coordinator-person", role=Role.COORDINATOR
    )
    assert (await client.post("/listed/open", headers=as_("coordinator"), json={**body, "x": 1})).status_code == 422


# levers and proofs ---------------------------------------------------------------------------------------------------

STRANGER = Victim(victim_id="V-STRANGER", relationship="ST", offenses=["120"])


def robbery(number: int, him: str) -> Event[Any]:
    """A charge for something else."""
    charge = Offense(code="120", charged=True, statute="14-87", disposition=Disposition.PENDING)
    return report(number, him, offenses=[charge], victims=[STRANGER], arrest=f"A-{him}-{number}")


async def kept(engine: AsyncEngine, *events: Event[Any]) -> Bench:
    """Decided, and saved with the policy in force."""
    bench = Bench()
    bench.put(*events)
    store = bench.service.store
    async with engine.begin() as conn:
        await store.opened(conn, 0, None)
        await store.save(conn, 0, {him: (store.new(him), one) for him, one in bench.offenders.items()})
    return bench


async def test_levers_of_who_is_on_a_or_b(engine: AsyncEngine, client: AsyncClient, reads: KeptReads) -> None:
    third = [report(30 + n, "O-A", charged=True) for n in range(3)]
    first = [report(40, "O-C", charged=True), robbery(41, "O-C")]
    bench = await kept(engine, *third, robbery(33, "O-A"), *first)
    assert (bench.offender("O-A").tier, bench.offender("O-C").tier) == (Tier.A, Tier.C)

    answered = await client.get("/offenders/O-A/levers", headers=as_("prosecutor"))
    (lever,) = answered.json()
    assert lever.pop("occurred_at").startswith("2025-04-03")
    assert lever == {
        "incident_id": incident_id(33),
        "agency": AGENCY,
        "offense": "120",
        "statute": "14-87",
        "disposition": "pending",
    }
    assert "V-" not in answered.text and "ST" not in answered.text, "of whom it was for nothing is said"
    assert reads.shown == [("prosecutor-person", "offender", "O-A")]

    for nobody in ("O-C", "O-unknown"):
        refused = await client.get(f"/offenders/{nobody}/levers", headers=as_("prosecutor"))
        assert coded(refused) == (404, "no_levers"), "who is not on A or B and who is not known look the same"
    for who in sorted(set(Role) - {Role.PROSECUTOR, Role.COORDINATOR}):
        assert (await client.get("/offenders/O-A/levers", headers=as_(who))).status_code == 403, who


async def test_proof_of_an_expunction(engine: AsyncEngine, client: AsyncClient) -> None:
    order = expunged(50, "O-9")
    await kept(engine, report(50, "O-9", charged=True), report(51, "O-9", charged=True), order)

    answered = await client.get("/erasures", headers=as_("operator"))
    (proof,) = answered.json()
    assert proof["proof_id"] == deterministic_id("erasure", order.source, order.id)
    assert (proof["agency"], proof["erased_at"][:10]) == (AGENCY, order.time.date().isoformat())
    erased = datetime.fromisoformat(proof["erased_at"])
    assert datetime.fromisoformat(proof["log_gone_at"]) == erased + timedelta(days=KEPT_DAYS + SEGMENT_DAYS)
    assert datetime.fromisoformat(proof["backups_gone_at"]) == erased + timedelta(days=40)
    for what in ("O-9", incident_id(50), order.id):
        assert what not in answered.text, "what was erased, and of whom, it does not say"

    asked = f"/erasures?proof_id={proof['proof_id']}"
    assert (await client.get(asked, headers=as_("coordinator"))).json() == [proof]
    assert (await client.get("/erasures?proof_id=other", headers=as_("coordinator"))).json() == []
    assert (await client.get("/erasures", headers=as_("prosecutor"))).status_code == 403
