"""Victim outreach's routes: who may, what is handed in at the desk, and what is shown."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.advocacy import (
    CloseCase,
    ConsentRecipient,
    ConsentScope,
    GiveConsent,
    LinkVictims,
    RecordSafeContact,
    RecordScreen,
    ReopenCase,
    RevokeConsent,
    SendMessage,
    UnlinkVictims,
)
from schemas.commands import (
    AnnulAttempt,
    Attempt,
    CancelTask,
    Claim,
    Complete,
    GiveBack,
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
from services.common.signoffs import SignOffs
from services.victim_outreach.api import router
from services.victim_outreach.domain import CaseFile
from services.victim_outreach.store import OutreachStore, Sight, metadata, shown_case, tables
from services.victim_outreach.texts import TextBook, load_texts
from tests.harness.http import KeptReads, coded
from tests.harness.letters import SAMPLE_COUNTY, Read
from tests.harness.outreach import HIM, LANE, START, Bench, opened, pair
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
PAPERS = load_texts(SAMPLE_COUNTY)
ATTEMPT = {"channel": "call", "outcome": "no_answer", "attempted_at": START.isoformat()}
OVERRIDE = {"reason": "victim_asked"}
SAFE = {
    "channels": [{"channel": "text", "safety": "safe", "address": "+1 336 555 0142"}],
    "hours": [{"days": ["mon"], "start": "09:00", "end": "15:00"}],
    "no_contact": False,
    "valid_until": "2025-03-01T00:00:00Z",
}
CONSENT = {
    "scope": "safe_contact",
    "recipient": "agency",
    "named": "High Point police",
    "until": "2025-02-01T00:00:00Z",
    "signed": True,
}
LINK = {"victim_id": "V-1", "other_victim_id": "V-3"}
MESSAGE = {"channel": "text", "text": "resources", "language": "es"}


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

    return build_app(
        "victim_outreach", [router(tray, engine.connect, PAPERS)], TOKENS, health, CollectorRegistry(), reads
    )


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
    assert len(routes) == 31
    for method, path in routes:
        assert (await client.request(method, path)).status_code == 401


@pytest.mark.parametrize(
    ("at", "act", "who", "body", "expected"),
    [
        ("call", "claim", "advocate", None, Claim),
        ("written", "claim", "officer", None, Claim),
        ("call", "claim", "advocate", {"instead_of": "ada"}, Claim),
        ("call", "give-back", "advocate", None, GiveBack),
        ("call", "attempt", "advocate", ATTEMPT, Attempt),
        ("call", "attempts/1/annul", "advocate", {"reason": "wrong_task"}, AnnulAttempt),
        ("written", "complete", "coordinator", None, Complete),
        ("call", "cancel", "outreach_supervisor", None, CancelTask),
        ("case", "holds", "advocate", None, SafetyHold),
        ("case", "holds/H-2/renew", "coordinator", None, SafetyHold),
        ("case", "holds/H-2/lift", "outreach_supervisor", None, LiftSafetyHold),
        ("pair", "override", "coordinator", OVERRIDE, OverrideGate),
        ("case", "safe-contact", "officer", {"no_contact": True}, RecordSafeContact),
        ("case", "safe-contact", "community_advocate", SAFE, RecordSafeContact),
        ("case", "screens", "advocate", {"answers": ["no"] * 11}, RecordScreen),
        ("case", "consents", "advocate", CONSENT, GiveConsent),
        ("case", "consents/C-1/revoke", "community_advocate", None, RevokeConsent),
        ("case", "close", "outreach_supervisor", {"reason": "served"}, CloseCase),
        ("case", "reopen", "community_advocate", {"reason": "she_came_back"}, ReopenCase),
        ("case", "links", "community_advocate", LINK, LinkVictims),
        ("case", "links/undo", "advocate", LINK, UnlinkVictims),
        ("call", "messages", "advocate", MESSAGE, SendMessage),
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
        LiftSafetyHold(**advocate, hold_id="H-2", case_id=bench.case()),
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
        ("case", "safe-contact", "operator", SAFE, 403),
        ("case", "safe-contact", "officer", {"channels": []}, 422),  # whether she may be contacted is said each time
        ("case", "safe-contact", "advocate", {**SAFE, "hours": [{"days": ["mon"], "start": "25:00", "end": "9"}]}, 422),
        ("case", "screens", "officer", {}, 403),
        ("case", "screens", "advocate", {"answers": ["maybe"]}, 422),
        ("case", "consents", "coordinator", CONSENT, 403),
        ("case", "close", "officer", {"reason": "served"}, 403),
        ("case", "reopen", "officer", {"reason": "she_came_back"}, 403),
        ("case", "close", "advocate", {"reason": "tired"}, 422),
        ("case", "links", "officer", LINK, 403),
        ("call", "messages", "officer", MESSAGE, 403),
        ("written", "messages", "advocate", MESSAGE, 403),
        ("call", "messages", "advocate", {**MESSAGE, "to": "+13365550100"}, 422),
    ],
)
async def test_what_is_not_allowed_reaches_no_log(
    client: AsyncClient, tray: Tray, paths: dict[str, str], at: str, act: str, who: str, body: Any, status: int
) -> None:
    answered = await client.post(f"{paths[at]}/{act}", headers=as_(who), json=body)
    assert (answered.status_code, tray.taken) == (status, [])


async def test_police_who_may_see_no_task_of_hers_act_on_no_case_of_hers(
    client: AsyncClient, engine: AsyncEngine, tray: Tray, paths: dict[str, str]
) -> None:
    """As where he is one of them: a case's id can be worked out from the number of the incident."""
    async with engine.begin() as conn:
        await conn.execute(update(tables.tasks).values(owner=TaskOwner.SYSTEM_ADVOCATE))
    path = f"{paths['case']}/safe-contact"
    assert coded(await client.post(path, headers=as_("officer"), json=SAFE)) == (404, "unknown_case")
    assert tray.taken == []
    await client.post(path, headers=as_("advocate"), json=SAFE)
    await client.post(f"{paths['case']}/holds", headers=as_("coordinator"))
    assert [type(command) for command, _, _ in tray.taken] == [RecordSafeContact, SafetyHold]


