"""The roster: who is on duty when, and what a person on duty is told."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.commands import Role
from schemas.duty import DutyRole
from schemas.outreach_terms import LADDERS
from schemas.policy_notices import Duty
from services.common.duty import Pager, Roster, RosterError, RosterFile, read_roster, rung, upwards
from services.common.messaging import Mail, NotSent, NotSentError, ShortText

ZONE = ZoneInfo("America/New_York")
FRIDAY_NOON = datetime(2025, 1, 10, 12, tzinfo=ZONE)
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
    return [shift.person for shift in roster.on_duty(role, at.astimezone(ZONE))]


def test_who_is_on_duty(path: Path) -> None:
    roster = read_roster(path)
    assert names(roster, "advocate", FRIDAY_NOON) == ["Ada"]
    assert names(roster, "advocate", datetime(2025, 1, 11, 2, tzinfo=UTC)) == ["Bea"]  # 21:00 on Friday there
    assert names(roster, "advocate", datetime(2025, 1, 11, 12, 59, tzinfo=UTC)) == ["Bea"]  # 07:59 on Saturday
    assert names(roster, "advocate", datetime(2025, 1, 11, 13, tzinfo=UTC)) == []
    assert names(roster, "outreach_supervisor", datetime(2025, 1, 12, 5, tzinfo=UTC)) == ["Sue"]  # all of Sunday
    assert names(roster, "officer", FRIDAY_NOON) == []
    assert read_roster(None).shifts == ()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- {person: Ada, roles: [advocte], channel: text, address: secret-7}", "shift 1, field roles"),
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
        read_roster(path)
    assert "secret" not in str(error.value)
    with pytest.raises(RosterError, match="No such file"):
        read_roster(path.with_name("gone"))


def test_a_changed_roster_is_taken_and_an_unusable_one_changes_nothing(path: Path) -> None:
    file = RosterFile(path)
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
    pager = Pager(RosterFile(path), mails, texts)
    assert await pager.page("p-1", ["advocate", "outreach_supervisor"], FRIDAY_NOON)
    [told] = texts.sent
    assert (told.to, told.text) == ("+1 336 555 0150", "One new task. Please sign in.")
    assert await pager.page("p-2", ["advocate"], datetime(2025, 1, 10, 21, tzinfo=ZONE))
    [mail] = mails.sent
    assert (mail.to, mail.text) == ("bea@example.org", "One new task. Please sign in.")


async def test_where_nobody_can_be_told_the_next_role_is(path: Path) -> None:
    path.write_text(FILE + '- {person: Cora, roles: [coordinator], channel: text, address: "+1 336 555 0152"}\n')
    wire = Wire(bad="+1 336 555 0150")
    pager = Pager(RosterFile(path), wire, wire)
    assert await pager.page("p-1", ["advocate", "coordinator"], FRIDAY_NOON)
    assert [one.to for one in wire.sent] == ["+1 336 555 0152"]
    assert not await pager.page("p-2", ["advocate"], FRIDAY_NOON)
    assert not await pager.page("p-3", ["officer"], FRIDAY_NOON)


async def test_everybody_of_several_roles_is_called_once_and_whoever_is_named(path: Path) -> None:
    path.write_text(
        FILE + "- {person: Cora, roles: [coordinator, officer], channel: email, address: cora@example.org}\n"
    )
    wire = Wire()
    pager = Pager(RosterFile(path), wire, wire)
    assert await pager.call("p-1", {"advocate", "coordinator"}, {"Cora"}, FRIDAY_NOON)
    assert sorted(one.to for one in wire.sent) == ["+1 336 555 0150", "cora@example.org"]
    assert await pager.call("p-2", {"records"}, {"Ada"}, FRIDAY_NOON)
    assert not await pager.call("p-3", {"records"}, {"Zoe"}, FRIDAY_NOON)
    assert not await pager.call("p-4", set(), {"Bea"}, FRIDAY_NOON), "her shift is another"


def test_each_call_climbs_a_rung_and_the_last_is_called_for_ever() -> None:
    ladder = [DutyRole.NOTICE_DESK, DutyRole.NOTICE_SUPERVISOR]
    assert [rung(ladder, number) for number in (1, 2, 3, 99)] == [ladder[0], ladder[1], ladder[1], ladder[1]]


def test_in_whose_place_nobody_is_the_next_above_is_told() -> None:
    ladders = [[Role.OFFICER, Role.COORDINATOR, Role.OUTREACH_SUPERVISOR], [Role.ADVOCATE, Role.OUTREACH_SUPERVISOR]]
    assert upwards(ladders, Role.COORDINATOR) == [Role.COORDINATOR, Role.OUTREACH_SUPERVISOR]
    assert upwards(ladders, Role.ADVOCATE) == ladders[1]
    assert upwards(ladders, Role.PROSECUTOR) == [Role.PROSECUTOR]  # a role that policy no longer names


def test_the_page_names_every_ladder_of_a_policy_as_it_is_by_default() -> None:
    page = (Path(__file__).parents[3] / "docs" / "duty.md").read_text("utf-8")
    told = {name: re.findall(r"`(\w+)`", roles) for name, roles in re.findall(r"\| `([\w.]+)` \| (.*) \|", page)}
    duty = {f"notices.duty.{name}": ladder for name, ladder in Duty()}
    hers = {f"outreach.duty.{owner}": ladder for owner, ladder in LADDERS.items()}
    assert told == duty | hers
