"""What is kept of a woman in one lane and not yet told to the lane of another offender who has her among his victims."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Row, Table, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.referral import ReferralOutreach
from services.common.shelves import rows_as
from services.victim_outreach.domain import (
    Attempt,
    Link,
    Profile,
    ToldAttempt,
    ToldProfile,
    case_of_victim,
    last_word,
    linked,
)
from services.victim_outreach.rules import NOT_SHE
from services.victim_outreach.store.tables import attempts, links, profiles, referrals, told_attempts, told_profiles
from services.victim_outreach.store.women import ROUNDS, cases_before, in_force, moved_cases

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Untold:
    """All there is to tell the lane of one offender of one woman: profiles and attempts whole, links that it lacks."""

    offender_id: str
    victim_ids: tuple[str, ...]
    links: tuple[Link, ...]
    profiles: tuple[ToldProfile, ...]
    attempts: tuple[ToldAttempt, ...]


@dataclass(frozen=True, slots=True)
class _Woman:
    """Whom she is known by, and with whom."""

    ids: frozenset[str]
    hers: Sequence[Row[Any]]
    live: frozenset[str]
    """Offenders on whose account something is to be done for her."""

    @property
    def known_with(self) -> frozenset[str]:
        return frozenset(row.offender_id for row in self.hers)


async def untold(conn: AsyncConnection, victim_ids: Collection[str]) -> list[Untold]:
    """For each woman of whom something changed, the lanes that keep something else of her than there is. In a fixed order."""
    said = await _links(conn, victim_ids)
    ids = {each for _, link in said for each in (link.victim_id, link.other_victim_id)} | set(victim_ids)
    rows = await _in(conn, referrals, "victim_id", ids)
    told = await _told(conn, ids)
    women = list(_women(victim_ids, said, rows))
    cases = {
        case_of_victim(offender, each): (offender, each)
        for woman in women
        if len(woman.known_with) > 1
        for offender in woman.known_with
        for each in woman.ids
    }
    kept = rows_as(Profile, await _in(conn, profiles, "case_id", cases))
    hers = [row for woman in women if len(woman.known_with) > 1 for row in woman.hers]
    tried_in = {**cases, **await cases_before(conn, hers)}
    tried = [one for one in rows_as(Attempt, await _in(conn, attempts, "case_id", tried_in)) if one.outcome in NOT_SHE]
    found: list[Untold] = []
    for woman in women:
        moved = moved_cases(woman.hers, woman.ids)
        said_by_her = [one for one in kept if cases[one.case_id][1] in woman.ids]
        there = [(*cases[one.case_id], one) for one in in_force(said_by_her, moved)]
        vain = [(*tried_in[one.case_id], one) for one in tried if tried_in[one.case_id][1] in woman.ids]
        found += _of(woman, said, there, vain, told)
    return found


def _women(victim_ids: Collection[str], said: Sequence[tuple[str, Link]], rows: Sequence[Row[Any]]) -> Iterator[_Woman]:
    for ids in sorted({linked(each, (link for _, link in said)) for each in victim_ids}, key=min):
        hers = [row for row in rows if row.victim_id in ids]
        live = (row for row in hers if not row.withdrawn and row.outreach == ReferralOutreach.OPENED)
        yield _Woman(ids, hers, frozenset(row.offender_id for row in live))


def _of(
    woman: _Woman,
    said: Sequence[tuple[str, Link]],
    there: Sequence[tuple[str, str, Profile]],
    vain: Sequence[tuple[str, str, Attempt]],
    told: Mapping[str, Sequence[ToldProfile | ToldAttempt]],
) -> Iterator[Untold]:
    """To a lane where nothing is to be done for her nothing is told, and what was told is taken back."""
    lanes = woman.known_with | {offender for offender, _ in said} | told.keys()
    for lane in sorted(lanes):
        lacking = tuple(_lacking(lane, woman, said))
        known = {one for one in told.get(lane, ()) if one.victim_id in woman.ids}
        wanted: set[ToldProfile | ToldAttempt] = set()
        if lane in woman.live:
            wanted |= {_as_told(ToldProfile, one, lane, victim) for other, victim, one in there if other != lane}
            wanted |= {_as_told(ToldAttempt, one, lane, victim) for other, victim, one in vain if other != lane}
        if lacking or wanted != known:
            yield Untold(
                lane,
                tuple(sorted(woman.ids)),
                lacking,
                tuple(sorted((one for one in wanted if isinstance(one, ToldProfile)), key=_place)),
                tuple(sorted((one for one in wanted if isinstance(one, ToldAttempt)), key=_place)),
            )


def _lacking(lane: str, woman: _Woman, said: Sequence[tuple[str, Link]]) -> Iterator[Link]:
    """Of each pair the last word, where the lane has another; of a new link it hears if she is to be sought there."""
    words: dict[Pair, list[tuple[str, Link]]] = defaultdict(list)
    for offender, link in said:
        pair = (link.victim_id, link.other_victim_id)
        if woman.ids & set(pair):
            words[pair].append((offender, link))
    for _, known in sorted(words.items()):
        last = last_word(link for _, link in known)
        here = next((link for offender, link in known if offender == lane), None)
        if here is None:
            if last.holds and lane in woman.live:
                yield last
        elif here.holds is not last.holds:
            yield last


def _as_told(kind: Any, one: Any, lane: str, victim_id: str) -> Any:
    same = {field.name: getattr(one, field.name) for field in fields(one)}
    return kind(**{**same, "case_id": case_of_victim(lane, victim_id)}, from_case_id=one.case_id, victim_id=victim_id)


def _place(one: Any) -> tuple[str, ...]:
    return one.from_case_id, one.victim_id, str(getattr(one, "owner", "")), str(getattr(one, "task_id", ""))


async def _links(conn: AsyncConnection, ids: Collection[str]) -> list[tuple[str, Link]]:
    """Every lane's word on links of these, and on those of whom they are linked to."""
    known = frozenset(ids)
    for _ in range(ROUNDS):
        both = or_(links.c.victim_id.in_(known), links.c.other_victim_id.in_(known))
        rows = (await conn.execute(select(links).where(both))).all()
        found = list(zip((row.offender_id for row in rows), rows_as(Link, rows), strict=True))
        more = known.union(*((one.victim_id, one.other_victim_id) for _, one in found if one.holds))
        if more == known:
            break
        known = more
    return found


async def _told(conn: AsyncConnection, ids: Iterable[str]) -> Mapping[str, Sequence[ToldProfile | ToldAttempt]]:
    by_lane: dict[str, list[ToldProfile | ToldAttempt]] = defaultdict(list)
    said = await _in(conn, told_profiles, "victim_id", ids)
    tried = await _in(conn, told_attempts, "victim_id", ids)
    told: list[ToldProfile | ToldAttempt] = [*rows_as(ToldProfile, said), *rows_as(ToldAttempt, tried)]
    for row, one in zip((*said, *tried), told, strict=True):
        by_lane[row.offender_id].append(one)
    return by_lane


async def _in(conn: AsyncConnection, table: Table, column: str, values: Iterable[str]) -> Sequence[Row[Any]]:
    wanted = sorted(values)
    return (await conn.execute(select(table).where(table.c[column].in_(wanted)))).all() if wanted else []
