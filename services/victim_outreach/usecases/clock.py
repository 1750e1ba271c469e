"""What time alone does: tasks fall overdue, holds run out, gates clear on the round. And the lane's heartbeat."""

from __future__ import annotations

from dataclasses import replace

from schemas.advocacy import MessageOutcome
from schemas.commands import OutreachActivatePolicy, OutreachTick
from schemas.envelope import Event, deterministic_id
from schemas.outreach import GateHeartbeat, TaskOverdue
from schemas.topics import Topic
from services.common.service import Input, Outcome, Outgoing
from services.victim_outreach.domain import CaseFile
from services.victim_outreach.rules import Terms, on_duty
from services.victim_outreach.usecases.settling import message_lost_at, raised_at, settled
from services.victim_outreach.usecases.telling import SOURCE, Draft

ROUND = 5
"""Minutes between the ticks on which gates clear outside custody, whenever she was reached."""


def ticked(
    file: CaseFile, data: OutreachTick | OutreachActivatePolicy, given: Input, terms: Terms
) -> Outcome[CaseFile]:
    """The sweep of one offender. The same tick again finds nothing left to do."""
    draft = _raise_overdue(Draft(_without_lost_messages(_without_spent_holds(file, given), given)), given, terms)
    on_the_round = isinstance(data, OutreachTick) and data.period % ROUND == 0
    return settled(file, draft, given, terms, on_the_round=on_the_round)


def _without_spent_holds(file: CaseFile, given: Input) -> CaseFile:
    holds = {
        hold_id: replace(hold, ended_at=given.now) if hold.ended_at is None and hold.until <= given.now else hold
        for hold_id, hold in file.holds.items()
    }
    return replace(file, holds=holds)


def _without_lost_messages(file: CaseFile, given: Input) -> CaseFile:
    """The sender has said nothing for too long: whether it left is not known."""
    messages = {
        key: replace(one, outcome=MessageOutcome.UNKNOWN, code="no_word", ended_at=given.now)
        if one.outcome is None and message_lost_at(one) <= given.now
        else one
        for key, one in file.messages.items()
    }
    return replace(file, messages=messages)


def _raise_overdue(draft: Draft, given: Input, terms: Terms) -> Draft:
    """One mark a task, however long no tick came: the escalation says how often it should have been raised."""
    for task in draft.file.unfinished_tasks():
        if raised_at(task, terms.now) <= given.now:
            late = (given.now - task.due_at) // terms.now.escalate_overdue
            duty = on_duty(draft.file, task, terms.now, given.now)
            raised = replace(task, escalation=1 + late, duty=duty)
            draft = draft.task(raised, TaskOverdue, given, escalation=raised.escalation, duty=duty)
    return draft


def heartbeat(data: OutreachTick, given: Input) -> Outgoing:
    """This lane's gates are kept. Without it for 3 minutes the notifier takes them all as shut."""
    beat = GateHeartbeat(lane=data.lane)
    event = Event(
        id=deterministic_id(beat.TYPE, data.lane, data.period),
        source=SOURCE,
        subject=str(data.lane),
        time=given.at,
        recordedtime=given.at,
        data=beat,
        dataclassification=Topic.OUTREACH_GATES.classification,
    )
    return Outgoing(Topic.OUTREACH_GATES, event)
