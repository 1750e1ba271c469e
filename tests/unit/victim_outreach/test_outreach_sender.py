"""What leaves, once: a message an advocate asked for, where it is still safe; a page to who is on duty."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, select

from schemas.advocacy import (
    ChannelSafety,
    ContactSafety,
    MessageOutcome,
    MessageText,
    RecordSafeContact,
    ReportMessage,
    SafeHours,
)
from schemas.calendar import Weekday
from schemas.commands import Role
from schemas.envelope import Data
from schemas.outreach import ContactChannel, TaskKind, TaskOwner
from services.common.database import Database
from services.common.duty import Pager, RosterFile
from services.common.messaging import Mail, NotSent, NotSentError, ShortText
from services.common.migrations import upgrade
from services.common.policies import Prevailing
from services.victim_outreach.domain import CaseFile
from services.victim_outreach.sender import (
    GOOD_FOR,
    INTERRUPTED_AFTER,
    PAGED_AGAIN,
    CountyTexts,
    NoTextError,
    NoTexts,
    Rendered,
    Sender,
)
from services.victim_outreach.store import OutreachStore, outbox
from services.victim_outreach.store.tables import sends
from services.victim_outreach.texts import Kind, load_texts
from services.victim_outreach.texts.neutral import telling
from tests.harness.letters import SAMPLE_COUNTY
from tests.harness.outreach import HIM, LANE, POLICY, START, Bench, custody, opened
from tests.harness.policies import changed, put_in_force

TEXT = ContactChannel.TEXT
ROSTER = """
- {person: Ada, roles: [advocate], channel: text, address: "+1 336 555 0150"}
- {person: Sue, roles: [outreach_supervisor], channel: email, address: sue@example.org}
- {person: Cora, roles: [coordinator], channel: email, address: cora@example.org}
"""


@dataclass
class Wire:
    """Takes what is sent, or fails as told."""

    fails: Exception | None = None
    sent: list[Mail | ShortText] = field(default_factory=list)

    async def send(self, message: Mail | ShortText) -> None:
        self.sent.append(message)
        if self.fails is not None:
            raise self.fails


class Words:
    def render(self, message: outbox.Waiting, at: datetime) -> Rendered:
        if message.language == "fr":
            raise NoTextError
        return Rendered("Office", f"{message.text} by {message.channel} in {message.language}")


@dataclass
class Told:
    """The log, as far as the sender writes it."""

    reports: list[ReportMessage] = field(default_factory=list)

    async def report(self, data: Data, *, about: str, offender_id: str) -> None:
        assert isinstance(data, ReportMessage)
        assert data.offender_id == offender_id
        self.reports.append(data)


@dataclass
class Office:
    """One offender, kept in SQL, and a sender."""

    database: Database
    sender: Sender
    texts: Wire
    mails: Wire
    log: Told
    bench: Bench
    kept: CaseFile
    at: datetime = START

    async def keep(self) -> None:
        async with self.database.write() as conn:
            await OutreachStore().save(conn, LANE, {HIM: (self.kept, self.bench.file)})
        self.kept = self.bench.file
        self.at = self.bench.now

    async def round(self) -> None:
        await self.sender.messages(self.database, self.log)  # type: ignore[arg-type]
        for report in self.log.reports:
            self.bench.put(report)

    async def asked(self, **more: Any) -> str:
        result = self.bench.send(**more)
        await self.keep()
        return result

    @property
    def outcomes(self) -> list[tuple[MessageOutcome | None, str | None]]:
        return [(one.outcome, one.code) for one in self.bench.file.messages.values()]


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    url = URL.create("sqlite+aiosqlite", database=str(tmp_path / "outreach.db"))
    await upgrade(url, "victim_outreach")
    roster = tmp_path / "roster.yaml"
    roster.write_text(ROSTER)
    texts, mails = Wire(), Wire()
    bench = Bench()
    bench.put(opened())
    bench.claim(TaskKind.CALL)
    bench.safe(TEXT, ContactChannel.EMAIL)
    pager = Pager(RosterFile(roster), mails, texts)
    sender = Sender(Prevailing(POLICY), mails, texts, Words(), pager)
    made = Office(Database(url, "victim_outreach"), sender, texts, mails, Told(), bench, CaseFile(HIM))
    sender.now = lambda: made.at
    await made.keep()
    yield made
    await made.database.close()


async def test_a_message_leaves_once_and_the_lane_hears_of_it(office: Office) -> None:
    assert await office.asked() == "applied"
    assert office.outcomes == [(None, None)]
    for _ in range(3):
        await office.round()
    [sent] = office.texts.sent
    assert isinstance(sent, ShortText)
    assert (sent.to, sent.text, sent.message_id) == ("+1 336 555 0142", "resources by text in en", "M-1")
    assert office.outcomes == [(MessageOutcome.SENT, None)]
    await office.asked(number=2, channel=ContactChannel.EMAIL, language="es")
    await office.round()
    [mail] = office.mails.sent
    assert isinstance(mail, Mail)
    assert (mail.to, mail.subject, mail.text) == ("her@example.org", "Office", "resources by email in es")


async def test_none_leaves_without_an_advocates_act(office: Office) -> None:
    await office.round()
    office.bench.put(custody(released_at=START))
    await office.keep()
    await office.round()
    assert office.texts.sent == office.mails.sent == []


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"channel": ContactChannel.MAIL}, "not_sendable"),
        ({"channel": ContactChannel.CALL}, "not_sendable"),
        ({"role": Role.COMMUNITY_ADVOCATE}, "wrong_role"),
        ({"role": Role.OFFICER}, "wrong_role"),
        ({"kind": TaskKind.WRITTEN_INFORMATION, "role": Role.OFFICER}, "wrong_role"),
    ],
)
async def test_who_may_not_send_or_not_this_way(office: Office, more: dict[str, Any], code: str) -> None:
    assert await office.asked(**more) == f"refused:{code}"
    await office.round()
    assert office.texts.sent == []


async def test_only_where_she_said_that_it_is_safe(office: Office) -> None:
    bench = office.bench
    entry = ChannelSafety(channel=TEXT, safety=ContactSafety.SAFE)
    bench.advise(RecordSafeContact, channels=[entry])
    assert await office.asked() == "refused:no_address"
    bench.advise(RecordSafeContact)
    assert await office.asked() == "refused:unsafe_channel"
    bench.safe(TEXT, no_contact=True)
    assert await office.asked() == "refused:closed"  # her call is over
    bench.safe(TEXT, hours=[SafeHours(days=[Weekday.SUN], start="09:00", end="10:00")])
    bench.claim(TaskKind.CALL)
    assert await office.asked() == "refused:outside_safe_hours"


async def test_linked_before_it_leaves_what_she_forbade_under_the_other_id_holds(office: Office) -> None:
    bench = office.bench
    bench.put(opened(2, victim_id="V-0"))
    bench.safe(case_id=bench.case(2), no_contact=True)
    assert await office.asked() == "applied"
    assert bench.link(one="V-0", other="V-1") == "applied"
    await office.keep()
    await office.round()
    assert office.texts.sent == []
    assert office.outcomes == [(MessageOutcome.FAILED, "unsafe_channel")]


async def test_the_same_form_is_the_same_message(office: Office) -> None:
    assert await office.asked() == "applied"
    assert await office.asked() == "none"
    await office.round()
    assert len(office.texts.sent) == 1


@pytest.mark.parametrize(
    ("fails", "expected"),
    [
        (NotSentError(NotSent.REFUSED), (MessageOutcome.FAILED, "refused")),
        (NotSentError(NotSent.DEFERRED), (MessageOutcome.FAILED, "deferred")),
        (NotSentError(NotSent.UNKNOWN), (MessageOutcome.UNKNOWN, "unknown")),
        (RuntimeError("a fault of ours"), (MessageOutcome.UNKNOWN, "fault")),
    ],
)
async def test_nothing_is_tried_again_by_itself(office: Office, fails: Exception, expected: Any) -> None:
    office.texts.fails = fails
    await office.asked()
    for _ in range(3):
        await office.round()
    assert len(office.texts.sent) == 1
    assert office.outcomes == [expected]


async def test_killed_on_the_way_it_is_not_known_whether_it_left(office: Office) -> None:
    await office.asked()
    async with office.database.write() as conn:
        assert await outbox.begin(conn, "M-1", office.at)  # as a process that died here left it
        assert not await outbox.begin(conn, "M-1", office.at)
    await office.round()
    assert office.outcomes == [(None, None)]  # it may be another replica's, at work just now
    office.at += INTERRUPTED_AFTER + timedelta(seconds=1)
    await office.round()
    assert office.outcomes == [(MessageOutcome.UNKNOWN, "interrupted")]
    assert office.texts.sent == []


async def test_an_old_wish_is_not_carried_out(office: Office) -> None:
    """Also after a restored database has forgotten what was sent."""
    await office.asked()
    office.at += GOOD_FOR + timedelta(seconds=1)
    await office.round()
    assert office.outcomes == [(MessageOutcome.FAILED, "too_late")]
    assert office.texts.sent == []


async def test_of_a_sender_that_says_nothing_the_clock_says_that_it_is_not_known(office: Office) -> None:
    await office.asked()
    office.bench.wait(minutes=14).tick()
    assert office.outcomes == [(None, None)]
    office.bench.wait(minutes=1).tick()
    assert office.outcomes == [(MessageOutcome.UNKNOWN, "no_word")]
    office.bench.put(ReportMessage(offender_id=HIM, message_id="M-1", outcome=MessageOutcome.SENT))
    assert office.outcomes == [(MessageOutcome.SENT, None)]  # late, but it knows


async def test_what_she_said_after_it_was_asked_for_counts(office: Office) -> None:
    await office.asked()
    office.bench.safe(no_contact=True)
    await office.keep()
    await office.round()
    assert office.outcomes == [(MessageOutcome.FAILED, "unsafe_channel")]


async def test_what_she_said_with_another_offender_counts(office: Office) -> None:
    """The same woman, known to another lane by the same id: the stricter profile holds there too."""
    await office.asked()
    other = Bench(file=CaseFile("O-2"))
    other.file = replace(office.bench.file, offender_id="O-2", profiles={}, messages={})
    forbidding = Bench()
    forbidding.put(opened())
    forbidding.safe(unsafe=[ChannelSafety(channel=TEXT, safety=ContactSafety.UNSAFE)])
    profiles = forbidding.file.profiles
    async with office.database.write() as conn:
        file = replace(other.file, profiles=profiles)
        await OutreachStore().save(conn, LANE + 1, {"O-2": (CaseFile("O-2"), file)})
    await office.round()
    assert office.outcomes == [(MessageOutcome.FAILED, "unsafe_channel")]


async def test_without_a_text_nothing_leaves(office: Office) -> None:
    await office.asked(language="fr")
    await office.round()
    assert office.outcomes == [(MessageOutcome.FAILED, "no_text")]
    office.sender.texts = NoTexts()
    await office.asked(number=2)
    await office.round()
    assert office.outcomes[-1] == (MessageOutcome.FAILED, "no_text")
    assert office.texts.sent == []


async def test_what_leaves_is_the_countys_own_text(office: Office) -> None:
    """One SMS that tells nothing; by mail the page says who may have to show what she says."""
    office.sender.texts = CountyTexts(load_texts(SAMPLE_COUNTY))
    await office.asked()
    await office.asked(number=2, channel=ContactChannel.EMAIL, language="es")
    await office.round()
    [text], [mail] = office.texts.sent, office.mails.sent
    assert (telling(text.text), len(text.text) <= 160) == (None, True)
    assert isinstance(mail, Mail)
    assert telling(mail.subject) is None
    assert [kind.value for kind in MessageText] == [kind.value for kind in Kind]


# pages ---------------------------------------------------------------------------------------------------------------


async def test_a_custody_task_pages_who_is_on_duty_once_a_page(office: Office) -> None:
    office.bench.put(custody(released_at=START))
    await office.keep()
    for _ in range(3):
        await office.sender.pages(office.database)
    [told] = office.texts.sent
    assert isinstance(told, ShortText)
    assert (told.to, told.text) == ("+1 336 555 0150", "One new task. Please sign in.")
    office.bench.wait(minutes=15).tick()
    await office.keep()
    await office.sender.pages(office.database)
    assert len(office.texts.sent) == 2


async def test_many_tasks_are_one_call_and_an_old_page_is_none(office: Office) -> None:
    office.bench.put(opened(2, victim_id="V-2"), opened(3, victim_id="V-3"), custody(released_at=START))
    await office.keep()
    async with office.database.read() as conn:
        assert len(await outbox.pages(conn, START, START, 50)) == 3
    await office.sender.pages(office.database)
    assert len(office.texts.sent) == 1
    office.bench.wait(minutes=15).tick()
    await office.keep()
    office.at += POLICY.escalate_overdue + timedelta(minutes=1)
    await office.sender.pages(office.database)
    assert len(office.texts.sent) == 1


async def test_a_page_that_reached_nobody_is_tried_until_somebody_is_told(office: Office) -> None:
    """A mail server that is away for an hour; the clock calls again only once a day by now."""
    office.texts.fails = office.mails.fails = NotSentError(NotSent.UNREACHABLE)
    office.bench.put(custody(released_at=START))
    await office.keep()
    for _ in range(2):
        await office.sender.pages(office.database)
    assert (len(office.texts.sent), len(office.mails.sent)) == (1, 1)
    office.at += timedelta(hours=1)
    await office.sender.pages(office.database)
    assert (len(office.texts.sent), len(office.mails.sent)) == (2, 2)
    office.texts.fails = None
    for _ in range(3):
        office.at += PAGED_AGAIN
        await office.sender.pages(office.database)
    assert len(office.texts.sent) == 3


async def test_killed_on_the_way_a_page_is_sent_by_the_next(office: Office) -> None:
    office.bench.put(custody(released_at=START))
    await office.keep()
    async with office.database.write() as conn:
        for page in await outbox.pages(conn, START, START, 50):
            assert await outbox.begin_page(conn, page.page_id, office.at, office.at - PAGED_AGAIN)
            assert not await outbox.begin_page(conn, page.page_id, office.at, office.at - PAGED_AGAIN)
    await office.sender.pages(office.database)
    assert office.texts.sent == []  # it may be another replica's, at work just now
    office.at += INTERRUPTED_AFTER + timedelta(seconds=1)
    await office.round()  # messages begun then are given up, pages are not
    await office.sender.pages(office.database)
    assert len(office.texts.sent) == 1


async def test_for_a_task_that_was_taken_since_nobody_is_called(office: Office) -> None:
    office.texts.fails = office.mails.fails = NotSentError(NotSent.UNREACHABLE)
    office.bench.put(custody(released_at=START))
    await office.keep()
    await office.sender.pages(office.database)
    office.bench.wait(minutes=1)
    office.bench.claim(TaskKind.CUSTODY_RELEASE)
    await office.keep()
    office.texts.fails = None
    await office.sender.pages(office.database)
    assert len(office.texts.sent) == 1


async def test_it_is_sent_by_the_policy_in_force_and_not_that_of_the_file(office: Office) -> None:
    """Activated while the sender runs: another clock, by which she may not be written to now, and another ladder."""
    ladder = [Role.ADVOCATE, Role.COORDINATOR]
    duty = {str(owner): [str(role) for role in ladder] for owner in TaskOwner}
    newer = changed(POLICY, {"time_zone": "Pacific/Honolulu", "outreach.duty": duty})
    office.bench.safe(TEXT, hours=[SafeHours(days=list(Weekday), start="06:00", end="09:00")])
    office.texts.fails = NotSentError(NotSent.UNREACHABLE)
    assert await office.asked() == "applied"  # it is seven in New York, and two in the night on Hawaii
    office.bench.put(custody(released_at=START))
    await office.keep()
    await put_in_force(office.database, POLICY, newer, newer)
    await office.round()
    assert office.outcomes == [(MessageOutcome.FAILED, "unsafe_channel")]
    await office.sender.pages(office.database)
    assert [one.to for one in office.mails.sent] == ["cora@example.org"]


async def test_where_nobody_on_duty_can_be_told_the_next_role_is(office: Office) -> None:
    office.texts.fails = NotSentError(NotSent.UNREACHABLE)
    office.bench.put(custody(released_at=START))
    await office.keep()
    await office.sender.pages(office.database)
    assert [one.to for one in office.mails.sent] == ["sue@example.org"]


# holds that end ------------------------------------------------------------------------------------------------------

ALL_DAY = (
    ROSTER
    + """
