"""What was handed over, beside what is known here, in whichever order the two come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from schemas.advocacy import TakeOver
from schemas.notification import NotificationState
from services.common.service import Input, Outcome
from services.victim_outreach.domain import (
    Case,
    CaseFile,
    Closing,
    Consent,
    Delivery,
    Hold,
    Referral,
    Visit,
    case_id,
    graver,
    with_profiles,
    with_screens,
)
from services.victim_outreach.rules import Terms
from services.victim_outreach.usecases.links import by_last_word, relinked
from services.victim_outreach.usecases.moving.giving import KINDS, passed_on
from services.victim_outreach.usecases.naming import named
from services.victim_outreach.usecases.settling import applied
from services.victim_outreach.usecases.telling import Draft
from services.victim_outreach.usecases.undoing import without

T = TypeVar("T")


def taken_over(file: CaseFile, data: TakeOver, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Beside what is known here. Said twice, for two incidents of hers, it is there once."""
    kept = {name: KINDS[name].validate_python(data.kept.get(name, [])) for name in KINDS}
    here = relinked(file, by_last_word(file.links, kept["links"]))
    draft = without(Draft(here), kept["annulled"], given, terms)
    here = draft.file
    # The other lane may not know of every link that was made here.
    attempts = [replace(one, case_id=here.shared_case(one.case_id)) for one in kept["attempts"]]
    tried = {(one.task_id, one.number): one for one in attempts}
    referrals = [replace(one, case_id=here.shared_case(one.case_id)) for one in kept["referral"]]
    after = replace(
        here,
        holds=_holds(here.holds, kept["holds"]),
        consents=_consents(here.consents, kept["consents"]),
        attempts={key: one for key, one in _new(here.attempts, tried).items() if key not in here.annulled_attempts},
        profiles=with_profiles(here.profiles, kept["profiles"]),
        screens=with_screens(here.screens, kept["screens"]),
    )
    for one in referrals:
        after = replace(after, referrals={**after.referrals, one.referral_id: _joined(after, one)})
    for one in referrals:
        after = _named(after, one, given)
    after = replace(after, deliveries=_visited(after, kept["visits"]))
    for closing in kept["closings"]:
        after = _closed(after, closing, given)
    outcome = applied(_with_what_went_on(file, after, referrals), after, given, terms)
    # On to where he has been merged in the meantime; what is there already goes no further, so a ring comes to an end.
    told = {here.shared_case(one.case.case_id): one.late for one in kept["closings"]}
    closed = {case: late for case, late in told.items() if after.cases.get(case) != file.cases.get(case)}
    onwards = passed_on(file, after, given, closed=closed) if outcome.state is not file else ()
    return replace(outcome, events=(*draft.said, *outcome.events, *onwards))


def _named(file: CaseFile, told: Referral, given: Input) -> CaseFile:
    """Named over there, she may be another here by now."""
    unnamed = case_id(file.offender_id, told.referral_id, None, told.purpose)
    return file if told.case_id == unnamed else named(file, told, file.referrals[told.referral_id], given)


def _with_what_went_on(file: CaseFile, after: CaseFile, told: Iterable[Referral]) -> CaseFile:
    """`file` as if it had what she said unnamed and has been hers over there since: beside that it goes on once only."""
    named_there = (one for one in told if one.victim_id is not None)
    unnamed = {case_id(file.offender_id, one.referral_id, None, one.purpose) for one in named_there}
    unnamed -= {one.case_id for one in told}
    return replace(
        file,
        profiles={**file.profiles, **{key: one for key, one in after.profiles.items() if one.case_id in unnamed}},
        screens={**file.screens, **{key: one for key, one in after.screens.items() if one.case_id in unnamed}},
    )


def _new(known: Mapping[Any, T], told: Mapping[Any, T]) -> Mapping[Any, T]:
    return {**told, **known}


