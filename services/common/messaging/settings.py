"""What an office sends messages by, as its settings say."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Annotated, TextIO
from urllib.parse import unquote, urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.common.errors import ConfigurationError
from services.common.messaging.headers import address_of
from services.common.messaging.message import Mailer, Messenger, NotSentError
from services.common.messaging.serverless import ConsoleMailer, ConsoleMessenger, NoServer
from services.common.messaging.smtp import MailMessenger, SmtpMailer


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


def mailer(settings: MailSettings, out: TextIO) -> Mailer:
    """SMTP where a server is set; for a demonstration its twin. Raises `ConfigurationError`, which quotes no setting."""
    try:
        address_of(settings.mail_from)
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


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except (OSError, ssl.SSLError):
        raise ConfigurationError("IPVI_SMTP_CA_FILE: not a readable file of PEM certificates") from None
