"""A woman is named, or said to be his partner: what she said before goes on as hers, under the id she has now."""

from __future__ import annotations

from dataclasses import replace

from schemas.advocacy import ContactSafety
from schemas.referral import ReferralPurpose
from services.common.service import Input
from services.victim_outreach.domain import CaseFile, Profile, Referral, Screen, case_id, case_of_victim, stricter


def named(file: CaseFile, known: Referral | None, heard: Referral, given: Input) -> CaseFile:
    """`known`: her referral as it stood; `heard`: as it is told now. Of another woman than was thought nothing goes on."""
    if known is None or known.case_id == heard.case_id:
        return file
    unnamed = case_id(file.offender_id, heard.referral_id, None, heard.purpose)
    if known.case_id != unnamed:
        return file if heard.victim_id == known.victim_id else _taken_back(file, unnamed, known, given)
    if heard.victim_id is None or not _is_same(known, heard):
        return file
    return _carried(file, unnamed, heard.victim_id)


def _is_same(known: Referral, heard: Referral) -> bool:
    if known.victim_id is None:
        return True
    return known.purpose is ReferralPurpose.ASK_RELATIONSHIP and known.victim_id == heard.victim_id


def _carried(file: CaseFile, unnamed: str, victim_id: str) -> CaseFile:
    hers = case_of_victim(file.offender_id, victim_id)
    consents = {
        key: replace(one, case_id=hers) if one.case_id == unnamed else one for key, one in file.consents.items()
    }
    return _with_screens(_with_profiles(replace(file, consents=consents), unnamed, hers), unnamed, hers)


def _with_profiles(file: CaseFile, unnamed: str, hers: str) -> CaseFile:
    """Beside one that she gave on account of another incident the later word holds, and what either forbids."""
    profiles = dict(file.profiles)
    for one in file.profiles.values():
        if one.case_id == unnamed:
            said, other = replace(one, case_id=hers), profiles.get((hers, one.owner))
            both = said if other is None else stricter(*sorted((said, other), key=lambda each: each.recorded_at))
            profiles[hers, one.owner] = both
    return replace(file, profiles=profiles)


def _with_screens(file: CaseFile, unnamed: str, hers: str) -> CaseFile:
    screens = dict(file.screens)
    known = {(one.recorded_at, one.by) for one in screens.values() if one.case_id == hers}
    for one in sorted(file.screens.values(), key=_number):
        if one.case_id == unnamed and (one.recorded_at, one.by) not in known:
            number = 1 + max((each for case, each in screens if case == hers), default=0)
            screens[hers, number] = replace(one, case_id=hers, number=number)
    return replace(file, screens=screens)


def _number(screen: Screen) -> int:
    return screen.number


def _taken_back(file: CaseFile, unnamed: str, known: Referral, given: Input) -> CaseFile:
    """She was named wrongly: what somebody allowed before that is not to be this one's permission. What was forbidden stays."""
    if known.victim_id is None or unnamed not in file.cases:
        return file
    hers = case_of_victim(file.offender_id, known.victim_id)
    profiles = dict(file.profiles)
    for one in file.profiles.values():
        if one.case_id == unnamed and profiles.get((hers, one.owner)) == replace(one, case_id=hers):
            profiles[hers, one.owner] = _forbidding(replace(one, case_id=hers))
    consents = {
        key: replace(one, revoked_at=one.revoked_at or given.now)
        if one.case_id == hers and one.given_at < (known.opened_at or given.now)
        else one
        for key, one in file.consents.items()
    }
    return replace(file, profiles=profiles, consents=consents)


def _forbidding(profile: Profile) -> Profile:
    channels = tuple(entry for entry in profile.channels if entry[1] == ContactSafety.UNSAFE)
    return replace(profile, channels=channels, version=profile.version + 1)
