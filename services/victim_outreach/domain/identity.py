"""Which records are of one woman, and the id of her case with him."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.envelope import deterministic_id
from schemas.referral import ReferralPurpose
from services.victim_outreach.domain.advocacy import Link


def linked(victim_id: str, links: Iterable[Link]) -> frozenset[str]:
    """Every id of one woman, as links in force say."""
    pairs = [(link.victim_id, link.other_victim_id) for link in links if link.ended_at is None]
    group = {victim_id}
    while more := {each for pair in pairs for each in pair if group & set(pair)} - group:
        group |= more
    return frozenset(group)


def case_of_victim(offender_id: str, victim_id: str) -> str:
    return deterministic_id("case", offender_id, "victim", victim_id)


def set_aside(case_id: str) -> str:
    """Where what she said under the id a case goes by is kept, while a word given in the case of linked ids stands for it."""
    return deterministic_id("case", case_id, "set aside")


def case_id(
    offender_id: str, referral_id: str, victim_id: str | None, purpose: ReferralPurpose, links: Iterable[Link] = ()
) -> str:
    """Her case with him, one under all her ids. Unnamed, or not known to be his partner: one for each referral."""
    if victim_id is None or purpose is ReferralPurpose.ASK_RELATIONSHIP:
        return deterministic_id("case", offender_id, "referral", referral_id)
    return case_of_victim(offender_id, min(linked(victim_id, links)))
