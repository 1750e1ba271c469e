"""Messages to her: each is one advocate's act, and none is ever sent twice by itself."""

from __future__ import annotations

from dataclasses import replace
from zoneinfo import ZoneInfo

from schemas.advocacy import MessageOutcome, ReportMessage, SendMessage
from services.common.service import Input, Outcome
from services.victim_outreach.domain import CaseFile, Message
from services.victim_outreach.rules import ADVOCATES, SENT, Terms, address_of, safe_contact
from services.victim_outreach.usecases.people import own_task
from services.victim_outreach.usecases.refusing import known, need_role, refuse
from services.victim_outreach.usecases.settling import applied


def send_message(file: CaseFile, data: SendMessage, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Asked for where it is safe now, by who works on the task; the sender looks again before it leaves."""
    need_role(data, ADVOCATES)
    task = own_task(file, data)
    if data.message_id in file.messages:
        return Outcome(file, result="none")
    if data.channel not in SENT:
        refuse("not_sendable")
    profiles = file.profiles_of(task.case_id)
    contact = safe_contact(profiles, file.tries_of(task.case_id), given.now)
    if not contact.is_open(data.channel):
        refuse("unsafe_channel")
    if not contact.permits(data.channel, given.now, ZoneInfo(terms.now.time_zone)):
        refuse("outside_safe_hours")
    if address_of(profiles, data.channel, given.now) is None:
        refuse("no_address")
    asked = Message(
        message_id=data.message_id,
        task_id=task.task_id,
        case_id=task.case_id,
        channel=data.channel,
        text=data.text,
        language=data.language,
        by=data.by,
        asked_at=given.now,
    )
    return _kept(file, asked, given, terms)


def message_reported(file: CaseFile, data: ReportMessage, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """The sender's word. It may come after the clock has given up on it, and is then the better one."""
    message = known(file.messages, data.message_id, "unknown_message")
    if message.outcome not in (None, MessageOutcome.UNKNOWN) or message.outcome is data.outcome:
        return Outcome(file, result="none")
    ended = replace(message, outcome=data.outcome, code=data.code, ended_at=given.now)
    return _kept(file, ended, given, terms)


def _kept(file: CaseFile, message: Message, given: Input, terms: Terms) -> Outcome[CaseFile]:
    after = replace(file, messages={**file.messages, message.message_id: message})
    return applied(file, after, given, terms)
