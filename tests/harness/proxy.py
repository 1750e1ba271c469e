"""TCP proxies that lose answers, lose requests, or deliver them late: the faults that only a network can make.

Each runs in a thread with an event loop of its own, so that plain tests, async tests and services in other processes
can all stand behind it. Faults are armed for the n-th matching request from now, and say when they have happened.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

from services.cli.broker import EmbeddedBroker
from services.cli.broker.process import free_port
from tests.harness.kafka import embedded_broker
from tests.harness.wires import COMMIT, Api, KafkaWire, PostgresWire, Request, Wire

__all__ = ["COMMIT", "Api", "Fault", "KafkaProxy", "PostgresProxy", "proxied_broker"]

TIMEOUT = 10.0
"""Seconds for the proxy's own steps: starting, stopping, reaching the server."""


class Action(Enum):
    LOSE_REQUEST = auto()
    LOSE_ANSWER = auto()
    HOLD_REQUEST = auto()


@dataclass(eq=False)
class Fault:
    """An armed fault.

    `fired`: the client has been cut off, or made to wait. `delivered`: the server has answered the request.
    """

    loop: asyncio.AbstractEventLoop
    action: Action
    kind: Hashable
    nth: int
    containing: bytes
    cut: bool = True
    seconds: float | None = None
    fired: threading.Event = field(default_factory=threading.Event)
    delivered: threading.Event = field(default_factory=threading.Event)
    _released: asyncio.Event = field(default_factory=asyncio.Event)
    _answered: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        """Send a held request on to the server now."""
        self.loop.call_soon_threadsafe(self._released.set)

    async def released(self) -> None:
        """Wait for `release`, or for `seconds` if given."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._released.wait(), self.seconds)

    def deliver(self) -> None:
        """The server's answer is complete."""
        self._answered.set()
        self.delivered.set()

    async def answered(self) -> None:
        await self._answered.wait()

    def is_due(self, request: Request) -> bool:
        """Counts the request if it matches; true from the n-th on."""
        if request.kind != self.kind or self.containing not in request.raw:
            return False
        self.nth -= 1
        return self.nth <= 0


