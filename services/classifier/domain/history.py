"""What is known of one offender, as folded from records in any order of arrival.

An incident may be told under several offender ids once records are merged; each telling is a *strand*, in which equal
revisions must be equal. Of all that stands the highest revision counts. A retraction under his own id takes back what
was told of him under any; one under an id that was merged into his takes back that telling alone: the same person may
have been listed twice.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from schemas.classification import Tier
from schemas.envelope import Event
from schemas.incident import (
    CaseDisposed,
    IncidentReported,
    IncidentRetracted,
    NotificationRecorded,
)
from schemas.notification import NotificationServed, NotificationWithdrawn
from schemas.rejects import InvalidRecord, RejectCode
from services.classifier.domain import court
from services.classifier.domain.court import Seal
from services.classifier.domain.records import (
    MOVE_NOBODY,
    Force,
    Kept,
    RecordKey,
    agreed,
    arrest_of,
    incident_of,
    record_key,
)

FINAL = sys.maxsize
"""A retraction without a revision takes back every revision there will ever be."""


@dataclass(frozen=True, slots=True)
class Strand:
    """One incident as told under one offender id."""

    incident_id: str
    reported_as: str
    report: Event[IncidentReported] | None = None
    """The highest revision that stands; None where all were taken back."""
    retraction: Event[IncidentRetracted] | None = None
    """The one that reaches furthest."""
    opened_through: int = 0
    """The highest revision that came in time, or that a person opened. What was open stays open when a court's word or
    another correction comes months later; what is taken back is not."""
    others: frozenset[str] = frozenset()
    """Matters (see `court`) that its other revisions name, taken back or outdated: they are its own all the same."""

    @property
    def revision(self) -> int:
        """Of the report; 0: there is none."""
        return self.report.data.revision if self.report is not None else 0

    @property
    def retracted_through(self) -> int:
        if self.retraction is None:
            return 0
        revision = self.retraction.data.revision
        return FINAL if revision is None else revision

    @property
    def listed(self) -> bool:
        """Neither reported in time nor opened by a person."""
        return self.opened_through <= self.retracted_through

    @property
    def matters(self) -> frozenset[str]:
        """All that any revision names."""
        return self.others | court.matters(self.report.data) if self.report is not None else self.others

    def naming(self, matters: Iterable[str]) -> Strand:
        """With these beside its own. The same strand if it names them."""
        more = frozenset(matters) - self.matters
        return replace(self, others=self.others | more) if more else self

    def with_report(self, report: Event[IncidentReported] | None, opened_through: int = 0) -> Strand:
        """With another revision, or none, in place of its own; opened up to there at least."""
        own = court.matters(report.data) if report is not None else frozenset[str]()
        opened = max(self.opened_through, opened_through)
        return replace(self, report=report, others=self.matters - own, opened_through=opened)


@dataclass(frozen=True, slots=True)
class Telling:
    """The strand that counts for an incident."""

    strand: Strand
    listed: bool
    """No strand that stands was reported in time or opened by a person."""
    beside: tuple[IncidentReported, ...] = ()
    """The same revision under other ids of his: he was two of its offenders until records were merged."""

    @property
    def report(self) -> IncidentReported:
        assert self.strand.report is not None
        return self.strand.report.data


@dataclass(frozen=True, slots=True)
class History:
    """Everything a decision is made of. Equal sets of records make equal histories, whatever their order."""

    strands: Mapping[str, tuple[Strand, ...]] = field(default_factory=dict)
    """By incident; within it by `reported_as`."""
    records: Mapping[RecordKey, Event[Kept]] = field(default_factory=dict)
    """Dispositions, notices, custody, orders: the latest word on each."""
    expunged: frozenset[str] = frozenset()
    """Sealed incident ids, whose reports stay out, and sealed matters and arrests of theirs."""

    def strand(self, incident_id: str, reported_as: str) -> Strand:
        """The strand, or one of which nothing is known."""
        known = (one for one in self.strands.get(incident_id, ()) if one.reported_as == reported_as)
        return next(known, Strand(incident_id, reported_as))

    def standing(self, incident_id: str, offender_id: str) -> Telling | None:
        """What counts of the incident, None where nothing stands."""
        own = self.strand(incident_id, offender_id).retracted_through
        live = [one for one in self.strands.get(incident_id, ()) if one.revision > own]
        if not live:
            return None
        best = max(live, key=lambda one: (one.revision, one.reported_as == offender_id, one.reported_as))
        beside = [one.report for one in live if one is not best and one.revision == best.revision]
        return Telling(
            best, listed=all(one.listed for one in live), beside=tuple(one.data for one in beside if one is not None)
        )

    def disposed(self, arrest_id: str, charge: str) -> Event[CaseDisposed] | None:
        """The court's latest word on a charge of an arrest."""
        found = self.records.get(("disposition", court.matter(arrest_id, charge)))
        return cast(Event[CaseDisposed] | None, found)

    def words_are_those_of(self, other: History) -> bool:
        """Whether all has been said of both that a rule of any policy goes by: custody and orders are not."""
        if self.records is other.records:
            return True
        mine, others = (
            {key: one for key, one in each.records.items() if not isinstance(one.data, MOVE_NOBODY)}
            for each in (self, other)
        )
        return mine == others

    def acts(self, kind: str) -> Iterator[Event[Any]]:
        """What people did, of one kind of record."""
        return (one for (of, _), one in self.records.items() if of == kind)

    @property
    def challenged(self) -> bool:
        """Whether a challenge waits for two people of one answer."""
        return any(not is_answered(self, one.id) for one in self.acts("challenge"))

    def reviewed(self, incident_ids: Collection[str]) -> Mapping[RecordKey, Event[Kept]]:
        """What people said in reviews of these incidents."""
        return {key: one for key, one in self.records.items() if incident_of(one) in incident_ids}

    def dropped(self, keys: Collection[RecordKey]) -> History:
        """Without these records."""
        return replace(self, records={key: one for key, one in self.records.items() if key not in keys})

    def noticed(self) -> tuple[Force, ...]:
        """When notices were in force, given here or before this system. One recorded by mistake never was; one that was
        withdrawn was until he was told so. Order of arrival does not matter.
        """
        found: list[Force] = []
        for one in self.records.values():
            match data := one.data:
                case NotificationRecorded() | NotificationServed():
                    found.append(Force(data.served_at))
                case NotificationWithdrawn(withdrawn_at=datetime()):
                    found.append(Force(data.served_at, data.withdrawn_at))
        return tuple(found)

    def tried(self, arrests: Collection[str]) -> Mapping[RecordKey, Event[Kept]]:
        """What the court has said of these arrests."""
        return {key: one for key, one in self.records.items() if arrest_of(one) in arrests}

    @property
    def tiers_served(self) -> tuple[Tier, ...]:
        """Of which lists he has been given notice, the gravest first."""
        notices = (one.data for one in self.records.values())
        given = {str(one.tier) for one in notices if isinstance(one, NotificationRecorded | NotificationServed)}
        return tuple(tier for tier in Tier if tier in given) if given else ()

    def matters(self, incident_ids: Iterable[str] | None = None) -> frozenset[str]:
        """Of these incidents, or of all, by whatever revision."""
        told = (self.strands.get(each, ()) for each in (self.strands if incident_ids is None else incident_ids))
        return frozenset[str]().union(*(strand.matters for strands in told for strand in strands))

    def with_strand(self, strand: Strand) -> History:
        others = [one for one in self.strands.get(strand.incident_id, ()) if one.reported_as != strand.reported_as]
        told = tuple(sorted([*others, strand], key=lambda one: one.reported_as))
        return History({**self.strands, strand.incident_id: told}, self.records, self.expunged)

    def without(self, incident_ids: Collection[str]) -> History:
        """Without these incidents, and without what the court said of arrests that belong to them alone."""
        rest = {key: told for key, told in self.strands.items() if key not in incident_ids}
        arrests = court.arrests(self.matters(incident_ids)) - court.arrests(self.matters(rest))
        records = {
            key: one
            for key, one in self.records.items()
            if arrest_of(one) not in arrests and incident_of(one) not in incident_ids
        }
        return replace(self, strands=rest, records=records if len(records) < len(self.records) else self.records)


