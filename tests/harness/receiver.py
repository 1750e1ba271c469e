"""A partner's HTTP server on loopback, that answers as a test tells it to and remembers what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Reply = tuple[int, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came; header names in small letters."""

    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass(slots=True)
class Receiver:
    """`reply` is asked for each request; `taken` are those that were answered with 2xx, `seen` all."""

    url: str
    reply: Callable[[Request], Reply] = lambda _: (204, {})
    seen: list[Request] = field(default_factory=list)
    taken: list[Request] = field(default_factory=list)


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    """Two senders open more connections at once than a queue of five holds."""


@contextmanager
def receiver() -> Iterator[Receiver]:
    """On a free port of 127.0.0.1, until the block ends."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            request = Request({name.lower(): value for name, value in self.headers.items()}, body)
            status, headers = found.reply(request)
            with lock:
                found.seen.append(request)
                if 200 <= status < 300:
                    found.taken.append(request)
            self.send_response(status)
            for name, value in {"content-length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = _Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Receiver(f"http://127.0.0.1:{server.server_port}/events")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
