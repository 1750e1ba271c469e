"""Of which women something changed that holds with their other offenders as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.victim_outreach.domain import CaseFile, case_of_victim
from services.victim_outreach.rules.contact import NOT_SHE


def changed_women(before: CaseFile, after: CaseFile) -> frozenset[str]:
    """Ids of theirs. A listed referral is nothing yet: nobody seeks her on its account."""
    found = (
        {victim for victim, *_ in _standing(before) ^ _standing(after)}
        if _differ("referrals", before, after)
        else set()
    )
    if _differ("links", before, after):
        found |= {victim for pair, _ in _changed(before.links, after.links) for victim in pair}
    if _differ("told_profiles", before, after) or _differ("told_attempts", before, after):
        told = (
            *_changed(before.told_profiles, after.told_profiles),
            *_changed(before.told_attempts, after.told_attempts),
        )
        found |= {one.victim_id for _, one in told}
    if _differ("profiles", before, after) or _differ("attempts", before, after):
        cases = {one.case_id for _, one in _changed(before.profiles, after.profiles)}
        cases |= {one.case_id for _, one in _changed(before.attempts, after.attempts) if one.outcome in NOT_SHE}
        if cases:
            found |= {each for each in _ids(after) if case_of_victim(after.offender_id, each) in cases}
            found |= {
                one.victim_id for one in after.live_referrals if one.victim_id and after.case_before(one) in cases
            }
    return frozenset(found)


def _differ(shelf: str, before: CaseFile, after: CaseFile) -> bool:
    return getattr(before, shelf) is not getattr(after, shelf)


def _standing(file: CaseFile) -> set[tuple[str, str, bool, str | None]]:
    return {
        (one.victim_id, one.case_id, one.live, one.moved_to)
        for one in file.referrals.values()
        if one.victim_id is not None and (one.live or one.place)
    }


def _changed(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    for key in before.keys() | after.keys():
        if before.get(key) != after.get(key):
            yield key, after.get(key, before.get(key))


def _ids(file: CaseFile) -> set[str]:
    named = {one.victim_id for one in file.referrals.values() if one.victim_id is not None}
    return named.union(*file.links)