def _holds(known: Mapping[str, Hold], told: Iterable[Hold]) -> Mapping[str, Hold]:
    """Of one hold, the word that lasts longer: who lifted it had not seen that it was renewed. Of the same, ended is ended.

    Each lane calls out the end of what it keeps: who was told there may see nothing of her here.
    """
    holds = dict(known)
    for one in (replace(each, alerts=0, alerted_at=None) for each in told):
        other = holds.get(one.hold_id, one)
        if other.until < one.until:
            holds[one.hold_id] = replace(one, alerts=other.alerts)
        elif other.until == one.until:
            holds[one.hold_id] = replace(other, ended_at=other.ended_at or one.ended_at)
        else:
            holds[one.hold_id] = other
    return holds


def _consents(known: Mapping[str, Consent], told: Iterable[Consent]) -> Mapping[str, Consent]:
    """Revoked anywhere, it is revoked."""
    consents = dict(known)
    for one in told:
        other = consents.get(one.consent_id, one)
        consents[one.consent_id] = replace(other, revoked_at=other.revoked_at or one.revoked_at)
    return consents


def _visited(file: CaseFile, told: Iterable[Visit]) -> Mapping[str, Delivery]:
    """Of a notice that is another record's nothing is to come here: only the visit that was made."""
    deliveries = dict(file.deliveries)
    for one in told:
        referral = file.referrals.get(one.referral_id)
        if referral is None:
            continue
        unknown = Delivery(one.notification_id, referral.pair_id, NotificationState.FAILED)
        known = deliveries.get(one.notification_id, unknown)
        if known.visits < one.visits:
            deliveries[one.notification_id] = replace(
                known, visits=one.visits, visited_at=one.visited_at, came_of=(*known.came_of, *one.came_of)
            )
    return deliveries


def _closed(file: CaseFile, told: Closing, given: Input) -> CaseFile:
    """A closing ends no case that was open here already, nor another incident, nor a graver view of one: that restarts its
    clocks.
    """
    closed = replace(told.case, case_id=file.shared_case(told.case.case_id))
    referrals = {
        key: replace(one, clocks_from=given.at) if one.live and _is_graver(one, told) else one
        for key, one in file.referrals.items()
    }
    known = file.cases.get(closed.case_id)
    hers = [one for one in referrals.values() if one.live and one.case_id == closed.case_id]
    if known is None or (_is_the_same(known, told) and all(_was_closed(one, told) for one in hers)):
        closed = replace(closed, openings=max(closed.openings, known.openings if known else 0))
        return replace(file, cases={**file.cases, closed.case_id: closed})
    return replace(file, referrals=referrals)


def _is_the_same(known: Case, told: Closing) -> bool:
    """Whether this is the case that was closed: opened by the merge, or opened again by an incident before that was told of."""
    assert told.case.closed_at is not None, "told of closed cases"
    by_merge = known.opened_at > told.case.closed_at or known.opened_at == told.case.opened_at
    return known.closed_at is None and (by_merge or told.late)


def _is_graver(known: Referral, told: Closing) -> bool:
    before = told.tiers.get(known.referral_id, known.gravest)
    return graver(before, known.gravest) is not before


def _was_closed(known: Referral, told: Closing) -> bool:
    assert known.opened_at is not None, "asked of live referrals"
    assert known.clocks_from is not None, "asked of live referrals"
    assert told.case.closed_at is not None, "told of closed cases"
    of_it = known.referral_id in told.tiers or known.referral_id in told.moved
    return of_it and max(known.opened_at, known.clocks_from) <= told.case.closed_at


def _joined(file: CaseFile, told: Referral) -> Referral:
    """Her referral here goes on from when it was opened there: what was done for her then counts, no clock starts anew, and a
    list that was graver takes no task from her.
    """
    known = file.referrals.get(told.referral_id)
    if known is None:
        return told
    known = replace(known, to_be_called=known.to_be_called or told.to_be_called)
    if not known.live or known.case_id != told.case_id or known.opened_at is None or told.opened_at is None:
        return known
    assert known.clocks_from is not None, "what is live was opened"
    assert told.clocks_from is not None, "so it was where it came from"
    return replace(
        known,
        gravest=graver(known.gravest, told.gravest),
        told_of=told.told_of or known.told_of,
        opened_at=min(known.opened_at, told.opened_at),
        clocks_from=min(known.clocks_from, told.clocks_from),
    )
