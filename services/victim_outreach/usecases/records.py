"""What other services say: referrals, victims, the offender and his custody, and what becomes of notices to him."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from schemas.notification import (
    Notification,
    NotificationCancelled,
    NotificationCorrected,
    NotificationFailed,
    NotificationHeld,
    NotificationPlanned,
    NotificationPrepared,
    NotificationReleased,
    NotificationServed,
    NotificationState,
    NotificationWithdrawn,
)
from schemas.person import DescribedVictim, OffenderDescribed, VictimsDescribed
from schemas.referral import Referral as GivenReferral
from schemas.referral import ReferralOutreach, ReferralWithdrawn
from services.common.service import Input, Outcome, Redaction
from services.victim_outreach.domain import (
    CaseFile,
    Custody,
    Delivery,
    Gate,
    Referral,
    Release,
    Victim,
    VisitEntry,
    VisitOutcome,
    case_id,
    graver,
)
from services.victim_outreach.rules import Terms
from services.victim_outreach.usecases.moving import handed_over, id_there, passed_on
from services.victim_outreach.usecases.naming import named
from services.victim_outreach.usecases.settling import settled
from services.victim_outreach.usecases.telling import Draft


def referral_given(file: CaseFile, data: GivenReferral, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Opened or amended: both carry all there is to know, so either may be the first heard of it."""
    known = file.referrals.get(data.referral_id)
    heard = _as_told(file, known, data)
    if heard.live:
        place = 1 + max((referral.place for referral in file.referrals.values()), default=0)
        heard = _with_clocks(known, heard, place, given, closed=file.is_closed(heard.case_id))
        began = known is None or heard.clocks_from != known.clocks_from
        heard = replace(heard, policy=terms.now.digest if began or known is None else known.policy)
    referrals = {**file.referrals, heard.referral_id: heard}
    after = _asked(named(replace(file, referrals=referrals), known, heard, given), data)
    if heard.live and (known is None or heard.clocks_from != known.clocks_from):
        after = reopened(after, heard.case_id)
    return settled(file, Draft(after), given, terms)


def _asked(file: CaseFile, data: GivenReferral | ReferralWithdrawn) -> CaseFile:
    """All that this asking says of the pair is worked with this record: from here on the gate's word answers it."""
    if data.asking is None:
        return file
    gate = file.gates.get(data.pair_id, Gate(data.pair_id))
    return replace(file, gates={**file.gates, data.pair_id: replace(gate, answers=max(gate.answers, data.asking))})


def reopened(file: CaseFile, case_id: str) -> CaseFile:
    """A new incident, a graver view of one, or a person opens a closed case again."""
    case = file.cases.get(case_id)
    if case is None or case.closed_at is None:
        return file
    again = replace(case, closed_at=None, closed_by=None, close_reason=None, openings=case.openings + 1)
    return replace(file, cases={**file.cases, case_id: again})


def _as_told(file: CaseFile, known: Referral | None, data: GivenReferral) -> Referral:
    """What was opened for her is not closed by being listed later; only a withdrawal ends it."""
    was_live = known is not None and known.live
    return Referral(
        referral_id=data.referral_id,
        pair_id=data.pair_id,
        case_id=case_id(file.offender_id, data.referral_id, data.victim_id, data.purpose, file.links.values()),
        victim_no=data.victim_no,
        victim_id=data.victim_id,
        incident_id=data.incident_id,
        occurred_at=data.occurred_at,
        tier=data.tier,
        gravest=data.tier,
        outreach=ReferralOutreach.OPENED if was_live else data.outreach,
        purpose=data.purpose,
        mutual=data.mutual,
        homicide=data.homicide,
        conflict_of_interest=data.conflict_of_interest,
        opening=known.opening if known else 0,
        place=known.place if known else 0,
        told_of=known.told_of if known else None,
        bulk=data.bulk,
        to_be_called=known.to_be_called if known else False,
    )


