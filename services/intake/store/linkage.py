"""Questions for a person, what was linked and parted, models, and how far all of that is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.paging import Page, Slice
from services.common.sql import insert_new, upsert
from services.intake.linkage.model import Model
from services.intake.store.tables import candidates, identity_links, identity_models, linkage

OPEN, SAME, DIFFERENT, MOOT = "open", "same", "different", "moot"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A pair of records. `one` came first. `shared` and `contradiction` are codes."""

    candidate_id: str
    one: str
    other: str
    probability: float | None
    evidence: str
    shared: tuple[str, ...]
    contradiction: str | None
    state: str = OPEN
    raised_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None
    form_id: str | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Link:
    """A merge (`other_id` folds into `offender_id`) or split (`other_id` is new), as it was said."""

    event_id: str
    kind: str
    offender_id: str
    other_id: str
    how: str
    at: datetime
    candidate_id: str | None = None
    probability: float | None = None
    model: int | None = None
    by: str | None = None
    reason: str | None = None
    form_id: str | None = None


async def ask(conn: AsyncConnection, asked: Candidate, now: datetime) -> bool:
    """Put the question, unless it stands or was answered on the same evidence. Whether it is new."""
    values = {
        "candidate_id": asked.candidate_id, "one": asked.one, "other": asked.other, "probability": asked.probability,
        "evidence": asked.evidence, "shared": list(asked.shared), "contradiction": asked.contradiction, "state": OPEN,
        "raised_at": now,
    }  # fmt: skip
    if await insert_new(conn, candidates, values):
        return True
    other_evidence = and_(
        candidates.c.candidate_id == asked.candidate_id,
        candidates.c.evidence != asked.evidence,
        candidates.c.state != OPEN,
    )
    again = values | {"decided_at": None, "decided_by": None, "reason": None, "form_id": None}
    return bool((await conn.execute(update(candidates).where(other_evidence).values(again))).rowcount)


async def answer(conn: AsyncConnection, candidate_id: str, state: str, at: datetime, **by: str | None) -> None:
    values = {"state": state, "decided_at": at, **by}
    await conn.execute(update(candidates).where(candidates.c.candidate_id == candidate_id).values(values))


async def candidate(conn: AsyncConnection, candidate_id: str) -> Candidate | None:
    row = (await conn.execute(select(candidates).where(candidates.c.candidate_id == candidate_id))).first()
    return _candidate(row) if row else None


async def listed(conn: AsyncConnection, page: Page, states: Collection[str]) -> Slice[Candidate]:
    """In the order in which they were raised."""
    query = select(candidates).where(candidates.c.state.in_(sorted(states)))
    return (await page.of(conn, query, candidates.c.seq)).map(_candidate)


async def between(
    conn: AsyncConnection, one: Collection[str], other: Collection[str], states: Collection[str]
) -> list[Candidate]:
    """Questions between a record of `one` and one of `other`."""
    a, b = sorted(one), sorted(other)
    either = or_(
        and_(candidates.c.one.in_(a), candidates.c.other.in_(b)),
        and_(candidates.c.one.in_(b), candidates.c.other.in_(a)),
    )
    rows = await conn.execute(select(candidates).where(either, candidates.c.state.in_(sorted(states))))
    return [_candidate(row) for row in rows]


async def open_between(conn: AsyncConnection, record_id: str, others: Collection[str]) -> bool:
    """Whether an open question is about this record and one of `others`, however many they are."""
    wanted = set(others) - {record_id}
    either = or_(candidates.c.one == record_id, candidates.c.other == record_id)
    query = select(candidates.c.one, candidates.c.other).where(either, candidates.c.state == OPEN)
    return any(wanted & {row.one, row.other} for row in await conn.execute(query))


def _candidate(row: Any) -> Candidate:
    values = dict(row._mapping)
    return Candidate(**values | {"shared": tuple(values["shared"])})


