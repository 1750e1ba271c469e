"""What people do: work reviews, raise a tier, validate a D, dispute a listing. And what the clock ends.

Acts are part of the history and go with it in a merge or split. A refusal changes nothing and says why, by a code. What
two people must agree on is done by the second who says the same. Whoever did what has to follow a merge or split has had the
answer by then: if no such review is open where it comes to, it is kept there and counts for none.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import orjson

from schemas.classification import ReviewCode, Tier
from schemas.commands import Adopt, ClassifierActivatePolicy, ClassifierTick, PersonCommand, Role
from schemas.envelope import Data, Event, deterministic_id, from_json_line, to_json_line
from schemas.incident import IncidentRetracted
from schemas.reviews import (
    ActKind,
    AnswerChallenge,
    ChallengeListing,
    ClaimReview,
    ConcludeReview,
    EndRaise,
    Matter,
    RaiseTier,
    ReviewActed,
    ReviewCommand,
    ValidateD,
)
from schemas.topics import Topic
from services.classifier.domain import Offender, history, lapses
from services.classifier.domain.history import is_answered
from services.classifier.terms import Terms
from services.classifier.usecases import identity
from services.classifier.usecases.deciding import About
from services.classifier.usecases.identity import taken
from services.classifier.usecases.reviewing import ALSO_VICTIM_ROLES
from services.classifier.usecases.settling import SOURCE, settled
from services.common.service import Input, Outcome, Outgoing, Refused, caused_by

REVIEWERS = (Role.COORDINATOR, Role.OUTREACH_SUPERVISOR, Role.PROSECUTOR)
"""Who works reviews, raises, validates and answers."""
CHALLENGE_DUE = timedelta(days=30)
RAISE_AT_MOST = timedelta(days=365)
BY_ITSELF = frozenset({ReviewCode.MERGE_PENDING, ReviewCode.PARKED})
"""Closed by what they wait for, by nobody."""


def act(state: Offender, event: Event[PersonCommand], given: Input, terms: Terms) -> Outcome[Offender]:
    """Raises `Refused`. Where the history has gone on, the act follows it, and is judged there."""
    data = event.data
    if data.role not in REVIEWERS:
        raise Refused("role")
    kept = replace(_in_time(event, late=False), recordedtime=given.at)
    if state.alias is None and not _moved(state, data, terms):
        CHECKS[type(data)](state, data, given)
    outcome = taken(state, kept, given, terms)
    told = tuple(_told(state, outcome.state, event, given))
    return replace(outcome, events=(*outcome.events, *told), result="applied" if told else outcome.result)


def adopted(state: Offender, event: Event[Adopt], given: Input, terms: Terms) -> Outcome[Offender]:
    """One event of another's history. An act that follows by itself is judged here, and told where it counts."""
    inner = from_json_line(orjson.dumps(event.data.original))
    alone = isinstance(inner.data, ACTS) and not event.data.remaining
    if not alone or not identity.is_at_home(state, event.data, inner, terms):
        return identity.adopted(state, event, given, terms)
    told = cast(Event[PersonCommand], inner)
    if isinstance(inner.data, ReviewCommand):
        try:
            CHECKS[type(inner.data)](state, inner.data, given)
        except Refused:
            if inner.data.incident_id not in state.history.strands:
                return Outcome(state, result="none")
            late = orjson.loads(to_json_line(_in_time(told, late=True)))
            event = replace(event, data=event.data.model_copy(update={"original": late}))
            return identity.adopted(state, event, given, terms)
    outcome = identity.adopted(state, event, given, terms)
    return replace(outcome, events=(*outcome.events, *_told(state, outcome.state, told, given)))


def _in_time(event: Event[PersonCommand], *, late: bool) -> Event[PersonCommand]:
    data = event.data
    if not isinstance(data, ReviewCommand) or data.late == late:
        return event
    return replace(event, data=data.model_copy(update={"late": late}))


def _moved(state: Offender, data: Data, terms: Terms) -> bool:
    return isinstance(data, ReviewCommand) and bool(state.moved) and terms.seal(data.incident_id) in state.moved


# what is refused -----------------------------------------------------------------------------------------------------


def _of_review(state: Offender, data: ReviewCommand, given: Input) -> None:
    if data.code in BY_ITSELF:
        raise Refused("closes_by_itself")
    if (data.incident_id, data.code) not in state.reviews:
        raise Refused("not_open")


def _conclusion(state: Offender, data: ConcludeReview, given: Input) -> None:
    """Where he may be a victim, a coordinator and an outreach supervisor have to find the same."""
    _of_review(state, data, given)
    if data.code is not ReviewCode.ALSO_VICTIM:
        return
    if data.role not in ALSO_VICTIM_ROLES:
        raise Refused("role")
    others = [
        one.data.role
        for one in state.history.acts("review")
        if (one.data.incident_id, one.data.code, one.data.outcome) == (data.incident_id, data.code, data.outcome)
        and one.data.by != data.by
    ]
    if others and data.role in others:
        raise Refused("same_role")


def _raise(state: Offender, data: RaiseTier, given: Input) -> None:
    if not given.now < data.until <= given.now + RAISE_AT_MOST:
        raise Refused("until_out_of_range")
    standing = state.assessment.standing
    if not standing.evidence:
        raise Refused("not_on_ladder")
    if standing.tier is not None and data.tier.gravity <= standing.tier.gravity:
        raise Refused("not_a_raise")


def _raise_end(state: Offender, data: EndRaise, given: Input) -> None:
    if ("raise", data.raise_id) not in state.history.records:
        raise Refused("unknown_raise")


def _validation(state: Offender, data: ValidateD, given: Input) -> None:
    if state.assessment.standing.by_rules is not Tier.D:
        raise Refused("not_on_d")


