"""Who is called, how often, and what is said: the same for every task."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from schemas.duty import DutyAlerted, DutyRole
from schemas.envelope import Event, encode
from schemas.policy_notices import Duty
from schemas.topics import Topic
from services.common.duty import Pager, RosterFile
from services.common.messaging import DUTY_ALERT, Mail, NotSent, NotSentError, ShortText
from services.notifier.alerts import GOOD_FOR, AlertSender

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROSTER = """
- {person: desk, roles: [notice_desk], channel: text, address: "+13365550101"}
- {person: chief, roles: [notice_supervisor, coordinator], channel: email, address: chief@example.org}
- {person: night, roles: [prosecutor], channel: text, address: "+13365550103", start: "20:00", end: "06:00"}
"""


@dataclass
class Wire:
    """A mail server and an SMS service; down as long as the test says."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    down: int = 0

    async def send(self, message: Any) -> None:
        if self.down:
            self.down -= 1
            raise NotSentError(NotSent.UNREACHABLE)
        assert message.text == DUTY_ALERT
        assert isinstance(message, Mail | ShortText)
        self.sent.append((message.to, message.message_id))


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def sender(tmp_path: Path, wire: Wire) -> AlertSender:
    (tmp_path / "roster.yaml").write_text(ROSTER)
    pager = Pager(RosterFile(tmp_path / "roster.yaml", UTC), wire, wire)
    return AlertSender("unused", pager, Duty(), now=lambda: NOW, again=0)


def alert(role: DutyRole, number: int = 1, at: datetime = NOW) -> ConsumerRecord:
    data = DutyAlerted(alert_id=f"A-{number}", role=role, escalation=1)
    event = Event(
        id=f"alert-{number}",
        source="/ipvi/notifier",
        subject=role,
        time=at,
        data=data,
        dataclassification=Topic.DUTY_ALERTS.classification,
    )
    message = encode(event)
    stamp = int(at.timestamp() * 1000)
    return ConsumerRecord(
        str(Topic.DUTY_ALERTS), 0, number, stamp, 1, message.key, message.value, None, 0, 0, tuple(message.headers)
    )


async def test_one_call_to_each_role_however_many_tasks(sender: AlertSender, wire: Wire) -> None:
    desk, coordinator = DutyRole.NOTICE_DESK, DutyRole.COORDINATOR
    await sender.tell([alert(desk, 1), alert(desk, 2), alert(coordinator, 3)])
    assert wire.sent == [("chief@example.org", "A-3-0"), ("+13365550101", "A-1-0")]


async def test_a_role_that_nobody_fills_now_is_passed_over(sender: AlertSender, wire: Wire) -> None:
    await sender.tell([alert(DutyRole.PROSECUTOR)])
    assert [to for to, _ in wire.sent] == ["chief@example.org"]


async def test_who_could_not_be_told_is_called_again(sender: AlertSender, wire: Wire) -> None:
    wire.down = 5
    await sender.tell([alert(DutyRole.NOTICE_DESK)])
    assert len(wire.sent) == 1


async def test_an_old_alert_is_not_sent(sender: AlertSender, wire: Wire) -> None:
    await sender.tell([alert(DutyRole.NOTICE_DESK, at=NOW - GOOD_FOR - timedelta(seconds=1))])
    assert wire.sent == []


async def test_nobody_can_be_told_until_it_is_too_old(tmp_path: Path, wire: Wire) -> None:
    times = iter([NOW, NOW, NOW + GOOD_FOR, NOW + GOOD_FOR, *[NOW + 2 * GOOD_FOR] * 3])
    pager = Pager(RosterFile(None, UTC), wire, wire)
    await AlertSender("unused", pager, Duty(), now=lambda: next(times), again=0).tell([alert(DutyRole.NOTICE_DESK)])
    assert wire.sent == []
