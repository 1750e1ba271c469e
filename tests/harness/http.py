"""What tests of HTTP routes share: a read log in memory, and the part of a problem that is stable."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import FastAPI
from httpx import Response
from prometheus_client import CollectorRegistry
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.commands import PersonCommand, Role
from schemas.partner_file import Partner
from services.cli.registry import SERVICES
from services.common.api import Health, Reader, build_app
from services.common.auth import Person, Tokens
from services.common.desk import Desk, Reply
from services.common.reads import Read, ReadLog
from services.common.settings import CommonSettings
from services.partners import pages
from services.partners.api import Office
from services.partners.api import router as partners_router

TOKENS = Tokens(
    tuple(
        (hashlib.sha256(person.name.encode()).digest(), person)
        for person in (
            *(Person(str(role), frozenset([role])) for role in Role),
            Person("both", frozenset([Role.COORDINATOR, Role.OUTREACH_SUPERVISOR])),
            Person("captain", frozenset([Role.COORDINATOR, Role.OFFICER])),
            Person("officer_of_his", frozenset([Role.OFFICER]), "NC0410200"),
            Person("officer_of_another", frozenset([Role.OFFICER]), "NC0411000"),
        )
    )
)
"""A token is the name of a role, of who has two (`both`, `captain`), or an officer of the agency that reports or of another."""


@dataclass
class KeptReads:
    """See `services.common.reads.ReadLog`."""

    entries: list[Read] = field(default_factory=list)

    async def write(self, entries: Sequence[Read]) -> None:
        self.entries += entries

    async def count(self, person: str, route: str, since: datetime) -> int:
        return sum(one.person == person and one.route == route and one.at >= since for one in self.entries)

    @property
    def shown(self) -> list[tuple[str, str, str]]:
        """Who, kind, record; oldest first."""
        return [(one.person, one.kind, one.record) for one in self.entries]


def coded(answered: Response) -> tuple[int, str]:
    """Status and code of a problem."""
    problem = answered.json()
    assert answered.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == answered.status_code
    assert problem["type"] == f"urn:ipvi:problem:{problem['code']}"
    return answered.status_code, problem["code"]


class NoDesk:
    """Takes nothing; for documents, which nobody asks anything."""

    async def submit(self, command: PersonCommand, *, form_id: str, offender_id: str) -> Reply:
        raise NotImplementedError


def api_of(service: str) -> FastAPI:
    """The whole API of a service as it is deployed, before a desk and a database that are not there."""

    def read() -> AbstractAsyncContextManager[AsyncConnection]:
        raise NotImplementedError

    return api(service, NoDesk(), read, Tokens(), KeptReads())


def api(
    service: str, desk: Desk, read: Reader, tokens: Tokens, reads: ReadLog, partners: Sequence[Partner] = ()
) -> FastAPI:
    """The API of a service of the registry, or of the partners' with an office for each of `partners`."""

    async def health() -> Health:
        return Health(healthy=True, ready=True)

    if service == "partners":
        offices = {each.id: Office(each, desk, read) for each in partners}
        routers, beside = [partners_router(offices)], [pages.router()]
    else:
        router = SERVICES[service].router(CommonSettings())
        assert router is not None
        routers, beside = [router(desk, read)], []
    return build_app(service, routers, tokens, health, CollectorRegistry(), reads, pages=beside)


def as_(who: str, form: str = "form-0001") -> dict[str, str]:
    return {"Authorization": f"Bearer {who}", "Idempotency-Key": form}
