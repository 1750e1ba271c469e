"""Intake as a process on a real broker: HTTP and a watched folder, killed and started again."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from schemas.envelope import Message, decode
from schemas.person import VictimsDescribed
from schemas.topics import Topic
from services.cli.serve import migrate_all
from services.cli.topics import create_topics
from services.common.settings import CommonSettings
from tests.harness import feed, kafka

PARTITIONS = 4
TOKEN = "token-of-an-agency-0123456789abcdef0123456789"
OPERATOR = "token-of-an-operator-0123456789abcdef0123456789"


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(what: Callable[[], object], seconds: float = 150.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


class Intake:
    """One process, and what it is told."""

    def __init__(self, bootstrap: str, home: Path) -> None:
        self.home, self.port = home, _port()
        self.folder = home / "in"
        tokens = home / "tokens.jsonl"
        entries = [
            {"sha256": _sha(TOKEN), "person": "cad", "roles": ["agency"], "agency": feed.ORI},
            {"sha256": _sha(OPERATOR), "person": "op", "roles": ["operator"]},
        ]
        tokens.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        tokens.chmod(0o600)
        feeds = home / "feeds.yaml"
        feeds.write_text(f"feeds: [{{folder: in, format: cloudevents, agency: {feed.ORI}}}]\n")
        self.environment = {
            **os.environ,
            "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
            "IPVI_HOME": str(home),
            "IPVI_PARTITIONS": str(PARTITIONS),
            "IPVI_API_PORT": str(self.port),
            "IPVI_TOKENS_FILE": str(tokens),
            "IPVI_FEEDS_FILE": str(feeds),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "services.cli.main", "serve", "intake"]
        self.process = subprocess.Popen(command, env=self.environment, stderr=subprocess.DEVNULL)
        _until(lambda: self._answers("/health") == 200)

    def _answers(self, path: str) -> int:
        try:
            headers = {"Authorization": f"Bearer {OPERATOR}"}
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=5).status_code
        except httpx.TransportError:
            return 0

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def post(self, body: object) -> httpx.Response:
        return httpx.post(
            f"http://127.0.0.1:{self.port}/v1/incidents",
            json=body,
            headers={"Authorization": f"Bearer {TOKEN}"},
            timeout=30,
        )

    def get(self, path: str, token: str = TOKEN) -> httpx.Response:
        return httpx.get(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    def put(self, name: str, *lines: bytes) -> None:
        self.folder.mkdir(exist_ok=True)
        part = self.folder / f"{name}.part"
        part.write_bytes(b"\n".join(lines) + b"\n")
        part.rename(self.folder / name)


def _sha(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@contextmanager
def running(intake: Intake) -> Iterator[Intake]:
    try:
        intake.start()
        yield intake
    finally:
        if intake.process is not None and intake.process.poll() is None:
            intake.kill()


@pytest.mark.timeout(450)
def test_taken_over_http_and_from_a_folder_whoever_dies(tmp_path: Path) -> None:
    with kafka.embedded_broker() as broker:
        bootstrap = broker.bootstrap_servers
        create_topics(bootstrap, PARTITIONS)
        settings = CommonSettings(KAFKA_BOOTSTRAP_SERVERS=bootstrap, home=tmp_path, partitions=PARTITIONS)
        asyncio.run(migrate_all(settings, ["intake"]))
        lines = [feed.line(feed.incident(f"O{n % 50}", f"F-{n:04}")) for n in range(2_000)]
        with running(Intake(bootstrap, tmp_path)) as intake:
            answered = intake.post(feed.incident("O1", "H-1"))
            assert answered.status_code == 202, answered.text
            assert intake.get(answered.headers["Location"]).json()["on_stream"] is True
            assert len(kafka.read_all(bootstrap, Topic.INCIDENTS)) == 1, "acknowledged is on the stream"
            intake.put("month.jsonl", *lines)
            _until(lambda: sum(kafka.end_offsets(bootstrap, [Topic.INCIDENTS]).values()) > 300)
            intake.kill()
            assert (intake.folder / "month.jsonl").exists()
            intake.start()
            assert intake.post(feed.incident("O1", "H-1")).json() == answered.json()
            _until(lambda: (intake.folder / "done" / "month.jsonl").exists())
            measured = intake.get("/metrics", OPERATOR).text
            assert intake.stop() == 0
        incidents, victims = (kafka.read_all(bootstrap, topic) for topic in (Topic.INCIDENTS, Topic.VICTIMS))
    ids = Counter(dict(record.headers)["ce_id"] for record in incidents)
    assert len(ids) == 2_001
    assert sum(count - 1 for count in ids.values()) <= 500, "at most the batch in hand goes out again"
    last = {record.key: record for record in victims}
    for key, record in last.items():
        data = decode(Message(record.key, record.value, record.headers)).data
        assert isinstance(data, VictimsDescribed)
        assert len(data.victims) == (41 if key == b"O1" else 40), "whole, whatever died"
    assert "Canary" not in measured
    assert 'ipvi_intake_paused{agency="ZZ0010000"' in measured
