"""Every published example goes through the code of every service that reads its topic, and what follows is of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from schemas.envelope import Message, decode, encode, from_json_line
from schemas.generate import EXAMPLES
from schemas.partner import partner_types
from schemas.partner_file import FOLDER, load_partner
from schemas.rejects import REJECT_HEADERS, InvalidRecord, RejectCode
from schemas.topics import Topic, allowed, spec
from services.cli.registry import SERVICES
from services.common.positions import LaneRow
from services.common.producer import JournalRow
from services.common.records import dead_letter, parse
from services.common.settings import CommonSettings
from services.common.work import Worker
from services.partners.app import compose
from tests.harness.working import work

LANES = 24
MS = 1_773_456_000_000


def read_by() -> Iterator[tuple[str, Topic, Path]]:
    for path in sorted(EXAMPLES.rglob("*.json")):
        if path.parent.name in partner_types():
            continue  # read by partners alone
        (topic,) = (topic for topic in Topic if allowed(topic, path.parent.name))
        yield from ((service, topic, path) for service in spec(topic).consumers)


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = CommonSettings(home=tmp_path_factory.mktemp("home"))
    built = {name: import_module(f"services.{part.package}.app").build(settings) for name, part in SERVICES.items()}
    return {**built, "partners": compose(load_partner(FOLDER / "sheriff.yaml"), b"a key of the county's")}


def test_services_read_what_the_topics_say(services: dict[str, Any]) -> None:
    for topic in Topic:
        assert {name for name, service in services.items() if topic in service.inputs} == set(spec(topic).consumers)


@pytest.mark.parametrize(("name", "topic", "path"), list(read_by()), ids=lambda value: getattr(value, "stem", None))
def test_an_example_is_taken(services: dict[str, Any], name: str, topic: Topic, path: Path) -> None:
    service = services[name]
    given = parse(record(topic, encode(from_json_line(path.read_bytes()))))
    worker = Worker(service, 0, LANES)
    due = [given.record.key.decode()] if given.is_for_lane else ()
    worked = work(worker, LaneRow(1), [given], due=due)
    assert worked.failed is None
    assert worked.overslept == []
    assert worked.rejects == []
    for row in worked.journal:
        assert_of_the_contract(row, name)


def test_a_dead_letter_says_what_the_contract_says() -> None:
    refused = record(Topic.INCIDENTS, Message(b"O-1", b"{", (("ce_type", b"x"),)))
    letter = dead_letter(refused, InvalidRecord(RejectCode.BROKEN_JSON), Topic.CLASSIFIER_REJECTS, 0).message
    own = {name for name, _ in letter.headers if not name.startswith("original-")}
    assert own == {name for name in REJECT_HEADERS if name not in ("reject-file", "reject-line", "reject-cut-from")}
    assert ("original-ce_type", b"x") in letter.headers
    assert letter.value == b"{"


def assert_of_the_contract(row: JournalRow, writer: str) -> None:
    """On a topic the service may write, of a type that may stand there, readable by whoever reads it."""
    if writer == "partners" and row.topic == "ipvi.partner.sheriff.v1":
        event = decode(Message(row.key, row.value, row.headers))
        assert event.type in partner_types()
        return
    topic = Topic(row.topic)
    assert writer in spec(topic).producers
    if row.value is not None:
        assert parse(record(topic, Message(row.key, row.value, row.headers))).invalid is None


def record(topic: Topic, message: Message) -> ConsumerRecord:
    return ConsumerRecord(
        topic.value, 0, 7, MS, 1, message.key, message.value, None, -1, len(message.value or b""), message.headers
    )