@pytest.mark.parametrize("path", ["/tasks/none/cancel", "/cases/none/holds", "/pairs/none/override"])
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


async def test_a_task_says_to_whoever_may_see_it_what_she_is_to_be_told(client: AsyncClient) -> None:
    shown = (await client.get("/tasks", headers=as_("community_advocate"))).json()
    visits = {(one["kind"], one["visit"], one["visited_at"]) for one in shown if one["kind"].endswith("_delivery")}
    assert visits == {("after_delivery", "served", "2025-01-10T12:00:00Z")}
    polices = (await client.get("/tasks", headers=as_("officer"))).json()
    assert {one["visit"] for one in polices} == {None}, "that task is an advocate's"


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


async def test_a_form_says_what_is_recorded(client: AsyncClient, tray: Tray, paths: dict[str, str]) -> None:
    await client.post(f"{paths['case']}/safe-contact", headers=as_("community_advocate"), json=SAFE)
    await client.post(f"{paths['call']}/messages", headers=as_("advocate"), json=MESSAGE)
    await client.post(f"{paths['call']}/messages", headers=as_("advocate"), json=MESSAGE)
    await client.post(f"{paths['case']}/links", headers=as_("advocate"), json=LINK)
    [profile, sent, again, link] = [command for command, _, _ in tray.taken]
    assert isinstance(profile, RecordSafeContact)
    assert [(one.channel, one.safety, one.address) for one in profile.channels] == [("text", "safe", "+1 336 555 0142")]
    assert (profile.hours[0].start, profile.valid_until) == ("09:00", datetime(2025, 3, 1, tzinfo=UTC))
    assert isinstance(sent, SendMessage)
    assert sent == again  # one form, one message
    assert isinstance(link, LinkVictims)
    assert (link.victim_id, link.other_victim_id, link.also) == ("V-1", "V-3", [])


async def test_a_case_shows_each_its_own(client: AsyncClient, paths: dict[str, str]) -> None:
    """The profile, the screen and the consent are a community advocate's; the message went by a system advocate."""
    seen = {}
    for who in ("officer", "advocate", "community_advocate", "outreach_supervisor"):
        case = (await client.get(paths["case"], headers=as_(who))).json()
        seen[who] = tuple(len(case[name]) for name in ("profiles", "screens", "consents", "messages", "links"))
        text = next(one for one in case["safe_contact"]["channels"] if one["channel"] == "text")
        assert text["use"] == "shut"  # it ran out long ago, or is not for the reader to know
    assert seen == {
        "officer": (0, 0, 0, 0, 0),
        "advocate": (0, 0, 0, 1, 1),
        "community_advocate": (1, 1, 1, 1, 1),
        "outreach_supervisor": (1, 1, 1, 1, 1),
    }


async def test_police_are_told_what_nobody_has_asked_her_for_them_and_advocates_what_police_may_do(
    client: AsyncClient, paths: dict[str, str]
) -> None:
    case = (await client.get(paths["case"], headers=as_("officer"))).json()
    told = {one["channel"]: (one["safety"], one["use"]) for one in case["safe_contact"]["channels"]}
    assert (told["call"], told["mail"]) == (("not_asked", "ask_first"), ("not_asked", "shut"))
    assert case["safe_contact"]["to_do"] == ["ask_her", "ask_her_advocate"]
    assert case["police"] is None
    hers = (await client.get(paths["case"], headers=as_("community_advocate"))).json()
    assert hers["police"]["profile"] == "none"


