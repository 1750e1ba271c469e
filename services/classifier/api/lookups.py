"""The look-up for computer-aided dispatch and records systems: which list is this person on, and nothing else.

Nobody learns from it whether a person is known: no record, no tier and (for whoever may not be told) D look the same. D is
law enforcement's alone (28 CFR 23.20).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from starlette.responses import JSONResponse

from schemas.classification import Tier
from schemas.commands import Role
from schemas.incident import Identifier
from services.classifier.store import tiers_of
from services.common.api import Reader, Reading
from services.common.auth import Needs, Person
from services.common.reads import Purpose

LAW_ENFORCEMENT = frozenset({Role.LAW_ENFORCEMENT, Role.OFFICER})
LOOKERS = LAW_ENFORCEMENT | {Role.DISPATCH}
AT_ONCE = 10

_ROUTE = "/offenders"

Looker = Annotated[Person, Depends(Needs(*LOOKERS))]
Stated = Literal[Purpose.CALL_FOR_SERVICE, Purpose.INVESTIGATION, Purpose.BOND_HEARING, Purpose.SUPERVISION]
"""A look-up is somebody else's work than the case's own: it always says for what."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many persons one credential may look up: enough for a busy shift, too few to list everybody."""

    per_minute: int = 60
    per_day: int = 2_000


@dataclass(frozen=True, slots=True)
class Flag:
    """The tier that counts now; of a record that was merged, that of the one it went into. Null: none that may be told."""

    offender_id: str
    tier: Tier | None


def router(read: Reader, limits: Limits) -> APIRouter:
    """One route; every person looked up is written down with the purpose."""
    api = APIRouter()

    @api.get(_ROUTE, response_model=list[Flag])
    async def look_up(
        person: Looker,
        reading: Annotated[Reading, Depends()],
        offender_id: Annotated[list[Identifier], Query(min_length=1, max_length=AT_ONCE)],
        purpose: Stated,
    ) -> JSONResponse:
        await _within(limits, person, reading, len(offender_id))
        async with read() as conn:
            found = await tiers_of(conn, offender_id)
        await reading.log("offender", offender_id, purpose)
        told = _told(person)
        return JSONResponse(
            [{"offender_id": one, "tier": tier if (tier := found.get(one)) in told else None} for one in offender_id]
        )

    return api


async def _within(limits: Limits, person: Person, reading: Reading, more: int) -> None:
    """Counted in the read log, so over all replicas and restarts."""
    now = datetime.now(UTC)
    for limit, span in ((limits.per_minute, timedelta(minutes=1)), (limits.per_day, timedelta(days=1))):
        if await reading.reads.count(person.name, _ROUTE, now - span) + more > limit:
            raise HTTPException(429, "too_many_lookups", {"Retry-After": str(int(span.total_seconds()))})


def _told(person: Person) -> frozenset[Tier]:
    return frozenset(Tier) if person.roles & LAW_ENFORCEMENT else frozenset(Tier) - {Tier.D}
