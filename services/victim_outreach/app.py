"""Puts victim outreach together from its settings. Nothing happens on import."""

from __future__ import annotations

from schemas.policy_file import load_policy
from services.common.settings import CommonSettings
from services.victim_outreach.store import OutreachStore
from services.victim_outreach.stream import VictimOutreach


def build(settings: CommonSettings) -> VictimOutreach:
    """The service, with its tables and the county's policy; the loop runs it. Raises `PolicyError`."""
    return VictimOutreach(OutreachStore(), load_policy(settings.policy))
