"""What waits for a person, straight from SQL, oldest first. Nothing of any victim."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import ReviewCode
from services.classifier.domain import Erasure
from services.classifier.store.tables import decisions, erasures, incidents, referrals, reviews


@dataclass(frozen=True, slots=True)
class OpenReview:
    """`subject`: the incident; for `merge_pending` the merge or split that is not whole yet."""

    offender_id: str
    subject: str
    code: ReviewCode
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class ListedIncident:
    """Came with a history load or late: no outreach opens before a person says so."""

    offender_id: str
    incident_id: str
    occurred_at: datetime


async def carried_out(
    conn: AsyncConnection, limit: int, skip: int = 0, proof_id: str | None = None
) -> Sequence[Erasure]:
    """Expunctions, newest first; or the one of that proof."""
    query = select(erasures).order_by(erasures.c.erased_at.desc(), erasures.c.proof_id).limit(limit).offset(skip)
    if proof_id is not None:
        query = query.where(erasures.c.proof_id == proof_id)
    return [Erasure(row.proof_id, row.agency, row.erased_at) for row in await conn.execute(query)]


async def open_reviews(
    conn: AsyncConnection, codes: Collection[ReviewCode], limit: int, skip: int = 0
) -> Sequence[OpenReview]:
    """Those with one of `codes`."""
    rows = await conn.execute(
        select(reviews)
        .where(reviews.c.code.in_(codes))
        .order_by(reviews.c.opened_at, reviews.c.offender_id, reviews.c.subject, reviews.c.code)
        .limit(limit)
        .offset(skip)
    )
    return [OpenReview(row.offender_id, row.subject, ReviewCode(row.code), row.opened_at) for row in rows]


async def listed_incidents(conn: AsyncConnection, limit: int, skip: int = 0) -> Sequence[ListedIncident]:
    """Those with somebody to be reached."""
    has_referral = exists().where(
        and_(
            decisions.c.offender_id == incidents.c.offender_id,
            decisions.c.incident_id == incidents.c.incident_id,
            referrals.c.offender_id == decisions.c.offender_id,
            referrals.c.pair_id == decisions.c.pair_id,
        )
    )
    columns = (incidents.c.offender_id, incidents.c.incident_id, incidents.c.occurred_at)
    rows = await conn.execute(
        select(*columns)
        .where(incidents.c.opened_through == 0, has_referral)
        .order_by(incidents.c.occurred_at, incidents.c.incident_id, incidents.c.offender_id)
        .limit(limit)
        .offset(skip)
    )
    return [ListedIncident(row.offender_id, row.incident_id, row.occurred_at) for row in rows]
