"""`ipvi partners test`: what a partner would be sent of the published examples, and what not, and why."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import orjson
import typer

from schemas.generate import EXAMPLES
from schemas.partner import PartnerEvent, sendable
from schemas.partner_file import Partner, Subscription, WebhookDelivery, load_partner
from services.common.errors import ConfigurationError
from services.common.settings import settings_or_error
from services.partners.app import compose
from services.partners.sender import WebhookSender, read_secrets, verified_by
from services.partners.settings import PartnersSettings

SENT, NOT_SENT = 0, 1


@dataclass(frozen=True, slots=True)
class Trial:
    """One example. `why` empty: `data` would be sent."""

    name: str
    data: dict[str, object]
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why or json.dumps(self.data)}"


def test_command(
    file: Annotated[Path, typer.Argument(help="Partner file.", show_default=False)],
    send: Annotated[
        bool, typer.Option("--send", help="Send one signed request, marked as a test, to its webhook.")
    ] = False,
) -> None:
    """Say of each published example what the partner of FILE would be sent of it, or why nothing.

    Nothing is sent, but with --send: then one example goes to the webhook with the header ipvi-test: true, and its answer is
    told. Ids in examples are not real.

    Exit codes: 0 done, 1 the webhook did not take it, 2 the file or the secrets cannot be used.

    Example:

        ipvi partners test deploy/partners/university.yaml
    """
    partner = load_partner(file)
    found = list(trials(partner))
    for each in found:
        typer.echo(str(each))
    if send:
        raise typer.Exit(asyncio.run(_send(partner, next((each for each in found if not each.why), None))))


def trials(partner: Partner) -> Iterator[Trial]:
    """In the order of the file, then of the examples' names. Through the code that cuts and filters every event."""
    terms = compose(partner, b"examples alone").terms
    for asked in partner.events:
        every = _data(EXAMPLES / asked.event / "every_field.json")
        for path in sorted((EXAMPLES / asked.event).glob("*.json")):
            data = every | _data(path)  # one that another partner was sent lacks what that one's file does not name
            name = f"{asked.event} {path.stem}"
            whole = _whole(partner, asked, data)
            tier = data.get("tier")
            if tier is not None and tier not in partner.tiers:
                yield Trial(name, {}, f"not sent: list {tier} is none of {', '.join(partner.tiers)}")
            elif not terms.matches(whole):
                yield Trial(name, {}, f"not sent: {_reason(asked, data)}")
            else:
                yield Trial(name, orjson.loads(terms.cut(whole).model_dump_json()), "")


def _data(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(path.read_text("utf-8"))["data"]
    return found


def _whole(partner: Partner, asked: Subscription, data: dict[str, object]) -> PartnerEvent:
    """What of the example may be sent to a partner of this kind."""
    allowed = set(sendable(asked.model, partner.kind, sees_d=partner.sees_d))
    return asked.model.model_validate_json(orjson.dumps({name: data[name] for name in data if name in allowed}))


def _reason(asked: Subscription, data: dict[str, object]) -> str:
    for name, accepted in asked.where.items():
        held = data.get(name)
        values = held if isinstance(held, list) else [held]
        if not any(value in accepted for value in values):
            return f"{name} is {json.dumps(held)}, the filter asks for {json.dumps(accepted)}"
    return "the filter does not let it through"


async def _send(partner: Partner, example: Trial | None) -> int:
    if not isinstance(partner.delivery, WebhookDelivery):
        raise ConfigurationError("--send is for webhooks; a topic or a folder has nobody who answers")
    if example is None:
        raise ConfigurationError("no example would be sent: there is nothing to send")
    own = settings_or_error(PartnersSettings)
    secrets = read_secrets(own.partners_secrets, partner.id)
    terms = compose(partner, b"examples alone").terms
    sender = WebhookSender(terms, partner.delivery, lambda: secrets, tls=verified_by(own.partners_ca_file))
    now = datetime.now(UTC)
    event_id = terms.pseudonyms.of_kind("test", now.isoformat())
    body = orjson.dumps(
        {"specversion": "1.0", "id": event_id, "source": "/ipvi/partners/test", "type": example.name.split()[0],
         "subject": "test", "time": now.isoformat(), "datacontenttype": "application/json", "data": example.data}
    )  # fmt: skip
    async with sender.client() as client:
        answer = await sender.post(client, event_id, body, {"ipvi-test": "true"})
    typer.echo(f"{partner.delivery.url}: {answer.code}")
    return SENT if answer.is_success else NOT_SENT
