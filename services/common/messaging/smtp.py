"""Mail over a server, and short texts over the county's mail-to-SMS service."""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from ipaddress import ip_address

import aiosmtplib

from services.common.messaging.headers import address_of, mail_message
from services.common.messaging.message import Mail, Mailer, NotSent, NotSentError, ShortText


@dataclass(slots=True)
class SmtpMailer:
    """Sends over one connection a message. TLS, verified, unless the server is on loopback. Times are seconds."""

    host: str
    port: int
    sender: str
    implicit_tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    context: ssl.SSLContext | None = None
    timeout: float = 20.0
    """For one answer of the server."""
    patience: float = 60.0
    """For all of its answers until the message is handed over, and again for those after it."""

    async def send(self, mail: Mail) -> None:
        message = mail_message(mail, self.sender)
        client = self._client()
        try:
            await self._open(client)
            try:
                async with asyncio.timeout(self.patience):
                    await client.send_message(message)
            except (aiosmtplib.SMTPException, OSError, ValueError) as failed:
                raise NotSentError(_why(failed)) from None
        finally:
            client.close()

    async def _open(self, client: aiosmtplib.SMTP) -> None:
        """Connected, secured, logged in; nothing of the message has been said yet."""
        try:
            async with asyncio.timeout(self.patience):
                await client.connect()
                await client.ehlo()
                if not (self.implicit_tls or is_loopback(self.host)):
                    if not client.supports_extension("starttls"):
                        raise NotSentError(NotSent.NOT_SECURE)
                    await client.starttls(tls_context=self._trust())
                    await client.ehlo()
                if self.username is not None:
                    await client.login(self.username, self.password or "")
        except (aiosmtplib.SMTPException, OSError) as failed:
            raise NotSentError(NotSent.NOT_SECURE if _is_tls(failed) else NotSent.UNREACHABLE) from None

    def _client(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            local_hostname=address_of(self.sender).domain,
            timeout=self.timeout,
            use_tls=self.implicit_tls,
            start_tls=False,
            tls_context=self._trust() if self.implicit_tls else None,
        )

    def _trust(self) -> ssl.SSLContext:
        return self.context or ssl.create_default_context()


@dataclass(slots=True)
class MailMessenger:
    """Short texts over the county's mail-to-SMS service, or to a pager that has a mail address of its own."""

    mailer: Mailer
    gateway: str | None

    async def send(self, text: ShortText) -> None:
        to = text.to if "@" in text.to else self._number(text.to)
        await self.mailer.send(Mail(text.message_id, to, "", text.text, text.at))

    def _number(self, written: str) -> str:
        digits = re.sub(r"[\s().-]", "", written).removeprefix("+")
        if self.gateway is None or not re.fullmatch(r"[0-9]{7,15}", digits):
            raise NotSentError(NotSent.BAD_ADDRESS)
        return f"{digits}@{self.gateway}"


def is_loopback(host: str) -> bool:
    """Whether what is said to this host stays on this machine. A name other than `localhost` is not trusted to."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_tls(failed: BaseException | None) -> bool:
    while failed is not None:
        if isinstance(failed, ssl.SSLError):
            return True
        failed = failed.__cause__ or failed.__context__
    return False


def _why(failed: Exception) -> NotSent:
    match failed:
        case aiosmtplib.SMTPRecipientsRefused() if failed.recipients:
            return _by_code(failed.recipients[0].code)
        case aiosmtplib.SMTPResponseException():
            return _by_code(failed.code)
        case aiosmtplib.SMTPNotSupported() | ValueError():
            return NotSent.REFUSED
        case _:
            return NotSent.UNKNOWN


def _by_code(code: int) -> NotSent:
    return NotSent.DEFERRED if 400 <= code < 500 else NotSent.REFUSED if code >= 500 else NotSent.UNKNOWN