- {person: Cam, roles: [community_advocate, advocate], channel: text, address: "+1 336 555 0151"}
- {person: Cam, roles: [officer], channel: text, address: "+1 336 555 0151"}
- {person: olin, roles: [officer], channel: email, address: olin@example.org}
- {person: Otto, roles: [officer], channel: email, address: otto@example.org}
- {person: Eve, roles: [advocate], channel: email, address: eve@example.org, start: "20:00", end: "21:00"}
"""
)


async def near_its_end(office: Office, by: str = "olin", hours: int = 48, **more: Any) -> None:
    office.sender.pager.roster.path.write_text(ALL_DAY)  # type: ignore[union-attr]
    office.bench.put(opened(**more))
    for task in office.bench.file.unfinished_tasks():
        office.bench.cancel(task.kind)
    office.bench.hold(by=by, role=Role.COORDINATOR)
    office.bench.wait(hours=hours).tick()
    await office.keep()


def called(office: Office) -> list[str]:
    return sorted(one.to for one in (*office.texts.sent, *office.mails.sent))


async def test_of_a_hold_that_ends_everybody_on_duty_who_may_place_one_is_told_and_who_did(office: Office) -> None:
    await near_its_end(office)
    for _ in range(3):
        await office.sender.pages(office.database)
    everybody = ["+1 336 555 0150", "+1 336 555 0151", "cora@example.org", "olin@example.org", "sue@example.org"]
    assert called(office) == everybody
    assert {one.text for one in (*office.texts.sent, *office.mails.sent)} == {"One new task. Please sign in."}
    office.bench.wait(hours=12).tick()
    await office.keep()
    await office.sender.pages(office.database)
    assert called(office) == sorted([*everybody, *everybody])


async def test_where_he_is_one_of_theirs_no_police_are_told_of_it(office: Office) -> None:
    await near_its_end(office, by="sue", conflict_of_interest=True)
    await office.sender.pages(office.database)
    assert called(office) == ["+1 336 555 0150", "+1 336 555 0151", "sue@example.org"]


async def test_a_call_for_a_hold_is_tried_until_somebody_is_told(office: Office) -> None:
    office.texts.fails = office.mails.fails = NotSentError(NotSent.UNREACHABLE)
    await near_its_end(office)
    for _ in range(2):
        await office.sender.pages(office.database)
    assert len(called(office)) == 5
    office.texts.fails = None
    for _ in range(3):
        office.at += PAGED_AGAIN
        await office.sender.pages(office.database)
    assert len(called(office)) == 10


@pytest.mark.parametrize("act", ["renewed", "lifted", "over"])
async def test_of_a_hold_that_was_seen_to_since_nobody_is_told(office: Office, act: str) -> None:
    await near_its_end(office)
    if act == "over":
        office.at += timedelta(hours=24)
    else:
        (office.bench.hold if act == "renewed" else office.bench.lift)(by="olin", role=Role.COORDINATOR)
        await office.keep()
    await office.sender.pages(office.database)
    assert called(office) == []


async def test_what_is_begun_is_written_down_before_it_leaves(office: Office) -> None:
    await office.asked()

    class Looking(Wire):
        async def send(self, message: Mail | ShortText) -> None:
            async with office.database.read() as conn:
                [row] = await conn.execute(select(sends))
            assert (row.send_id, row.outcome) == ("M-1", None)
            await super().send(message)

    office.sender.messenger = Looking()
    await office.round()
    assert office.outcomes == [(MessageOutcome.SENT, None)]
