"""Where there is no server: twins for a demonstration, and who says that nothing left."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from services.common.messaging.headers import mail_message, one_word
from services.common.messaging.message import Mail, NotSent, NotSentError, ShortText


@dataclass(slots=True)
class ConsoleMailer:
    """The twin of a mail server, for a demonstration: `outbox` keeps the messages. Says that one came, never whose or what."""

    out: TextIO
    outbox: Path
    sender: str = "Office <office@localhost.invalid>"

    async def send(self, mail: Mail) -> None:
        message = mail_message(mail, self.sender)
        self.outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.outbox / f"{one_word(mail.message_id)}.eml"
        path.touch(mode=0o600)
        path.write_bytes(message.as_bytes())
        self.out.write(f"mail {mail.message_id}: put into the outbox, not sent (no IPVI_SMTP_URL)\n")


@dataclass(slots=True)
class NoServer:
    """Mailer and messenger of an office without a server. What was not sent must not count as said to anybody."""

    async def send(self, _: Mail | ShortText) -> None:
        raise NotSentError(NotSent.NO_SERVER)


@dataclass(slots=True)
class ConsoleMessenger:
    """The twin of an SMS service, for a demonstration: says that a text came, and never whose or what."""

    out: TextIO

    async def send(self, text: ShortText) -> None:
        self.out.write(f"text {text.message_id}: taken, not sent (no IPVI_SMTP_URL)\n")
