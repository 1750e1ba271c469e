"""Mail over a real SMTP server on loopback: what arrives, what each failure is called, and that no failure tells whom."""

from __future__ import annotations

import asyncio
import email
import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
import trustme
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from services.common.errors import ConfigurationError
from services.common.messaging import (
    DUTY_ALERT,
    ConsoleMailer,
    ConsoleMessenger,
    Mail,
    MailMessenger,
    MailSettings,
    NotSent,
    NotSentError,
    ShortText,
    SmtpMailer,
    mail_message,
    mailer,
    messenger,
    smtp,
)

AT = datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
SENDER = "County Office <office@example.gov>"
TO = "canary.person@example.org"
MAIL = Mail("act-1", TO, "Your appointment", "Canary text, llámenos: ¿cuándo?\n.\nThe end.\n", AT)


class Keeper:
    """A server's memory; `answer` is what it says to the recipient or, from `data`, to the message."""

    def __init__(self, rcpt: str | None = None, data: str = "250 OK", hang_up: bool = False) -> None:
        self.got: list[Envelope] = []
        self.rcpt, self.data, self.hang_up = rcpt, data, hang_up

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt:
            return self.rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.hang_up:
            cast(asyncio.Transport, server.transport).abort()
        self.got.append(envelope)
        return self.data


@asynccontextmanager
async def serving(keeper: Keeper, tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[int]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(keeper, loop=loop, hostname="mail.test", **options), "127.0.0.1", 0, ssl=tls
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def served_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def at(port: int, **more: Any) -> SmtpMailer:
    return SmtpMailer("127.0.0.1", port, SENDER, timeout=5, **more)


def parsed(envelope: Envelope) -> EmailMessage:
    content = envelope.content
    assert isinstance(content, bytes)
    return email.message_from_bytes(content, policy=default)


async def code_of(sending: Any) -> NotSent:
    """The code, after looking that neither the error nor what it came from says for whom or what."""
    with pytest.raises(NotSentError) as failed:
        await sending
    error: BaseException | None = failed.value
    while error is not None:
        assert "anary" not in str(error) and "anary" not in repr(error)
        error = error.__cause__ if error.__suppress_context__ else (error.__cause__ or error.__context__)
    return failed.value.code


async def test_what_arrives() -> None:
    keeper = Keeper()
    async with serving(keeper) as port:
        await at(port).send(MAIL)
    (envelope,) = keeper.got
    message = parsed(envelope)
    assert envelope.rcpt_tos == [TO]
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, TO, "Your appointment")
    assert message["Message-ID"] == "<act-1@example.gov>"
    assert message["Date"].datetime == AT
    assert message.get_content().replace("\r\n", "\n") == MAIL.text
    assert set(message) == {"From", "To", "Subject", "Date", "Message-ID", "Content-Type", "MIME-Version",
                            "Content-Transfer-Encoding"}  # fmt: skip


def test_same_act_same_bytes() -> None:
    assert mail_message(MAIL, SENDER).as_bytes() == mail_message(MAIL, SENDER).as_bytes()


@pytest.mark.parametrize(
    ("keeper", "code"),
    [
        (Keeper(rcpt="550 no canary here"), NotSent.REFUSED),
        (Keeper(rcpt="451 canary later"), NotSent.DEFERRED),
        (Keeper(data="554 canary refused"), NotSent.REFUSED),
        (Keeper(data="452 canary full"), NotSent.DEFERRED),
        (Keeper(hang_up=True), NotSent.UNKNOWN),
    ],
)
async def test_each_failure_has_its_name(keeper: Keeper, code: NotSent) -> None:
    async with serving(keeper) as port:
        assert await code_of(at(port).send(MAIL)) is code


async def test_no_server_is_unreachable() -> None:
    async with serving(Keeper()) as port:
        pass
    assert await code_of(at(port).send(MAIL)) is NotSent.UNREACHABLE


async def test_silent_server_after_the_hand_over_is_unknown() -> None:
    class Silent(Keeper):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            self.got.append(envelope)
            await asyncio.sleep(2)
            return "250 OK"

    keeper = Silent()
    async with serving(keeper) as port:
        mail = SmtpMailer("127.0.0.1", port, SENDER, timeout=0.5)
        assert await code_of(mail.send(MAIL)) is NotSent.UNKNOWN
    assert len(keeper.got) == 1, "sent once, not again"


async def test_beyond_loopback_nothing_is_said_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "is_loopback", lambda host: False)
    keeper = Keeper()
    async with serving(keeper) as port:
        assert await code_of(at(port).send(MAIL)) is NotSent.NOT_SECURE
    assert keeper.got == []


