"""Ingest on a real broker.

Partitions, dead letters, tombstones; killed and run again nothing is lost and nothing is new.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.partitioner import murmur2
from confluent_kafka import KafkaException

from schemas.envelope import Message, decode
from schemas.person import VictimsDescribed
from schemas.topics import Topic
from services.cli.serve import migrate_all
from services.cli.topics import create_topics
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings
from services.intake.cloudevents import read_events
from services.intake.domain import AsOf, Feed, IngestSummary, Terms
from services.intake.lines import Source
from services.intake.sinks import stream
from services.intake.usecases import StreamError, ingest
from tests.harness import feed, kafka, nibrs

PARTITIONS = 4
WRITTEN = (Topic.INCIDENTS, Topic.OFFENDERS, Topic.VICTIMS, Topic.INTAKE_REJECTS)
INGEST = [sys.executable, "-c", "import typer; from services.cli.ingest import ingest_command as i; typer.run(i)"]


def settings(bootstrap: str, home: Path) -> CommonSettings:
    return CommonSettings(KAFKA_BOOTSTRAP_SERVERS=bootstrap, home=home, partitions=PARTITIONS)


def environment(bootstrap: str, home: Path) -> dict[str, str]:
    given = {"KAFKA_BOOTSTRAP_SERVERS": bootstrap, "IPVI_HOME": str(home), "IPVI_PARTITIONS": str(PARTITIONS)}
    return {**os.environ, **given}


@pytest.fixture
def bootstrap() -> Iterator[str]:
    """A broker of its own for each test: what is in the topics is counted."""
    with kafka.embedded_broker() as node:
        create_topics(node.bootstrap_servers, PARTITIONS)
        yield node.bootstrap_servers


def ids(record: kafka.Record) -> tuple[str, str]:
    headers = dict(record.headers)
    return headers["ce_source"].decode(), headers["ce_id"].decode()


def written(bootstrap: str) -> dict[Topic, list[kafka.Record]]:
    return {topic: kafka.read_all(bootstrap, topic) for topic in WRITTEN}


async def run(bootstrap: str, path: Path, as_of: AsOf = AsOf.NOW) -> IngestSummary:
    own = settings(bootstrap, path.parent)
    await migrate_all(own, ["intake"])
    async with stream(own, Feed("test"), Terms(feed.seal), as_of) as sink:
        return await ingest(read_events(Source(path)), sink, name=path.name)


async def test_what_is_written(bootstrap: str, tmp_path: Path) -> None:
    taken = {"incident_id": "ZZ0010000:25-001", "offender_id": "O1", "agency": feed.ORI}
    merge = {"offender_id": "O3", "merged_offender_id": "O2"}
    path = nibrs.written(
        tmp_path / "feed.jsonl",
        [
            feed.line(feed.incident("O1", offender={"offender_id": "O1", "birth_date": "1985-06-15"})),
            feed.line(feed.incident("O2", "25-002")),
            b"\xff not a line",
            feed.line(taken, "ipvi.incident.retracted.v1"),
            feed.line(merge, "ipvi.offender.merged.v1"),
        ],
        end=b"\n",
    )
    assert await run(bootstrap, path) == IngestSummary(units=5, events=4, rejected=1)
    topics = written(bootstrap)
    for topic, records in topics.items():
        for record in records:
            assert record.key is not None
            assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % PARTITIONS, topic
    by_key = {
        record.key: decode(Message(record.key, record.value, record.headers)) for record in topics[Topic.INCIDENTS]
    }
    assert {key: event.type for key, event in by_key.items()} == {
        b"O1": "ipvi.incident.retracted.v1",
        b"O2": "ipvi.offender.merged.v1",
    }
    assert all(event.recordedtime is None for event in by_key.values()), "the broker's time stamp is the record time"
    assert [record.value is None for record in topics[Topic.VICTIMS] if record.key == b"O1"] == [False, True]
    assert [record.value is None for record in topics[Topic.VICTIMS] if record.key == b"O2"] == [False, True]
    assert [record.value is None for record in topics[Topic.VICTIMS] if record.key == b"O3"] == [False]
    [letter] = topics[Topic.INTAKE_REJECTS]
    headers = {name: value.decode() for name, value in letter.headers}
    assert letter.value == b"\xff not a line"
    assert headers["ce_type"] == "ipvi.record.rejected.v1"
    assert {name: headers[f"reject-{name}"] for name in ("code", "file", "line", "field")} == {
        "code": "not_utf8",
        "file": "feed.jsonl",
        "line": "3",
        "field": "",
    }


async def test_a_megabyte_is_kept_whole_and_more_is_cut(bootstrap: str, tmp_path: Path) -> None:
    path = nibrs.written(tmp_path / "feed.jsonl", [b"x" * 1_000_000, b"y" * 5_000_000], end=b"\n")
    await run(bootstrap, path)
    values = {record.value[:1]: record for record in kafka.read_all(bootstrap, Topic.INTAKE_REJECTS) if record.value}
    assert values[b"x"].value == b"x" * 1_000_000
    assert values[b"y"].value is not None
    assert 1_500_000 < len(values[b"y"].value) < 2_000_000
    assert dict(values[b"y"].headers)["reject-cut-from"] == b"5000000"


async def test_no_broker_and_no_topics(tmp_path: Path) -> None:
    path = nibrs.written(tmp_path / "feed.jsonl", [b"{"], end=b"\n")
    with pytest.raises(StreamError, match=r"^no Kafka broker answers at 127\.0\.0\.1:1$"):
        await run("127.0.0.1:1", path)
    with kafka.embedded_broker() as node, pytest.raises(StreamError, match=r"has no topic ipvi\.internal\.offenders"):
        await run(node.bootstrap_servers, path)


def test_the_command_without_a_broker_says_one_line(tmp_path: Path) -> None:
    path = nibrs.written(tmp_path / "feed.jsonl", [b"{"], end=b"\n")
    command = [*INGEST, "--format", "cloudevents", str(path)]
    done = subprocess.run(
        command, env=environment("127.0.0.1:1", tmp_path), capture_output=True, text=True, timeout=150, check=False
    )
    assert (done.returncode, done.stderr) == (2, "no Kafka broker answers at 127.0.0.1:1\n")


@pytest.mark.timeout(180)
def test_killed_and_run_again(bootstrap: str, tmp_path: Path) -> None:
    """Three times `kill -9` somewhere in the middle; then once to the end. A clean run is what it is measured by."""
    lines: list[bytes] = []
    for number in range(4_000):
        lines.append(feed.line(feed.incident(f"O{number % 700}", f"25-{number:05}", revision=1 + number % 3)))
        if number % 1_000 == 500:
            lines.append(b"{ no line")
    path = nibrs.written(tmp_path / "feed.jsonl.gz", lines, end=b"\n")
    command = [*INGEST, "--format", "cloudevents", "--as-of", "reported", str(path)]
    asyncio.run(migrate_all(settings(bootstrap, tmp_path / "killed"), ["intake"]))
    given = environment(bootstrap, tmp_path / "killed")
    for share in (0.05, 0.3, 0.6):
        _kill_after(command, given, bootstrap, int(share * len(lines)))
    subprocess.run(command, env=given, check=True, timeout=120, capture_output=True)
    killed = written(bootstrap)
    with kafka.embedded_broker() as other:
        create_topics(other.bootstrap_servers, PARTITIONS)
        given = environment(other.bootstrap_servers, tmp_path / "clean")
        asyncio.run(migrate_all(settings(other.bootstrap_servers, tmp_path / "clean"), ["intake"]))
        subprocess.run(command, env=given, check=True, timeout=120, capture_output=True)
        clean = written(other.bootstrap_servers)
    for topic in WRITTEN:
        assert Counter(map(ids, clean[topic])).most_common(1)[0][1] == 1 if clean[topic] else True
        assert {ids(record) for record in killed[topic]} == {ids(record) for record in clean[topic]}, topic
        assert _effect(killed[topic]) == _effect(clean[topic]), topic
    assert 4_000 == len(clean[Topic.INCIDENTS]) <= len(killed[Topic.INCIDENTS]) <= 4_000 + 3 * 500
    assert len(clean[Topic.INTAKE_REJECTS]) == 4


async def test_his_victims_are_whole_over_files_and_repeats(bootstrap: str, tmp_path: Path) -> None:
    first = nibrs.written(tmp_path / "1.jsonl", [feed.line(feed.incident("O1", "25-001"))], end=b"\n")
    second = nibrs.written(tmp_path / "2.jsonl", [feed.line(feed.incident("O1", "25-002"))], end=b"\n")
    for path in (first, second, first):
        await run(bootstrap, path)
    incidents, victims = (kafka.read_all(bootstrap, topic) for topic in (Topic.INCIDENTS, Topic.VICTIMS))
    assert (len(incidents), len(victims)) == (2, 2), "a repeat writes nothing"
    last = decode(Message(victims[-1].key, victims[-1].value, victims[-1].headers)).data
    assert isinstance(last, VictimsDescribed)
    assert [one.incident_id for one in last.victims] == ["ZZ0010000:25-001", "ZZ0010000:25-002"]


async def test_another_brokers_topics_are_refused(bootstrap: str, tmp_path: Path) -> None:
    path = nibrs.written(tmp_path / "feed.jsonl", [feed.line(feed.incident())], end=b"\n")
    await run(bootstrap, path)
    with kafka.embedded_broker() as other:
        create_topics(other.bootstrap_servers, PARTITIONS)
        with pytest.raises(ConfigurationError, match="topic_recreated"):
            await run(other.bootstrap_servers, path)


async def test_another_seal_key_is_refused(bootstrap: str, tmp_path: Path) -> None:
    """What was expunged under the first would not be known again."""
    path = nibrs.written(tmp_path / "feed.jsonl", [feed.line(feed.incident())], end=b"\n")
    await run(bootstrap, path)
    with pytest.raises(ConfigurationError, match="another key"):
        async with stream(settings(bootstrap, tmp_path), Feed("test"), Terms(str.upper)):
            pass


async def test_without_tables_it_says_what_to_do(bootstrap: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ipvi migrate"):
        async with stream(settings(bootstrap, tmp_path), Feed("test"), Terms(feed.seal)):
            pass


def test_two_at_once_on_one_database(bootstrap: str, tmp_path: Path, database: str) -> None:
    """Two processes with PostgreSQL: each record once, each offender's in the order of his revisions."""
    own = CommonSettings(KAFKA_BOOTSTRAP_SERVERS=bootstrap, DATABASE_URL=database, partitions=PARTITIONS)
    asyncio.run(migrate_all(own, ["intake"]))
    processes = []
    for half in range(2):
        lines = [feed.line(feed.incident(f"O{n % 7}", f"25-{half}-{n:04}")) for n in range(600)]
        path = nibrs.written(tmp_path / f"{half}.jsonl", lines, end=b"\n")
        given = {**environment(bootstrap, tmp_path), "DATABASE_URL": database}
        processes.append(subprocess.Popen([*INGEST, "--format", "cloudevents", str(path)], env=given))
    assert [process.wait(140) for process in processes] == [0, 0]
    incidents, victims = (kafka.read_all(bootstrap, topic) for topic in (Topic.INCIDENTS, Topic.VICTIMS))
    assert len(incidents) == len(victims) == 1_200
    for number in range(7):
        sizes = [
            len(data.victims)
            for record in victims
            if record.key == f"O{number}".encode()
            and isinstance(data := decode(Message(record.key, record.value, record.headers)).data, VictimsDescribed)
        ]
        assert sizes == [min(200, n + 1) for n in range(len(sizes))], "nobody's word overtakes another's"


def _effect(records: list[kafka.Record]) -> dict[bytes | None, list[tuple[tuple[str, str], bytes | None]]]:
    """What a reader who passes over repeats takes from each key, in order."""
    seen: set[tuple[str, str]] = set()
    taken: dict[bytes | None, list[tuple[tuple[str, str], bytes | None]]] = {}
    for record in records:
        if ids(record) not in seen:
            seen.add(ids(record))
            taken.setdefault(record.key, []).append((ids(record), record.value))
    return taken


def _count(bootstrap: str) -> int:
    """How many incidents are written; a broker that has just made its topics may not answer for all of them yet."""
    deadline = time.monotonic() + 20
    while True:
        try:
            return sum(kafka.end_offsets(bootstrap, [Topic.INCIDENTS]).values())
        except KafkaException:
            if time.monotonic() > deadline:
                raise


def _kill_after(command: list[str], environment: dict[str, str], bootstrap: str, records: int) -> None:
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    try:
        while _count(bootstrap) < records and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        assert process.wait(10) == -signal.SIGKILL, "it was done before it was killed"
