"""Who is called, how often, and what is said: the same for every task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from sqlalchemy import URL, text

from schemas.duty import DutyAlerted, DutyRole
from schemas.envelope import Event, encode
from schemas.policy import Policy
from schemas.policy_file import load_policy
from schemas.topics import Topic
from services.common.cluster import Cluster
from services.common.database import Database
from services.common.duty import Pager, RosterFile
from services.common.messaging import DUTY_ALERT, Mail, NotSent, NotSentError, ShortText
from services.common.migrations import upgrade
from services.common.policies import Prevailing
from services.notifier.alerts import AGAIN, AlertSender, Waiting, alerts
from tests.harness.policies import changed, put_in_force

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


POLICY = load_policy("high-point-practice")
GOOD_FOR = timedelta(hours=POLICY.notices.repeat_hours)
PLACE = TopicPartition(str(Topic.DUTY_ALERTS), 0)


@dataclass
class Office:
    """A sender, and the time it is."""

    pager: Pager
    at: datetime = NOW
    waiting: Sequence[Waiting] = ()

    def __post_init__(self) -> None:
        self.sender = AlertSender(Cluster("unused"), self.pager, Prevailing(POLICY), now=lambda: self.at)

    async def tell(self, *more: Waiting, policy: Policy = POLICY) -> list[str]:
        """Ids of those that wait afterwards."""
        self.waiting = await self.sender.tell([*self.waiting, *more], policy)
        return [one.alert_id for one in self.waiting]


@pytest.fixture
def office(tmp_path: Path, wire: Wire) -> Office:
    (tmp_path / "roster.yaml").write_text(ROSTER)
    return Office(Pager(RosterFile(tmp_path / "roster.yaml"), wire, wire))


def alert(role: DutyRole, number: int = 1, at: datetime = NOW) -> Waiting:
    return Waiting(PLACE, number, at, f"A-{number}", role)


def test_an_alert_is_read_from_its_record_and_anything_else_is_passed_over() -> None:
    data = DutyAlerted(alert_id="A-1", role=DutyRole.NOTICE_DESK, escalation=1)
    event = Event(
        id="alert-1",
        source="/ipvi/notifier",
        subject=data.role,
        time=NOW,
        data=data,
        dataclassification=Topic.DUTY_ALERTS.classification,
    )
    message, stamp = encode(event), int(NOW.timestamp() * 1000)
    common = (PLACE.topic, PLACE.partition, 7, stamp, 1)
    record = ConsumerRecord(*common, message.key, message.value, None, 0, 0, tuple(message.headers))
    garbled = ConsumerRecord(*common, b"k", b"{", None, 0, 0, ())
    assert list(alerts([garbled, record])) == [replace(alert(data.role), offset=7)]


async def test_one_call_to_each_role_however_many_tasks(office: Office, wire: Wire) -> None:
    desk, coordinator = DutyRole.NOTICE_DESK, DutyRole.COORDINATOR
    assert await office.tell(alert(desk, 1), alert(desk, 2), alert(coordinator, 3)) == []
    assert wire.sent == [("chief@example.org", "A-3-0"), ("+13365550101", "A-1-0")]


async def test_a_role_that_nobody_fills_now_is_passed_over(office: Office, wire: Wire) -> None:
    await office.tell(alert(DutyRole.PROSECUTOR))
    assert [to for to, _ in wire.sent] == ["chief@example.org"]


async def test_who_could_not_be_told_is_called_again_after_a_while(office: Office, wire: Wire) -> None:
    wire.down = 3  # the desk, and both whom the ladder names above it
    assert await office.tell(alert(DutyRole.NOTICE_DESK)) == ["A-1"]
    assert await office.tell() == ["A-1"]  # at once would be a storm
    office.at += AGAIN
    assert await office.tell() == []
    assert len(wire.sent) == 1


async def test_one_role_that_cannot_be_told_keeps_no_other_waiting(tmp_path: Path, wire: Wire) -> None:
    (tmp_path / "roster.yaml").write_text(ROSTER.replace("coordinator", "officer"))
    office = Office(Pager(RosterFile(tmp_path / "roster.yaml"), wire, wire))
    assert await office.tell(alert(DutyRole.PROSECUTOR)) == ["A-1"]  # by day nobody fills it, nor is anybody above
    assert await office.tell(alert(DutyRole.NOTICE_DESK, 2)) == ["A-1"]
    assert [to for to, _ in wire.sent] == ["+13365550101"]


async def test_an_alert_waits_until_its_clock_has_called_again(office: Office, wire: Wire) -> None:
    """A mail server that is away for an hour loses nothing; it is given up once the next is due, and not before."""
    wire.down = 1_000
    await office.tell(alert(DutyRole.NOTICE_DESK))
    office.at += GOOD_FOR
    assert await office.tell() == ["A-1"]
    office.at += timedelta(seconds=1)
    assert await office.tell() == []
    assert wire.sent == []


async def test_who_is_called_and_by_which_clock_says_the_policy_in_force(office: Office, wire: Wire) -> None:
    """Four in the afternoon in Denver is day; in Athens the prosecutor's night shift has begun."""
    office.at = NOW.replace(hour=23)
    await office.tell(alert(DutyRole.PROSECUTOR, 1), policy=changed(POLICY, {"time_zone": "America/Denver"}))
    await office.tell(alert(DutyRole.PROSECUTOR, 2), policy=changed(POLICY, {"time_zone": "Europe/Athens"}))
    alone = changed(POLICY, {"time_zone": "America/Denver", "notices.duty.enforcement": ["prosecutor", "notice_desk"]})
    await office.tell(alert(DutyRole.PROSECUTOR, 3), policy=alone)
    assert [to for to, _ in wire.sent] == ["chief@example.org", "+13365550103", "+13365550101"]


async def test_the_policy_most_lanes_decide_under_prevails(tmp_path: Path) -> None:
    url = URL.create("sqlite+aiosqlite", database=str(tmp_path / "notifier.db"))
    await upgrade(url, "notifier")
    database = Database(url, "notifier")
    newer = changed(POLICY, {"time_zone": "America/Denver"})
    prevailing = Prevailing(POLICY)
    assert await prevailing.now(database.read) == POLICY  # of the file, before any lane was claimed
    await put_in_force(database, POLICY, newer, POLICY)
    assert await prevailing.now(database.read) == POLICY
    await put_in_force(database, POLICY, newer, newer)
    assert await prevailing.now(database.read) == newer
    async with database.write() as conn:
        await conn.execute(text("DROP TABLE lanes"))
    assert await prevailing.now(database.read) == newer  # what cannot be read changes nothing
    await database.close()
