"""Victim outreach as a process on a real broker, with its own clock and sender.

A referral is a task within seconds; what is due and not done is raised by the clock, and whoever is on duty is paged;
a message leaves once; and of what an advocate records nothing is on any topic but the restricted one, or in any log.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.advocacy import (
    Answer,
    ChannelSafety,
    ConsentRecipient,
    ConsentScope,
    ContactSafety,
    GiveConsent,
    MessageText,
    RecordSafeContact,
    RecordScreen,
    SendMessage,
)
from schemas.commands import Attempt, Claim, Complete, Role, SafetyHold
from schemas.envelope import Data, Event, Message, decode, deterministic_id
from schemas.outreach import AttemptOutcome, ContactChannel, GateChanged, GateHeartbeat, TaskOverdue
from schemas.topics import Topic
from services.cli.topics import create_topics
from services.common.records import lane_of
from tests.harness import kafka
from tests.harness.lanes import referred
from tests.harness.letters import SAMPLE_COUNTY
from tests.harness.outreach import HIM, described, opened
from tests.harness.outreach_store import her
from tests.harness.pipeline import Pipeline
from tests.harness.replicas import LANES, ReplicaProcess, wait_for

CANARY = "kanarienvogel"
NEXT = "O-3"
FOLDER = Path(__file__).parents[2] / "policies"
OWN = {str(Topic.VICTIM_OUTREACH_COMMANDS), str(Topic.VICTIMS)}
"""Where people's acts come in, and what police hold: read by this service alone."""
SAID = [topic for topic in Topic if str(topic) not in OWN]
ROSTER = "- {person: Ada, roles: [advocate, community_advocate], channel: email, address: ada@example.org}\n"


@pytest.fixture
def system() -> Iterator[Pipeline]:
    with (
        tempfile.TemporaryDirectory(prefix="ipvi-outreach-", ignore_cleanup_errors=True) as folder,
        kafka.embedded_broker() as broker,
    ):
        create_topics(broker.bootstrap_servers, LANES)
        made = Pipeline(
            broker.bootstrap_servers,
            None,
            Path(folder),
            str(_call_due_at_once(Path(folder))),
            services=["victim_outreach"],
        )
        yield made
        made.close()


def _call_due_at_once(folder: Path) -> Path:
    """The practice policy, but that a call is due as soon as it is called for."""
    text = (FOLDER / "high-point-practice.yaml").read_text().replace("id: high-point-practice", "id: at-once")
    path = folder / "at-once.yaml"
    path.write_text(re.sub(r"(kind: call, .*?due_within_hours: )\d+", r"\g<1>0", text))
    (folder / "roster.yaml").write_text(ROSTER)
    return path


class Day:
    """One woman's referral, and what an advocate does with it."""

    def __init__(self, system: Pipeline) -> None:
        self.system = system
        self.sent = 0

    def put(self, topic: Topic, data: Data, him: str = HIM) -> None:
        self.sent += 1
        event = Event(
            id=deterministic_id("test", self.sent),
            source="/tests",
            subject=him,
            time=datetime.now(UTC),
            data=data,
            dataclassification=topic.classification,
        )
        self.system.feed([event], topic)

    def act(self, model: Any, role: Role = Role.COMMUNITY_ADVOCATE, **more: Any) -> None:
        self.put(Topic.VICTIM_OUTREACH_COMMANDS, model(offender_id=HIM, by="ada", role=role, **more))

    def rows(self, statement: str) -> list[Any]:
        return self.system.rows("victim_outreach", statement)

    def task(self, kind: str) -> str:
        return str(self.rows(f"SELECT task_id FROM tasks WHERE kind = '{kind}'")[0].task_id)  # noqa: S608

    def told(self, topic: Topic, model: type[Data]) -> list[Any]:
        return [data for data in self.all_told(topic) if isinstance(data, model)]

    def all_told(self, topic: Topic) -> list[Any]:
        records = kafka.read_all(self.system.bootstrap, str(topic))
        return [decode(Message(record.key, record.value, record.headers)).data for record in records]


def test_a_day(system: Pipeline) -> None:
    outbox = system.folder / "outbox"
    process = system.start(
        "victim_outreach",
        IPVI_AS_OF="now",
        IPVI_TICKS="true",
        IPVI_DUTY_ROSTER=str(system.folder / "roster.yaml"),
        IPVI_COUNTY=str(SAMPLE_COUNTY),
        IPVI_OUTBOX=str(outbox),
    )
    process.wait_said("lane.claimed", LANES)
    day = Day(system)
    _a_referral_is_a_task_within_seconds(day)
    _what_she_says(day)
    wait_for(lambda: len(list(outbox.glob("M-1*"))) == 1, 30, lambda: f"the message to leave: {process.tail()}")
    wait_for(lambda: [row.outcome for row in day.rows("SELECT outcome FROM messages")] == ["sent"], 30, "its outcome")
    _the_clock_raises_what_is_due(day, outbox)
    _what_she_said_holds_with_the_next_man(day)
    system.wait_settled()
    assert len(list(outbox.glob("M-1*"))) == 1
    _nothing_of_it_is_anywhere_else(day, process)


