"""A partner, as one YAML file says it: who it is, why and until when, which events, and of each which fields.

Nothing is sent that is not named here, and nothing can be named that may not be sent to a partner of that kind: such a file
is refused, with the line and what to do. The language has no wildcard, no path and no renaming.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr, model_validator
from pydantic_core import PydanticCustomError

from schemas.classification import Tier
from schemas.partner import SUBSCRIBED, PartnerEvent, PartnerKind, marker
from schemas.partner_fields import field_fault, filter_fault
from schemas.yaml_file import Where, YamlError, YamlSource, read_text, read_yaml

FOLDER = Path(__file__).resolve().parents[1] / "deploy" / "partners"
"""Examples, and the schema for editors."""

PartnerId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
Stated = Annotated[str, Field(min_length=10, max_length=500)]
FieldName = Annotated[str, Field(min_length=1, max_length=80)]
Accepted = Annotated[list[StrictStr | StrictBool], Field(min_length=1, max_length=100)]


class PartnerFileError(YamlError):
    """This partner file cannot be used. One line: file, line, field, what to do."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


class Subscription(_Part):
    """One type of event, and what of it is sent."""

    event: Annotated[str, Field(alias="type")]
    """`ipvi.partner.decided.v1`, `ipvi.partner.tier.v1` or `ipvi.partner.notification.v1`."""
    fields: Annotated[list[FieldName], Field(min_length=1)]
    """The allow-list."""
    where: dict[FieldName, Accepted] = {}
    """Per field the values of which it must have one; a list must hold one. Only over fields that may be sent."""

    @property
    def model(self) -> type[PartnerEvent]:
        """Of its copies."""
        return SUBSCRIBED[self.event]


class TopicDelivery(_Part):
    """To a Kafka topic of its own, `ipvi.partner.<id>.v1`: in order per offender, each event once."""

    kind: Literal["topic"]


Network = Annotated[str, Field(max_length=50)]


