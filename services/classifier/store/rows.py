"""An offender from his rows, and the rows of what he keeps."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

import orjson
from sqlalchemy import Row

from schemas.classification import Change, Outreach, ReviewCode, Tier, TierCurrent
from schemas.envelope import Data, Event, from_json_line, read, rfc3339, to_json_line
from schemas.incident import IncidentReported, IncidentRetracted
from schemas.referral import ReferralOpened
from schemas.sharing import shared
from services.classifier.domain import FINAL, Decided, Erasure, History, Kept, Move, Offender, Review, Strand
from services.classifier.store import tables
from services.common.shelves import Shelf

Rows = Sequence[Row[Any]]
Key = tuple[str, ...]
Columns = dict[str, Any]


_shelf: Callable[..., Shelf[Offender]] = partial(Shelf, same=operator.is_)
"""Each record makes new entries of what it changes, and only of that: the same object stands in its row as it is."""


def _reports(offender: Offender) -> Mapping[Key, Strand]:
    return {
        (strand.incident_id, strand.reported_as): strand
        for told in offender.history.strands.values()
        for strand in told
        if strand.report is not None
    }


def _report(strand: Strand) -> Columns:
    event = strand.report
    assert event is not None
    return {
        "others": sorted(strand.others),
        "revision": event.data.revision,
        "occurred_at": event.data.occurred_at,
        "opened_through": min(strand.opened_through, FINAL),
        "data": event.data.model_dump_json(),
        "envelope": orjson.dumps({**event.attributes(), "time": rfc3339(event.time)}).decode(),
    }


def _retractions(offender: Offender) -> Mapping[Key, Strand]:
    return {
        (strand.incident_id, strand.reported_as): strand
        for told in offender.history.strands.values()
        for strand in told
        if strand.retraction is not None
    }


def _retraction(strand: Strand) -> Columns:
    assert strand.retraction is not None
    return {"others": sorted(strand.others), **_event(strand.retraction)}


def _event(event: Event[Data]) -> Columns:
    return {"event": to_json_line(event).decode()}


def _referral(referral: ReferralOpened) -> Columns:
    return {"pair_id": referral.pair_id, "data": referral.model_dump_json()}


def _decision(decided: Decided) -> Columns:
    return {
        "place": decided.place,
        "pair_id": decided.pair_id,
        "incident_id": decided.incident_id,
        "tier": decided.tier,
        "change": decided.change,
        "review": list(decided.review),
        "outreach": decided.outreach,
        "decided_at": decided.decided_at,
    }


def _review(review: Review) -> Columns:
    return {
        "opened_at": review.opened_at,
        "claimed_by": review.claimed_by,
        "concluded": [list(each) for each in review.concluded],
    }


SHELVES = (
    _shelf(tables.incidents, _reports, _report),
    _shelf(tables.retractions, _retractions, _retraction),
    _shelf(tables.records, lambda offender: offender.history.records, _event),
    _shelf(tables.expunged, lambda offender: dict.fromkeys(offender.history.expunged), lambda _: {}),
    _shelf(
        tables.referrals,
        lambda offender: {one.referral_id: one for one in offender.referrals.values()},
        _referral,
    ),
    _shelf(tables.decisions, lambda offender: offender.decisions, _decision),
    _shelf(
        tables.erasures,
        lambda offender: offender.erasures,
        lambda one: {"agency": one.agency, "erased_at": one.erased_at},
    ),
    _shelf(tables.reviews, lambda offender: offender.reviews, _review),
)


def head(offender: Offender) -> Columns:
    """The row of `offenders`."""
    return {
        "offender_id": offender.offender_id,
        "tier": offender.tier,
        "since": offender.since,
        "published": offender.current.model_dump(mode="json") if offender.current else None,
        "alias_to": offender.alias.to if offender.alias else None,
        "alias_handover": offender.alias.handover_id if offender.alias else None,
        "moved": {sealed: [move.to, move.handover_id] for sealed, move in offender.moved.items()},
        "pending": sorted(offender.pending),
        "absorbed": sorted(offender.absorbed),
        "victim_of": sorted(offender.victim_of),
        "askings": dict(offender.askings),
        "last_asking": offender.last_asking,
        "policy": offender.policy,
        "challenged": offender.history.challenged,
        "wake_at": offender.wake_at,
    }


def offender(row: Row[Any], below: Mapping[str, Rows]) -> Offender:
    """Of the row of `offenders` and, by table, the rows below it. What is derived is not there yet."""
    return Offender(
        offender_id=row.offender_id,
        history=_history(below),
        alias=Move(row.alias_to, row.alias_handover) if row.alias_to else None,
        moved={sealed: Move(*move) for sealed, move in row.moved.items()},
        pending=frozenset(row.pending),
        absorbed=frozenset(row.absorbed),
        tier=Tier(row.tier) if row.tier else None,
        since=row.since,
        current=shared(read(TierCurrent, orjson.dumps(row.published))) if row.published else None,
        referrals={(one.incident_id, one.victim_no): one for one in map(_referred, below["referrals"])},
        policy=row.policy,
        wake_at=row.wake_at,
        victim_of=frozenset(row.victim_of),
        askings=row.askings,
        last_asking=row.last_asking,
        reviews={(each.subject, ReviewCode(each.code)): _reviewed(each) for each in below["reviews"]},
        erasures={each.proof_id: Erasure(each.proof_id, each.agency, each.erased_at) for each in below["erasures"]},
        decisions={each.decision_id: _decided(each) for each in below["decisions"]},
    )


def _history(below: Mapping[str, Rows]) -> History:
    reports = {(row.incident_id, row.reported_as): row for row in below["incidents"]}
    taken = {(row.incident_id, row.reported_as): row for row in below["retractions"]}
    strands: dict[str, tuple[Strand, ...]] = {}
    for key in sorted(reports.keys() | taken.keys()):
        report, retraction = reports.get(key), taken.get(key)
        incident_id, reported_as = key
        strand = Strand(
            incident_id,
            reported_as,
            report=_reported(report) if report else None,
            retraction=cast(Event[IncidentRetracted], _stored(retraction)) if retraction else None,
            opened_through=report.opened_through if report else 0,
            others=frozenset((reports.get(key) or taken[key]).others),
        )
        strands[incident_id] = (*strands.get(incident_id, ()), strand)
    return History(
        strands,
        {(row.kind, row.matter): cast(Event[Kept], _stored(row)) for row in below["records"]},
        frozenset(row.sealed for row in below["expunged"]),
    )


def _reported(row: Row[Any]) -> Event[IncidentReported]:
    line = orjson.dumps({**orjson.loads(row.envelope), "data": orjson.Fragment(row.data)})
    return cast(Event[IncidentReported], _read_event(line))


def _referred(row: Row[Any]) -> ReferralOpened:
    return shared(read(ReferralOpened, row.data.encode()))


def _reviewed(row: Row[Any]) -> Review:
    return Review(row.opened_at, row.claimed_by, tuple((by, outcome) for by, outcome in row.concluded))


def _stored(row: Row[Any]) -> Event[Data]:
    return _read_event(row.event.encode())


def _read_event(line: bytes) -> Event[Data]:
    event = from_json_line(line)
    shared(event.data)
    return event


def _decided(row: Row[Any]) -> Decided:
    return Decided(
        row.decision_id,
        row.pair_id,
        row.incident_id,
        Tier(row.tier) if row.tier else None,
        Change(row.change),
        tuple(ReviewCode(code) for code in row.review),
        Outreach(row.outreach),
        row.decided_at,
        row.place,
    )
