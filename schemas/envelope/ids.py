"""Ids that follow from what caused a thing: the same after any crash or repeat."""

from __future__ import annotations

import uuid

_ROOT = uuid.uuid5(uuid.NAMESPACE_URL, "urn:ipvi")


def deterministic_id(*parts: object) -> str:
    """UUIDv5 of what caused a thing, so that the same cause gives the same id after any crash or repeat."""
    return str(uuid.uuid5(_ROOT, "|".join(str(part) for part in parts)))


def pair_id(incident_id: str, offender_id: str) -> str:
    """The identity of one offender's part in one incident; opaque, so it may stand where the incident may not."""
    return deterministic_id("pair", incident_id, offender_id)


def referral_id(pair: str, victim_no: int) -> str:
    """The identity of one victim's referral within a pair; the same over all revisions of the incident."""
    return deterministic_id("referral", pair, victim_no)
