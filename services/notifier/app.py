"""Composition root: the notifier with everything it needs."""

from __future__ import annotations

from schemas.policy_file import load_policy
from services.common.settings import CommonSettings
from services.notifier.rules import notice_policy
from services.notifier.store import NotifierStore
from services.notifier.stream import Notifier


def build(settings: CommonSettings) -> Notifier:
    """Raises `schemas.policy_file.PolicyError` where the policy cannot be used."""
    return Notifier(NotifierStore(), notice_policy(load_policy(settings.policy), settings.partitions))
