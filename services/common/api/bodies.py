"""Bodies of requests: whole before a route sees them, small, and sent in good time; otherwise a problem.

And what no route can do anything good with: a request of two lengths, and NUL, which no PostgreSQL text can hold.
"""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.common.problems import problem

MAX_BYTES = 64 * 1024
PATIENCE_S = 10.0
"""For the whole body: who sends a byte a minute keeps no connection open."""


class Bodies:
    """413 for a body over `most` bytes, 408 for one that is not here after `patience` seconds, 400 for what is malformed."""

    def __init__(self, app: ASGIApp, patience: float = PATIENCE_S, most: int = MAX_BYTES) -> None:
        self._app = app
        self._patience = patience
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if _is_malformed(scope):
            await problem(400, "bad_request", {"Connection": "close"})(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._patience):
                body = await _whole(receive, self._most)
        except TimeoutError:
            await problem(408, "too_slow", {"Connection": "close"})(scope, receive, send)
            return
        if body is None:
            await problem(413, "too_large", {"Connection": "close"})(scope, receive, send)
            return
        if _NUL in b"".join(message.get("body", b"") for message in body):
            await problem(400, "bad_request")(scope, receive, send)
            return
        await self._app(scope, _again(body, receive), send)


_NUL = rb"\u0000"


def _is_malformed(scope: Scope) -> bool:
    """Length and chunks at once: what stands in front may read it differently, and let a second request through."""
    names = {name for name, _ in scope["headers"]}
    two_lengths = {b"content-length", b"transfer-encoding"} <= names
    return two_lengths or "\0" in scope["path"] or b"%00" in scope.get("query_string", b"")


async def _whole(receive: Receive, most: int) -> list[Message] | None:
    """The messages up to the end of the body, or of the connection; None if they hold more than they may."""
    messages: list[Message] = []
    size, more = 0, True
    while more:
        message = await receive()
        messages.append(message)
        size += len(message.get("body", b""))
        more = message["type"] == "http.request" and message.get("more_body", False)
        if size > most:
            return None
    return messages


def _again(messages: list[Message], receive: Receive) -> Receive:
    async def replay() -> Message:
        return messages.pop(0) if messages else await receive()

    return replay
