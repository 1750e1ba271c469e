"""Victim outreach's routes: who may, what is handed in at the desk, and what is shown."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.commands import (
    Attempt,
    CancelTask,
    Claim,
    Complete,
    LiftSafetyHold,
    OverrideGate,
    OverrideReason,
    PersonCommand,
    Role,
    SafetyHold,
)
from schemas.outreach import AttemptOutcome, ContactChannel, TaskKind, TaskOwner
from services.common.api import Health, build_app
from services.common.auth import Person, Tokens
from services.common.desk import Reply, Standing
from services.victim_outreach.api import router
from services.victim_outreach.store import OutreachStore, metadata
from tests.harness.http import KeptReads, coded
from tests.harness.outreach import HIM, LANE, START, Bench, pair
from tests.harness.outreach_store import full

TOKENS = Tokens(
    tuple(
        (hashlib.sha256(name.encode()).digest(), Person(name, frozenset(roles)))
        for name, roles in {
            **{str(role): [role] for role in Role},
            "both": [Role.OFFICER, Role.ADVOCATE],
            "chief": [Role.ADVOCATE, Role.OUTREACH_SUPERVISOR],
        }.items()
    )
)
ATTEMPT = {"channel": "call", "outcome": "no_answer", "attempted_at": START.isoformat()}
OVERRIDE = {"reason": "victim_asked"}


@dataclass
class Tray:
    """A desk that keeps what is handed in."""

    reply: Reply = field(default_factory=lambda: Reply(Standing.APPLIED, "c-1"))
    taken: list[tuple[PersonCommand, str, str]] = field(default_factory=list)

    async def submit(self, command: PersonCommand, *, form_id: str, offender_id: str) -> Reply:
        self.taken.append((command, form_id, offender_id))
        return self.reply


@pytest.fixture
def bench() -> Bench:
    return full()


@pytest.fixture
async def engine(bench: Bench) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    store = OutreachStore()
    async with made.begin() as conn:
        await conn.run_sync(metadata.create_all)
        await store.save(conn, LANE, {HIM: (store.new(HIM), bench.file)})
    yield made
    await made.dispose()


@pytest.fixture
def tray() -> Tray:
    return Tray()


@pytest.fixture
def reads() -> KeptReads:
    return KeptReads()


@pytest.fixture
def app(engine: AsyncEngine, tray: Tray, reads: KeptReads) -> FastAPI:
    async def health() -> Health:
        return Health(healthy=True, ready=True)

    return build_app("victim_outreach", [router(tray, engine.connect)], TOKENS, health, CollectorRegistry(), reads)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api/v1") as opened:
        yield opened


@pytest.fixture
def paths(bench: Bench) -> dict[str, str]:
    call, agencys = bench.task(TaskKind.CALL, 1), bench.task(TaskKind.WRITTEN_INFORMATION)
    return {
        "call": f"/tasks/{call.task_id}",
        "written": f"/tasks/{agencys.task_id}",
        "case": f"/cases/{call.case_id}",
        "pair": f"/pairs/{pair()}",
    }


def as_(who: str, form: str = "form-0001") -> dict[str, str]:
    return {"Authorization": f"Bearer {who}", "Idempotency-Key": form}


async def test_every_route_refuses_without_a_credential(app: FastAPI, client: AsyncClient) -> None:
    routes = [(method, path) for path, methods in app.openapi()["paths"].items() for method in methods]
    assert len(routes) == 24
    for method, path in routes:
        assert (await client.request(method, path)).status_code == 401


@pytest.mark.parametrize(
    ("at", "act", "who", "body", "expected"),
    [
        ("call", "claim", "advocate", None, Claim),
        ("written", "claim", "officer", None, Claim),
        ("call", "attempt", "advocate", ATTEMPT, Attempt),
        ("written", "complete", "coordinator", None, Complete),
        ("call", "cancel", "outreach_supervisor", None, CancelTask),
        ("case", "holds", "advocate", None, SafetyHold),
        ("case", "holds/H-2/renew", "coordinator", None, SafetyHold),
        ("case", "holds/H-2/lift", "outreach_supervisor", None, LiftSafetyHold),
        ("pair", "override", "coordinator", OVERRIDE, OverrideGate),
    ],
)
async def test_an_act_is_a_command_in_the_persons_name(
    client: AsyncClient,
    tray: Tray,
    paths: dict[str, str],
    at: str,
    act: str,
    who: str,
    body: Any,
    expected: type[PersonCommand],
) -> None:
    answered = await client.post(f"{paths[at]}/{act}", headers=as_(who), json=body)
    assert (answered.status_code, answered.json()["standing"]) == (200, "applied")
    [(command, form_id, offender_id)] = tray.taken
    assert type(command) is expected
    assert (command.offender_id, command.by, command.role) == (HIM, who, who)
    assert (form_id, offender_id) == ("form-0001", HIM)


async def test_what_the_forms_say_is_in_the_command(
    client: AsyncClient, tray: Tray, bench: Bench, paths: dict[str, str]
) -> None:
    await client.post(f"{paths['call']}/attempt", headers=as_("advocate"), json=ATTEMPT)
    await client.post(f"{paths['pair']}/override", headers=as_("coordinator"), json=OVERRIDE)
    await client.post(f"{paths['case']}/holds/H-2/lift", headers=as_("advocate"))
    advocate: dict[str, Any] = {"offender_id": HIM, "by": "advocate", "role": Role.ADVOCATE}
    assert [command for command, _, _ in tray.taken] == [
        Attempt(
            **advocate,
            task_id=bench.task(TaskKind.CALL, 1).task_id,
            channel=ContactChannel.CALL,
            outcome=AttemptOutcome.NO_ANSWER,
            attempted_at=START,
        ),
        OverrideGate(
            offender_id=HIM,
            by="coordinator",
            role=Role.COORDINATOR,
            pair_id=pair(),
            reason=OverrideReason.VICTIM_ASKED,
        ),
        LiftSafetyHold(**advocate, hold_id="H-2"),
    ]


async def test_a_form_sent_twice_is_one_hold_and_another_form_another(
    client: AsyncClient, tray: Tray, paths: dict[str, str]
) -> None:
    for form in ("form-0001", "form-0001", "form-0002"):
        await client.post(f"{paths['case']}/holds", headers=as_("advocate", form))
    placed = [command.hold_id for command, _, _ in tray.taken if isinstance(command, SafetyHold)]
    assert placed[0] == placed[1] != placed[2]


@pytest.mark.parametrize(("at", "expected"), [("call", Role.ADVOCATE), ("written", Role.OFFICER)])
async def test_a_person_of_two_roles_acts_in_the_one_that_fits(
    client: AsyncClient, tray: Tray, paths: dict[str, str], at: str, expected: Role
) -> None:
    await client.post(f"{paths[at]}/claim", headers=as_("both"))
    await client.post(f"{paths[at]}/claim", headers=as_("chief"))
    assert [command.role for command, _, _ in tray.taken] == [expected, Role.OUTREACH_SUPERVISOR]


@pytest.mark.parametrize(
    ("at", "act", "who", "body", "status"),
    [
        ("call", "claim", "operator", None, 403),
        ("call", "claim", "officer", None, 404),  # an advocate's task is not for police to see
        ("call", "attempt", "coordinator", ATTEMPT, 404),
        ("written", "claim", "advocate", None, 403),
        ("call", "cancel", "advocate", None, 403),
        ("case", "holds", "officer", None, 403),
        ("case", "holds/H-2/lift", "officer", None, 403),
        ("pair", "override", "advocate", OVERRIDE, 403),
        ("pair", "override", "officer", OVERRIDE, 403),
        ("call", "attempt", "advocate", {**ATTEMPT, "said": "x"}, 422),
        ("call", "attempt", "advocate", {**ATTEMPT, "attempted_at": "2025-01-10T12:00:00"}, 422),
        ("pair", "override", "coordinator", {"reason": "other"}, 422),
    ],
)
async def test_what_is_not_allowed_reaches_no_log(
    client: AsyncClient, tray: Tray, paths: dict[str, str], at: str, act: str, who: str, body: Any, status: int
) -> None:
    answered = await client.post(f"{paths[at]}/{act}", headers=as_(who), json=body)
    assert (answered.status_code, tray.taken) == (status, [])


@pytest.mark.parametrize("path", ["/tasks/none/claim", "/cases/none/holds", "/pairs/none/override"])
async def test_what_is_not_there_is_404(client: AsyncClient, tray: Tray, path: str) -> None:
    answered = await client.post(path, headers=as_("outreach_supervisor"), json=OVERRIDE)
    assert (answered.status_code, tray.taken) == (404, [])


async def test_a_refusal_is_told_with_its_code(client: AsyncClient, tray: Tray, paths: dict[str, str]) -> None:
    tray.reply = Reply(Standing.REFUSED, "c-1", "already_claimed")
    answered = await client.post(f"{paths['call']}/claim", headers=as_("advocate"))
    assert coded(answered) == (409, "already_claimed")


async def test_each_sees_the_tasks_of_the_owners_it_may(client: AsyncClient) -> None:
    owners = {}
    for who in ("officer", "coordinator", "advocate", "community_advocate", "outreach_supervisor"):
        shown = await client.get("/tasks", headers=as_(who))
        owners[who] = {task["owner"] for task in shown.json()}
    assert owners["officer"] == owners["coordinator"] == {"agency"}
    assert owners["advocate"] == {"agency", "system_advocate"}  # a community advocate's work is not for her to read
    assert owners["community_advocate"] == owners["outreach_supervisor"] == set(TaskOwner)


async def test_a_queue_may_be_ones_own_and_comes_in_pages(client: AsyncClient, bench: Bench) -> None:
    whole = (await client.get("/tasks", headers=as_("community_advocate"))).json()
    assert len(whole) == len(bench.file.unfinished_tasks())
    first = await client.get("/tasks", params={"limit": 1}, headers=as_("advocate"))
    rest = await client.get(f"/tasks{first.links['next']['url']}", headers=as_("advocate"))
    assert [*first.json(), *rest.json()] == whole[:2]
    assert (await client.get("/tasks", params={"mine": True}, headers=as_("advocate"))).json() == []
    assert (await client.get("/tasks", headers=as_("operator"))).status_code == 403


async def test_police_learn_from_a_case_neither_what_an_advocate_did_nor_why_he_waits(
    client: AsyncClient, paths: dict[str, str]
) -> None:
    hers = (await client.get(paths["case"], headers=as_("advocate"))).json()
    assert hers["attempts"]
    assert hers["guarding"]["gates"] == {pair(): "shut"}
    polices = (await client.get(paths["case"], headers=as_("officer"))).json()
    assert (polices["attempts"], polices["guarding"]) == ([], None)
    assert {task["owner"] for task in polices["tasks"]} == {"agency"}
    assert (await client.get("/cases/none", headers=as_("advocate"))).status_code == 404