def reported(history: History, event: Event[IncidentReported], stale_after: timedelta) -> History:
    """A higher revision amends, an equal or lower one is ignored. The same history if nothing is new.

    Raises `InvalidRecord` for other content under a revision that stands.
    """
    data = event.data
    strand = history.strand(data.incident_id, data.offender.offender_id)
    if data.revision <= strand.retracted_through:
        return naming(history, strand, court.matters(data))
    held = strand.report
    if held is not None and held.data.revision == data.revision and held.data.canonical() != data.canonical():
        raise InvalidRecord(RejectCode.CONFLICTING_REVISION, "revision")
    newest = event if held is None or held.data.revision < data.revision else held
    in_time = not data.bulk and data.reported_at - data.occurred_at <= stale_after
    opened_through = max(strand.opened_through, data.revision if in_time else 0)
    if newest is held and opened_through == strand.opened_through:
        return naming(history, strand, court.matters(data))
    return history.with_strand(strand.with_report(newest, opened_through).naming(court.matters(data)))


def naming(history: History, strand: Strand, matters: Iterable[str]) -> History:
    """Another revision of the strand named these. The same history if nothing is new."""
    named = strand.naming(matters)
    return history if named is strand else history.with_strand(named)


def opened(history: History, strand: Strand, through: int) -> History:
    """The strand's revisions up to this one were opened. The same history if nothing is new."""
    if through <= max(strand.opened_through, strand.retracted_through):
        return history
    return history.with_strand(replace(strand, opened_through=through))


