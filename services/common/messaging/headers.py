"""A mail as it goes out: one address, and nothing that rides along in a header."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.headerregistry import Address, AddressHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import cast

from services.common.messaging.message import Mail, NotSent, NotSentError

_HEADERS = HeaderRegistry()


def mail_message(mail: Mail, sender: str) -> EmailMessage:
    """The message as it goes out; the same bytes each time. Raises `NotSentError` for an address of no one or of two."""
    message = EmailMessage(policy=SMTP)
    message["From"] = address_of(sender)
    message["To"] = address_of(mail.to)
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<{one_word(mail.message_id)}@{address_of(sender).domain}>"
    message.set_content(mail.text, charset="utf-8", cte="quoted-printable")
    return message


def address_of(text: str) -> Address:
    """One address, with or without a name. Raises `NotSentError`: nothing may ride along in a header."""
    try:
        header = _HEADERS("to", text)
        groups = cast(AddressHeader, header).groups
    except (ValueError, IndexError, HeaderParseError):
        raise NotSentError(NotSent.BAD_ADDRESS) from None
    alone = len(groups) == 1 and groups[0].display_name is None and len(groups[0].addresses) == 1
    if header.defects or not alone or not text.isprintable():
        raise NotSentError(NotSent.BAD_ADDRESS)
    (address,) = groups[0].addresses
    if not (address.username and address.domain):
        raise NotSentError(NotSent.BAD_ADDRESS)
    return address


def _one_line(text: str) -> str:
    return " ".join(text.split())


def one_word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)
