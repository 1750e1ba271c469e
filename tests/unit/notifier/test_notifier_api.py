"""The notifier's routes: who may, and what is handed in at the desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool

from schemas.classification import Tier
from schemas.commands import (
    AskHelp,
    Attend,
    CallInCommand,
    CancelCallIn,
    CancelNotification,
    ClaimNotification,
    CloseEnforcement,
    CloseHelp,
    DecideCorrection,
    Fail,
    GiveCorrection,
    LiftableHold,
    LiftHold,
    PersonCommand,
    PlanCallIn,
    ReferHelp,
    RetryNotification,
    Role,
    Seat,
    Serve,
    TakeEnforcement,
    UndoService,
    Unseat,
)
from schemas.enforcement import EnforcementOutcome, Lever
from schemas.help import HelpKind, HelpOutcome
from schemas.notification import CancelReason, FailureReason, Proof
from services.common.api import Health, build_app
from services.common.desk import Reply, Standing
from services.notifier.api import router
from services.notifier.domain import CallIn, Offender
from services.notifier.domain import Place as OnRoster
from services.notifier.store import NotifierStore, metadata
from tests.harness.http import TOKENS, KeptReads, as_, coded
from tests.harness.notices import HIM, LANE, OTHER_AGENCY, START, Bench, decision, gate

MISTAKE = {"mistake": "not_given"}
SERVE = {"served_at": START.isoformat(), "proof": "signature"}


@dataclass
class Tray:
    """A desk that keeps what is handed in."""

    reply: Reply = field(default_factory=lambda: Reply(Standing.APPLIED, "c-1"))
    taken: list[tuple[PersonCommand | CallInCommand, str, str]] = field(default_factory=list)

    async def submit(self, command: PersonCommand | CallInCommand, *, form_id: str, offender_id: str) -> Reply:
        self.taken.append((command, form_id, offender_id))
        return self.reply


@pytest.fixture
async def engine() -> AsyncIterator[AsyncEngine]:
    made = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with made.begin() as conn:
        await conn.run_sync(metadata.create_all)
    yield made
    await made.dispose()


@pytest.fixture
async def notice_id(engine: AsyncEngine) -> str:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, mutual=True), gate(1))
    store = NotifierStore()
    async with engine.begin() as conn:
        await store.save(conn, LANE, {HIM: (store.new(HIM), bench.offender)})
    return bench.notice.notification_id


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

    return build_app("notifier", [router(tray, engine.connect)], TOKENS, health, CollectorRegistry(), reads)


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api/v1") as opened:
        yield opened


async def test_every_route_refuses_without_a_credential(app: FastAPI, client: AsyncClient) -> None:
    paths = app.openapi()["paths"]
    assert len(paths) == 36
    for path, methods in paths.items():
        for method in methods:
            assert (await client.request(method, path)).status_code == 401


@pytest.mark.parametrize(
    ("act", "who", "body", "expected"),
    [
        ("serve", "officer", SERVE, Serve),
        ("fail", "coordinator", {"reason": "refused"}, Fail),
        ("cancel", "coordinator", None, CancelNotification),
        ("lift", "coordinator", {"hold": "conflict", "role": "coordinator", "agency": "NC0411000"}, LiftHold),
        ("claim", "officer", None, ClaimNotification),
        ("undo-service", "coordinator", {"mistake": "wrong_person"}, UndoService),
        ("retry", "coordinator", None, RetryNotification),
        ("decide-correction", "coordinator", {"correction": "letter"}, DecideCorrection),
        ("give-correction", "officer", {"given_at": START.isoformat()}, GiveCorrection),
        ("lift", "both", {"hold": "unannounced", "role": "outreach_supervisor"}, LiftHold),
    ],
)
async def test_an_act_is_a_command_in_the_offenders_name(
    client: AsyncClient, tray: Tray, notice_id: str, act: str, who: str, body: Any, expected: type[PersonCommand]
) -> None:
    answered = await client.post(f"/notifications/{notice_id}/{act}", headers=as_(who), json=body)
    assert (answered.status_code, answered.json()["standing"]) == (200, "applied")
    [(command, form_id, offender_id)] = tray.taken
    role = (body or {}).get("role", who)
    assert type(command) is expected
    assert (command.offender_id, command.by, command.role) == (HIM, who, role)
    assert (form_id, offender_id) == ("form-0001", HIM)


async def test_what_the_forms_say_is_in_the_command(client: AsyncClient, tray: Tray, notice_id: str) -> None:
    await client.post(f"/notifications/{notice_id}/serve", headers=as_("officer"), json=SERVE)
    await client.post(f"/notifications/{notice_id}/fail", headers=as_("officer"), json={"reason": "not_found"})
    await client.post(f"/notifications/{notice_id}/cancel", headers=as_("coordinator"))
    await client.post(
        f"/notifications/{notice_id}/lift", headers=as_("coordinator"), json={"hold": "bulk", "role": "coordinator"}
    )
    common: dict[str, Any] = {"offender_id": HIM, "notification_id": notice_id}
    officer = {**common, "by": "officer", "role": Role.OFFICER}
    coordinator = {**common, "by": "coordinator", "role": Role.COORDINATOR}
    assert [command for command, _, _ in tray.taken] == [
        Serve(**officer, served_at=START, proof=Proof.SIGNATURE),
        Fail(**officer, reason=FailureReason.NOT_FOUND),
        CancelNotification(**coordinator, reason=CancelReason.BY_PERSON),
        LiftHold(**coordinator, hold=LiftableHold.BULK),
    ]


@pytest.mark.parametrize(
    ("act", "who", "body"),
    [
        ("serve", "advocate", SERVE),
        ("serve", "operator", SERVE),
        ("fail", "outreach_supervisor", {"reason": "refused"}),
        ("cancel", "officer", None),
        ("undo-service", "officer", {"mistake": "wrong_person"}),
        ("decide-correction", "officer", {"correction": "letter"}),
        ("give-correction", "advocate", {"given_at": START.isoformat()}),
        ("claim", "operator", None),
        ("retry", "advocate", None),
        ("lift", "officer", {"hold": "bulk", "role": "coordinator"}),
        ("lift", "coordinator", {"hold": "unannounced", "role": "outreach_supervisor"}),
        ("lift", "both", {"hold": "bulk", "role": "officer"}),
    ],
)
async def test_the_wrong_role_hands_in_nothing(
    client: AsyncClient, tray: Tray, notice_id: str, act: str, who: str, body: Any
) -> None:
    answered = await client.post(f"/notifications/{notice_id}/{act}", headers=as_(who), json=body)
    assert coded(answered) == (403, "role_missing")
    assert tray.taken == []


@pytest.mark.parametrize(
    ("served_by", "role"),
    [(None, Role.OFFICER), ("Captain", Role.OFFICER), ("m.ellison", Role.COORDINATOR)],
)
async def test_who_gave_it_is_held_to_what_binds_an_officer_coordinator_or_not(
    client: AsyncClient, tray: Tray, notice_id: str, served_by: str | None, role: Role
) -> None:
    """Else an officer of his own agency could give it to him whom another agency's is to tell, by being coordinator too."""
    body = {**SERVE, "served_by": served_by}
    await client.post(f"/notifications/{notice_id}/serve", headers=as_("captain"), json=body)
    [(command, _, _)] = tray.taken
    assert isinstance(command, Serve) and (command.role, command.by) == (role, "captain")


