"""The letter that he will be given is kept before anybody has it on paper: byte for byte, with its hash."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from binascii import Error
from dataclasses import replace
from zoneinfo import ZoneInfo

from schemas.commands import PrintLetter
from schemas.notice_work import Correction, LetterPrinted
from schemas.notification import NotificationState
from services.common.service import Input, Outcome, Refused
from services.notifier.domain import Notice, Offender, Printed
from services.notifier.rules import NoticePolicy
from services.notifier.usecases.commands import SERVERS, any_notice
from services.notifier.usecases.settling import lane_view, settled
from services.notifier.usecases.telling import Draft


def print_letter(offender: Offender, command: PrintLetter, given: Input, policy: NoticePolicy) -> Outcome[Offender]:
    """Of a notice that may be given, or of a correction that is decided.

    Outside jail not before a day is planned for it: she hears of that first. Where no charge has told him that somebody came
    forward, its date is a day of the round: any other could be a day on which something happened.
    """
    notice = any_notice(offender, command, SERVERS)
    if not _may_be_printed(notice):
        raise Refused("not_released")
    if notice.needs_round:
        raise Refused("no_round")
    if notice.state is NotificationState.RELEASED and offender.is_unannounced(notice):
        if notice.planned_from is None:
            raise Refused("no_round")
        if not notice.is_day_of_round(command.dated, ZoneInfo(policy.zone)):
            raise Refused("not_of_the_round")
    if command.sha256 in {one.sha256 for one in notice.printed}:
        return Outcome(offender, result="none")
    one = Printed(
        command.sha256,
        command.dated,
        command.template,
        command.version,
        command.template_sha256,
        lane_view(given, policy).now,
        command.by,
        _content(command),
    )
    kept = replace(notice, printed=(*notice.printed, one))
    event = offender.work(
        LetterPrinted,
        kept,
        command.by,
        sha256=one.sha256,
        template=one.template,
        version=one.version,
        template_sha256=one.template_sha256,
        dated=one.dated,
    )
    return settled(Draft(offender).tell(kept, event), given, policy)


def _may_be_printed(notice: Notice) -> bool:
    if notice.state is NotificationState.CORRECTED:
        return notice.corrected_at is None and notice.correction in (Correction.LETTER, Correction.WITHDRAWAL)
    return notice.state is NotificationState.RELEASED


def _content(command: PrintLetter) -> bytes:
    try:
        content = b64decode(command.content, validate=True)
    except Error:
        raise Refused("not_the_letter") from None
    if hashlib.sha256(content).hexdigest() != command.sha256:
        raise Refused("not_the_letter")
    return content
