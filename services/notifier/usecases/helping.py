"""Help that he asks for: referred to a provider, and what came of it. Never a condition, never a contact of ours with him."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from schemas import help as told
from schemas.commands import AskHelp, CloseHelp, HelpCommand, ReferHelp
from schemas.envelope import deterministic_id
from schemas.help import HelpState
from services.common.service import Input, Outcome, Refused
from services.notifier.domain import Help, Offender
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.commands import SERVERS, acted_on, any_notice, by_officer
from services.notifier.usecases.settling import lane_view, settled
from services.notifier.usecases.telling import Draft


def ask_help(offender: Offender, command: AskHelp, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """He asked for it, whatever has become of the notice."""
    notice = any_notice(offender, command, SERVERS)
    now = lane_view(given, policy).now
    key = deterministic_id("help", given.event.source, given.event.id)
    one = Help(key, notice.notification_id, command.kind, since=now, asked_at=now, policy=policy.digest)
    event = told.HelpAsked(**_named(offender, one, command.by), notification_id=notice.notification_id)
    return settled(Draft(offender.with_help(one)).say(event), given, policy)


def refer_help(offender: Offender, command: ReferHelp, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """To a provider; again, where the first could not take him."""
    one = _open(offender, command)
    referred = replace(one, state=HelpState.REFERRED, provider=command.provider, since=lane_view(given, policy).now)
    event = told.HelpReferred(**_named(offender, one, command.by), provider=command.provider)
    return settled(Draft(offender.with_help(referred)).say(event), given, policy)


def close_help(offender: Offender, command: CloseHelp, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """What came of it."""
    one = _open(offender, command)
    closed = replace(one, state=HelpState.CLOSED, outcome=command.outcome, since=lane_view(given, policy).now, due=None)
    event = told.HelpClosed(**_named(offender, one, command.by), outcome=command.outcome)
    return settled(Draft(offender.with_help(closed)).say(event), given, policy)


def _open(offender: Offender, command: HelpCommand) -> Help:
    one = acted_on(offender.helps.get(command.help_id), command, SERVERS, "unknown_help")
    by_officer(offender, offender.notices.get(one.notification_id), command)
    if one.over:
        raise Refused("already_closed")
    return one


def _named(offender: Offender, one: Help, by: str) -> dict[str, Any]:
    return {"help_id": one.help_id, "offender_id": offender.offender_id, "kind": one.kind, "by": by}
