"""What is sent, by whom it can be, and why it was not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from services.common.errors import IpviError

DUTY_ALERT = "One new task. Please sign in."
"""All that a duty alert says: no name, tier, place or kind (`DESIGN.md` 6)."""


class NotSent(StrEnum):
    """Why a message was not sent, or is not known to be."""

    NO_SERVER = "no_server"
    """This office has no server to send by; nothing left."""
    BAD_ADDRESS = "bad_address"
    """Not an address or number one message can go to."""
    NOT_SECURE = "not_secure"
    """The server offers no TLS that can be verified; nothing was handed over."""
    UNREACHABLE = "unreachable"
    """No connection, or no log-in; nothing was handed over."""
    REFUSED = "refused"
    """The server will not take it."""
    DEFERRED = "deferred"
    """The server will not take it now; a person may send it again."""
    UNKNOWN = "unknown"
    """The connection was lost after it was handed over: it may have arrived. Sending again may reach her twice."""


class NotSentError(IpviError):
    """A message was not sent. Says why by a code, and nothing of to whom or what."""

    def __init__(self, code: NotSent) -> None:
        self.code = code
        super().__init__(f"not sent: {code}")


@dataclass(frozen=True, slots=True, repr=False)
class Mail:
    """A plain-text message to one address.

    `message_id` is the id of the act that sends it: the same act gives the same Message-ID. `at` is its record time. Its
    repr is empty, so that no traceback or log line can show whom it is for.
    """

    message_id: str
    to: str
    subject: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, repr=False)
class ShortText:
    """A text of one SMS to a telephone number (E.164, or digits as written), or to a pager's mail address."""

    message_id: str
    to: str
    text: str
    at: datetime


class Mailer(Protocol):
    """Sends mail. Raises `NotSentError`; no answer was an error unless it raises."""

    async def send(self, mail: Mail) -> None: ...


class Messenger(Protocol):
    """Sends short texts. Raises `NotSentError`."""

    async def send(self, text: ShortText) -> None: ...
