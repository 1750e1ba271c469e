"""Composition root: the notifier with everything it needs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from schemas.policy_file import load_policy
from services.common.duty import Pager, RosterFile
from services.common.messaging import MailSettings, mailer, messenger
from services.common.replica import Companion
from services.common.settings import CommonSettings
from services.notifier.alerts import AlertSender
from services.notifier.rules import notice_policy
from services.notifier.settings import NotifierSettings
from services.notifier.store import NotifierStore
from services.notifier.stream import Notifier


def build(settings: CommonSettings) -> Notifier:
    """Raises `schemas.policy_file.PolicyError` where the policy cannot be used."""
    return Notifier(NotifierStore(), notice_policy(load_policy(settings.policy), settings.partitions))


def companions(settings: CommonSettings) -> Sequence[Companion]:
    """What calls whoever is on duty. Raises `ConfigurationError` for a mail server or roster that cannot be used."""
    policy, mail, own = load_policy(settings.policy), MailSettings(), NotifierSettings()
    roster = RosterFile(own.duty_roster, ZoneInfo(policy.time_zone))
    roster.now()
    pager = Pager(roster, mailer(mail, sys.stderr), messenger(mail, sys.stderr))
    return [AlertSender(settings.kafka_bootstrap_servers, pager, policy.notices.duty).run]