async def test_starttls_is_taken_and_verified(
    monkeypatch: pytest.MonkeyPatch, served_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    monkeypatch.setattr(smtp, "is_loopback", lambda host: False)
    keeper = Keeper()
    async with serving(keeper, tls_context=served_tls, require_starttls=True) as port:
        await at(port, context=trusting).send(MAIL)
        assert len(keeper.got) == 1
        assert await code_of(at(port).send(MAIL)) is NotSent.NOT_SECURE
    assert len(keeper.got) == 1


async def test_implicit_tls_is_verified(served_tls: ssl.SSLContext, trusting: ssl.SSLContext) -> None:
    keeper = Keeper()
    async with serving(keeper, tls=served_tls) as port:
        await at(port, implicit_tls=True, context=trusting).send(MAIL)
        assert await code_of(at(port, implicit_tls=True).send(MAIL)) is NotSent.NOT_SECURE
    assert len(keeper.got) == 1


async def test_wrong_password_is_unreachable_and_nothing_is_said() -> None:
    def refuse(*_: Any) -> bool:
        return False

    keeper = Keeper()
    async with serving(keeper, auth_require_tls=False, auth_callback=refuse) as port:
        assert await code_of(at(port, username="u", password="canary").send(MAIL)) is NotSent.UNREACHABLE
    assert keeper.got == []


@pytest.mark.parametrize(
    "to",
    ["", "canary", "canary@", "a@b.gov, canary@b.gov", "a@b.gov\r\nBcc: canary@b.gov", "list: a@b.gov;", "a b@c.gov"],
)
async def test_one_address_or_none(to: str) -> None:
    assert await code_of(at(1).send(Mail("x", to, "s", "t", AT))) is NotSent.BAD_ADDRESS


async def test_a_subject_is_one_line() -> None:
    message = mail_message(Mail("x", TO, "One\r\nBcc: other@example.org", "t", AT), SENDER)
    assert message["Subject"] == "One Bcc: other@example.org"
    assert message["Bcc"] is None


async def test_a_short_text_goes_by_the_gateway_and_a_pager_by_its_address() -> None:
    keeper = Keeper()
    async with serving(keeper) as port:
        sms = MailMessenger(at(port), "sms.example.net")
        await sms.send(ShortText("t1", "+1 (336) 555-0100", DUTY_ALERT, AT))
        await sms.send(ShortText("t2", "pager7@example.gov", DUTY_ALERT, AT))
    assert [one.rcpt_tos for one in keeper.got] == [["13365550100@sms.example.net"], ["pager7@example.gov"]]
    assert {parsed(one).get_content().strip() for one in keeper.got} == {DUTY_ALERT}
    for number in ("call me", "12", "1" * 16):
        assert await code_of(MailMessenger(at(1), "sms.example.net").send(ShortText("t", number, "", AT))) is (
            NotSent.BAD_ADDRESS
        )
    assert await code_of(MailMessenger(at(1), None).send(ShortText("t", "13365550100", "", AT))) is NotSent.BAD_ADDRESS


async def test_the_console_twin_tells_no_log_whom(tmp_path: Path) -> None:
    out = io.StringIO()
    await ConsoleMailer(out, tmp_path / "outbox", SENDER).send(MAIL)
    await ConsoleMessenger(out).send(ShortText("t1", "canary", "canary", AT))
    assert "anary" not in out.getvalue() and len(out.getvalue().splitlines()) == 2
    (kept,) = (tmp_path / "outbox").iterdir()
    assert kept.read_bytes() == mail_message(MAIL, SENDER).as_bytes()
    assert kept.stat().st_mode & 0o077 == 0
    assert "anary" not in repr(MAIL) + repr(ShortText("t1", "canary", "canary", AT))


async def test_where_nothing_can_be_sent_nothing_counts_as_sent() -> None:
    out = io.StringIO()
    assert await code_of(mailer(settings(), out).send(MAIL)) is NotSent.NO_SERVER
    assert await code_of(messenger(settings(), out).send(ShortText("t1", TO, "", AT))) is NotSent.NO_SERVER
    assert out.getvalue() == ""


def settings(**values: Any) -> MailSettings:
    return MailSettings(mail_from=SENDER, **values)


def test_settings_choose(tmp_path: Path) -> None:
    out = io.StringIO()
    assert isinstance(mailer(settings(outbox=tmp_path), out), ConsoleMailer)
    assert isinstance(messenger(settings(outbox=tmp_path), out), ConsoleMessenger)
    chosen = mailer(settings(smtp_url=SecretStr("smtps://me:p%40ss@mail.example.gov")), out)
    assert isinstance(chosen, SmtpMailer)
    assert (chosen.port, chosen.implicit_tls, chosen.username, chosen.password) == (465, True, "me", "p@ss")
    assert "p@ss" not in repr(chosen)
    starts = mailer(settings(smtp_url=SecretStr("smtp://mail.example.gov")), out)
    assert isinstance(starts, SmtpMailer) and (starts.port, starts.implicit_tls) == (587, False)


@pytest.mark.parametrize("url", ["http://x", "smtp://?canary", "mail.example.gov", "smtp://h:port", "smtp://[canary"])
def test_a_bad_server_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(ConfigurationError, match="IPVI_SMTP_URL: write") as failed:
        mailer(settings(smtp_url=SecretStr(url)), io.StringIO())
    assert url not in str(failed.value)


@pytest.mark.parametrize(
    ("host", "local"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False),
                        ("localhost.example.gov", False), ("127.0.0.1.example.gov", False)]
)  # fmt: skip
def test_what_is_loopback(host: str, local: bool) -> None:
    assert smtp.is_loopback(host) is local
