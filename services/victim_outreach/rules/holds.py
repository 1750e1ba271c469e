"""When people are told that a safety hold will end. Nothing else says so: his notice may go out the minute after."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from schemas import policy as terms
from services.victim_outreach.domain import CaseFile, Hold

WARNED_BY = 3
"""In the last such part of a hold's time: of 72 hours, 24."""


def called(file: CaseFile, hold: Hold, policy: terms.Policy, now: datetime) -> Hold:
    """As it stands once a call that is due is made. Renewed, or where he waits for nobody any more, nobody is to be told."""
    if hold.alerted_at is not None and (not file.waited_for or hold.alerted_at < _near(hold, policy)):
        hold = replace(hold, alerted_at=None)
    due = next_call(file, hold, policy)
    if due is None or due > now or now >= hold.until:
        return hold
    return replace(hold, alerts=hold.alerts + 1, alerted_at=now)


def next_call(file: CaseFile, hold: Hold, policy: terms.Policy) -> datetime | None:
    """When its end is called out next: once it is near, then each time half of what was left has passed. None: no more, or he
    waits for nobody here.
    """
    if hold.ended_at is not None or not file.waited_for:
        return None
    if hold.alerted_at is None or hold.alerted_at < _near(hold, policy):
        return _near(hold, policy)
    again = hold.alerted_at + max((hold.until - hold.alerted_at) / 2, policy.outreach.alert_every)
    return again if again < hold.until else None


def _near(hold: Hold, policy: terms.Policy) -> datetime:
    return hold.until - policy.gate.safety_hold / WARNED_BY