def _challenge(state: Offender, data: ChallengeListing, given: Input) -> None:
    if not state.history.strands:
        raise Refused("not_listed")
    if state.history.challenged:
        raise Refused("already_challenged")


def _answer(state: Offender, data: AnswerChallenge, given: Input) -> None:
    if ("challenge", data.challenge_id) not in state.history.records:
        raise Refused("unknown_challenge")
    if is_answered(state.history, data.challenge_id):
        raise Refused("already_answered")


CHECKS: Mapping[type[Data], Callable[[Offender, Any, Input], None]] = {
    ClaimReview: _of_review,
    ConcludeReview: _conclusion,
    RaiseTier: _raise,
    EndRaise: _raise_end,
    ValidateD: _validation,
    ChallengeListing: _challenge,
    AnswerChallenge: _answer,
}
ACTS = tuple(CHECKS)


# what is told --------------------------------------------------------------------------------------------------------


def _told(before: Offender, after: Offender, event: Event[PersonCommand], given: Input) -> Collection[Outgoing]:
    """The act, where it counted here."""
    if after.history is before.history:
        return ()
    data = event.data
    pair = after.pair(data.incident_id) if isinstance(data, ReviewCommand) else None
    matter, matter_id, kind = _kind(after, event)
    acted = ReviewActed(
        offender_id=after.offender_id,
        matter=matter,
        matter_id=matter_id,
        act=kind,
        pair_id=pair,
        outcome=getattr(data, "outcome", None) or getattr(data, "reason", None) or getattr(data, "ground", None),
        until=getattr(data, "until", None),
        by=data.by,
    )
    return (_outgoing(acted, given, pair),)


def _kind(after: Offender, event: Event[PersonCommand]) -> tuple[Matter, str, ActKind]:
    match data := event.data:
        case ClaimReview():
            return Matter.REVIEW, data.code, ActKind.CLAIMED
        case ConcludeReview():
            is_open = (data.incident_id, data.code) in after.reviews
            return Matter.REVIEW, data.code, ActKind.CONCLUDED if is_open else ActKind.CLOSED
        case RaiseTier():
            return Matter.RAISE, event.id, ActKind.OPENED
        case EndRaise():
            return Matter.RAISE, data.raise_id, ActKind.ENDED
        case ChallengeListing():
            return Matter.CHALLENGE, event.id, ActKind.OPENED
        case AnswerChallenge():
            closed = is_answered(after.history, data.challenge_id)
            return Matter.CHALLENGE, data.challenge_id, ActKind.CLOSED if closed else ActKind.CONCLUDED
        case _:
            return Matter.VALIDATION, "D", ActKind.CONCLUDED


def _outgoing(acted: ReviewActed, given: Input, pair: str | None, *parts: str) -> Outgoing:
    event = caused_by(given, SOURCE, acted, Topic.DECISIONS, acted.offender_id, *parts, subject=acted.offender_id)
    return Outgoing(Topic.DECISIONS, replace(event, correlationid=pair), about=pair)


# the clock -----------------------------------------------------------------------------------------------------------


def clock(
    state: Offender, event: Event[ClassifierTick | ClassifierActivatePolicy], given: Input, terms: Terms
) -> Outcome[Offender]:
    """Ends raises whose time is up, and purges suspicions that nobody has validated. A, B and C no time lowers.

    By the policy in force: whoever was not decided under it yet is now, marked `bulk` as where all are decided again. What
    is to be purged under it goes with the next tick, so that what the policy ends is not said to have been purged.
    """
    over = {("raise", one.id): one for one in state.history.acts("raise") if one.data.until <= given.now}
    draft = replace(state, history=state.history.dropped(over)) if over else state
    stale = state.policy not in (None, terms.policy.digest)
    findings, standing = state.assessment.findings, state.assessment.standing
    due = {} if stale else lapses(state.history, findings.values(), standing, terms.policy)
    purged = frozenset(incident_id for incident_id, at in due.items() if at <= given.now)
    if not (over or purged or stale):
        return Outcome(state, result="none")
    for incident_id in sorted(purged):
        draft = replace(draft, history=_purged(draft, incident_id, given))
    told = [_ended(state, one.id, given) for one in over.values()]
    if purged:
        told.append(_outgoing(_acted(state, Matter.VALIDATION, "D", ActKind.ENDED), given, None, "purge"))
    return settled(state, draft, event, given, terms, *told, what=About(purged=purged, bulk=stale))


def _purged(draft: Offender, incident_id: str, given: Input) -> history.History:
    """As if its source had taken back all that is known: a later revision, a charge say, counts again."""
    changed = draft.history
    for strand in draft.history.strands[incident_id]:
        if strand.report is not None:
            data = IncidentRetracted(
                incident_id=incident_id,
                offender_id=strand.reported_as,
                agency=strand.report.data.agency,
                revision=strand.revision,
            )
            event = Event(
                id=deterministic_id("purge", incident_id, strand.reported_as, strand.revision),
                source=SOURCE,
                subject=strand.reported_as,
                time=given.now,
                recordedtime=given.now,
                data=data,
                dataclassification=Topic.INCIDENTS.classification,
            )
            changed = history.retracted(changed, event)
    return changed


def _ended(state: Offender, raise_id: str, given: Input) -> Outgoing:
    return _outgoing(_acted(state, Matter.RAISE, raise_id, ActKind.ENDED), given, None, raise_id)


def _acted(state: Offender, matter: Matter, matter_id: str, kind: ActKind) -> ReviewActed:
    return ReviewActed(offender_id=state.offender_id, matter=matter, matter_id=matter_id, act=kind, by="clock")
