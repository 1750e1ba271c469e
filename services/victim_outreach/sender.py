"""Sends what an advocate asked for, at most once, and pages who is on duty, at least once; after the commit, from the tables.

A row in `sends` is committed before anything leaves. Killed in between, the next run finds it begun and not ended: of a message
it says that it is not known whether it left, and nothing is tried again by itself; a page, which says nothing, is tried again
until somebody was told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import structlog

from schemas.advocacy import MessageOutcome, ReportMessage
from schemas.commands import Role
from schemas.outreach import ContactChannel, TaskOwner
from schemas.policy import Policy
from services.common import metrics
from services.common.database import Database
from services.common.desk import Reporter
from services.common.duty import Pager, upwards
from services.common.messaging import Mail, Mailer, Messenger, NotSent, NotSentError, ShortText
from services.common.policies import Prevailing
from services.common.signoffs import NotSignedError
from services.victim_outreach.rules import ADVOCATES, HOLDERS, address_of, safe_contact
from services.victim_outreach.store import outbox, women
from services.victim_outreach.texts import Kind, TextBook, TextError, VictimText

log = structlog.get_logger(__name__)

POLL_S = 2.0
GOOD_FOR = timedelta(minutes=10)
"""An older wish is not carried out: what was safe then may not be now, and a database put back must not send it again."""
INTERRUPTED_AFTER = timedelta(minutes=5)
REPEATED_AFTER = timedelta(seconds=30)
PAGED_AGAIN = timedelta(seconds=30)
"""After nobody could be told, or a process died on the way."""
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text as she gets it: neutral sender and subject, nothing of him or of what happened."""

    subject: str = field(repr=False)
    body: str = field(repr=False)


class NoTextError(Exception):
    """There is no signed-off text of this kind, channel and language."""


class Texts(Protocol):
    """The texts for her. `render` raises `NoTextError`."""

    def render(self, message: outbox.Waiting, at: datetime) -> Rendered: ...


class NoTexts:
    """Where no texts have been signed off."""

    def render(self, message: outbox.Waiting, at: datetime) -> Rendered:
        raise NoTextError


