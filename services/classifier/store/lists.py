"""What waits for a person, straight from SQL, oldest first. Nothing of any victim."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import ReviewCode
from services.classifier.domain import Erasure
from services.classifier.store.tables import decisions, erasures, incidents, referrals, reviews
from services.common.paging import Page, Slice


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


async def carried_out(conn: AsyncConnection, page: Page, proof_id: str | None = None) -> Slice[Erasure]:
    """Expunctions, in their order; or the one of that proof."""
    query = select(erasures)
    if proof_id is not None:
        query = query.where(erasures.c.proof_id == proof_id)
    found = await page.of(conn, query, erasures.c.erased_at, erasures.c.proof_id, erasures.c.offender_id)
    return found.map(lambda row: Erasure(row.proof_id, row.agency, row.erased_at))


async def open_reviews(conn: AsyncConnection, codes: Collection[ReviewCode], page: Page) -> Slice[OpenReview]:
    """Those with one of `codes`."""
    columns = reviews.c
    query = select(reviews).where(columns.code.in_(codes))
    found = await page.of(conn, query, columns.opened_at, columns.offender_id, columns.subject, columns.code)
    return found.map(lambda row: OpenReview(row.offender_id, row.subject, ReviewCode(row.code), row.opened_at))


async def listed_incidents(conn: AsyncConnection, page: Page) -> Slice[ListedIncident]:
    """Those with somebody to be reached."""
    has_referral = exists().where(
        and_(
            decisions.c.offender_id == incidents.c.offender_id,
            decisions.c.incident_id == incidents.c.incident_id,
            referrals.c.offender_id == decisions.c.offender_id,
            referrals.c.pair_id == decisions.c.pair_id,
        )
    )
    order = (incidents.c.occurred_at, incidents.c.incident_id, incidents.c.offender_id, incidents.c.reported_as)
    found = await page.of(conn, select(*order).where(incidents.c.opened_through == 0, has_referral), *order)
    return found.map(lambda row: ListedIncident(row.offender_id, row.incident_id, row.occurred_at))