@pytest.mark.parametrize(("act", "body"), [("retry", None), ("claim", None), ("plan", {}), ("undo-service", MISTAKE)])
async def test_what_two_roles_may_adds_up(client: AsyncClient, tray: Tray, notice_id: str, act: str, body: Any) -> None:
    await client.post(f"/notifications/{notice_id}/{act}", headers=as_("captain"), json=body)
    [(command, _, _)] = tray.taken
    assert isinstance(command, PersonCommand) and command.role is Role.COORDINATOR


async def test_an_unknown_notice(client: AsyncClient, tray: Tray) -> None:
    answered = await client.post("/notifications/N-9/serve", headers=as_("officer"), json=SERVE)
    assert coded(answered) == (404, "unknown_notification")
    assert tray.taken == []


@pytest.mark.parametrize("body", [{**SERVE, "served_at": "2025-01-10T12:00:00"}, {"served_at": START.isoformat()}, {}])
async def test_a_form_that_is_not_whole(client: AsyncClient, tray: Tray, notice_id: str, body: Any) -> None:
    answered = await client.post(f"/notifications/{notice_id}/serve", headers=as_("officer"), json=body)
    assert coded(answered) == (422, "invalid")
    assert tray.taken == []


async def test_a_refusal_is_told_by_its_code(client: AsyncClient, tray: Tray, notice_id: str) -> None:
    tray.reply = Reply(Standing.REFUSED, "c-1", "not_released")
    answered = await client.post(f"/notifications/{notice_id}/serve", headers=as_("officer"), json=SERVE)
    assert coded(answered) == (409, "not_released")


