"""Mail and short texts to one person, sent once: nothing here tries again, and nothing here logs.

A message has no other fields than those that must be on the wire. Whoever sends one decides first that it may be sent
(an advocate's act for a message to her, the duty roster for an alert) and records what came of it.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address, AddressHeader, HeaderRegistry
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Protocol, TextIO, cast
from urllib.parse import unquote, urlsplit

import aiosmtplib
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.common.errors import ConfigurationError, IpviError

DUTY_ALERT = "One new task. Please sign in."
"""All that a duty alert says: no name, tier, place or kind (`DESIGN.md` 6)."""


_HEADERS = HeaderRegistry()


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


class MailSettings(BaseSettings):
    """Environment variables `IPVI_*` of what sends messages. Without a server nothing is sent, and who sends is told so."""

    model_config = SettingsConfigDict(env_prefix="IPVI_", extra="ignore", env_ignore_empty=True)

    smtp_url: SecretStr | None = None
    """`smtps://user:password@host:465`, or `smtp://...:587` with STARTTLS; plain only to a loopback address."""
    smtp_ca_file: Path | None = None
    """The county's own certificate authority; None: the system's."""
    mail_from: str = "Office <office@localhost.invalid>"
    """Sender of every message: a name and an address that say nothing of what this office does."""
    sms_gateway: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9.-]+$")] = None
    """Mail domain of the county's SMS service: a text to +13365550100 is mail to 13365550100@<domain>."""
    outbox: Path | None = None
    """For a demonstration without a server: what is put here, in files only their owner can read, counts as sent."""


def mail_message(mail: Mail, sender: str) -> EmailMessage:
    """The message as it goes out; the same bytes each time. Raises `NotSentError` for an address of no one or of two."""
    message = EmailMessage(policy=SMTP)
    message["From"] = _address(sender)
    message["To"] = _address(mail.to)
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = f"<{_one_word(mail.message_id)}@{_address(sender).domain}>"
    message.set_content(mail.text, charset="utf-8", cte="quoted-printable")
    return message


@dataclass(slots=True)
class ConsoleMailer:
    """The twin of a mail server, for a demonstration: `outbox` keeps the messages. Says that one came, never whose or what."""

    out: TextIO
    outbox: Path
    sender: str = "Office <office@localhost.invalid>"

    async def send(self, mail: Mail) -> None:
        message = mail_message(mail, self.sender)
        self.outbox.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.outbox / f"{_one_word(mail.message_id)}.eml"
        path.touch(mode=0o600)
        path.write_bytes(message.as_bytes())
        self.out.write(f"mail {mail.message_id}: put into the outbox, not sent (no IPVI_SMTP_URL)\n")


@dataclass(slots=True)
class NoServer:
    """Mailer and messenger of an office without a server. What was not sent must not count as said to anybody."""

    async def send(self, _: Mail | ShortText) -> None:
        raise NotSentError(NotSent.NO_SERVER)


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
            local_hostname=_address(self.sender).domain,
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


@dataclass(slots=True)
class ConsoleMessenger:
    """The twin of an SMS service, for a demonstration: says that a text came, and never whose or what."""

    out: TextIO

    async def send(self, text: ShortText) -> None:
        self.out.write(f"text {text.message_id}: taken, not sent (no IPVI_SMTP_URL)\n")


def mailer(settings: MailSettings, out: TextIO) -> Mailer:
    """SMTP where a server is set; for a demonstration its twin. Raises `ConfigurationError`, which quotes no setting."""
    try:
        _address(settings.mail_from)
    except NotSentError:
        raise ConfigurationError("IPVI_MAIL_FROM: write Name <name@domain>") from None
    if settings.smtp_url is None:
        return ConsoleMailer(out, settings.outbox, settings.mail_from) if settings.outbox else NoServer()
    try:
        url = urlsplit(settings.smtp_url.get_secret_value())
        host, port = url.hostname, url.port
    except ValueError:
        host, port, url = None, None, urlsplit("")
    if url.scheme not in ("smtp", "smtps") or not host:
        raise ConfigurationError("IPVI_SMTP_URL: write smtps://user:password@host:465 or smtp://host:587")
    return SmtpMailer(
        host=host,
        port=port or (465 if url.scheme == "smtps" else 587),
        sender=settings.mail_from,
        implicit_tls=url.scheme == "smtps",
        username=unquote(url.username) if url.username else None,
        password=unquote(url.password) if url.password else None,
        context=_context(settings.smtp_ca_file),
    )


def messenger(settings: MailSettings, out: TextIO) -> Messenger:
    """Over mail where a server is set; for a demonstration its twin. Raises `ConfigurationError`."""
    if settings.smtp_url is None:
        return ConsoleMessenger(out) if settings.outbox else NoServer()
    return MailMessenger(mailer(settings, out), settings.sms_gateway)


def is_loopback(host: str) -> bool:
    """Whether what is said to this host stays on this machine. A name other than `localhost` is not trusted to."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError):
        raise ConfigurationError("IPVI_SMTP_CA_FILE: not a readable file of PEM certificates") from None


def _address(text: str) -> Address:
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


def _one_word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", text)


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
