"""Composition root: the notifier with everything it needs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from schemas.policy import Policy
from schemas.policy_file import load_policy
from services.common.county import has_document
from services.common.duty import Pager, RosterFile
from services.common.messaging import MailSettings, mailer, messenger
from services.common.policies import Policies, Prevailing
from services.common.replica import Companion
from services.common.settings import CommonSettings
from services.notifier.alerts import AlertSender
from services.notifier.api import Papers
from services.notifier.letters import LetterBook, load_letters, wordings
from services.notifier.rules import NoticePolicy, notice_policy
from services.notifier.settings import NotifierSettings
from services.notifier.store import NotifierStore
from services.notifier.stream import Notifier


def build(settings: CommonSettings) -> Notifier:
    """Raises `schemas.policy_file.PolicyError`, or `CountyError` where the county's folder cannot be used."""
    return compose(load_policy(settings.policy), settings.partitions, _book(settings))


def compose(filed: Policy, lanes: int, book: LetterBook | None = None) -> Notifier:
    """From a policy at hand, and a county's letters where it has any."""

    def terms(policy: Policy) -> NoticePolicy:
        made = replace(notice_policy(policy, lanes), earlier=lambda digest: policies.of(digest))
        return made if book is None else replace(made, wordings=wordings(book))

    policies = Policies(filed, terms)
    return Notifier(NotifierStore(policies), policies)


def papers(settings: CommonSettings) -> Papers | None:
    """What its routes make letters of; None: no county's letters are set up. Raises `CountyError`."""
    book = _book(settings)
    return Papers(book, Prevailing(load_policy(settings.policy))) if book is not None else None


def _book(settings: CommonSettings) -> LetterBook | None:
    folder = settings.county
    return load_letters(folder) if folder is not None and has_document(folder, "letters.yaml") else None


def companions(settings: CommonSettings) -> Sequence[Companion]:
    """What calls whoever is on duty. Raises `ConfigurationError` for a mail server or roster that cannot be used."""
    policy, mail, own = load_policy(settings.policy), MailSettings(), NotifierSettings()
    roster = RosterFile(own.duty_roster)
    roster.now()
    pager = Pager(roster, mailer(mail, sys.stderr), messenger(mail, sys.stderr))
    return [AlertSender(settings.kafka, pager, Prevailing(policy)).run]