@dataclass(eq=False)
class Link:
    """A client's connection, the one to the server that goes with it, and the faults at work on it."""

    wire: Wire
    client: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    server: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    faults: dict[Request, Fault] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Whether a held request, or its answer, is still to come."""
        return any(f.action is Action.HOLD_REQUEST and not f.delivered.is_set() for f in self.faults.values())

    def cut_client(self) -> None:
        self.client[1].transport.abort()

    def cut(self) -> None:
        self.cut_client()
        self.server[1].transport.abort()

    async def to_server(self, raw: bytes) -> None:
        self.server[1].write(raw)
        await self.server[1].drain()

    async def to_client(self, raw: bytes) -> None:
        if not self.client[1].is_closing():
            self.client[1].write(raw)
            await self.client[1].drain()


class FaultProxy:
    """Listens on `port` of loopback and passes everything on to the server, until a fault is armed."""

    def __init__(self, wire: Callable[[], Wire], host: str, port: int, listen: int | None = None) -> None:
        self.port = listen or free_port()
        self.counts: Counter[Hashable] = Counter()
        self._wire = wire
        self._upstream = (host, port)
        self._faults: list[Fault] = []
        self._links: set[Link] = set()
        self._blocked = False
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)

    def lose_answer(self, kind: Hashable, *, nth: int = 1, containing: bytes = b"") -> Fault:
        """The server carries out the n-th such request; its answer is dropped and the client cut off."""
        return self._arm(Fault(self._loop, Action.LOSE_ANSWER, kind, nth, containing))

    def lose_request(self, kind: Hashable, *, nth: int = 1, containing: bytes = b"") -> Fault:
        """The n-th such request never reaches the server; both sides are cut off."""
        return self._arm(Fault(self._loop, Action.LOSE_REQUEST, kind, nth, containing))

    def hold_request(
        self, kind: Hashable, *, nth: int = 1, containing: bytes = b"", seconds: float | None = None, cut: bool = True
    ) -> Fault:
        """The n-th such request reaches the server on `release()`, or after `seconds`.

        Meanwhile the client is cut off, and may well connect and ask again (aiokafka repeats EndTxn by itself, asyncpg
        repeats nothing); with `cut=False` it waits. The server sees an open connection all along, even if the client
        goes.
        """
        return self._arm(Fault(self._loop, Action.HOLD_REQUEST, kind, nth, containing, cut, seconds))

    def disarm(self) -> None:
        """Forget the faults that have not fired. Held requests stay held."""
        self._call(self._faults.clear)

    def cut(self) -> None:
        """Cut every client off now; what is held for the server stays held. New connections are let in."""
        self._call(self._cut_all)

    def block(self) -> None:
        """Cut every connection and refuse new ones until `unblock()`."""
        self._blocked = True
        self.cut()

    def unblock(self) -> None:
        self._blocked = False

    def start(self) -> None:
        """Raises: OSError, if the port is taken."""
        self._thread.start()
        self._await(self._listen())

    def stop(self) -> None:
        """Cut everything and end the thread."""
        self._await(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    def _arm(self, fault: Fault) -> Fault:
        self._call(lambda: self._faults.append(fault))
        return fault

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not self._blocked:
                server = await asyncio.wait_for(asyncio.open_connection(*self._upstream), TIMEOUT)
                await self._relay(Link(self._wire(), (reader, writer), server))
        except (OSError, asyncio.IncompleteReadError):
            pass  # one side went away, which the other is about to see
        finally:
            writer.transport.abort()

    async def _relay(self, link: Link) -> None:
        """Until either side ends; a held request outlives its client."""
        self._links.add(link)
        pumps: list[asyncio.Task[None]] = []
        try:
            await link.to_server(await link.wire.greet(*link.client))
            pumps = [asyncio.create_task(pump(link)) for pump in (self._requests, self._answers)]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            link.cut()
            self._links.discard(link)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def _requests(self, link: Link) -> None:
        while True:
            request = await link.wire.request(link.client[0])
            self.counts[request.kind] += 1
            fault = self._due(request)
            if fault is None:
                await link.to_server(request.raw)
                continue
            link.faults[request] = fault
            if fault.action is Action.LOSE_REQUEST:
                link.cut()
                fault.fired.set()
                return
            if fault.action is Action.HOLD_REQUEST:
                if fault.cut:
                    link.cut_client()
                fault.fired.set()
                await fault.released()
            await link.to_server(request.raw)
            # The client's going must not end the link before the answer shows that the server has carried it out.
            await fault.answered()

    async def _answers(self, link: Link) -> None:
        while True:
            answer = await link.wire.answer(link.server[0])
            fault = link.faults.get(answer.request) if answer.request else None
            if fault is None:
                await link.to_client(answer.raw)
                continue
            if answer.complete:
                fault.deliver()
                if fault.cut:
                    link.cut()
                    fault.fired.set()
                    return
            if not fault.cut:
                await link.to_client(answer.raw)

    def _cut_all(self) -> None:
        for link in tuple(self._links):
            if link.holds:
                link.cut_client()
            else:
                link.cut()

    def _due(self, request: Request) -> Fault | None:
        due = [fault for fault in self._faults if fault.is_due(request)]
        if not due:
            return None
        self._faults.remove(due[0])
        return due[0]

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _await(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(TIMEOUT)

    def _call(self, step: Callable[[], object]) -> None:
        """In the proxy's thread, before returning, so that what a test does next comes after it."""

        async def take() -> None:
            step()

        self._await(take())


class KafkaProxy(FaultProxy):
    """Before a broker's PROXY listener, whose advertised port is this proxy's. Kinds are `Api` numbers."""

    def __init__(self, host: str, port: int, listen: int | None = None) -> None:
        super().__init__(KafkaWire, host, port, listen)

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"


class PostgresProxy(FaultProxy):
    """Before a PostgreSQL, unencrypted. Kinds are first words of simple queries, as drivers send `BEGIN` and `COMMIT`."""

    def __init__(self, host: str, port: int, listen: int | None = None) -> None:
        super().__init__(PostgresWire, host, port, listen)


@contextmanager
def proxied_broker() -> Iterator[tuple[EmbeddedBroker, KafkaProxy]]:
    """A broker of its own with a proxy before it; `bootstrap_servers` of either decides which way a client goes."""
    inner, outer = free_port(), free_port()
    with (
        embedded_broker(proxied_port=inner, advertised_proxy_port=outer) as node,
        KafkaProxy("127.0.0.1", inner, outer) as proxy,
    ):
        yield node, proxy
