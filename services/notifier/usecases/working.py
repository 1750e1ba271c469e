"""The clocks of what is done about him beside notices: who is called where it is late."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from schemas.enforcement import EnforcementEscalated, EnforcementState
from schemas.help import HelpEscalated, HelpState
from services.notifier.rules import NoticePolicy, after, deadline, overdue
from services.notifier.usecases.telling import Draft


def enforcements_clocked(draft: Draft, now: datetime, policy: NoticePolicy) -> Draft:
    """To be taken, then closed."""
    duty = policy.notices.duty
    for one in draft.offender.enforcements.values():
        if one.over:
            continue
        pair, then = draft.offender.pairs.get(one.pair_id), policy.then(one.policy)
        terms = then.notices.enforcement
        span = terms.take_within if one.state is EnforcementState.REFERRED else terms.close_within
        calendar = then.calendar(pair.agency if pair is not None else None)
        due = deadline(one.due, after(one.since, span, calendar))
        called = overdue(due, duty.enforcement, now, policy.again)
        if called is not None:
            due, role = called
            event = EnforcementEscalated(
                enforcement_id=one.enforcement_id,
                pair_id=one.pair_id,
                offender_id=draft.offender.offender_id,
                role=role,
                escalation=due.escalation,
                due_at=due.first,
            )
            draft = draft.say(event).alert(role, due.escalation, one.enforcement_id)
        if due != one.due:
            draft = replace(draft, offender=draft.offender.with_enforcement(replace(one, due=due)))
    return draft


def helps_clocked(draft: Draft, now: datetime, policy: NoticePolicy) -> Draft:
    """To be referred, then its outcome heard."""
    duty = policy.notices.duty
    for one in draft.offender.helps.values():
        if one.over:
            continue
        then = policy.then(one.policy)
        terms = then.notices.help
        span = terms.refer_within if one.state is HelpState.ASKED else terms.outcome_within
        due = deadline(one.due, after(one.since, span, then.calendar(None)))
        called = overdue(due, duty.help, now, policy.again)
        if called is not None:
            due, role = called
            event = HelpEscalated(
                help_id=one.help_id,
                offender_id=draft.offender.offender_id,
                kind=one.kind,
                role=role,
                escalation=due.escalation,
                due_at=due.first,
            )
            draft = draft.say(event).alert(role, due.escalation, one.help_id)
        if due != one.due:
            draft = replace(draft, offender=draft.offender.with_help(replace(one, due=due)))
    return draft
