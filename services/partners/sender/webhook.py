"""Sends a partner's events to its server, signed as Standard Webhooks says; after the commit, from the tables.

At least once, under the event's own id, in order for one offender: what fails holds back what follows of that offender, and of
no other. Any number of replicas may send: who leases a row sends it, and nobody else until the lease is over.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import orjson
import structlog
from standardwebhooks import Webhook

from schemas.partner import PartnerNote, partner_types
from schemas.partner_file import WebhookDelivery
from services.common import metrics
from services.common.database import Database
from services.common.desk import Reporter
from services.common.errors import ConfigurationError
from services.partners.sender.leaving import Sender
from services.partners.sender.reaching import NotReachableError, Resolve, address_of, resolve
from services.partners.sender.secrets import SecretsError
from services.partners.store import deliveries
from services.partners.store.deliveries import Delivered, Due

log = structlog.get_logger(__name__)

WAITS = tuple(timedelta(seconds=s) for s in (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400))
"""Between tries, lengthened by up to a fifth; after the last of them a dead letter (Standard Webhooks, *Retries*)."""
JITTER = 0.2
LONGEST = timedelta(days=1)
"""Of what a `Retry-After` may ask."""
TIMEOUT_S = 15.0
LEAST_TIMEOUT_S = 1.0
LEASES = 4
"""How many time-outs a lease lasts: a process that is alive has long let go of its row by then."""
AT_ONCE = 16
POLL_S = 0.5
GONE = 410

Secrets = Callable[[], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one try. `code`: the HTTP status, or why there is none; of the body nothing is kept or read."""

    code: str
    retry_after: timedelta | None = None

    @property
    def is_success(self) -> bool:
        return self.code.startswith("2") and len(self.code) == 3