async def test_the_offenders_side_is_told_waiting_and_never_why(client: AsyncClient, notice_id: str) -> None:
    answered = await client.get("/notifications", headers=as_("officer"))
    [one] = answered.json()
    assert set(one) == {
        "notification_id",
        "offender_id",
        "tier",
        "channel",
        "language",
        "state",
        "prepared_at",
        "serve_by",
        "claimed_by",
        "agency",
        "attempts",
        "version",
        "planned_from",
        "planned_until",
        "needs_round",
    }
    assert (one["notification_id"], one["state"]) == (notice_id, "waiting")
    assert not any(word in answered.text for word in ("gate", "mutual", "reason"))
    released = await client.get("/notifications", headers=as_("officer"), params={"state": "released"})
    assert released.json() == []


HELP = {"kind": "housing"}
ACTS: list[tuple[str, Any]] = [
    ("claim", None),
    ("serve", SERVE),
    ("fail", {"reason": "refused"}),
    ("plan", {}),
    ("retry", None),
    ("give-correction", {"given_at": START.isoformat()}),
    ("help", HELP),
    ("letter", {"dated": "2025-01-10"}),
]


@pytest.fixture
async def colleague(engine: AsyncEngine) -> tuple[str, str]:
    """The notice of an officer, lifted to another agency, and a help of his; he is on the roster of a call-in too."""
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1, conflict_of_interest=True), gate(1))
    bench.lift(LiftableHold.CONFLICT)
    common: dict[str, Any] = {"offender_id": HIM, "by": "x", "role": Role.COORDINATOR}
    notice_id = bench.notice.notification_id
    bench.put(AskHelp(**common, notification_id=notice_id, kind=HelpKind.HOUSING))
    meeting = CallIn("C-1", START, "City Hall", 20).with_place(OnRoster(notice_id, HIM))
    store = NotifierStore()
    async with engine.begin() as conn:
        await store.save(conn, LANE, {HIM: (store.new(HIM), bench.offender)})
        await store.save(conn, LANE, {"C-1": (Offender("C-1"), meeting)})
    return notice_id, next(iter(bench.offender.helps))


LISTS = ("/notifications", "/help", "/call-ins/C-1/roster")


@pytest.mark.parametrize("who", ["officer", "officer_of_his"])
async def test_an_officer_sees_nothing_of_a_colleague(
    client: AsyncClient, tray: Tray, colleague: tuple[str, str], who: str
) -> None:
    notice_id, help_id = colleague
    for path in LISTS:
        assert (await client.get(path, headers=as_(who))).json() == [], path
        assert len((await client.get(path, headers=as_("coordinator"))).json()) == 1
    for path in ("", "/letters", "/letters/none"):
        answered = await client.get(f"/notifications/{notice_id}{path}", headers=as_(who))
        assert coded(answered) == (404, "unknown_notification")
    for act, body in ACTS:
        answered = await client.post(f"/notifications/{notice_id}/{act}", headers=as_(who), json=body)
        assert coded(answered) == (404, "unknown_notification"), act
    place = {"notification_id": notice_id, "attended": True}
    answered = await client.post("/call-ins/C-1/attend", headers=as_(who), json=place)
    assert coded(answered) == (404, "unknown_notification")
    for act, body in (("refer", {"provider": "Open Door"}), ("close", {"outcome": "engaged"})):
        answered = await client.post(f"/help/{help_id}/{act}", headers=as_(who), json=body)
        assert coded(answered) == (404, "unknown_help")
    assert tray.taken == []


