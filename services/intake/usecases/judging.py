"""A person's word on who is who, one transaction each: two records are one man's, are two men's, a link was wrong.

What was said once is never asked again on the same evidence, and no rule links against it. A form that is sent again is
answered as before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.envelope import deterministic_id
from schemas.incident import OffenderSplit
from schemas.person import OffenderDescribed
from services.common.database import Database
from services.common.desk import KEY_REUSED, Reply, Standing
from services.common.versions import STALE, version_of
from services.intake.domain import Terms
from services.intake.linkage.rules import Answer, Known, Reason, shared
from services.intake.people import Own, Person, parted
from services.intake.store import identities, linkage, outbox, tables
from services.intake.store.identities import Row
from services.intake.store.linkage import OPEN, Candidate, Link
from services.intake.store.people import load_people
from services.intake.usecases.linking import Group, Groups, event_of, merge, question, say_events

UNKNOWN: Final = "unknown_candidate"
_REMEMBERED: Final = 1_000
"""Pairs of records that a split writes down as different: more would only say the same."""


@dataclass(frozen=True, slots=True)
class Form:
    """Who says it, why, and in which form. `expects`: the version that was seen."""

    by: str
    reason: Reason
    form_id: str
    expects: str | None = None

    @property
    def command_id(self) -> str:
        return deterministic_id("identity", "form", self.by, self.form_id)


def version(asked: Candidate) -> str:
    """Changes with what is asked and with the answer."""
    return version_of(replace(asked, form_id=None, seq=0))


async def decide(database: Database, terms: Terms, candidate_id: str, word: Answer, form: Form, now: datetime) -> Reply:
    """`same`: they are merged. `different`: they stay two, and where they are one id by now they are split."""
    async with database.write() as conn:
        await outbox.alone(conn)
        found = await linkage.candidate(conn, candidate_id)
        if found is None:
            return _refused(form, UNKNOWN)
        if (found.decided_by, found.form_id) == (form.by, form.form_id):
            is_same = (found.state, found.reason) == (str(word), str(form.reason))
            return _applied(form) if is_same else _refused(form, KEY_REUSED)
        if await linkage.form_used(conn, form.by, form.form_id):
            return _refused(form, KEY_REUSED)
        if form.expects is not None and form.expects != version(found):
            return _refused(form, STALE)
        if found.state != OPEN:
            return _refused(form, "already_decided")
        rows = await identities.by_id(conn, (found.one, found.other))
        groups = Groups(conn)
        await groups.load({known.offender_id for _, known in rows.values()})
        one, other = rows[found.one][1], rows[found.other][1]
        mine, his = groups.of(one.offender_id), groups.of(other.offender_id)
        link = Link(
            "", "merge", "", "", "person", now, candidate_id, found.probability, None, form.by, str(form.reason)
        )
        if word is Answer.SAME and mine is not his:
            await merge(conn, groups, mine, his, terms, link)
        if word is Answer.DIFFERENT and mine is his:
            await _part(conn, mine, one, other, terms, replace(link, kind="split"))
        await linkage.answer(
            conn, candidate_id, str(word), now, decided_by=form.by, reason=str(form.reason), form_id=form.form_id
        )
        return _applied(form)


async def split(
    database: Database,
    terms: Terms,
    offender_id: str,
    merged_offender_id: str | None,
    incident_ids: Sequence[str],
    form: Form,
    now: datetime,
) -> Reply:
    """Undo a wrong link: all that came under `merged_offender_id`, or these incidents, are another man's.

    Refused: `not_linked` (that id does not stand for him), `unknown_incident` (he has none such).
    """
    async with database.write() as conn:
        await outbox.alone(conn)
        if (known := await linkage.by_form(conn, form.by, form.form_id)) is not None:
            is_same = (known.kind, known.reason) == ("split", str(form.reason))
            return _applied(form) if is_same else _refused(form, KEY_REUSED)
        if await linkage.form_used(conn, form.by, form.form_id):
            return _refused(form, KEY_REUSED)
        groups, called = Groups(conn), await identities.renames(conn, {offender_id, merged_offender_id or ""})
        offender_id = called.get(offender_id, offender_id)
        await groups.load({offender_id})
        group = groups.of(offender_id)
        link = Link("", "split", "", "", "person", now, None, None, None, form.by, str(form.reason), form.form_id)
        if merged_offender_id is not None:
            below = set(await identities.folded(conn, [group.root])) - {group.root, *called}
            if merged_offender_id not in below:
                return _refused(form, "not_linked")
            await _part_id(conn, group, merged_offender_id, terms, link, incident_ids)
            return _applied(form)
        person = (await load_people(conn, [group.root])).get(group.root)
        if not incident_ids or person is None or not set(incident_ids) <= set(person.tellings):
            return _refused(form, "unknown_incident")
        wanted = set(incident_ids)
        his = [
            row
            for row in group.records
            if (own := await identities.incidents_of(conn, [row[1].record_id])) and set(own) <= wanted
        ]
        await _say_split(conn, group, his, sorted(wanted), terms, link)
        return _applied(form)


async def _part(conn: AsyncConnection, group: Group, one: Known, other: Known, terms: Terms, link: Link) -> None:
    """Two records that are under one person now. Of two ids the one that folded goes; under one id the later record's
    incidents go.
    """
    if one.offender_id == other.offender_id:
        rows = [row for row in group.records if row[1].record_id == other.record_id]
        incidents = await identities.incidents_of(conn, [other.record_id])
        kept = await identities.incidents_of(conn, [name for name in group.ids if name != other.record_id])
        await _say_split(conn, group, rows, sorted(set(incidents) - set(kept)), terms, link)
        return
    below = await identities.folded(conn, [other.offender_id])
    goes = one if other.offender_id == group.root or one.offender_id in below else other
    await _part_id(conn, group, goes.offender_id, terms, link)


async def _part_id(
    conn: AsyncConnection, group: Group, offender_id: str, terms: Terms, link: Link, incidents: Collection[str] = ()
) -> None:
    """What came under this id, and under those that had folded into it before, and what will come."""
    names = set(await identities.folded(conn, [offender_id]))
    rows = [row for row in group.records if row[1].offender_id in names]
    own = set(await identities.incidents_of(conn, [known.record_id for _, known in rows])) | set(incidents)
    now = await _say_split(conn, group, rows, sorted(own), terms, link, names)
    await identities.rename(conn, names, now)


async def _say_split(
    conn: AsyncConnection,
    group: Group,
    rows: Sequence[Row],
    incidents: Sequence[str],
    terms: Terms,
    link: Link,
    names: Collection[str] = (),
) -> str:
    """Returns the id under which the other goes from now on. An id that has folded cannot come back: it stands for him who
    stayed, with everybody who has read of it. `names`: the ids that are the other's with all that came under them.
    """
    count = await linkage.times(conn, "split", group.root)
    now = deterministic_id("identity", "split", group.root, count)
    event_id = deterministic_id("identity", "split", "event", group.root, count)
    moved = [known for _, known in rows]
    rest = [known for known in group.known if known not in moved]
    person = (await load_people(conn, [group.root])).get(group.root)
    stays, goes = parted(person.stays if person else {}, names, incidents, now)
    if incidents:
        data = OffenderSplit(offender_id=group.root, new_offender_id=now, incident_ids=list(incidents))
        await say_events(conn, [event_of(data, event_id, group.root, link.at)], terms, link.at)
    # Only now: what the incidents alone told has gone with them.
    events = []
    own: dict[str, Own] = {}
    for who, records, booked in ((now, moved, goes), (group.root, rest, stays)):
        told, told_by = await _described(conn, who, records)
        own[who] = Own(booked, told_by)
        events.append(event_of(told, deterministic_id(event_id, who), who, link.at))
    await say_events(conn, events, terms, link.at, own)
    for known in moved:
        one = tables.identities.c.record_id == known.record_id
        await conn.execute(update(tables.identities).where(one).values(offender_id=now))
    await linkage.note(conn, replace(link, event_id=event_id, offender_id=group.root, other_id=now))
    pairs = [pair for pair in product(moved, rest) if shared(*pair)] or list(product(moved[:1], rest[:1]))
    for one_of, other in pairs[:_REMEMBERED]:
        asked = question(one_of, other, None, None, terms)
        await linkage.ask(conn, asked, link.at)
        await linkage.answer(
            conn, asked.candidate_id, str(Answer.DIFFERENT), link.at, decided_by=link.by, reason=link.reason
        )
    return now


async def _described(
    conn: AsyncConnection, who: str, records: Sequence[Known]
) -> tuple[OffenderDescribed, dict[str, list[str]]]:
    """His record with the name and birth date of his own records, the newest first, and of what is new in it the incidents
    that alone tell it. What else was held stays; a name or birth date that his records do not give does if his incidents do.
    """
    person = (await load_people(conn, [who])).get(who, Person(OffenderDescribed(offender_id=who)))
    own: dict[str, Any] = {}
    told_by: dict[str, list[str]] = {}
    for name in ("name", "birth_date"):
        telling = [known for known in records if getattr(known, name)]
        found = getattr(telling[-1], name) if telling else None
        own[name] = found[:200] if isinstance(found, str) else found
        if found is None and name in person.origins:
            own[name] = getattr(person.described, name)
        elif own[name] != getattr(person.described, name):
            same = [known.record_id for known in telling if getattr(known, name) == found]
            told_by[name] = await _told_by(conn, person, same)
    is_known = any(known.name or known.birth_date for known in records)
    return person.described.model_copy(update=(own if is_known else {}) | {"custody": None}), told_by


async def _told_by(conn: AsyncConnection, person: Person, record_ids: Sequence[str]) -> list[str]:
    """His incidents of which these records tell; none if one came with something else, a jail or a whole record."""
    marks = await identities.marks_of(conn, record_ids)
    return [] if "" in marks else sorted(marks & person.tellings.keys())


def _applied(form: Form) -> Reply:
    return Reply(Standing.APPLIED, form.command_id)


def _refused(form: Form, code: str) -> Reply:
    return Reply(Standing.REFUSED, form.command_id, code)
