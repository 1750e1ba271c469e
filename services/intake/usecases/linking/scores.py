"""What the model scores alike: trained on all records there are, asked of what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.intake.domain import Terms
from services.intake.linkage.model import Scored, score, train
from services.intake.linkage.rules import Bars, Known, Shared, Verdict, contradiction, fit_together
from services.intake.linkage.rules import shared as in_common
from services.intake.linkage.rules import verdict as verdict_of
from services.intake.store import identities, linkage, outbox
from services.intake.store.linkage import OPEN, Link
from services.intake.usecases.linking.groups import Groups
from services.intake.usecases.linking.merging import AT_ONCE, BARS, against_merging, merge, question

SCORES: Final = "scores"
_ARREST: Final = frozenset({Shared.ARREST})


async def train_model(database: Database, now: datetime, by: str) -> int:
    """Train on all records there are; returns the version. Raises `LinkageError`."""
    async with database.read() as conn:
        records = [known async for _, known in identities.everyone(conn)]
    model = await asyncio.to_thread(train, records)
    async with database.write() as conn:
        return await linkage.keep_model(conn, model, now, by)


async def score_new(database: Database, terms: Terms) -> bool:
    """Score what is new against all, in a thread; then link or ask, some pairs a transaction. False: nothing was new, or
    there is no model. Stopped in between, it is done again, and what was linked or asked stays as it is.

    Raises `LinkageError`.
    """
    async with database.read() as conn:
        newest = await linkage.newest_model(conn)
        if newest is None:
            return False
        version, model = newest
        upto, scored_with = await linkage.done_upto(conn, SCORES)
        since = upto if scored_with == version else 0
        end = await identities.newest(conn)
        if end <= since:
            return False
        records = [(known, seq > since) async for seq, known in identities.everyone(conn) if seq <= end]
    pairs = await asyncio.to_thread(lambda: sorted(score(model, records, least=BARS.low), key=_likeliest))
    for start in range(0, len(pairs), AT_ONCE):
        await _apply(database, terms, pairs[start : start + AT_ONCE], BARS, version, datetime.now(UTC))
    async with database.write() as conn:
        await linkage.set_done(conn, SCORES, end, version)
    return True


def _likeliest(pair: Scored) -> tuple[float, str, str]:
    return -pair.probability, pair.one, pair.other


async def _apply(
    database: Database, terms: Terms, pairs: Sequence[Scored], bars: Bars, version: int, now: datetime
) -> None:
    async with database.write() as conn:
        await outbox.alone(conn)
        rows = await identities.by_id(conn, (name for pair in pairs for name in (pair.one, pair.other)))
        groups = Groups(conn)
        await groups.load({known.offender_id for _, known in rows.values()})
        for pair in pairs:
            if pair.one not in rows or pair.other not in rows:
                continue  # expunged meanwhile
            (_, one), (_, other) = sorted((rows[pair.one], rows[pair.other]), key=lambda row: row[0])
            await _scored(conn, groups, one, other, pair.probability, bars, version, terms, now)


async def _scored(
    conn: AsyncConnection,
    groups: Groups,
    one: Known,
    other: Known,
    probability: float,
    bars: Bars,
    version: int,
    terms: Terms,
    now: datetime,
) -> None:
    mine, his = groups.of(one.offender_id), groups.of(other.offender_id)
    if mine is his:
        return
    verdict, against = verdict_of(one, other, probability, bars)
    if verdict is Verdict.LINK and (against := await against_merging(conn, mine, his)) is None:
        how = "scored" if in_common(one, other) == _ARREST else "number"
        link = Link("", "merge", "", "", how, now, probability=probability, model=version)
        await merge(conn, groups, mine, his, terms, link)
        return
    if verdict is Verdict.SEPARATE:
        return
    if not fit_together(mine.known, his.known) and not in_common(one, other) and contradiction(one, other) is None:
        return  # the registers have two, and nothing but name and birth date says one
    if await linkage.between(conn, mine.ids, his.ids, {OPEN}):
        return  # one question about two people is enough
    await linkage.ask(conn, question(one, other, probability, against, terms), now)