async def test_an_officer_of_the_agency_it_was_lifted_to_acts_in_that_agencys_name(
    client: AsyncClient, tray: Tray, colleague: tuple[str, str]
) -> None:
    notice_id, help_id = colleague
    for path in LISTS:
        assert len((await client.get(path, headers=as_("officer_of_another"))).json()) == 1
    await client.post(f"/notifications/{notice_id}/serve", headers=as_("officer_of_another"), json=SERVE)
    await client.post(f"/help/{help_id}/close", headers=as_("officer_of_another"), json={"outcome": "engaged"})
    by: dict[str, Any] = {"offender_id": HIM, "by": "officer_of_another", "role": Role.OFFICER}
    by["by_agency"] = OTHER_AGENCY
    assert [command for command, _, _ in tray.taken] == [
        Serve(**by, notification_id=notice_id, served_at=START, proof=Proof.SIGNATURE),
        CloseHelp(**by, help_id=help_id, outcome=HelpOutcome.ENGAGED),
    ]


async def test_holds_are_for_those_who_lift_them(client: AsyncClient, notice_id: str) -> None:
    for who in ("coordinator", "outreach_supervisor"):
        [one] = (await client.get("/notifications/holds", headers=as_(who))).json()
        assert (one["notification_id"], one["holds"]) == (notice_id, ["mutual"])
    assert (await client.get("/notifications/holds", headers=as_("officer"))).status_code == 403


async def test_what_was_given_unplanned_is_for_the_coordinator(client: AsyncClient, engine: AsyncEngine) -> None:
    bench = Bench()
    bench.heartbeat()
    bench.put(decision(1), gate(1))
    assert bench.serve() == "applied"
    store = NotifierStore()
    async with engine.begin() as conn:
        await store.save(conn, LANE, {HIM: (store.new(HIM), bench.offender)})
    asked = ("/notifications/unplanned", as_("coordinator"))
    [one] = (await client.get(asked[0], headers=asked[1])).json()
    assert (one["offender_id"], one["served_by"], one["served_at"][:16]) == (HIM, "some.officer", "2025-01-10T12:00")
    later = await client.get(asked[0], headers=asked[1], params={"since": "2025-01-11T00:00:00Z"})
    assert later.json() == []
    for none in ("2025", "0.5", "1e-5", "0001-01-01T00:00:00+14:00"):  # a year, seconds since 1970, before there was UTC
        assert (await client.get(asked[0], headers=asked[1], params={"since": none})).status_code == 422
    assert (await client.get(asked[0], headers=as_("officer"))).status_code == 403


async def test_corrections_are_for_those_who_decide_and_those_who_tell_him(client: AsyncClient) -> None:
    for who in ("coordinator", "officer"):
        answered = await client.get("/notifications/corrections", headers=as_(who))
        assert (answered.status_code, answered.json()) == (200, [])
    assert (await client.get("/notifications/corrections", headers=as_("advocate"))).status_code == 403


@pytest.fixture
async def at_work(engine: AsyncEngine) -> tuple[str, str]:
    """A referral to the prosecutor, and help that he asked for."""
    bench = Bench()
    bench.put(decision(1, Tier.A))
    notice = bench.notice.notification_id
    bench.put(AskHelp(offender_id=HIM, by="x", role=Role.OFFICER, notification_id=notice, kind=HelpKind.HOUSING))
    store = NotifierStore()
    async with engine.begin() as conn:
        await store.save(conn, LANE, {HIM: (store.new(HIM), bench.offender)})
    return next(iter(bench.offender.enforcements)), next(iter(bench.offender.helps))


async def test_the_prosecutors_routes(client: AsyncClient, tray: Tray, at_work: tuple[str, str]) -> None:
    key, _ = at_work
    [one] = (await client.get("/enforcement", headers=as_("prosecutor"))).json()
    assert (one["enforcement_id"], one["state"], one["statutes"]) == (key, "referred", ["14-33(c)(2)"])
    assert (await client.get("/enforcement", headers=as_("officer"))).status_code == 403
    closed = await client.get("/enforcement", headers=as_("coordinator"), params={"state": "closed"})
    assert closed.json() == []
    await client.post(f"/enforcement/{key}/take", headers=as_("prosecutor"))
    body = {"outcome": "levers_used", "levers": ["fast_track"]}
    await client.post(f"/enforcement/{key}/close", headers=as_("prosecutor", "form-0002"), json=body)
    common: dict[str, Any] = {"offender_id": HIM, "by": "prosecutor", "role": Role.PROSECUTOR, "enforcement_id": key}
    used: dict[str, Any] = {"outcome": EnforcementOutcome.LEVERS_USED, "levers": [Lever.FAST_TRACK]}
    assert [command for command, _, _ in tray.taken] == [
        TakeEnforcement(**common),
        CloseEnforcement(**common, **used),
    ]
    missing = await client.post("/enforcement/none/take", headers=as_("prosecutor"))
    assert coded(missing) == (404, "unknown_enforcement")


