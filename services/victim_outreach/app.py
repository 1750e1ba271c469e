"""Puts victim outreach together from its settings. Nothing happens on import."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace

from schemas.policy_file import load_policy
from services.common.county import has_document
from services.common.duty import Pager, RosterFile
from services.common.errors import ConfigurationError
from services.common.messaging import MailSettings, mailer, messenger
from services.common.policies import Policies, Prevailing
from services.common.replica import Companion
from services.common.settings import CommonSettings
from services.victim_outreach.publisher import Publisher
from services.victim_outreach.sender import CountyTexts, NoTexts, Sender
from services.victim_outreach.settings import OutreachSettings
from services.victim_outreach.store import OutreachStore
from services.victim_outreach.stream import VictimOutreach
from services.victim_outreach.teller import Teller
from services.victim_outreach.texts import TextBook, load_texts, telling_sender


def build(settings: CommonSettings) -> VictimOutreach:
    """The service, with its tables and the county's policy; the loop runs it. Raises `PolicyError`."""
    policies = Policies(load_policy(settings.policy), lambda policy: policy)
    return VictimOutreach(OutreachStore(policies), policies)


def papers(settings: CommonSettings) -> TextBook | None:
    """The county's texts, for whoever prints or sends one; None where it has none. Raises `CountyError`."""
    folder = settings.county
    return load_texts(folder) if folder is not None and has_document(folder, "texts.yaml") else None


def companions(settings: CommonSettings) -> Sequence[Companion]:
    """What sends messages and pages, what publishes measures, and what tells a lane what others keep of its women.

    Raises `ConfigurationError` for a mail server, roster or texts that cannot be used.
    """
    policy, mail, own, book = load_policy(settings.policy), MailSettings(), OutreachSettings(), papers(settings)
    mails, texts = mailer(mail, sys.stderr), messenger(mail, sys.stderr)
    roster = RosterFile(own.duty_roster)
    roster.now()
    if book is not None and mail.smtp_url is not None:  # what a sample's signature covers never reaches a person
        book = replace(book, signoffs=book.signoffs.real())
    words = CountyTexts(book) if book is not None else NoTexts()
    if (word := telling_sender(mail.mail_from)) is not None:
        raise ConfigurationError(f"IPVI_MAIL_FROM: '{word}' tells what a mail is about to whoever else sees it")
    return [
        Sender(Prevailing(policy), mails, texts, words, Pager(roster, mails, texts)).run,
        Publisher().run,
        Teller().run,
    ]
