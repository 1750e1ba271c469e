"""What other services say: referrals, victims, the offender and his custody."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from schemas.person import DescribedVictim, OffenderDescribed, VictimsDescribed
from schemas.referral import Referral as GivenReferral
from schemas.referral import ReferralOutreach, ReferralWithdrawn
from services.common.service import Input, Outcome, Redaction
from services.victim_outreach.domain import (
    CaseFile,
    Custody,
    Gate,
    Referral,
    Release,
    Victim,
    case_id,
    graver,
)
from services.victim_outreach.rules import Terms
from services.victim_outreach.usecases.moving import handed_over, id_there
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
        to_be_called=False,
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
