"""A woman is named, or said to be his partner: what she said before goes on as hers, under the id she has now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from schemas.advocacy import ContactSafety
from services.common.service import Input
from services.victim_outreach.domain import (
    CaseFile,
    Consent,
    Profile,
    Referral,
    Screen,
    case_id,
    case_of_victim,
    with_profiles,
    with_screens,
)

K = TypeVar("K")
T = TypeVar("T", Consent, Profile, Screen)


def named(file: CaseFile, known: Referral | None, heard: Referral, given: Input) -> CaseFile:
    """`known`: her referral as it stood; `heard`: as it is told now.

    Of another woman than was thought nothing goes on. What was said before anybody was named is hers whom it is told of now: if
    somebody else was named in between, what it forbids, and the screens.
    """
    if known is None or known.case_id == heard.case_id:
        return file
    unnamed = case_id(file.offender_id, heard.referral_id, None, heard.purpose)
    wrongly = known.case_id != unnamed
    if wrongly:
        if heard.victim_id == known.victim_id:
            return file
        file = _taken_back(file, unnamed, known, given)
    if heard.victim_id is None or file.case_before(heard) is None:
        return file
    said = _said(file, unnamed, None if wrongly else _gone_on(file, unnamed, known, heard))
    if wrongly:
        said = replace(said, consents={}, profiles={key: _forbidding(one) for key, one in said.profiles.items()})
    return _carried(file, said, heard.victim_id)


def _gone_on(file: CaseFile, unnamed: str, known: Referral, heard: Referral) -> CaseFile | None:
    """What went on as hers when she was named before, and nobody else since: she may have taken it back."""
    named = [one for one in file.tasks.values() if one.referral_id == heard.referral_id and one.case_id != unnamed]
    last = max((one.opened_at for one in named), default=None)
    if known.opened_at is None or {one.victim_id for one in named if one.opened_at == last} != {heard.victim_id}:
        return None
    old = {key: one for key, one in file.profiles.items() if one.recorded_at < known.opened_at}
    return CaseFile(file.offender_id, profiles=old)


def followed(before: CaseFile, after: CaseFile) -> CaseFile:
    """What is recorded on a page that was open when she was named, or comes with his other record later, is hers as well."""
    if all(getattr(before, shelf) is getattr(after, shelf) for shelf in ("profiles", "screens", "consents")):
        return after
    for one in after.live_referrals:
        unnamed = after.case_before(one)
        if one.victim_id is not None and unnamed is not None:
            after = _carried(after, _said(after, unnamed, before), one.victim_id)
    return after


def _said(file: CaseFile, unnamed: str, before: CaseFile | None = None) -> CaseFile:
    """What is kept in the case without a name, but for what was kept there `before`."""
    old = before or CaseFile(file.offender_id)
    return CaseFile(
        file.offender_id,
        consents=_new(file.consents, old.consents, unnamed),
        profiles=_new(file.profiles, old.profiles, unnamed),
        screens=_new(file.screens, old.screens, unnamed),
    )


def _new(kept: Mapping[K, T], before: Mapping[K, T], unnamed: str) -> Mapping[K, T]:
    return {key: one for key, one in kept.items() if one.case_id == unnamed and before.get(key) != one}


def _carried(file: CaseFile, said: CaseFile, victim_id: str) -> CaseFile:
    """`said`: what goes on as hers."""
    if not (said.consents or said.profiles or said.screens):
        return file
    hers = case_of_victim(file.offender_id, victim_id)
    return replace(
        file,
        consents={**file.consents, **{key: replace(one, case_id=hers) for key, one in said.consents.items()}},
        profiles=with_profiles(file.profiles, (replace(one, case_id=hers) for one in said.profiles.values())),
        screens=with_screens(file.screens, (replace(said.screens[key], case_id=hers) for key in sorted(said.screens))),
    )


def _taken_back(file: CaseFile, unnamed: str, known: Referral, given: Input) -> CaseFile:
    """She was named wrongly: what somebody allowed before that is not to be this one's permission. What was forbidden stays."""
    if known.victim_id is None:
        return file
    hers = case_of_victim(file.offender_id, known.victim_id)
    profiles = dict(file.profiles)
    for one in file.profiles.values():
        now = profiles.get((hers, one.owner))
        if one.case_id == unnamed and now is not None and (now.recorded_at, now.by) == (one.recorded_at, one.by):
            profiles[hers, one.owner] = _forbidding(now)
    return replace(file, profiles=profiles, consents=_revoked(file, unnamed, hers, known.opened_at or given.now, given))


def _revoked(file: CaseFile, unnamed: str, hers: str, named_at: datetime, given: Input) -> Mapping[str, Consent]:
    """The consents, without those in her case that were given while nobody was named."""
    case = file.cases.get(unnamed)
    if case is None:
        return file.consents
    theirs = (one for one in file.consents.values() if one.case_id == hers and one.revoked_at is None)
    ending = (one for one in theirs if case.opened_at <= one.given_at < named_at)
    return {**file.consents, **{one.consent_id: replace(one, revoked_at=given.now) for one in ending}}


def _forbidding(profile: Profile) -> Profile:
    channels = tuple(entry for entry in profile.channels if entry[1] == ContactSafety.UNSAFE)
    return replace(profile, channels=channels, version=profile.version + 1)
