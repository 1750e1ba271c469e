"""As much of Kafka's and PostgreSQL's wire protocols as a proxy needs: where messages end and what answers what."""

from __future__ import annotations

import asyncio
import struct
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from enum import IntEnum


class Api(IntEnum):
    """The Kafka requests that tests name."""

    PRODUCE = 0
    FETCH = 1
    OFFSET_COMMIT = 8
    JOIN_GROUP = 11
    HEARTBEAT = 12
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


COMMIT = "COMMIT"
ENCRYPTION_REQUESTS = {80877103, 80877104}
"""TLS and GSSAPI, asked for before the start message."""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One request as it came; `kind` is what faults match: an `Api` number, or the first word of a simple query."""

    kind: Hashable
    raw: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """One message from the server, the request it belongs to if known, and whether it is that request's last."""

    raw: bytes
    request: Request | None
    complete: bool


class Wire(ABC):
    """One connection's protocol: where messages end, and which answer belongs to which request."""

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """What comes before the first framed request; returns what the server must see of it."""
        return b""

    @abstractmethod
    async def request(self, reader: asyncio.StreamReader) -> Request: ...

    @abstractmethod
    async def answer(self, reader: asyncio.StreamReader) -> Answer: ...


class KafkaWire(Wire):
    """Size, API key, API version and correlation id lead each request; size and correlation id each answer."""

    def __init__(self) -> None:
        self._open: dict[int, Request] = {}

    async def request(self, reader: asyncio.StreamReader) -> Request:
        raw = await _sized(reader)
        api, _, correlation = struct.unpack_from(">hhi", raw, 4)
        self._open[correlation] = request = Request(api, raw)
        return request

    async def answer(self, reader: asyncio.StreamReader) -> Answer:
        raw = await _sized(reader)
        (correlation,) = struct.unpack_from(">i", raw, 4)
        return Answer(raw, self._open.pop(correlation, None), complete=True)


class PostgresWire(Wire):
    """A letter and a size lead each message after the start. Each simple query or sync ends in one ReadyForQuery."""

    def __init__(self) -> None:
        self._open = deque([Request("start", b"")])

    async def greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        raw = await _sized(reader, includes_itself=True)
        while struct.unpack_from(">i", raw, 4)[0] in ENCRYPTION_REQUESTS:
            # No: what is encrypted cannot be understood.
            writer.write(b"N")
            raw = await _sized(reader, includes_itself=True)
        return raw

    async def request(self, reader: asyncio.StreamReader) -> Request:
        letter = await reader.readexactly(1)
        raw = letter + await _sized(reader, includes_itself=True)
        request = Request(_first_word(raw[5:]) if letter == b"Q" else letter, raw)
        if letter in b"QS":
            self._open.append(request)
        return request

    async def answer(self, reader: asyncio.StreamReader) -> Answer:
        letter = await reader.readexactly(1)
        raw = letter + await _sized(reader, includes_itself=True)
        request = self._open[0] if self._open else None
        complete = letter == b"Z"
        if complete and self._open:
            self._open.popleft()
        return Answer(raw, request, complete)


async def _sized(reader: asyncio.StreamReader, *, includes_itself: bool = False) -> bytes:
    """Four bytes of size and what they announce. PostgreSQL counts those four, Kafka does not."""
    size = await reader.readexactly(4)
    (length,) = struct.unpack(">i", size)
    return size + await reader.readexactly(length - 4 if includes_itself else length)


def _first_word(body: bytes) -> str:
    words = body.rstrip(b"\0").decode(errors="replace").replace(";", " ").split()
    return words[0].upper() if words else ""
