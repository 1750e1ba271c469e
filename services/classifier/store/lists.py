"""What waits for a person, straight from SQL, oldest first. Nothing of any victim."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, and_, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.classification import ReviewCode, Tier
from schemas.envelope import read
from schemas.policy import Policy
from services.classifier.domain import Erasure
from services.classifier.store.tables import (
    decisions,
    erasures,
    incidents,
    offenders,
    records,
    referrals,
    reviews,
)
from services.common import policies
from services.common.paging import Page, Slice
from services.common.tables import lanes
from services.common.tables import policies as kept_policies


@dataclass(frozen=True, slots=True)
class OpenReview:
    """`subject`: the incident; for `merge_pending` the merge or split that is not whole yet."""

    offender_id: str
    subject: str
    code: ReviewCode
    opened_at: datetime
    claimed_by: str | None = None
    concluded: tuple[tuple[str, str], ...] = ()
    """Who has found what, so far; two who find the same close it."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act that is part of a history: a raise in force, a challenge, a person's word in a review."""

    offender_id: str
    kind: str
    act_id: str
    by: str
    at: datetime
    data: dict[str, Any]


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


ACTS = ("claim", "review", "late", "raise", "validation", "challenge", "answer")
"""Kinds of records that are acts of people."""


async def acts(
    conn: AsyncConnection, page: Page, kinds: Collection[str] = ACTS, offender_id: str | None = None
) -> Slice[Act]:
    """Of these kinds, by offender."""
    columns = records.c
    query = select(records).where(columns.kind.in_(kinds))
    if offender_id is not None:
        query = query.where(columns.offender_id == offender_id)
    found = await page.of(conn, query, columns.offender_id, columns.kind, columns.matter)
    return found.map(_act)


def _act(row: Row[Any]) -> Act:
    event = orjson.loads(row.event)
    data = event["data"]
    at = datetime.fromisoformat(event.get("recordedtime") or event["time"])
    rest = {name: value for name, value in data.items() if name not in ("offender_id", "by", "expects")}
    return Act(row.offender_id, row.kind, event["id"], data["by"], at, rest)


async def words_on(conn: AsyncConnection, challenges: Collection[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    """By challenge, given as (offender, challenge): who has answered what."""
    people = {offender_id for offender_id, _ in challenges}
    found: dict[str, list[tuple[str, str]]] = {challenge_id: [] for _, challenge_id in challenges}
    query = select(records.c.event).where(records.c.kind == "answer", records.c.offender_id.in_(people))
    for row in await conn.execute(query):
        data = orjson.loads(row.event)["data"]
        if data["challenge_id"] in found:
            found[data["challenge_id"]].append((data["by"], data["outcome"]))
    return found


@dataclass(frozen=True, slots=True)
class Lapsing:
    """On D; `wake_at`: when the first suspicion is purged unless a person validates (or a raise ends)."""

    offender_id: str
    wake_at: datetime


async def lapsing(conn: AsyncConnection, page: Page) -> Slice[Lapsing]:
    """Soonest first."""
    columns = offenders.c
    query = select(columns.offender_id, columns.wake_at).where(columns.tier == Tier.D, columns.wake_at.is_not(None))
    found = await page.of(conn, query, columns.wake_at, columns.offender_id)
    return found.map(lambda row: Lapsing(row.offender_id, row.wake_at))


@dataclass(frozen=True, slots=True)
class InForce(policies.InForce):
    """Also how many people were last decided under it."""

    offenders: int


async def in_force(conn: AsyncConnection) -> list[InForce]:
    """In the order they came."""
    per_person = await conn.execute(select(offenders.c.policy, func.count()).group_by(offenders.c.policy))
    decided: dict[str | None, int] = {row[0]: row[1] for row in per_person}
    return [InForce(**asdict(one), offenders=decided.get(one.digest, 0)) for one in await policies.in_force(conn)]


async def policy_in_force(conn: AsyncConnection, offender_id: str) -> Policy | None:
    """In the lane of this offender; None where nothing is known of him."""
    document = await conn.scalar(
        select(kept_policies.c.document)
        .join(lanes, lanes.c.kept == kept_policies.c.digest)
        .join(offenders, offenders.c.lane == lanes.c.lane)
        .where(offenders.c.offender_id == offender_id)
    )
    return None if document is None else read(Policy, str(document).encode())


async def open_reviews(
    conn: AsyncConnection, codes: Collection[ReviewCode], page: Page, claimed_by: str | None = None
) -> Slice[OpenReview]:
    """Those with one of `codes`; of one person, or (``) that nobody has claimed."""
    columns = reviews.c
    query = select(reviews).where(columns.code.in_(codes))
    if claimed_by is not None:
        query = query.where(columns.claimed_by == claimed_by if claimed_by else columns.claimed_by.is_(None))
    found = await page.of(conn, query, columns.opened_at, columns.offender_id, columns.subject, columns.code)
    return found.map(
        lambda row: OpenReview(
            row.offender_id,
            row.subject,
            ReviewCode(row.code),
            row.opened_at,
            row.claimed_by,
            tuple((by, outcome) for by, outcome in row.concluded),
        )
    )


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


_MOST_MERGES = 50
"""In a row; a ring of them ends too."""


async def tiers_of(conn: AsyncConnection, offender_ids: Collection[str]) -> Mapping[str, Tier]:
    """The tier of each who has one; of a merged record that of the one it went into in the end."""
    asked = {one: one for one in offender_ids}
    tiers: dict[str, Tier] = {}
    for _ in range(_MOST_MERGES):
        rows = await conn.execute(
            select(offenders.c.offender_id, offenders.c.tier, offenders.c.alias_to).where(
                offenders.c.offender_id.in_(set(asked.values()))
            )
        )
        known = {row.offender_id: row for row in rows}
        here = {one: known[at] for one, at in asked.items() if at in known}
        tiers |= {one: Tier(row.tier) for one, row in here.items() if row.tier and not row.alias_to}
        asked = {one: row.alias_to for one, row in here.items() if row.alias_to}
        if not asked:
            break
    return tiers