@dataclass(slots=True)
class WebhookSender(Sender):
    """One replica's, for one partner. `secrets` is asked before each request, so that they can be changed at any time.

    `tls`: how servers are verified; None: as the public authorities say.
    """

    delivery: WebhookDelivery
    secrets: Secrets
    look_up: Resolve = resolve
    tls: ssl.SSLContext | None = None
    _flying: set[asyncio.Task[None]] = field(default_factory=set)
    _may_owe: bool = True
    """What a lapse kept back is still to be looked for: at the start, and whenever a lapse was seen."""

    async def run(self, database: Database, reporter: Reporter) -> None:
        """Until cancelled. See `services.common.replica.Companion`; has nothing to say in the log."""
        async with self.client() as client:
            try:
                while True:
                    if not await self._round(database, client):
                        await self._pause()
            finally:
                for task in self._flying:
                    task.cancel()
                await asyncio.gather(*self._flying, return_exceptions=True)

    async def drain(self, database: Database) -> None:
        """All that is due now, and what becomes due of it at once."""
        async with self.client() as client:
            while await self._round(database, client) or self._flying:
                if self._flying:
                    await asyncio.wait(self._flying, return_when=asyncio.FIRST_COMPLETED)

    @property
    def timeout_s(self) -> float:
        """How long a server has to answer."""
        return max(LEAST_TIMEOUT_S, TIMEOUT_S * self.pace)

    def client(self) -> httpx.AsyncClient:
        """What `post` sends with."""
        # trust_env: no proxy and no .netrc of the machine comes between.
        return httpx.AsyncClient(
            timeout=self.timeout_s, follow_redirects=False, trust_env=False,
            verify=True if self.tls is None else self.tls,
            limits=httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE),
        )  # fmt: skip

    async def _pause(self) -> None:
        if self._flying:
            await asyncio.wait(self._flying, timeout=POLL_S, return_when=asyncio.FIRST_COMPLETED)
        else:
            await asyncio.sleep(POLL_S)

    async def _round(self, database: Database, client: httpx.AsyncClient) -> bool:
        """Whether there was anything to send."""
        self._flying = {task for task in self._flying if not task.done()}
        now = self.now()
        async with database.write() as conn:
            new = await deliveries.enlist(conn, self.terms.partner.topic, now)
            if await deliveries.marked(conn, "disabled") is not None:
                return False
            if not await self.holds_newest(conn, "webhook.another_file"):
                return False
            lapsed = await self.lapsed(conn)
            if self._may_owe and not lapsed:
                await self.renew(conn, now)
            until = now + timedelta(seconds=LEASES * self.timeout_s)
            found = await deliveries.lease(conn, now, until, AT_ONCE - len(self._flying))
        self._may_owe = lapsed
        for one in found:
            self._flying.add(asyncio.create_task(self._one(database, client, one, lapsed=lapsed)))
        return bool(found) or new > 0

    async def _one(self, database: Database, client: httpx.AsyncClient, one: Due, *, lapsed: bool) -> None:
        try:
            state, answer, data = self.fate(one, lapsed=lapsed)
            if data is not None:
                await self._send(database, client, one, orjson.dumps(data))
                return
            async with database.write() as conn:
                await deliveries.end(conn, one, state, self.now(), answer)
        except Exception as fault:  # noqa: BLE001 (its lease runs out, and it is tried again; the others go on)
            log.error("webhook.fault", partner=self.terms.partner.id, error=type(fault).__name__)

    async def _send(self, database: Database, client: httpx.AsyncClient, one: Due, body: bytes) -> None:
        answer = await self.post(client, one.event_id, structured(one, body))
        now = self.now()
        result = "delivered" if answer.is_success else "failed"
        async with database.write() as conn:
            if answer.is_success:
                await deliveries.end(conn, one, Delivered.DONE, now, answer.code)
            elif answer.code == str(GONE):
                await deliveries.mark(conn, "disabled", "gone", now)
                await deliveries.again(conn, one, now, answer.code)
                log.error("webhook.disabled", partner=self.terms.partner.id)
            elif (wait := self._wait(one, answer)) is not None:
                await deliveries.again(conn, one, now + wait, answer.code)
            else:
                await deliveries.end(conn, one, Delivered.DEAD, now, answer.code)
                result = "dead"
                log.error(
                    "webhook.dead_letter", partner=self.terms.partner.id, event_id=one.event_id, answer=answer.code
                )
        metrics.partner_deliveries.labels(self.terms.partner.id, result).inc()

    def _wait(self, one: Due, answer: Answer) -> timedelta | None:
        """None: it is a dead letter. What takes something back is never one: it is tried until it is known there."""
        if one.tries < len(WAITS):
            wait = WAITS[one.tries]
        elif issubclass(partner_types().get(one.type, object), PartnerNote):
            wait = WAITS[-1]
        else:
            return None
        wait *= self.pace * (1 + JITTER * random.random())
        return max(wait, min(answer.retry_after or timedelta(0), LONGEST))

    async def post(
        self, client: httpx.AsyncClient, event_id: str, body: bytes, more: dict[str, str] | None = None
    ) -> Answer:
        """One try. Raises nothing that a server could cause."""
        parts = urlsplit(self.delivery.url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            headers = signed(self.secrets(), event_id, self.now(), body)
            async with asyncio.timeout(self.timeout_s):  # httpx bounds each step, and a server may take many small ones
                address = await address_of(host, port, self.delivery.networks, self.look_up)
                url = httpx.URL(self.delivery.url).copy_with(host=address, port=port)
                # The address that was looked at is the one that is used; the certificate is still the name's.
                request = client.build_request(
                    "POST", url, content=body, headers={"Host": parts.netloc, **headers, **(more or {})},
                    extensions={"sni_hostname": host},
                )  # fmt: skip
                response = await client.send(request, stream=True)
                await response.aclose()
        except SecretsError:
            log.error("webhook.no_secret", partner=self.terms.partner.id)
            return Answer("no_secret")
        except NotReachableError as refused:
            return Answer(str(refused))
        except (TimeoutError, httpx.TimeoutException):
            return Answer("timeout")
        except httpx.HTTPError as failed:
            return Answer(_name(failed))
        return Answer(str(response.status_code), _retry_after(response.headers.get("retry-after"), self.now()))


_NAMES: dict[type[httpx.HTTPError], str] = {httpx.ConnectError: "no_connection", httpx.RemoteProtocolError: "protocol"}


def _name(failed: BaseException) -> str:
    """A closed code. A certificate that is not believed is told apart: whoever sees that must not just try again."""
    cause: BaseException | None = failed
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "certificate"
        cause = cause.__cause__ or cause.__context__
    return next((name for kind, name in _NAMES.items() if isinstance(failed, kind)), "connection")


def verified_by(ca_file: Path | None) -> ssl.SSLContext | None:
    """The public authorities and those of the file. Raises `ConfigurationError`."""
    if ca_file is None:
        return None
    made = httpx.create_ssl_context(trust_env=False)
    try:
        made.load_verify_locations(cafile=ca_file)
    except OSError:  # an `ssl.SSLError` too
        raise ConfigurationError(f"IPVI_PARTNERS_CA_FILE: {ca_file} cannot be read as PEM certificates") from None
    return made


def signed(secrets: Sequence[str], event_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """Headers of Standard Webhooks: a signature with each secret, so that the partner can change over at its own time."""
    signatures = [Webhook(secret).sign(event_id, now, body.decode()) for secret in secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
        "content-type": "application/cloudevents+json",
        "user-agent": "ipvi-partners/1",
    }


def structured(one: Due, body: bytes) -> bytes:
    """The event as its topic has it, in CloudEvents' structured mode."""
    attributes = {name.removeprefix("ce_"): value for name, value in one.headers.items() if name.startswith("ce_")}
    return orjson.dumps({**attributes, "datacontenttype": "application/json", "data": orjson.Fragment(body)})


def _retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Seconds, or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal() and len(value) < 10:
        return timedelta(seconds=int(value))
    try:
        return max(parsedate_to_datetime(value) - now, timedelta(0))
    except (ValueError, TypeError):
        return None