async def times(conn: AsyncConnection, kind: str, offender_id: str, other_id: str | None = None) -> int:
    """How often that was said of these two before: a merge after a split is another merge."""
    query = select(func.count()).where(identity_links.c.kind == kind, identity_links.c.offender_id == offender_id)
    if other_id is not None:
        query = query.where(identity_links.c.other_id == other_id)
    return await conn.scalar(query) or 0


async def note(conn: AsyncConnection, link: Link) -> None:
    await conn.execute(insert(identity_links).values({name: getattr(link, name) for name in Link.__dataclass_fields__}))


async def by_form(conn: AsyncConnection, by: str, form_id: str) -> Link | None:
    """What this form has said already."""
    query = select(identity_links).where(identity_links.c.by == by, identity_links.c.form_id == form_id)
    row = (await conn.execute(query.order_by(identity_links.c.seq).limit(1))).first()
    return Link(**{name: row._mapping[name] for name in Link.__dataclass_fields__}) if row else None


async def form_used(conn: AsyncConnection, by: str, form_id: str) -> bool:
    """Whether this person has said something in this form, to whatever question."""
    own = and_(candidates.c.decided_by == by, candidates.c.form_id == form_id)
    if await conn.scalar(select(candidates.c.seq).where(own).limit(1)) is not None:
        return True
    return await by_form(conn, by, form_id) is not None


async def keep_model(conn: AsyncConnection, model: Model, now: datetime, by: str) -> int:
    """Returns its version; trained again to the same, it is the version it was."""
    newest = await newest_model(conn)
    if newest is not None and newest[1].digest == model.digest:
        return newest[0]
    version = (newest[0] if newest else 0) + 1
    values = {"version": version, "digest": model.digest, "settings": model.settings, "records": model.records}
    await conn.execute(insert(identity_models).values(values | {"trained_at": now, "trained_by": by}))
    return version


async def newest_model(conn: AsyncConnection) -> tuple[int, Model] | None:
    row = (await conn.execute(select(identity_models).order_by(identity_models.c.version.desc()).limit(1))).first()
    return (row.version, Model(row.settings, row.records, row.digest)) if row else None


async def done_upto(conn: AsyncConnection, name: str) -> tuple[int, int | None]:
    """`identities.seq`, and the model's version."""
    row = (await conn.execute(select(linkage).where(linkage.c.name == name))).first()
    return (row.upto, row.model) if row else (0, None)


async def set_done(conn: AsyncConnection, name: str, upto: int, model: int | None = None) -> None:
    await upsert(conn, linkage, [{"name": name, "upto": upto, "model": model}], ["name"])


@dataclass(frozen=True, slots=True)
class Standing:
    """How the linkage stands."""

    records: int
    to_compare: int
    """Records whose numbers are not compared yet."""
    to_score: int
    candidates: dict[str, int]
    """By state."""
    links: dict[str, int]
    """Merges by how they came about, and splits."""
    model: int | None
    digest: str | None
    trained_on: int | None


async def standing(conn: AsyncConnection) -> Standing:
    from services.intake.store.tables import identities

    async def beyond(upto: int) -> int:
        return await conn.scalar(select(func.count()).where(identities.c.seq > upto)) or 0

    numbers, scores = await done_upto(conn, "numbers"), await done_upto(conn, "scores")
    model = await newest_model(conn)
    states = await conn.execute(select(candidates.c.state, func.count()).group_by(candidates.c.state))
    kinds = (identity_links.c.kind, identity_links.c.how)
    links = await conn.execute(select(*kinds, func.count()).group_by(*kinds))
    told: dict[str, int] = {}
    for kind, how, count in links:
        name = how if kind == "merge" else "split"
        told[name] = told.get(name, 0) + count
    return Standing(
        await beyond(0),
        await beyond(numbers[0]),
        await beyond(scores[0] if model and scores[1] == model[0] else 0),
        {str(state): int(count) for state, count in states},
        told,
        model[0] if model else None,
        model[1].digest if model else None,
        model[1].records if model else None,
    )
