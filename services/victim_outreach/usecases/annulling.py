"""An attempt that was recorded by mistake: as if it had not been told. What rested on it is to be done (decision 101)."""

from __future__ import annotations

from dataclasses import fields, replace

from schemas.commands import AnnulAttempt
from schemas.outreach import TaskAttemptAnnulled
from services.common.service import Input, Outcome
from services.common.versions import STALE
from services.victim_outreach.domain import AnnulledAttempt, Attempt, CaseFile
from services.victim_outreach.rules import Terms, may_take, supervises
from services.victim_outreach.usecases.moving import passed_on
from services.victim_outreach.usecases.refusing import known, refuse
from services.victim_outreach.usecases.settling import settled
from services.victim_outreach.usecases.telling import Draft
from services.victim_outreach.usecases.undoing import without


def annul(file: CaseFile, data: AnnulAttempt, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """By whoever recorded it, or the outreach supervisor; also where the task has ended, or gone with his record."""
    task = known(file.tasks, data.task_id, "unknown_task")
    if data.expects not in (None, task.version):
        refuse(STALE)
    if not may_take(task, data.role):
        refuse("wrong_role")
    key = (data.task_id, data.number)
    if key in file.annulled_attempts:
        return Outcome(file, result="none")
    made = known(file.attempts, key, "unknown_attempt")
    if made.by != data.by and not supervises(data.role):
        refuse("not_yours")
    told = {one.name: getattr(made, one.name) for one in fields(Attempt)}
    gone = AnnulledAttempt(**told, annulled_at=given.now, annulled_by=data.by, reason=data.reason)
    draft = Draft(file).task(
        task,
        TaskAttemptAnnulled,
        given,
        by=data.by,
        channel=made.channel,
        outcome=made.outcome,
        attempted_at=made.attempted_at,
        reason=data.reason,
    )
    draft = without(draft, [gone], given, terms)
    outcome = settled(file, draft, given, terms)
    return replace(outcome, events=(*outcome.events, *passed_on(file, draft.file, given)))