def _with_clocks(known: Referral | None, heard: Referral, place: int, given: Input, *, closed: bool) -> Referral:
    """Opened for the first time, anew, or for another woman than thought: all starts now. A graver tier: the clocks.

    Taken over from another record of his (withdrawn, and yet with a time of opening), it goes on from then, by the gravest list
    it was on there; `closed` with her case, and graver now, its clocks start.
    """
    if known is None or not known.live or known.case_id != heard.case_id:
        anew = replace(heard, opening=heard.opening + 1, place=place, opened_at=given.now, clocks_from=given.at)
        if known is not None and known.withdrawn and known.opened_at is not None and known.case_id == heard.case_id:
            gravest = graver(known.gravest, heard.tier)
            clocks = given.at if closed and gravest is not known.gravest else known.clocks_from
            return replace(anew, gravest=gravest, opened_at=known.opened_at, clocks_from=clocks)
        return anew
    gravest = graver(known.gravest, heard.tier)
    restarted = gravest is not known.gravest or heard.homicide is not known.homicide
    clocks = given.at if restarted else known.clocks_from
    return replace(heard, gravest=gravest, opened_at=known.opened_at, clocks_from=clocks)


def referral_withdrawn(file: CaseFile, data: ReferralWithdrawn, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Its ground is gone, and with it all that is kept of the incident. By a court's order, what was said of it too."""
    outcome = _withdrawn(file, data, given, terms)
    return _erased(file, outcome, data.pair_id) if data.expunged else outcome


def _erased(file: CaseFile, outcome: Outcome[CaseFile], pair_id: str) -> Outcome[CaseFile]:
    """What this very record makes us say must still go out; the pair's id is opaque and may stay."""
    incidents = {one.incident_id for one in file.referrals.values() if one.pair_id == pair_id and one.incident_id}
    victims = {place: one for place, one in outcome.state.victims.items() if one.incident_id not in incidents}
    state = outcome.state
    if len(victims) < len(state.victims):
        state = replace(state, victims=victims)
    last = tuple(replace(one, about=None) if one.about == pair_id else one for one in outcome.events)
    names = sorted({pair_id, *incidents})
    redact = tuple(Redaction((file.offender_id,), name) for name in names if name != pair_id)
    return replace(
        outcome, state=state, events=last, erase=(pair_id,), redact=(*redact, Redaction((), pair_id)), result="applied"
    )


def _withdrawn(file: CaseFile, data: ReferralWithdrawn, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Expunged, every referral of the pair is: the withdrawal of another may have been erased before it was out."""
    before, file = file, _asked(file, data)
    ending = [one for one in file.referrals.values() if _ends(one, data)]
    if not ending:
        return Outcome(file, result="none") if file is before else settled(before, Draft(file), given, terms)
    ended = {one.referral_id: _ended(one, data.moved_to) for one in ending}
    outcome = settled(before, Draft(replace(file, referrals={**file.referrals, **ended})), given, terms)
    if data.moved_to is None:
        return outcome
    handed = (out for one in ending if one.incident_id for out in handed_over(file, one, data.moved_to, given))
    return replace(outcome, events=(*outcome.events, *handed))


def _ends(known: Referral, data: ReferralWithdrawn) -> bool:
    its = known.pair_id == data.pair_id if data.expunged else known.referral_id == data.referral_id
    return its and not (known.withdrawn and known.opened_at is None)


def _ended(known: Referral, moved_to: str | None) -> Referral:
    return replace(
        known,
        withdrawn=True,
        moved_to=moved_to,
        moved_as=id_there(known, moved_to),
        incident_id=None,
        occurred_at=None,
        tier=None,
        gravest=None,
        opened_at=None,
        clocks_from=None,
    )


def victims_described(file: CaseFile, data: VictimsDescribed, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Whole, replaced each time. Who she is for the tasks is said by her referral; this is how police reach her."""
    victims = {
        place: Victim(
            place=place,
            victim_no=victim.victim_no,
            incident_id=victim.incident_id,
            victim_id=victim.victim_id,
            name=victim.name,
            birth_date=victim.birth_date,
            contact=tuple(victim.contact),
            language=victim.language,
            substitute_address=victim.substitute_address,
            lethality_screen=victim.lethality_screen,
            screened_at=_screened_at(file, victim, given),
            asked_at=victim.screened_at,
        )
        for place, victim in enumerate(data.victims, start=1)
    }
    return settled(file, Draft(replace(file, victims=victims)), given, terms)


def _screened_at(file: CaseFile, told: DescribedVictim, given: Input) -> datetime | None:
    """Of the same screen, when it was first told: she may have been named since."""
    if told.lethality_screen is None:
        return None
    same = (told.incident_id, told.victim_no, told.lethality_screen)
    known = (
        one.screened_at
        for one in file.victims.values()
        if one.screened_at
        and (one.incident_id, one.victim_no, one.lethality_screen) == same
        and one.victim_id in (None, told.victim_id)
    )
    return min(known, default=given.at)


def offender_described(file: CaseFile, data: OffenderDescribed, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Of him, outreach keeps only where he stands with the jail."""
    told = data.custody
    if told is None:
        return settled(file, Draft(replace(file, custody=None)), given, terms)
    custody = Custody(told.booking_id, told.held, told.hearing_at)
    same = file.release is not None and file.release.booking_id == told.booking_id
    release = None if same else file.release  # a release the jail takes back was none
    if told.released_at is not None:
        recorded = file.release.recorded_at if same and file.release is not None else given.at
        release = Release(told.booking_id, told.released_at, recorded, told.facility)
    return settled(file, Draft(replace(file, custody=custody, release=release)), given, terms)


_STATES: dict[type[Notification], NotificationState] = {
    NotificationPrepared: NotificationState.PREPARED,
    NotificationHeld: NotificationState.HELD,
    NotificationReleased: NotificationState.RELEASED,
    NotificationServed: NotificationState.SERVED,
    NotificationFailed: NotificationState.FAILED,
    NotificationCancelled: NotificationState.CANCELLED,
    NotificationCorrected: NotificationState.CORRECTED,
}
_VISITED = (NotificationState.SERVED, NotificationState.FAILED)


def notice_changed(file: CaseFile, data: Notification, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Released is a visit to come, until it is held again; served and failed are a visit made. One that was under way when his
    record was merged was made all the same: she is asked after where she is now.
    """
    state = _STATES[type(data)]
    known = file.deliveries.get(data.notification_id) or Delivery(data.notification_id, data.pair_id)
    changed = replace(known, state=state)
    if state is NotificationState.RELEASED and known.state is not state:
        changed = replace(changed, releases=known.releases + 1, released_at=given.at)
    if state in _VISITED:
        number = known.visits + 1
        changed = replace(
            changed,
            visits=number,
            visited_at=given.at,
            planned_from=None,
            planned_until=None,
            planned_at=None,
            came_of=(*known.came_of, _came_of(number, data, given)),
        )
    deliveries = {**file.deliveries, data.notification_id: changed}
    after = replace(file, deliveries=deliveries)
    outcome = settled(file, Draft(after), given, terms)
    if state not in _VISITED:
        return outcome
    return replace(outcome, events=(*outcome.events, *passed_on(file, after, given, pair=data.pair_id)))


def _came_of(number: int, data: Notification, given: Input) -> VisitEntry:
    if isinstance(data, NotificationFailed):
        return number, VisitOutcome(data.reason).value, (data.attempted_at or given.at).isoformat()
    at = data.served_at if isinstance(data, NotificationServed) else given.at
    return number, VisitOutcome.SERVED.value, at.isoformat()


def visit_undone(file: CaseFile, data: NotificationWithdrawn, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Nobody was told: she is not asked after a visit that was none, unless there was another before it.

    Of a notice that was given and is withdrawn there is nothing to ask of her.
    """
    known = file.deliveries.get(data.notification_id)
    if known is None or data.mistake is None:
        return Outcome(file, result="none")
    visited_at = known.visited_at if known.visits > 1 else None
    came_of = tuple(entry for entry in known.came_of if entry[0] != known.visits)
    changed = replace(known, state=NotificationState.PREPARED, visited_at=visited_at, came_of=came_of)
    deliveries = {**file.deliveries, data.notification_id: changed}
    return settled(file, Draft(replace(file, deliveries=deliveries)), given, terms)


def notice_planned(file: CaseFile, data: NotificationPlanned, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """She hears of the day first, whether he is let wait or not: of another day, anew."""
    known = file.deliveries.get(data.notification_id) or Delivery(data.notification_id, data.pair_id)
    if (known.planned_from, known.planned_until) == (data.planned_from, data.planned_until):
        return Outcome(file, result="none")
    changed = replace(known, planned_from=data.planned_from, planned_until=data.planned_until)
    if changed.planned_from != known.planned_from:
        off = data.planned_from is None
        changed = replace(changed, planned_at=None if off else given.at, plans=known.plans if off else known.plans + 1)
    deliveries = {**file.deliveries, data.notification_id: changed}
    return settled(file, Draft(replace(file, deliveries=deliveries)), given, terms)