async def test_a_consent_shows_the_agency_how_she_may_be_reached_while_it_holds(bench: Bench) -> None:
    bench.advise(
        GiveConsent,
        consent_id="C-2",
        scope=ConsentScope.SAFE_CONTACT,
        recipient=ConsentRecipient.AGENCY,
        named="High Point police",
        until=bench.now + timedelta(days=2),
        signed=True,
    )
    made = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    store, police = OutreachStore(), Sight(frozenset({TaskOwner.AGENCY}), guarding=False, advocate=False)
    async with made.begin() as conn:
        await conn.run_sync(metadata.create_all)
        await store.save(conn, LANE, {HIM: (store.new(HIM), bench.file)})
        now = await shown_case(conn, bench.case(), police, bench.now)
        later = await shown_case(conn, bench.case(), police, bench.now + timedelta(days=2))
    assert now is not None
    assert later is not None
    assert (len(now.profiles), len(later.profiles)) == (1, 0)
    assert now.consents == ()  # what the paper says is the advocate's
    await made.dispose()


async def test_a_consent_is_taken_back_where_it_is_kept_on_whichever_case_of_hers(
    engine: AsyncEngine, client: AsyncClient, tray: Tray, bench: Bench
) -> None:
    other, store = Bench(file=CaseFile("O-2")), OutreachStore()
    other.put(opened())
    async with engine.begin() as conn:
        await store.save(conn, LANE, {"O-2": (store.new("O-2"), other.file)})
    for consent_id in ("C-1", "C-9"):
        path = f"/cases/{other.case()}/consents/{consent_id}/revoke"
        assert (await client.post(path, headers=as_("community_advocate"))).status_code == 200
    kept = [command for command, _, _ in tray.taken if isinstance(command, RevokeConsent)]
    here, unknown = (bench.file.consents["C-1"].case_id, HIM), (other.case(), "O-2")
    assert [(one.case_id, one.offender_id) for one in kept] == [here, unknown]


async def test_who_placed_a_hold_is_shown_to_her_and_to_the_supervisor(
    client: AsyncClient, paths: dict[str, str]
) -> None:
    shown = {}
    for who in ("coordinator", "advocate", "chief"):
        [hold] = (await client.get(paths["case"], headers=as_(who))).json()["guarding"]["holds"]
        shown[who] = hold["by"]
    assert shown == {"coordinator": None, "advocate": None, "chief": "ada"}


async def test_a_woman_who_calls_back_is_found_and_that_is_written_down(
    client: AsyncClient, bench: Bench, reads: KeptReads, tray: Tray
) -> None:
    asked = {"telephone": "(336) 555-0100"}
    for who in ("officer", "community_advocate"):
        found = await client.post("/case-search", headers={"Authorization": f"Bearer {who}"}, json=asked)
        assert {one["case_id"] for one in found.json()} == {bench.case(1), bench.case(2)}, (
            "asked of a partner link: another"
        )
        assert (who, "case", bench.case()) in reads.shown
    assert {one.route for one in reads.entries} == {"/case-search"}, "of whom, stands in no address"
    missed = await client.post("/case-search", headers=as_("officer"), json={"email": "nobody@example.org"})
    assert (missed.status_code, missed.json()) == (200, [])
    assert (await client.post("/case-search", headers=as_("operator"), json=asked)).status_code == 403
    assert tray.taken == []


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"telephone": "555"},
        {"telephone": "no number"},
        {"email": "her"},
        {"name": "No Body"},
        {"birth_date": "1990-05-01"},
        {"name": "...", "birth_date": "1990-05-01"},
        {"telephone": "336 555 0142", "email": "her@example.org"},
        {"telephone": "336 555 0142", "name": "No Body"},
        {"telephone": "336 555 0142", "victim_id": "V-1"},
    ],
)
async def test_who_is_sought_is_said_in_one_way_and_no_error_repeats_it(
    client: AsyncClient, form: dict[str, str], reads: KeptReads
) -> None:
    answered = await client.post("/case-search", headers=as_("advocate"), json=form)
    assert coded(answered) == (422, "invalid")
    assert not any(value in answered.text for value in form.values())
    assert reads.entries == []


