"""Referrals to the prosecutor and help asked for, from and to their rows; and the deadline of whatever has one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row

from schemas.enforcement import EnforcementOutcome, EnforcementState, Lever
from schemas.help import HelpKind, HelpOutcome, HelpState
from services.notifier.domain import Deadline, Enforcement, Help, Offender

Step = tuple[Offender, Offender]
"""Before and after."""


def enforcement(row: Row[Any]) -> Enforcement:
    return Enforcement(
        enforcement_id=row.enforcement_id,
        pair_id=row.pair_id,
        since=row.since,
        referred_at=row.referred_at,
        statutes=tuple(row.statutes),
        levers=tuple(Lever(lever) for lever in row.levers),
        state=EnforcementState(row.state),
        taken_by=row.taken_by,
        outcome=EnforcementOutcome(row.outcome) if row.outcome else None,
        due=deadline(row),
        policy=row.policy,
    )


def help_asked(row: Row[Any]) -> Help:
    return Help(
        help_id=row.help_id,
        notification_id=row.notification_id,
        kind=HelpKind(row.kind),
        since=row.since,
        asked_at=row.asked_at,
        state=HelpState(row.state),
        provider=row.provider,
        outcome=HelpOutcome(row.outcome) if row.outcome else None,
        due=deadline(row),
        policy=row.policy,
    )


def deadline(row: Row[Any]) -> Deadline | None:
    return Deadline(row.due_first, row.due_at, row.escalation) if row.due_first else None


def due_columns(due: Deadline | None) -> dict[str, Any]:
    return {
        "due_first": due.first if due else None,
        "due_at": due.at if due else None,
        "escalation": due.escalation if due else None,
    }


def enforcement_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for one in after.enforcements.values():
            if before.enforcements.get(one.enforcement_id) != one:
                yield {
                    "enforcement_id": one.enforcement_id,
                    "offender_id": after.offender_id,
                    "lane": lane,
                    "pair_id": one.pair_id,
                    "since": one.since,
                    "referred_at": one.referred_at,
                    "statutes": list(one.statutes),
                    "levers": list(one.levers),
                    "state": one.state,
                    "taken_by": one.taken_by,
                    "outcome": one.outcome,
                    "policy": one.policy,
                    **due_columns(one.due),
                }


def help_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for one in after.helps.values():
            if before.helps.get(one.help_id) != one:
                yield {
                    "help_id": one.help_id,
                    "offender_id": after.offender_id,
                    "lane": lane,
                    "notification_id": one.notification_id,
                    "kind": one.kind,
                    "since": one.since,
                    "asked_at": one.asked_at,
                    "state": one.state,
                    "provider": one.provider,
                    "outcome": one.outcome,
                    "policy": one.policy,
                    **due_columns(one.due),
                }
