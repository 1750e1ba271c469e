"""Which reviews are open, and what people have found in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schemas.classification import ReviewCode
from schemas.commands import Role
from schemas.envelope import Event
from services.classifier.domain import (
    Assessment,
    History,
    Offender,
    Review,
    ReviewKey,
)
from services.classifier.domain.records import agreed

ALSO = ReviewCode.ALSO_VICTIM
ALSO_VICTIM_ROLES = frozenset({Role.COORDINATOR, Role.OUTREACH_SUPERVISOR})
"""Of the two who close a review that he is a victim himself, one each; also of acts that came by way of another record."""


def reviews(before: Offender, draft: Offender, assessment: Assessment, at: datetime) -> Mapping[ReviewKey, Review]:
    """Open as long as their reason stands and no two people have closed them."""
    keys: set[ReviewKey] = {*assessment.standing.reviews}
    keys.update((handover, ReviewCode.MERGE_PENDING) for handover in draft.pending)
    if draft.victim_of:
        keys.update((incident_id, ALSO) for incident_id in assessment.standing.evidence)
    worked = _worked(draft.history)
    if keys == before.reviews.keys() and not worked:
        return before.reviews
    found = {}
    for key in sorted(keys):
        claim, words = worked.get(key, (None, ()))
        if agreed(words, ALSO_VICTIM_ROLES if key[1] is ALSO else frozenset()) is None:
            known = before.reviews.get(key)
            concluded = tuple(sorted((one.data.by, str(one.data.outcome)) for one in words))
            made = Review(known.opened_at if known else at, claim, concluded)
            found[key] = known if known == made and known is not None else made
    return before.reviews if found == before.reviews else found


def _worked(history: History) -> dict[ReviewKey, tuple[str | None, tuple[Event[Any], ...]]]:
    """By review: who has claimed it, and what people found."""
    found: dict[ReviewKey, tuple[str | None, tuple[Event[Any], ...]]] = {}
    for one in history.acts("claim"):
        key = (one.data.incident_id, one.data.code)
        found[key] = (one.data.by, ())
    for one in history.acts("review"):
        key = (one.data.incident_id, one.data.code)
        claim, words = found.get(key, (None, ()))
        found[key] = (claim, (*words, one))
    return found