def retracted(history: History, event: Event[IncidentRetracted]) -> History:
    """Takes back every revision up to its own, also those still to come. The same history if nothing is new."""
    strand = history.strand(event.data.incident_id, event.data.offender_id)
    taken = replace(strand, retraction=event)
    if taken.retracted_through <= strand.retracted_through:
        return history
    held = strand.report
    stands = held is not None and held.data.revision > taken.retracted_through
    left = taken if stands else taken.with_report(None)
    return history.with_strand(replace(left, opened_through=0 if taken.listed else taken.opened_through))


def expunged(history: History, sealed: Collection[str], seal: Seal) -> History:
    """Nothing stays of these incidents but sealed ids; `tidied` ends what the court has said. The same if nothing is new."""
    fresh = frozenset(sealed) - history.expunged
    if not fresh:
        return history
    named = {*history.strands, *filter(None, map(incident_of, history.records.values()))}
    gone = {incident_id for incident_id in named if seal(incident_id) in fresh}
    matters = court.all_sealed(history.matters(gone), seal)
    rest = {key: told for key, told in history.strands.items() if key not in gone}
    return replace(history, strands=rest, expunged=history.expunged | fresh | matters).dropped(history.reviewed(gone))


def tidied(history: History, seal: Seal) -> History:
    """Without what the court has said of expunged matters. The same history if there is none."""
    words = {key: one.data for key, one in history.records.items() if isinstance(one.data, CaseDisposed)}
    if not (history.expunged and words):
        return history
    named = history.matters()
    out = {key for key, word in words.items() if court.is_out(word, named, history.expunged, seal)}
    return history.dropped(out) if out else history


def recorded(history: History, event: Event[Kept]) -> History:
    """Keep the latest word on its matter, by the source's time. The same history if nothing is new."""
    key = record_key(event)
    held = history.records.get(key)
    if held is not None and (held.time, held.id) >= (event.time, event.id):
        return history
    return replace(history, records={**history.records, key: event})


def is_answered(history: History, challenge_id: str) -> bool:
    """Whether two people gave it one answer."""
    return agreed(one for one in history.acts("answer") if one.data.challenge_id == challenge_id) is not None
