"""One HTTP application: closed by default, and it repeats nothing it was told."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends
from httpx import ASGITransport, AsyncClient
from prometheus_client import CollectorRegistry, Counter
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import OperationalError
from starlette.responses import JSONResponse

from schemas.commands import Role
from services.common.api import (
    FormId,
    Health,
    Showing,
    UnguardedRouteError,
    UnloggedRouteError,
    answer,
    build_app,
    document,
    server,
)
from services.common.auth import Needs, Person, Tokens
from services.common.desk import Reply, Standing
from tests.harness.http import KeptReads, coded


class Form(BaseModel):
    model_config = ConfigDict(extra="forbid")

    served_on: int


router = APIRouter()


@router.post("/thing/{name}")
async def post_thing(
    name: str, form: Form, form_id: FormId, person: Annotated[Person, Depends(Needs(Role.OFFICER))]
) -> JSONResponse:
    standing, _, code = name.partition("-")
    return answer(Reply(Standing(standing), f"{form_id}/{person.acting({Role.OFFICER})}", code or None))


@router.get("/down", dependencies=[Depends(Needs(Role.OFFICER)), Depends(Showing)])
async def down() -> None:
    raise OperationalError("SELECT secret", {"name": "secret"}, Exception("secret"))


@router.get("/bug", dependencies=[Depends(Needs(Role.OFFICER)), Depends(Showing)])
async def bug() -> None:
    raise KeyError("secret")


def entry(token: str, *roles: Role) -> tuple[bytes, Person]:
    return hashlib.sha256(token.encode()).digest(), Person(token, frozenset(roles))


TOKENS = Tokens((entry("officer", Role.OFFICER), entry("operator", Role.OPERATOR)))
OFFICER = {"Authorization": "Bearer officer", "Idempotency-Key": "form-0001"}
OPERATOR = {"Authorization": "Bearer operator"}
FEELING = {"healthy": True, "ready": False}


async def health() -> Health:
    return Health(**FEELING, lanes={"3": "running"})


def registry() -> CollectorRegistry:
    made = CollectorRegistry()
    Counter("records", "Records applied", registry=made).inc(7)
    return made


APP = build_app("test", [router], TOKENS, health, registry(), KeptReads())


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(APP, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://api") as opened:
        yield opened


def every_route() -> list[tuple[str, str]]:
    paths = APP.openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


def test_the_list_of_routes_is_not_empty() -> None:
    assert {path for _, path in every_route()} == {
        "/v1/thing/{name}",
        "/v1/down",
        "/v1/bug",
        "/health",
        "/ready",
        "/metrics",
    }


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic officer"}])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        *every_route(),
        ("GET", "/docs"),
        ("GET", "/redoc"),
        ("GET", "/v1/openapi.json"),
        ("GET", "/not-there"),
        ("DELETE", "/health"),
        ("OPTIONS", "/health"),
    ],
)
async def test_nothing_answers_without_a_credential(
    client: AsyncClient, method: str, path: str, header: dict[str, str]
) -> None:
    answered = await client.request(method, path, headers=header, content=b"{not json")
    assert coded(answered) == (401, "no_credential")
    assert answered.headers["WWW-Authenticate"] == "Bearer"


async def test_two_authorization_headers_are_none(client: AsyncClient) -> None:
    twice = [("Authorization", "Bearer operator"), ("Authorization", "Bearer officer")]
    assert (await client.get("/health", headers=twice)).status_code == 401


async def test_no_tokens_let_nobody_in() -> None:
    app = build_app("test", [], Tokens(), health, CollectorRegistry(), KeptReads())
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api") as client:
        assert (await client.get("/health", headers=OPERATOR)).status_code == 401


async def test_a_route_added_past_the_builder_is_closed_too() -> None:
    app = build_app("test", [], TOKENS, health, CollectorRegistry(), KeptReads())
    app.add_api_route("/forgotten", lambda: "open")
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api") as client:
        assert (await client.get("/forgotten")).status_code == 401


def test_a_route_that_names_no_role_stops_the_start() -> None:
    open_router = APIRouter()
    open_router.add_api_route("/open", lambda: "open")
    with pytest.raises(UnguardedRouteError, match="/open"):
        build_app("test", [open_router], TOKENS, health, CollectorRegistry(), KeptReads())


def test_a_route_that_shows_and_does_not_log_stops_the_start() -> None:
    silent = APIRouter(dependencies=[Depends(Needs(Role.OFFICER))])
    silent.add_api_route("/silent", lambda: "shown")
    with pytest.raises(UnloggedRouteError, match="/silent"):
        build_app("test", [silent], TOKENS, health, CollectorRegistry(), KeptReads())


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health", 403), ("/ready", 403), ("/metrics", 403), ("/docs", 404), ("/redoc", 404), ("/openapi.json", 404)],
)
async def test_operations_are_for_operators(client: AsyncClient, path: str, status: int) -> None:
    assert (await client.get(path, headers=OFFICER)).status_code == status


async def test_the_other_role_is_refused(client: AsyncClient) -> None:
    answered = await client.post(
        "/v1/thing/applied", headers={**OPERATOR, "Idempotency-Key": "form-0001"}, json={"served_on": 1}
    )
    assert coded(answered) == (403, "role_missing")


async def test_health_ready_metrics(client: AsyncClient) -> None:
    healthy = await client.get("/health", headers=OPERATOR)
    ready = await client.get("/ready", headers=OPERATOR)
    measured = await client.get("/metrics", headers=OPERATOR)
    assert (healthy.status_code, ready.status_code, measured.status_code) == (200, 503, 200)
    assert healthy.json() == {**FEELING, "lanes": {"3": "running"}}
    assert "records_total 7.0" in measured.text
    assert healthy.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("standing", "status"), [("applied", 200), ("accepted", 202)])
async def test_a_command_that_is_taken(client: AsyncClient, standing: str, status: int) -> None:
    answered = await client.post(f"/v1/thing/{standing}", headers=OFFICER, json={"served_on": 1})
    assert answered.status_code == status
    assert answered.json() == {"standing": standing, "command_id": "form-0001/officer"}


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        ("refused-closed", 409, "closed"),
        ("refused-stale", 412, "stale"),
        ("refused-key_reused", 422, "key_reused"),
        ("unavailable-log_unreachable", 503, "log_unreachable"),
        ("unavailable", 503, "unavailable"),
    ],
)
async def test_a_command_that_is_not(client: AsyncClient, told: str, status: int, code: str) -> None:
    answered = await client.post(f"/v1/thing/{told}", headers=OFFICER, json={"served_on": 1})
    assert coded(answered) == (status, code)
    problem = answered.json()
    assert (problem["standing"], problem["command_id"]) == (told.partition("-")[0], "form-0001/officer")
    assert answered.headers.get("Retry-After") == ("1" if status == 503 else None)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ('{"served_on": "secret"}', [{"field": "body.served_on", "problem": "int_parsing"}]),
        ('{"served_on": 1, "secret": 1}', [{"field": "body", "problem": "extra_forbidden"}]),
        ("{}", [{"field": "body.served_on", "problem": "missing"}]),
        ("{secret", [{"field": "body.1", "problem": "json_invalid"}]),
    ],
)
async def test_a_wrong_form_is_told_field_and_problem_alone(
    client: AsyncClient, body: str, fields: list[dict[str, str]]
) -> None:
    answered = await client.post(
        "/v1/thing/applied", headers={**OFFICER, "Content-Type": "application/json"}, content=body
    )
    assert coded(answered) == (422, "invalid")
    assert answered.json()["fields"] == fields
    assert "secret" not in answered.text


async def test_a_form_without_an_id_is_no_command(client: AsyncClient) -> None:
    answered = await client.post(
        "/v1/thing/applied", headers={"Authorization": "Bearer officer"}, json={"served_on": 1}
    )
    assert answered.status_code == 422
    assert answered.json()["fields"] == [{"field": "header.Idempotency-Key", "problem": "missing"}]


async def test_a_body_over_the_limit(client: AsyncClient) -> None:
    answered = await client.post("/v1/thing/applied", headers=OFFICER, json={"served_on": "9" * 70_000})
    assert coded(answered) == (413, "too_large")


async def test_a_method_that_is_not_there_is_told_those_that_are(client: AsyncClient) -> None:
    async def nothing() -> None: ...

    two = APIRouter(dependencies=[Depends(Needs(Role.OFFICER))])
    two.add_api_route("/both/{name}", nothing, methods=["GET"], dependencies=[Depends(Showing)])
    two.add_api_route("/both/{name}", nothing, methods=["POST"])
    app = build_app("test", [two], TOKENS, health, CollectorRegistry(), KeptReads())
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api/v1") as opened:
        answered = await opened.delete("/both/x", headers=OFFICER)
    assert (coded(answered), answered.headers["Allow"]) == ((405, "method_not_allowed"), "GET, POST")


async def test_a_parameter_nobody_asked_for_is_no_filter(client: AsyncClient) -> None:
    answered = await client.get("/v1/down?stat=open", headers=OFFICER)
    assert coded(answered) == (422, "invalid")
    assert answered.json()["fields"] == [{"field": "query", "problem": "extra_forbidden"}]


async def test_the_document_is_for_whoever_is_signed_in(client: AsyncClient) -> None:
    for header in (OFFICER, OPERATOR):
        assert (await client.get("/v1/openapi.json", headers=header)).json() == document(APP)
    act = document(APP)["paths"]["/v1/thing/{name}"]["post"]["responses"]
    assert set(act) == {"200", "202", "400", "401", "403", "404", "408", "409", "412", "413", "422", "429", "503"}


@pytest.mark.parametrize(
    ("path", "status", "code"), [("/v1/down", 503, "store_unreachable"), ("/v1/bug", 500, "failed")]
)
async def test_a_fault_says_nothing_of_what_it_held(client: AsyncClient, path: str, status: int, code: str) -> None:
    answered = await client.get(path, headers=OFFICER)
    assert coded(answered) == (status, code)
    assert "secret" not in answered.text


def test_the_server_keeps_no_access_log_and_the_host_it_is_given() -> None:
    made = server(APP, "127.0.0.1", 0)
    assert (made.config.host, made.config.access_log, made.config.server_header) == ("127.0.0.1", False, False)
