"""Records of a history, from their source or handed over: each folds one into what is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from schemas.commands import OpenListed, Role
from schemas.envelope import Data, Event
from schemas.incident import (
    CaseDisposed,
    CustodyChanged,
    IncidentReported,
    IncidentRetracted,
    NotificationRecorded,
    OrderChanged,
)
from schemas.notification import NotificationServed, NotificationWithdrawn
from schemas.rejects import InvalidRecord, RejectCode
from schemas.reviews import (
    AnswerChallenge,
    ChallengeListing,
    ClaimReview,
    ConcludeReview,
    EndRaise,
    RaiseTier,
    ReviewCommand,
    ValidateD,
)
from services.classifier.domain import Kept, Offender, court, history, victim_numbers
from services.classifier.terms import Terms
from services.common.service import Refused

OPENERS = (Role.COORDINATOR, Role.OUTREACH_SUPERVISOR)
"""Who may open what a history load or a late report has listed."""


def reported(offender: Offender, event: Event[IncidentReported], terms: Terms) -> Offender:
    """Raises `InvalidRecord` for two victims of one number: one woman's referral would hide the other's."""
    data = event.data
    numbers = victim_numbers(data)
    for place, number in enumerate(numbers):
        if number in numbers[:place]:
            raise InvalidRecord(RejectCode.OUT_OF_RANGE, f"victims.{place}.victim_no")
    if is_expunged(offender, data.incident_id, terms):
        return named(offender, data.incident_id, offender.offender_id, court.matters(data), terms)
    return _with(offender, history.reported(offender.history, event, terms.policy.stale_after))


def named(offender: Offender, incident_id: str, reported_as: str, matters: Iterable[str], terms: Terms) -> Offender:
    """Some revision of the incident names these matters. Where it is expunged, so are they."""
    known = offender.history
    if is_expunged(offender, incident_id, terms):
        return _with(offender, history.expunged(known, court.all_sealed(frozenset(matters), terms.seal), terms.seal))
    return _with(offender, history.naming(known, known.strand(incident_id, reported_as), matters))


def retracted(offender: Offender, event: Event[IncidentRetracted], terms: Terms) -> Offender:
    """Keeps nothing of what was expunged before."""
    if is_expunged(offender, event.data.incident_id, terms):
        return offender
    return _with(offender, history.retracted(offender.history, event))


def kept(offender: Offender, event: Event[Kept], terms: Terms) -> Offender:
    """Dispositions, notices, custody, orders and people's acts: the latest word on each matter; none on what is expunged."""
    if isinstance(event.data, ReviewCommand) and is_expunged(offender, event.data.incident_id, terms):
        return offender
    return _with(offender, history.recorded(offender.history, event))


def opened(offender: Offender, event: Event[OpenListed], terms: Terms) -> Offender:
    """Raises `Refused`: the incident does not stand, is not listed, or the person may not."""
    if event.data.role not in OPENERS:
        raise Refused("role")
    telling = offender.history.standing(event.data.incident_id, offender.offender_id)
    if telling is None:
        raise Refused("unknown_incident")
    if not telling.listed:
        raise Refused("not_listed")
    return _with(offender, history.opened(offender.history, telling.strand, telling.strand.revision))


def raise_ended(offender: Offender, event: Event[EndRaise], terms: Terms) -> Offender:
    """Raises `Refused` where there is no such raise (any more)."""
    key = ("raise", event.data.raise_id)
    if key not in offender.history.records:
        raise Refused("unknown_raise")
    return _with(offender, offender.history.dropped({key}))


FOLDS: Mapping[type[Data], Callable[[Offender, Any, Terms], Offender]] = {
    IncidentReported: reported,
    IncidentRetracted: retracted,
    CaseDisposed: kept,
    NotificationRecorded: kept,
    NotificationServed: kept,
    NotificationWithdrawn: kept,
    CustodyChanged: kept,
    OrderChanged: kept,
    OpenListed: opened,
    **dict.fromkeys((ClaimReview, ConcludeReview, RaiseTier, ValidateD, ChallengeListing, AnswerChallenge), kept),
    EndRaise: raise_ended,
}


def fold(offender: Offender, event: Event[Data], terms: Terms) -> Offender:
    """The same offender if nothing is new. Raises `InvalidRecord` and, for a person's act, `Refused`."""
    try:
        folded = FOLDS[type(event.data)]
    except KeyError:
        raise InvalidRecord(RejectCode.NOT_ON_THIS_TOPIC, "type") from None
    return folded(offender, event, terms)


def is_expunged(offender: Offender, incident_id: str, terms: Terms) -> bool:
    """Whether the incident is to stay out."""
    known = offender.history.expunged
    return bool(known) and terms.seal(incident_id) in known


def _with(offender: Offender, changed: history.History) -> Offender:
    return offender if changed is offender.history else replace(offender, history=changed)
