"""A body comes whole, small and soon, or the request is answered without it."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send

from services.common.api.bodies import MAX_BYTES, Bodies

SCOPE: Scope = {"type": "http", "method": "POST", "path": "/", "headers": []}


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await JSONResponse({"bytes": len(body), "then": (await receive())["type"]})(scope, receive, send)


async def asked(
    messages: list[Message], patience: float = 1.0, scope: Scope | None = None
) -> tuple[int, dict[str, object]]:
    sent: list[Message] = []

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    await Bodies(echo, patience)({**SCOPE, **(scope or {})}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


def part(size: int, *, more: bool) -> Message:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


GONE: Message = {"type": "http.disconnect"}


@pytest.mark.parametrize("parts", [[part(0, more=False)], [part(5, more=True), part(MAX_BYTES - 5, more=False)]])
async def test_it_is_handed_on_whole(parts: list[Message]) -> None:
    size = sum(len(one["body"]) for one in parts)
    assert await asked([*parts, GONE]) == (200, {"bytes": size, "then": "http.disconnect"})


async def test_too_large_is_told_before_it_has_all_come() -> None:
    status, problem = await asked([part(MAX_BYTES, more=True), part(1, more=True)])
    assert (status, problem["code"]) == (413, "too_large")


async def test_too_slow_is_told_in_the_end() -> None:
    status, problem = await asked([part(5, more=True)], patience=0.02)
    assert (status, problem["code"]) == (408, "too_slow")


@pytest.mark.parametrize(
    "scope",
    [
        {"headers": [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")]},
        {"path": "/v1/tasks/a\0b"},
        {"query_string": b"after=%00"},
    ],
)
async def test_what_is_malformed_reaches_no_route(scope: Scope) -> None:
    status, problem = await asked([part(0, more=False)], scope=scope)
    assert (status, problem["code"]) == (400, "bad_request")


async def test_nul_in_a_body_reaches_no_route() -> None:
    """Good JSON, which no PostgreSQL text can hold."""
    status, problem = await asked([{"type": "http.request", "body": rb'{"a": "\u0000"}', "more_body": False}])
    assert (status, problem["code"]) == (400, "bad_request")