class WebhookDelivery(_Part):
    """A request per event to the partner's server: in order per offender, at least once, signed (Standard Webhooks)."""

    kind: Literal["webhook"]
    url: Annotated[str, Field(max_length=500)]
    """`https://`, without user, password or fragment."""
    private_networks: Annotated[list[Network], Field(max_length=20)] = []
    """Networks (`10.20.0.0/16`) beside the public ones in which its server may lie. Others are refused, whatever a name
    resolves to."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        for place, network in enumerate(self.private_networks):
            if _network(network) is None:
                raise _faulty(
                    ["private_networks", place], f"private_networks: {network} is no network; write 10.20.0.0/16"
                )
        if (fault := _url_fault(self.url, self.networks)) is not None:
            raise _faulty(["url"], f"url: {fault}")
        return self

    @property
    def networks(self) -> list[IPv4Network | IPv6Network]:
        """Of `private_networks`."""
        return [found for each in self.private_networks if (found := _network(each)) is not None]


class CsvDelivery(_Part):
    """A file for each period, with a manifest: in order, at least once."""

    kind: Literal["csv"]
    every_hours: Annotated[int, Field(ge=1, le=24 * 31)] = 24
    """How long a period is."""


DELIVERIES = ("topic", "webhook", "csv")
Delivery = Annotated[TopicDelivery | WebhookDelivery | CsvDelivery, Field(discriminator="kind")]


def _faulty(where: Where, what: str) -> PydanticCustomError:
    return PydanticCustomError("partner", "{first}", {"first": what, "faults": [(where, what)]})


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text)
    except ValueError:
        return None


def _url_fault(url: str, networks: Sequence[IPv4Network | IPv6Network]) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no address of a server; write https://host/path"
    if host is None or not url.isascii() or any(each.isspace() for each in url):
        return "is no address of a server; write https://host/path"
    if parts.username is not None or parts.password is not None or parts.fragment:
        return "has a user, a password or a fragment; take it out: requests are signed"
    if parts.scheme == "https":
        return None
    loopback = _network(host)
    if (
        parts.scheme == "http"
        and loopback is not None
        and loopback.is_loopback
        and any(loopback.version == each.version and loopback.network_address in each for each in networks)
    ):
        return None  # a try on one machine
    return "is not https; http is for a try on 127.0.0.1, which private_networks must then name"


class Partner(_Part):
    """One partner."""

    id: PartnerId
    name: Annotated[str, Field(min_length=1, max_length=200)]
    kind: PartnerKind
    purpose: Stated
    """What it does with what it is sent."""
    need: Stated
    """Why it cannot do that with less."""
    expires: date
    """The last day (UTC) on which it is sent anything: what is not renewed lapses."""
    tiers: Annotated[list[Tier], Field(min_length=1)] = [Tier.A, Tier.B, Tier.C]
    """The lists it is shown; whoever is on another is on none. D: law enforcement alone (28 CFR 23.20)."""
    events: Annotated[list[Subscription], Field(min_length=1)]
    delivery: Delivery

    @property
    def topic(self) -> str:
        """Its own topic."""
        return f"ipvi.partner.{self.id}.v1"

    @property
    def service(self) -> str:
        """What its part of this service is called where hyphens cannot stand: database schema, group, metrics."""
        return service_name(self.id)

    @property
    def sees_d(self) -> bool:
        return Tier.D in self.tiers

    def subscription(self, model: type[PartnerEvent]) -> Subscription | None:
        """What it asks for of this type."""
        return next((each for each in self.events if each.event == model.TYPE), None)

    @model_validator(mode="after")
    def _only_what_may_be_sent(self) -> Self:
        if faults := list(_faults(self)):
            raise PydanticCustomError("partner", "{first}", {"first": faults[0][1], "faults": faults})
        return self


def service_name(partner_id: str) -> str:
    """See `Partner.service`."""
    return f"partners_{partner_id.replace('-', '_')}"


def _faults(partner: Partner) -> Iterator[tuple[Where, str]]:
    """Where, and what to do about it."""
    if partner.sees_d and partner.kind is not PartnerKind.LAW_ENFORCEMENT:
        place = partner.tiers.index(Tier.D)
        yield (
            ["tiers", place],
            "tiers: D goes to law_enforcement alone (28 CFR 23.20), with a need and an end; take it out",
        )
    yield from _repeated(["tiers"], "tiers", partner.tiers)
    yield from _repeated(["events"], "events", [each.event for each in partner.events])
    for place, asked in enumerate(partner.events):
        yield from _faults_of(partner, asked, ["events", place])


def _faults_of(partner: Partner, asked: Subscription, at: Sequence[str | int]) -> Iterator[tuple[Where, str]]:
    if asked.event not in SUBSCRIBED:
        yield [*at, "type"], f"type: partners can have {', '.join(SUBSCRIBED)} and nothing else; take one of them"
        return
    model, kind, sees_d = asked.model, partner.kind, partner.sees_d
    yield from _repeated([*at, "fields"], "fields", asked.fields)
    for place, name in enumerate(asked.fields):
        if (fault := field_fault(model, name, kind, sees_d=sees_d)) is not None:
            yield [*at, "fields", place], f"fields: {fault}"
    for name, values in asked.where.items():
        fault = field_fault(model, name, kind, sees_d=sees_d) or filter_fault(model, name, values)
        if fault is not None:
            yield [*at, "where", name], f"where: {fault}"


def _repeated(where: Where, name: str, values: Sequence[str]) -> Iterator[tuple[Where, str]]:
    for place, value in enumerate(values):
        if value in values[:place]:
            yield [*where, place], f"{name}: stands twice; keep one"


def load_partner(path: Path) -> Partner:
    """The partner of a file. Raises `PartnerFileError`."""
    return read_partner(read_text(path, PartnerFileError), str(path)).model


def read_partner(text: str, name: str = "partner") -> YamlSource[Partner]:
    """A partner from YAML text. `name` is what errors call it. Raises `PartnerFileError`."""
    return read_yaml(text, name, Partner, PartnerFileError, is_union_arm=lambda part: part in DELIVERIES)


def load_partners(folder: Path) -> tuple[list[Partner], dict[str, PartnerFileError]]:
    """All of a folder, by id; and of each file that cannot be used, by its name, why: the others are none the worse."""
    partners: dict[str, Partner] = {}
    faults: dict[str, PartnerFileError] = {}
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        try:
            source = read_partner(read_text(path, PartnerFileError), str(path))
            if source.model.id != path.stem or path.stem in partners:
                raise PartnerFileError(
                    source.at(["id"], f"id: write {path.stem}, the name of the file; one file for each")
                )
            partners[path.stem] = source.model
        except PartnerFileError as fault:
            faults[path.name] = fault
    return list(partners.values()), faults


def partner_schema() -> Mapping[str, object]:
    """JSON Schema of a partner file, for editors: what may be named, though not to which kind it may be sent."""
    made = Partner.model_json_schema()
    subscription = made["$defs"]["Subscription"]
    subscription["oneOf"] = [
        {
            "properties": {
                "type": {"const": name},
                "fields": {"items": {"enum": names}, "uniqueItems": True},
                "where": {"propertyNames": {"enum": names}},
            }
        }
        for name, names in ((name, _ever_sent(model)) for name, model in SUBSCRIBED.items())
    ]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _ever_sent(model: type[PartnerEvent]) -> list[str]:
    return [name for name in model.model_fields if marker(model, name) is not None]


def main() -> None:
    """Write the schema beside the examples."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "partner.schema.json"
    path.write_text(json.dumps(partner_schema(), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
