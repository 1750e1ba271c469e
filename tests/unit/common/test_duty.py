"""The roster: who is on duty when, and what a person on duty is told."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.common.duty import Pager, Roster, RosterError, RosterFile, read_roster
from services.common.messaging import Mail, NotSent, NotSentError, ShortText

ZONE = ZoneInfo("America/New_York")
FRIDAY_NOON = datetime(2025, 1, 10, 17, tzinfo=UTC)
FILE = """
- {person: Ada, roles: [advocate], channel: text, address: "+1 336 555 0150", days: [fri], start: "08:00", end: "20:00"}
- {person: Bea, roles: [advocate], channel: email, address: bea@example.org, days: [fri], start: "20:00", end: "08:00"}
- {person: Sue, roles: [outreach_supervisor, advocate], channel: text, address: "+1 336 555 0151", days: [sun]}
"""


class Wire:
    """Takes what is sent; refuses what goes to `bad`."""

    def __init__(self, bad: str = "") -> None:
        self.bad = bad
        self.sent: list[Mail | ShortText] = []

    async def send(self, message: Mail | ShortText) -> None:
        if message.to == self.bad:
            raise NotSentError(NotSent.DEFERRED)
        self.sent.append(message)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "roster.yaml"
    made.write_text(FILE)
    return made


def names(roster: Roster, role: str, at: datetime) -> list[str]:
    return [shift.person for shift in roster.on_duty(role, at)]


def test_who_is_on_duty(path: Path) -> None:
    roster = read_roster(path, ZONE)
    assert names(roster, "advocate", FRIDAY_NOON) == ["Ada"]
    assert names(roster, "advocate", datetime(2025, 1, 11, 2, tzinfo=UTC)) == ["Bea"]  # 21:00 on Friday there
    assert names(roster, "advocate", datetime(2025, 1, 11, 12, 59, tzinfo=UTC)) == ["Bea"]  # 07:59 on Saturday
    assert names(roster, "advocate", datetime(2025, 1, 11, 13, tzinfo=UTC)) == []
    assert names(roster, "outreach_supervisor", datetime(2025, 1, 12, 5, tzinfo=UTC)) == ["Sue"]  # all of Sunday
    assert names(roster, "officer", FRIDAY_NOON) == []
    assert read_roster(None, ZONE).shifts == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- {person: Ada, roles: [], channel: text, address: secret-7}", "shift 1, field roles"),
        ("- {person: Ada, roles: [advocate], channel: pigeon, address: secret-7}", "shift 1, field channel"),
        ("- {person: Ada, roles: [advocate], channel: text, address: secret-7, secret: 1}", "shift 1 is"),
        ("person: Ada", "the list"),
        ("- [", "not a YAML list"),
    ],
)
def test_an_unusable_roster_is_refused_with_its_place_and_nothing_of_it(path: Path, text: str, place: str) -> None:
    path.write_text(text)
    with pytest.raises(RosterError, match=place) as error:
        read_roster(path, ZONE)
    assert "secret" not in str(error.value)
    with pytest.raises(RosterError, match="No such file"):
        read_roster(path.with_name("gone"), ZONE)


def test_a_changed_roster_is_taken_and_an_unusable_one_changes_nothing(path: Path) -> None:
    file = RosterFile(path, ZONE)
    assert names(file.now(), "advocate", FRIDAY_NOON) == ["Ada"]
    path.write_text(FILE.replace("Ada", "Zoe"))
    os.utime(path, ns=(1, 1))
    assert names(file.now(), "advocate", FRIDAY_NOON) == ["Zoe"]
    path.write_text("- [")
    os.utime(path, ns=(2, 2))
    assert names(file.now(), "advocate", FRIDAY_NOON) == ["Zoe"]
    path.unlink()
    assert names(file.now(), "advocate", FRIDAY_NOON) == ["Zoe"]


async def test_a_page_says_that_there_is_a_task_and_nothing_else(path: Path) -> None:
    mails, texts = Wire(), Wire()
    pager = Pager(RosterFile(path, ZONE), mails, texts)
    assert await pager.page("p-1", ["advocate", "outreach_supervisor"], FRIDAY_NOON)
    [told] = texts.sent
    assert (told.to, told.text) == ("+1 336 555 0150", "One new task. Please sign in.")
    assert await pager.page("p-2", ["advocate"], datetime(2025, 1, 11, 2, tzinfo=UTC))
    [mail] = mails.sent
    assert (mail.to, mail.text) == ("bea@example.org", "One new task. Please sign in.")


async def test_where_nobody_can_be_told_the_next_role_is(path: Path) -> None:
    path.write_text(FILE + '- {person: Cora, roles: [coordinator], channel: text, address: "+1 336 555 0152"}\n')
    wire = Wire(bad="+1 336 555 0150")
    pager = Pager(RosterFile(path, ZONE), wire, wire)
    assert await pager.page("p-1", ["advocate", "coordinator"], FRIDAY_NOON)
    assert [one.to for one in wire.sent] == ["+1 336 555 0152"]
    assert not await pager.page("p-2", ["advocate"], FRIDAY_NOON)
    assert not await pager.page("p-3", ["officer"], FRIDAY_NOON)
