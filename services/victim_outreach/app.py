"""Puts victim outreach together from what it is given. Nothing happens on import."""

from __future__ import annotations

from schemas.policy import Policy
from services.victim_outreach.store import OutreachStore
from services.victim_outreach.stream import VictimOutreach


def build(policy: Policy) -> VictimOutreach:
    """The service, with its tables; the loop runs it."""
    return VictimOutreach(OutreachStore(), policy)