async def test_holds_are_listed_to_whoever_may_place_one_and_that_is_written_down(
    client: AsyncClient, bench: Bench, reads: KeptReads
) -> None:
    shown = {}
    for who in ("coordinator", "advocate", "chief"):
        [hold] = (await client.get("/holds", headers=as_(who))).json()
        shown[who] = (hold["hold_id"], hold["by"], bench.case() in hold["case_ids"])
    assert shown == {"coordinator": ("H-2", None, True), "advocate": ("H-2", None, True), "chief": ("H-2", "ada", True)}
    assert {("advocate", "hold", "H-2"), ("advocate", "case", bench.case())} <= set(reads.shown)
    assert (await client.get("/holds", params={"ending": True}, headers=as_("advocate"))).json() == []
    assert (await client.get("/holds", headers=as_("officer"))).status_code == 403


async def test_cases_are_listed_open_or_closed(client: AsyncClient, bench: Bench, reads: KeptReads) -> None:
    whole = (await client.get("/cases", headers=as_("outreach_supervisor"))).json()
    assert {case["case_id"] for case in whole} == {one.case_id for one in bench.file.tasks.values()}
    assert (await client.get("/cases", params={"closed": True}, headers=as_("officer"))).json() == []
    assert ("outreach_supervisor", "case", bench.case()) in reads.shown


async def test_a_queue_may_be_asked_for_by_kind_state_and_lateness(client: AsyncClient) -> None:
    late = (await client.get("/tasks", params={"overdue": True}, headers=as_("outreach_supervisor"))).json()
    assert late
    assert all(one["escalation"] and one["duty"] for one in late)
    kinds = {"kind": ["identify_victim", "ask_relationship"]}
    found = (await client.get("/tasks", params=kinds, headers=as_("officer"))).json()
    assert {one["kind"] for one in found} == {"identify_victim", "ask_relationship"}
    ended = (await client.get("/tasks", params={"state": "cancelled"}, headers=as_("advocate"))).json()
    assert {one["state"] for one in ended} == {"cancelled"}


async def test_who_she_might_be_is_for_advocates_and_is_written_down(
    client: AsyncClient, paths: dict[str, str], reads: KeptReads
) -> None:
    path = f"{paths['case']}/candidates"
    assert (await client.get(path, headers=as_("officer"))).status_code == 403
    assert (await client.get(path, headers=as_("advocate"))).json() == []
    assert (await client.get("/cases/none/candidates", headers=as_("advocate"))).status_code == 404
    assert [entry for entry in reads.shown if entry[0] == "officer"] == []


async def test_paper_for_her_is_of_the_task_and_bears_no_name(
    client: AsyncClient, paths: dict[str, str], reads: KeptReads
) -> None:
    asked = {"text": "rights", "language": "es"}
    got = await client.get(f"{paths['call']}/paper", params=asked, headers=as_("advocate"))
    assert (got.status_code, got.headers["content-type"]) == (200, "application/pdf")
    assert got.headers["cache-control"] == "no-store"
    read = Read.of(got.content)
    assert read.root["/Lang"] == "es" and "Sus derechos" in read.text and "Invented" not in read.text
    assert "(555) 555-0152" in read.text, "the system advocates' number: the task is theirs"
    assert [(one.person, one.kind, one.record) for one in reads.entries] == [("advocate", "task", paths["call"][7:])]


@pytest.mark.parametrize(
    ("who", "params", "expected"),
    [
        ("prosecutor", {"text": "rights"}, 403),
        ("officer", {"text": "rights"}, 404),
        ("advocate", {"text": "letter"}, 422),
        ("advocate", {}, 422),
        ("advocate", {"text": "rights", "language": "../en"}, 422),
    ],
)
async def test_paper_is_for_who_sees_the_task(
    client: AsyncClient, paths: dict[str, str], reads: KeptReads, who: str, params: dict[str, str], expected: int
) -> None:
    got = await client.get(f"{paths['call']}/paper", params=params, headers=as_(who))
    assert got.status_code == expected and reads.entries == []


@pytest.mark.parametrize(
    ("papers", "code"),
    [(None, "no_texts"), (replace(PAPERS, signoffs=SignOffs(())), "text_not_signed")],
)
async def test_paper_that_nobody_signed_is_not_printed(
    engine: AsyncEngine, tray: Tray, reads: KeptReads, paths: dict[str, str], papers: TextBook | None, code: str
) -> None:
    async def health() -> Health:
        return Health(healthy=True, ready=True)

    routes = [router(tray, engine.connect, papers)]
    app = build_app("victim_outreach", routes, TOKENS, health, CollectorRegistry(), reads)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api/v1") as client:
        got = await client.get(f"{paths['call']}/paper", params={"text": "rights"}, headers=as_("advocate"))
    assert coded(got) == (409, code) and reads.entries == []