@dataclass(frozen=True, slots=True)
class CountyTexts:
    """The county's own, signed off."""

    book: TextBook

    def render(self, message: outbox.Waiting, at: datetime) -> Rendered:
        kind = Kind(message.text)
        try:
            if message.channel is not ContactChannel.EMAIL:
                written = self.book.sms(kind, message.language)
            else:
                written = self.book.email(
                    VictimText(kind=kind, owner=message.owner, dated=at.date(), language=message.language)
                )
        except (NotSignedError, TextError):
            raise NoTextError from None
        return Rendered(written.subject, written.text)


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def _for_ever(round_: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await round_()
        except Exception as failed:  # noqa: BLE001 (a database or broker that is away comes back)
            log.warning("sender.round_failed", error=type(failed).__name__)
        await asyncio.sleep(POLL_S)


@dataclass(slots=True)
class Sender:
    """One replica's. Several may run: whoever writes the row sends."""

    policies: Prevailing
    mailer: Mailer
    messenger: Messenger
    texts: Texts
    pager: Pager
    now: Callable[[], datetime] = _utc_now
    _heard_by: dict[str, datetime] = field(default_factory=dict)
    """Until when the lane is given time to hear a report, before it is said again."""

    async def run(self, database: Database, reporter: Reporter) -> None:
        """Until cancelled. A fault ends one round, not the sender."""
        async with asyncio.TaskGroup() as group:  # a mail server that hangs must not keep a page waiting
            group.create_task(_for_ever(lambda: self.pages(database)))
            group.create_task(_for_ever(lambda: self.messages(database, reporter)))

    async def messages(self, database: Database, reporter: Reporter) -> None:
        """One round of messages to victims."""
        async with database.read() as conn:
            found = await outbox.waiting(conn, _AT_ONCE)
        for message in found:
            await self._send(database, message)
        await self._report(database, reporter)

    async def pages(self, database: Database) -> None:
        """One round of pages: for tasks, and for holds that end."""
        now, policy = self.now(), await self.policies.now(database.read)
        await self._page_for_tasks(database, now, policy)
        await self._page_for_holds(database, now, policy)

    async def _page_for_tasks(self, database: Database, now: datetime, policy: Policy) -> None:
        """One call to each role, however many tasks: it says the same of all of them."""
        begun_by = now - PAGED_AGAIN
        async with database.read() as conn:
            found = await outbox.pages(conn, now - policy.escalate_overdue, begun_by, _AT_ONCE)
        if not found:
            return
        mine: dict[tuple[TaskOwner, Role], list[str]] = {}
        async with database.write() as conn:
            for page in found:
                if await outbox.begin_page(conn, page.page_id, now, begun_by):
                    mine.setdefault((page.owner, page.duty), []).append(page.page_id)
        for (owner, duty), page_ids in sorted(mine.items()):
            roles = upwards([policy.outreach.duty[owner]], duty)
            told = await self.pager.page(page_ids[0], roles, now.astimezone(ZoneInfo(policy.time_zone)))
            await self._paged(database, page_ids, duty, told=told)

    async def _page_for_holds(self, database: Database, now: datetime, policy: Policy) -> None:
        """Everybody on duty who may place one, and whoever did. Where he is one of theirs, not the coordinator."""
        begun_by = now - PAGED_AGAIN
        async with database.read() as conn:
            found = await outbox.hold_calls(conn, now, begun_by, _AT_ONCE)
        mine: dict[bool, list[outbox.HoldCall]] = {}
        if found:
            async with database.write() as conn:
                for call in found:
                    if await outbox.begin_page(conn, call.page_id, now, begun_by):
                        mine.setdefault(call.of_an_officer, []).append(call)
        for of_an_officer, calls in sorted(mine.items()):
            roles, page_ids = ADVOCATES if of_an_officer else HOLDERS, [call.page_id for call in calls]
            local = now.astimezone(ZoneInfo(policy.time_zone))
            told = await self.pager.call(page_ids[0], roles, {call.by for call in calls}, local)
            await self._paged(database, page_ids, "holders", told=told)

    async def _paged(self, database: Database, page_ids: Sequence[str], whom: str, *, told: bool) -> None:
        metrics.pages.labels("victim_outreach", "told" if told else "nobody").inc()
        if not told:
            log.error("duty.nobody_told", role=str(whom))
            return
        async with database.write() as conn:
            for page_id in page_ids:
                await outbox.end(conn, page_id, self.now(), MessageOutcome.SENT)

    async def _send(self, database: Database, message: outbox.Waiting) -> None:
        async with database.write() as conn:
            if not await outbox.begin(conn, message.message_id, self.now()):
                return
        outcome, code = await self._try(database, message)
        metrics.messages.labels("victim_outreach", str(outcome)).inc()
        async with database.write() as conn:
            await outbox.end(conn, message.message_id, self.now(), outcome, code)

    async def _try(self, database: Database, message: outbox.Waiting) -> tuple[MessageOutcome, str | None]:
        """Looks once more at what is safe: with every offender and under every id of hers, as of this moment."""
        now = self.now()
        if now - message.asked_at > GOOD_FOR:
            return MessageOutcome.FAILED, "too_late"
        async with database.read() as conn:
            woman = await women.woman_of(conn, message.case_id)
            profiles, attempts = await women.profiles_of(conn, woman), await women.attempts_of(conn, woman)
        zone = ZoneInfo((await self.policies.now(database.read)).time_zone)
        if not safe_contact(profiles, attempts, now).permits(message.channel, now, zone):
            return MessageOutcome.FAILED, "unsafe_channel"
        to = address_of(profiles, message.channel, now)
        if to is None:
            return MessageOutcome.FAILED, "no_address"
        try:
            rendered = self.texts.render(message, now)
        except NoTextError:
            return MessageOutcome.FAILED, "no_text"
        try:
            if message.channel is ContactChannel.EMAIL:
                await self.mailer.send(Mail(message.message_id, to, rendered.subject, rendered.body, now))
            else:
                await self.messenger.send(ShortText(message.message_id, to, rendered.body, now))
        except NotSentError as failed:
            unknown = failed.code is NotSent.UNKNOWN
            return MessageOutcome.UNKNOWN if unknown else MessageOutcome.FAILED, str(failed.code)
        except Exception as fault:  # noqa: BLE001 (it may have left before whatever this is)
            log.error("sender.fault", error=type(fault).__name__)
            return MessageOutcome.UNKNOWN, "fault"
        return MessageOutcome.SENT, None

    async def _report(self, database: Database, reporter: Reporter) -> None:
        """Into the log, like all else; again until the lane has heard it."""
        now = self.now()
        async with database.write() as conn:
            await outbox.give_up(conn, now - INTERRUPTED_AFTER, now)
        async with database.read() as conn:
            found = await outbox.reports(conn, _AT_ONCE)
        self._heard_by = {key: by for key, by in self._heard_by.items() if now < by}
        for one in found:
            if now < self._heard_by.get(one.message_id, now):
                continue
            self._heard_by[one.message_id] = now + REPEATED_AFTER
            data = ReportMessage(
                offender_id=one.offender_id, message_id=one.message_id, outcome=one.outcome, code=one.code
            )
            await reporter.report(data, about=f"{one.message_id}|{one.outcome}", offender_id=one.offender_id)
