"""Whoever is on duty is called on a real broker, by notifier and victim outreach, through a mail server's moods and `kill -9`.

What is called for is sent at least once: where the server is away, and where the process dies while it says it. It is said
again, to the next role, until somebody has taken the task; and it says nothing of anybody.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from schemas.classification import Tier
from schemas.commands import Claim, ClaimNotification, NotifierTick, OutreachTick, Role
from schemas.duty import DutyAlerted
from schemas.envelope import Data, Event, Message, decode, encode, pair_id
from schemas.notification import Channel
from schemas.outreach import GateChanged, GateState
from schemas.person import Custody, OffenderDescribed
from schemas.topics import Topic
from services.cli.broker.process import free_port
from services.cli.topics import create_topics
from services.common.clock import period_of, tick_event
from services.common.messaging import DUTY_ALERT
from services.common.records import lane_of
from tests.harness import kafka
from tests.harness.notices import decision, incident
from tests.harness.outreach import HIM as HERS
from tests.harness.outreach import described, opened
from tests.harness.outreach_store import her
from tests.harness.pipeline import Pipeline
from tests.harness.replicas import LANES, ReplicaProcess, wait_for

HIM = "O-2"
"""To be given a notice at the jail; `HERS` is another, whose victim is to be called before his hearing."""
PAIR = pair_id(incident(1), HIM)
START = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=3)
"""No record is taken as later than the broker had it, so what the test lets pass is past."""
ROSTER = """
- {person: Desk, roles: [notice_desk], channel: email, address: desk@example.org}
- {person: Chief, roles: [notice_supervisor], channel: email, address: chief@example.org}
- {person: Ada, roles: [advocate, officer, community_advocate], channel: email, address: ada@example.org}
- {person: Sue, roles: [outreach_supervisor, coordinator], channel: email, address: sue@example.org}
"""


@dataclass
class Post:
    """A mail server: takes what comes, says that it cannot now, or never answers."""

    mood: str = "takes"
    asked: list[str] = field(default_factory=list)
    """To whom something was to go, whatever came of it."""
    taken: list[tuple[str, bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        [to] = envelope.rcpt_tos
        mood = self.mood
        self.asked.append(to)
        if mood == "away":
            return "451 later"
        if mood == "silent":
            await asyncio.sleep(600)  # whoever asked is killed
        assert isinstance(envelope.content, bytes)
        self.taken.append((to, envelope.content))
        return "250 OK"

    def told(self, to: str) -> int:
        return sum(one == to for one, _ in self.taken)


@pytest.fixture
def post() -> Iterator[tuple[Post, int]]:
    made, port = Post(), free_port()
    controller = Controller(made, hostname="127.0.0.1", port=port)
    controller.start()
    yield made, port
    controller.stop()


@dataclass
class Night:
    """Both services on one broker; the test holds their clock and their mail server."""

    system: Pipeline
    post: Post
    port: int
    now: datetime = START
    processes: dict[str, ReplicaProcess] = field(default_factory=dict)

    def start(self) -> None:
        roster = self.system.folder / "roster.yaml"
        roster.write_text(ROSTER)
        for name in self.system.services:
            self.processes[name] = self.system.start(
                name,
                module="tests.harness.unclocked",
                IPVI_AS_OF="now",
                IPVI_TICKS="true",
                IPVI_DUTY_ROSTER=str(roster),
                IPVI_SMTP_URL=f"smtp://127.0.0.1:{self.port}",
            )

    def kill(self) -> None:
        for process in self.processes.values():
            process.kill()

    def tail(self) -> str:
        tails = "\n".join(process.tail() for process in self.processes.values())
        return f"{self.post.asked} asked, {len(self.post.taken)} taken, {self.alerts()}: {tails}"

    def put(self, topic: Topic, data: Data, subject: str) -> None:
        self._write(topic, lane_of(subject, LANES), self._event(topic, data, subject))

    def tick(self, minutes: int) -> None:
        """Outreach first: its heartbeat must be there when the notifier looks."""
        self.now += timedelta(minutes=minutes)
        for name, model, topic in (
            ("victim_outreach", OutreachTick, Topic.VICTIM_OUTREACH_COMMANDS),
            ("notifier", NotifierTick, Topic.NOTIFIER_COMMANDS),
        ):
            for lane in range(LANES):
                event = tick_event(model, name, lane, period_of(self.now))
                self._write(topic, lane, replace(event, recordedtime=self.now))
            self.system.wait_settled()

    def _event(self, topic: Topic, data: Data, subject: str) -> Event[Data]:
        self.now += timedelta(seconds=1)
        return Event(
            id=f"{subject}-{self.now.isoformat()}",
            source="/tests/duty",
            subject=subject,
            time=self.now,
            recordedtime=self.now,
            data=data,
            dataclassification=topic.classification,
        )

    def _write(self, topic: Topic, lane: int, event: Event[Data]) -> None:
        message = encode(event)
        kafka.produce(self.system.bootstrap, str(topic), [(lane, message.key, message.value, message.headers)])

    def row(self, service: str, statement: str) -> Any:
        [found] = self.system.rows(service, statement)
        return found

    def alerts(self) -> list[DutyAlerted]:
        records = kafka.read_all(self.system.bootstrap, str(Topic.DUTY_ALERTS))
        found = [decode(Message(record.key, record.value, record.headers)).data for record in records]
        return [one for one in found if isinstance(one, DutyAlerted)]


@pytest.fixture
def night(post: tuple[Post, int]) -> Iterator[Night]:
    with (
        tempfile.TemporaryDirectory(prefix="ipvi-duty-", ignore_cleanup_errors=True) as folder,
        kafka.embedded_broker() as broker,
    ):
        create_topics(broker.bootstrap_servers, LANES)
        services = ["notifier", "victim_outreach"]
        system = Pipeline(broker.bootstrap_servers, None, Path(folder), "high-point-practice", services=services)
        yield Night(system, *post)
        system.close()


def test_called_until_somebody_has_taken_it(night: Night) -> None:
    post = night.post
    post.mood = "silent"
    night.start()
    _two_tasks(night)
    # each dies while it tells the server, and its successor finds the server away
    wait_for(lambda: {"desk@example.org", "ada@example.org"} <= set(post.asked), 40, night.tail)
    night.kill()
    assert post.taken == []
    post.mood, before = "away", len(post.asked)
    night.start()
    for process in night.processes.values():
        process.wait_said("duty.nobody_told", timeout=90)
    assert len(post.asked) > before
    # nor is it forgotten by the next
    night.kill()
    post.mood = "takes"
    night.start()
    wait_for(lambda: post.told("desk@example.org") > 0 and post.told("ada@example.org") > 0, 90, night.tail)
    _said_again_to_the_next_until_it_is_taken(night)
    assert {_text(content) for _, content in post.taken} == {DUTY_ALERT}
    for _, content in post.taken:
        assert not re.search(rb"O-1|O-2|V-1|Invented|tier|jail", content, re.IGNORECASE)


def _two_tasks(night: Night) -> None:
    """A notice to be given at the jail, and a call to be made before a hearing."""
    night.tick(1)
    for who in (HIM, HERS):
        jail = Custody(booking_id=f"J-{who}", booked_at=night.now)
        night.put(Topic.OFFENDERS, OffenderDescribed(offender_id=who, name="Invented Person", custody=jail), who)
    common: dict[str, Any] = {"pair_id": PAIR, "offender_id": HIM}
    times = {"occurred_at": night.now, "decided_at": night.now}
    decided = decision(1, Tier.C, **common, **times, askings={PAIR: 1})
    night.put(Topic.DECISIONS, decided, HIM)
    night.put(Topic.OUTREACH_GATES, GateChanged(**common, gate=GateState.CLEAR, version=1, answers=1), HIM)
    night.put(Topic.VICTIMS, described(her(1)), HERS)
    night.put(Topic.REFERRALS, opened(1, occurred_at=night.now - timedelta(hours=2)), HERS)
    night.system.wait_settled()
    night.tick(1)
    notice = night.row("notifier", "SELECT state, channel FROM notifications")
    assert (notice.state, notice.channel) == ("released", Channel.CUSTODY_VISIT)


def _said_again_to_the_next_until_it_is_taken(night: Night) -> None:
    post = night.post
    told = len(night.alerts())
    again = post.told("ada@example.org")
    night.tick(16)
    wait_for(lambda: post.told("chief@example.org") > 0, 30, night.tail)
    wait_for(lambda: post.told("ada@example.org") > again, 30, night.tail)
    assert [(one.role, one.escalation) for one in night.alerts()[told:]] == [("notice_supervisor", 2)]

    notice = night.row("notifier", "SELECT notification_id FROM notifications")
    task = night.row("victim_outreach", "SELECT task_id FROM tasks WHERE kind = 'call'")
    taken = ClaimNotification(offender_id=HIM, notification_id=notice.notification_id, by="olin", role=Role.OFFICER)
    night.put(Topic.NOTIFIER_COMMANDS, taken, HIM)
    for row in night.system.rows("victim_outreach", "SELECT task_id FROM tasks"):
        claim = Claim(offender_id=HERS, task_id=row.task_id, by="sue", role=Role.OUTREACH_SUPERVISOR)
        night.put(Topic.VICTIM_OUTREACH_COMMANDS, claim, HERS)
    night.system.wait_settled()
    assert task.task_id
    calls = len(night.alerts()), len(post.asked)
    night.tick(16)
    night.tick(16)
    assert (len(night.alerts()), len(post.asked)) == calls


def _text(content: bytes) -> str:
    message = message_from_bytes(content, policy=policy.SMTP)
    return str(message.get_content()).strip()