async def test_the_routes_of_help(client: AsyncClient, tray: Tray, at_work: tuple[str, str]) -> None:
    _, key = at_work
    [one] = (await client.get("/help", headers=as_("officer"))).json()
    assert (one["help_id"], one["state"], one["kind"]) == (key, "asked", "housing")
    assert (await client.get("/help", headers=as_("prosecutor"))).status_code == 403
    await client.post(f"/help/{key}/refer", headers=as_("officer"), json={"provider": "Open Door"})
    await client.post(f"/help/{key}/close", headers=as_("officer"), json={"outcome": "engaged"})
    asked = f"/notifications/{one['notification_id']}/help"
    await client.post(asked, headers=as_("officer"), json={"kind": "housing"})
    common: dict[str, Any] = {"offender_id": HIM, "by": "officer", "role": Role.OFFICER}
    assert [command for command, _, _ in tray.taken] == [
        ReferHelp(**common, help_id=key, provider="Open Door"),
        CloseHelp(**common, help_id=key, outcome=HelpOutcome.ENGAGED),
        AskHelp(**common, notification_id=one["notification_id"], kind=HelpKind.HOUSING),
    ]
    assert coded(await client.post("/help/none/close", headers=as_("officer"), json={"outcome": "engaged"})) == (
        404,
        "unknown_help",
    )


PLAN = {"starts_at": "2026-04-09T18:00:00-04:00", "venue": "City Hall", "capacity": 20, "speakers": ["Chief of Police"]}


async def test_the_routes_of_call_ins(client: AsyncClient, tray: Tray, engine: AsyncEngine, notice_id: str) -> None:
    assert (await client.post("/call-ins", headers=as_("officer"), json=PLAN)).status_code == 403
    await client.post("/call-ins", headers=as_("coordinator"), json=PLAN)
    await client.post("/call-ins", headers=as_("coordinator"), json=PLAN)
    (first, _, key), (again, _, _) = tray.taken
    assert isinstance(first, PlanCallIn) and first == again and key == first.call_in_id
    tray.taken.clear()
    missing = await client.post(f"/call-ins/{key}/cancel", headers=as_("coordinator"))
    assert coded(missing) == (404, "unknown_call_in")
    async with engine.begin() as conn:
        await NotifierStore().save(
            conn, LANE, {key: (Offender(key), CallIn(key, first.starts_at, first.venue, first.capacity))}
        )
    [line] = (await client.get("/call-ins", headers=as_("officer"))).json()
    assert (line["call_in_id"], line["places_left"], line["state"]) == (key, 20, "planned")
    assert (await client.get(f"/call-ins/{key}/roster", headers=as_("officer"))).json() == []
    assert (await client.get("/call-ins/none/roster", headers=as_("officer"))).status_code == 404
    place = {"notification_id": notice_id}
    for act, who, body in (
        ("move", "coordinator", PLAN),
        ("cancel", "coordinator", None),
        ("seat", "coordinator", place),
        ("unseat", "coordinator", place),
        ("attend", "officer", {**place, "attended": True}),
    ):
        answered = await client.post(f"/call-ins/{key}/{act}", headers=as_(who), json=body)
        assert answered.status_code == 200, act
    nobody = {"notification_id": "N-9"}
    assert coded(await client.post(f"/call-ins/{key}/seat", headers=as_("coordinator"), json=nobody)) == (
        404,
        "unknown_notification",
    )
    by: dict[str, Any] = {"call_in_id": key, "by": "coordinator", "role": Role.COORDINATOR}
    officer: dict[str, Any] = {"offender_id": HIM, "by": "officer", "role": Role.OFFICER, "call_in_id": key}
    assert [command for command, _, _ in tray.taken] == [
        first,
        CancelCallIn(**by),
        Seat(**by, seated_offender_id=HIM, notification_id=notice_id),
        Unseat(**by, notification_id=notice_id),
        Attend(**officer, notification_id=notice_id, attended=True),
    ]
    assert {where for _, _, where in tray.taken} == {key, HIM}
