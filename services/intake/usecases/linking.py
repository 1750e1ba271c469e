"""One person behind many records: what numbers link, what the model's scores link or ask, each in one transaction.

Whoever is linked is looked up first: every merge is between two who stand for themselves, and the one whose records came first
stays. So no merge can be of one who is merged, and none can cross another: the outbox lets one process take at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import Classification, Data, Event, deterministic_id
from schemas.incident import OffenderMerged
from services.common.database import Database
from services.intake.domain import AsOf, Terms, Unit
from services.intake.linkage.model import Scored, score, train
from services.intake.linkage.rules import Bars, Contradiction, Known, Shared, Verdict, contradiction, fit_together
from services.intake.linkage.rules import shared as in_common
from services.intake.linkage.rules import verdict as verdict_of
from services.intake.people import Own, People, named
from services.intake.saying import SOURCE, say
from services.intake.store import identities, linkage, outbox
from services.intake.store.identities import Row
from services.intake.store.linkage import DIFFERENT, MOOT, OPEN, Candidate, Link
from services.intake.store.people import load_people, save_people

NUMBERS: Final = "numbers"
SCORES: Final = "scores"
_AT_ONCE: Final = 200
"""Records or pairs in one transaction: whoever takes from agencies waits for it."""
BARS: Final = Bars()
_ARREST: Final = frozenset({Shared.ARREST})


@dataclass
class Group:
    """All records of one person as far as is known. `root`: the id under which he goes now."""

    root: str
    records: list[Row] = field(default_factory=list)

    @property
    def known(self) -> list[Known]:
        return [known for _, known in self.records]

    @property
    def ids(self) -> list[str]:
        return [known.record_id for known in self.known]

    @property
    def since(self) -> int:
        return min((seq for seq, _ in self.records), default=0)


class Groups:
    """Who is who, within one transaction."""

    def __init__(self, conn: AsyncConnection) -> None:
        self._conn = conn
        self._root: dict[str, str] = {}
        self._groups: dict[str, Group] = {}

    async def load(self, offenders: Iterable[str]) -> None:
        """These, whoever they are now, and all who are the same."""
        names = set(offenders) - set(self._root)
        people = await load_people(self._conn, names)
        for name in names:
            at = name
            while (person := people.get(at)) and person.merged_into:
                at = person.merged_into
            self._root[name] = at
        roots = {self._root[name] for name in names} - set(self._groups)
        members = await identities.folded(self._conn, roots)
        self._root |= members
        for root in roots:
            self._groups[root] = Group(root)
        for row in await identities.of_offenders(self._conn, members):
            self._groups[members[row[1].offender_id]].records.append(row)

    def of(self, offender_id: str) -> Group:
        return self._groups[self._root[offender_id]]

    def unite(self, stays: Group, goes: Group) -> None:
        stays.records += goes.records
        self._root = {name: stays.root if root == goes.root else root for name, root in self._root.items()}
        del self._groups[goes.root]


async def link_numbers(database: Database, terms: Terms, now: datetime) -> bool:
    """Compare the next records with all that share a number with them. False: there were none."""
    async with database.write() as conn:
        await outbox.alone(conn)
        upto, _ = await linkage.done_upto(conn, NUMBERS)
        new = await identities.after(conn, upto, _AT_ONCE)
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
        against = await _against(conn, mine, his)
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


async def _against(conn: AsyncConnection, one: Group, other: Group) -> Contradiction | None:
    """What speaks against making one of two groups, whatever speaks for one pair: the registers, or a person's word."""
    if not fit_together(one.known, other.known):
        return Contradiction.STATE_NUMBERS
    if await linkage.between(conn, one.ids, other.ids, {DIFFERENT}):
        return Contradiction.DECIDED
    return None


def question(
    one: Known, other: Known, probability: float | None, against: Contradiction | None, terms: Terms
) -> Candidate:
    codes = tuple(sorted(in_common(one, other)))
    first, second = sorted((one.record_id, other.record_id))
    return Candidate(
        terms.seal(f"pair|{first}|{second}")[:36],
        one.record_id,
        other.record_id,
        probability,
        terms.seal("|".join(codes))[:16],
        codes,
        str(against) if against else None,
    )


async def merge(conn: AsyncConnection, groups: Groups, one: Group, other: Group, terms: Terms, link: Link) -> None:
    """The one whose records came first stays. Questions between the two are moot."""
    stays, goes = sorted((one, other), key=lambda group: (group.since, group.root))
    before = await linkage.times(conn, "merge", stays.root, goes.root)
    event = event_of(
        OffenderMerged(offender_id=stays.root, merged_offender_id=goes.root),
        deterministic_id("identity", "merged", stays.root, goes.root, before),
        stays.root,
        link.at,
    )
    await say_events(conn, [event], terms, link.at)
    await linkage.note(conn, replace(link, event_id=event.id, offender_id=stays.root, other_id=goes.root))
    for asked in await linkage.between(conn, stays.ids, goes.ids, {OPEN}):
        if asked.candidate_id != link.candidate_id:
            await linkage.answer(conn, asked.candidate_id, MOOT, link.at)
    groups.unite(stays, goes)


def event_of(data: Data, event_id: str, subject: str, at: datetime) -> Event[Data]:
    return Event(
        id=event_id, source=SOURCE, subject=subject, time=at, data=data, dataclassification=Classification.RESTRICTED
    )


async def say_events(
    conn: AsyncConnection,
    events: Sequence[Event[Data]],
    terms: Terms,
    now: datetime,
    own: Mapping[str, Own] = MappingProxyType({}),
) -> None:
    """Into the outbox, with the records of people that follow. `own`: of who were one, with a record of each in `events`."""
    known = await load_people(conn, {name for event in events for name in named(event)})
    people = People(known, terms.seal)
    for who, his in own.items():
        people.part(who, his)
    said = say([Unit(0, tuple(events))], people, (), AsOf.NOW)
    await outbox.put(conn, said.keys, said.messages, now, terms.seal)
    await save_people(conn, {name: known[name] for name in people.changed})


# scores --------------------------------------------------------------------------------------------------------------


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
    for start in range(0, len(pairs), _AT_ONCE):
        await _apply(database, terms, pairs[start : start + _AT_ONCE], BARS, version, datetime.now(UTC))
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
    if verdict is Verdict.LINK and (against := await _against(conn, mine, his)) is None:
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
