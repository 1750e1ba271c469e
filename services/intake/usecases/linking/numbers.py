"""Records that share a number, each compared with all before it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.common.database import Database
from services.intake.domain import Terms
from services.intake.linkage.rules import Known, Verdict
from services.intake.linkage.rules import verdict as verdict_of
from services.intake.store import identities, linkage, outbox
from services.intake.store.identities import Row
from services.intake.store.linkage import Candidate, Link
from services.intake.usecases.linking.groups import Group, Groups
from services.intake.usecases.linking.merging import AT_ONCE, BARS, against_merging, merge, question

NUMBERS: Final = "numbers"


async def link_numbers(database: Database, terms: Terms, now: datetime) -> bool:
    """Compare the next records with all that share a number with them. False: there were none."""
    async with database.write() as conn:
        await outbox.alone(conn)
        upto, _ = await linkage.done_upto(conn, NUMBERS)
        new = await identities.after(conn, upto, AT_ONCE)
        if not new:
            return False
        partners = await identities.sharing_numbers(conn, (known for _, known in new))
        groups = Groups(conn)
        await groups.load({known.offender_id for _, known in (*new, *partners)})
        index = _by_number(partners)
        for seq, record in new:
            asked: set[str] = set()
            for other in _earlier(index, seq, record):
                await _by_numbers(conn, groups, other, record, asked, terms, now)
        await linkage.set_done(conn, NUMBERS, new[-1][0])
        return True


def _by_number(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        for number in _numbers(row[1]):
            found.setdefault(number, []).append(row)
    return found


def _numbers(known: Known) -> list[str]:
    given = (("state", known.state_number), ("fbi", known.fbi_number), ("own", known.own_number))
    return [f"{register} {number}" for register, number in given if number]


def _earlier(index: dict[str, list[Row]], seq: int, record: Known) -> list[Known]:
    """Each pair once, by the later of the two, and the oldest first: the same records link the same in whatever portions."""
    found = {other[0]: other[1] for number in _numbers(record) for other in index.get(number, ()) if other[0] < seq}
    return [found[place] for place in sorted(found)]


async def _by_numbers(
    conn: AsyncConnection, groups: Groups, one: Known, other: Known, asked: set[str], terms: Terms, now: datetime
) -> None:
    """`asked`: whom it is asked of the record `other` already whether he is that man."""
    mine, his = groups.of(one.offender_id), groups.of(other.offender_id)
    if one.offender_id == other.offender_id and mine.root in asked:
        return
    verdict, against = verdict_of(one, other, 0.0, BARS)
    if mine is his:
        # One number given to two people, perhaps: what it holds together already is a person's to part.
        if one.offender_id == other.offender_id and against is not None:
            await _ask_once(conn, mine, question(one, other, None, against, terms), other, asked, now)
        return
    if verdict is Verdict.LINK:
        against = await against_merging(conn, mine, his)
        if against is None:
            await merge(conn, groups, mine, his, terms, Link("", "merge", "", "", "number", now))
            return
    await _ask_once(conn, mine, question(one, other, None, against, terms), other, asked, now)


async def _ask_once(
    conn: AsyncConnection, group: Group, candidate: Candidate, record: Known, asked: set[str], now: datetime
) -> None:
    """One open question of a record and a person: under a number that stands for nobody, each would be asked against all."""
    if group.root in asked:
        return
    asked.add(group.root)
    if not await linkage.open_between(conn, record.record_id, group.ids):
        await linkage.ask(conn, candidate, now)
