"""`ipvi topics acls`: who may do what on the cluster, from `schemas/topics/*.yaml` and the partner files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from schemas.partner_file import Partner
from schemas.topics import Topic, spec
from services.cli.registry import PRODUCERS, SERVICES
from services.common.cluster import Cluster
from services.common.errors import ConfigurationError
from services.common.settings import CommonSettings, settings_or_error
from services.partners.app import partners_of
from services.partners.settings import PartnersSettings

REQUEST_S = 10.0
BESIDE = {"notifier": ("ipvi-duty-alerts", Topic.DUTY_ALERTS)}
"""In which group a service reads which topic beside its lanes, in which it does not."""


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One thing that one principal may do, from any host. `prefixed`: to every name that begins so."""

    principal: str
    resource: str
    """`topic`, `group`, `transactional_id` or `cluster`."""
    name: str
    operation: str
    prefixed: bool = False

    def __str__(self) -> str:
        return f"{self.principal} {self.operation} {self.resource} {self.name}{'*' if self.prefixed else ''}"

    def binding(self) -> AclBinding:
        """As the cluster has it."""
        return AclBinding(
            ResourceType[self.resource.upper()],
            self.name,
            ResourcePatternType.PREFIXED if self.prefixed else ResourcePatternType.LITERAL,
            self.principal,
            "*",
            AclOperation[self.operation.upper()],
            AclPermissionType.ALLOW,
        )


def acls_command(
    apply: Annotated[bool, typer.Option("--apply", help="Create them on KAFKA_BOOTSTRAP_SERVERS.")] = False,
) -> None:
    """Print what every service and every partner (IPVI_PARTNERS) may do, one line each; with --apply, allow it.

    Principals are User:ipvi-SERVICE and User:partner-ID. What is allowed beyond is not taken away: that is the administrator's
    to see to. Nothing here is denied; the brokers must allow nobody what no line allows
    (allow.everyone.if.no.acl.found=false).
    """
    found = acls(partners_of(settings_or_error(PartnersSettings)))
    for acl in found:
        typer.echo(str(acl))
    if apply:
        create(settings_or_error(CommonSettings).kafka, found)
        typer.echo(f"{len(found)} allowed", err=True)


def acls(partners: Sequence[Partner]) -> list[Acl]:
    """Of every service and every partner, in a fixed order."""
    services = (acl for name in (*SERVICES, *PRODUCERS) for acl in _service(name, f"ipvi-{name}"))
    return sorted({*services, *_partners(partners), *(acl for each in partners for acl in partner_acls(each))})


def partner_acls(partner: Partner) -> Iterator[Acl]:
    """Its own topic, and groups of its own to read it in: for whom the topic is the delivery."""
    if partner.delivery.kind != "topic":
        return
    who = f"User:partner-{partner.id}"
    for operation in ("read", "describe"):
        yield Acl(who, "topic", partner.topic, operation)
    yield Acl(who, "group", f"ipvi.partner.{partner.id}.", "read", prefixed=True)


def _service(name: str, group: str) -> Iterator[Acl]:
    """Reads what the topics say it reads, in its own group; writes what they say it writes, in its own transactions."""
    who = f"User:ipvi-{name}"
    for topic in Topic:
        each = spec(topic)
        if name in each.consumers:
            yield from (Acl(who, "topic", topic.value, operation) for operation in ("read", "describe"))
        if name in each.producers:
            yield from (Acl(who, "topic", topic.value, operation) for operation in ("write", "describe"))
    yield from (Acl(who, "group", group, operation) for operation in ("read", "describe"))
    if name in BESIDE:
        more, topic = BESIDE[name]
        yield Acl(who, "group", more, "read")
        yield from (Acl(who, "topic", topic.value, operation) for operation in ("read", "describe"))
    # Lanes have one transactional id each, `<group>.<number>`.
    yield from (Acl(who, "transactional_id", f"{group}.", op, prefixed=True) for op in ("write", "describe"))


def _partners(partners: Iterable[Partner]) -> Iterator[Acl]:
    """This service's own principal: a group for each partner, and it alone writes the partners' topics."""
    yield from (acl for acl in _service("partners", "ipvi-partners") if acl.resource == "topic")
    for partner in partners:
        yield from (acl for acl in _service("partners", f"ipvi-{partner.service}") if acl.resource != "topic")
        yield from (Acl("User:ipvi-partners", "topic", partner.topic, op) for op in ("write", "describe"))


def create(cluster: Cluster, found: Sequence[Acl]) -> None:
    """Allow it on the cluster. Safe to repeat. Raises `ConfigurationError`."""
    admin = AdminClient(cluster.admin())
    try:
        for answer in admin.create_acls([acl.binding() for acl in found], request_timeout=REQUEST_S).values():
            answer.result(REQUEST_S)
    except KafkaException as failed:
        raise ConfigurationError(f"ACLs cannot be created at {cluster}: {failed.args[0]}") from None