def _a_referral_is_a_task_within_seconds(day: Day) -> None:
    day.put(Topic.VICTIMS, described(her(1, f"{CANARY}@police.example", name=f"Kept {CANARY}")))
    start = time.monotonic()
    day.put(Topic.REFERRALS, opened(1, occurred_at=datetime.now(UTC) - timedelta(hours=2)))
    wait_for(lambda: bool(day.rows("SELECT 1 FROM tasks")), 5, "a task within 5 s")
    assert time.monotonic() - start < 5


def _what_she_says(day: Day) -> None:
    """Every free field there is, and acts of each kind on a community advocate's task."""
    case_id = day.rows("SELECT case_id FROM cases")[0].case_id
    email = ChannelSafety(channel=ContactChannel.EMAIL, safety=ContactSafety.SAFE, address=f"{CANARY}@example.org")
    day.act(RecordSafeContact, case_id=case_id, channels=[email], instructions=f"say {CANARY}", language="es")
    day.act(RecordScreen, case_id=case_id, answers=[Answer.YES, *[Answer.NO] * 10])
    day.act(
        GiveConsent,
        case_id=case_id,
        consent_id=f"C-{CANARY}",
        scope=ConsentScope.CASE_SUMMARY,
        recipient=ConsentRecipient.SERVICE_PROVIDER,
        named=f"The {CANARY} house",
        until=datetime.now(UTC) + timedelta(days=3),
        signed=True,
    )
    planning = day.task("safety_planning")
    day.act(Claim, task_id=planning)
    day.act(
        SendMessage,
        task_id=planning,
        message_id="M-1",
        channel=ContactChannel.EMAIL,
        text=MessageText.RESOURCES,
        language="es",
    )
    reached = AttemptOutcome.REACHED
    day.act(Attempt, task_id=planning, outcome=reached, channel=ContactChannel.CALL, attempted_at=datetime.now(UTC))
    day.act(Complete, task_id=planning)
    day.act(SafetyHold, hold_id=f"H-{CANARY}")
    wait_for(lambda: bool(day.rows("SELECT 1 FROM holds")), 20, "the acts to be applied")


def _what_she_said_holds_with_the_next_man(day: Day) -> None:
    """In a lane of its own, that is told within seconds."""
    assert lane_of(NEXT, LANES) != lane_of(HIM, LANES)
    day.put(Topic.REFERRALS, referred(NEXT, 2, "V-1", occurred_at=datetime.now(UTC) - timedelta(hours=2)), NEXT)
    told = f"SELECT instructions FROM told_profiles WHERE offender_id = '{NEXT}'"  # noqa: S608
    wait_for(lambda: bool(day.rows(told)), 5, "what she said to be known there within 5 s")
    assert [row.instructions for row in day.rows(told)] == [f"say {CANARY}"]


def _the_clock_raises_what_is_due(day: Day, outbox: Path) -> None:
    """By the service's own ticks: the call is marked, said to advocates' systems, and somebody on duty is told."""
    wait_for(lambda: bool(day.told(Topic.OUTREACH, TaskOverdue)), 90, "the sweep to fire")
    [mark] = [one for one in day.told(Topic.OUTREACH, TaskOverdue) if one.kind == "call"]
    assert (mark.escalation, mark.duty) == (1, "advocate")
    wait_for(lambda: len(list(outbox.glob("*.eml"))) > 1, 20, "a page")
    pages = [path.read_text() for path in outbox.glob("*.eml") if not path.name.startswith("M-1")]
    assert all("To: ada@example.org" in page and "One new task. Please sign in." in page for page in pages)
    assert not any(word in page for page in pages for word in (CANARY, HIM, "V-1"))
    assert day.told(Topic.OUTREACH_GATES, GateHeartbeat)


def _nothing_of_it_is_anywhere_else(day: Day, process: ReplicaProcess) -> None:
    for topic in SAID:
        for record in kafka.read_all(day.system.bootstrap, str(topic)):
            assert CANARY.encode() not in (record.value or b"") + repr(record.headers).encode(), topic
    for row in day.rows("SELECT topic, value, headers FROM journal"):
        assert CANARY.encode() not in (row.value or b"") + str(row.headers).encode(), row.topic
    assert CANARY not in process.log.read_text()
    gates = day.told(Topic.OUTREACH_GATES, GateChanged)
    assert sorted((one.offender_id, str(one.gate)) for one in gates) == [(HIM, "shut"), (NEXT, "shut")]
    # Of what she did for her nothing was said but that there was something to do.
    said = {(data.TYPE, data.kind) for data in day.all_told(Topic.OUTREACH)}
    assert {one for one in said if one[1] in ("safety_planning", "high_danger_call")} == {
        ("ipvi.task.opened.v1", "safety_planning")
    }
