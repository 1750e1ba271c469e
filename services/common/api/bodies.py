"""Bodies of requests: whole before a route sees them, small, and sent in good time; otherwise a problem."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.problems import problem

MAX_BYTES = 64 * 1024
PATIENCE_S = 10.0
"""For the whole body: who sends a byte a minute keeps no connection open."""


class Bodies:
    """413 for a body over `MAX_BYTES`, 408 for one that is not here after `patience` seconds."""

    def __init__(self, app: ASGIApp, patience: float = PATIENCE_S) -> None:
        self._app = app
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._patience):
                body = await _whole(receive)
        except TimeoutError:
            await problem(408, "too_slow", {"Connection": "close"})(scope, receive, send)
            return
        if body is None:
            await problem(413, "too_large", {"Connection": "close"})(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)


async def _whole(receive: Receive) -> list[Message] | None:
    """The messages up to the end of the body, or of the connection; None if they hold more than they may."""
    messages: list[Message] = []
    size, more = 0, True
    while more:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
        if size > MAX_BYTES:
            return None
    return messages


def _again(messages: list[Message], receive: Receive) -> Receive:
    async def replay() -> Message:
        return messages.pop(0) if messages else await receive()

    return replay
