"""Puts victim outreach together from its settings. Nothing happens on import."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from schemas.policy_file import load_policy
from services.common.duty import Pager, RosterFile
from services.common.messaging import MailSettings, mailer, messenger
from services.common.replica import Companion
from services.common.settings import CommonSettings
from services.victim_outreach.sender import CountyTexts, NoTexts, Sender
from services.victim_outreach.settings import OutreachSettings
from services.victim_outreach.store import OutreachStore
from services.victim_outreach.stream import VictimOutreach
from services.victim_outreach.texts import load_texts


def build(settings: CommonSettings) -> VictimOutreach:
    """The service, with its tables and the county's policy; the loop runs it. Raises `PolicyError`."""
    return VictimOutreach(OutreachStore(), load_policy(settings.policy))


def companions(settings: CommonSettings) -> Sequence[Companion]:
    """What sends messages and pages. Raises `ConfigurationError` for a mail server, roster or texts that cannot be used."""
    policy, mail, own = load_policy(settings.policy), MailSettings(), OutreachSettings()
    mails, texts = mailer(mail, sys.stderr), messenger(mail, sys.stderr)
    roster = RosterFile(own.duty_roster, ZoneInfo(policy.time_zone))
    roster.now()
    words = CountyTexts(load_texts(own.county)) if own.county is not None else NoTexts()
    return [Sender(policy, mails, texts, words, Pager(roster, mails, texts)).run]
