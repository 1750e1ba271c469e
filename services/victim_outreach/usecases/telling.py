"""What leaves this service. Of a community advocate's work nothing does but the gate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from schemas import outreach
from schemas.envelope import Event, deterministic_id
from schemas.topics import Topic
from services.common.service import Input, Outgoing, caused_by
from services.victim_outreach.domain import CaseFile, Gate, Task

SOURCE = "/ipvi/victim_outreach"


@dataclass(frozen=True, slots=True)
class Draft:
    """The file as changed so far, and what is to be said of it, in order."""

    file: CaseFile
    said: tuple[Outgoing, ...] = ()

    def task(
        self, changed: Task, model: type[outreach.Task], given: Input, *, by: str = "system", **more: Any
    ) -> Draft:
        """Keep a task as it is now, and tell advocates' systems of the change."""
        file = replace(self.file, tasks={**self.file.tasks, changed.task_id: changed})
        return Draft(file, (*self.said, *_task_event(file.offender_id, changed, model, given, by, more)))

    def gate(self, changed: Gate, given: Input) -> Draft:
        """Keep a gate as it is now, and tell the notifier."""
        file = replace(self.file, gates={**self.file.gates, changed.pair_id: changed})
        return Draft(file, (*self.said, _gate_event(file.offender_id, changed, given)))


def _task_event(
    offender_id: str, task: Task, model: type[outreach.Task], given: Input, by: str, more: dict[str, Any]
) -> tuple[Outgoing, ...]:
    """What a community advocate does is told to nobody, encoded or not (28 CFR 94.115): only that there is a task.

    And not even that of a call which is there because of what she answered.
    """
    if task.owner is outreach.TaskOwner.COMMUNITY_ADVOCATE and (
        model is not outreach.TaskOpened or task.kind is outreach.TaskKind.HIGH_DANGER_CALL
    ):
        return ()
    data = model(
        task_id=task.task_id,
        referral_id=task.referral_id,
        pair_id=task.pair_id,
        offender_id=offender_id,
        victim_no=task.victim_no,
        victim_id=task.victim_id,
        kind=task.kind,
        owner=task.owner,
        due_at=task.due_at,
        by=by,
        **more,
    )
    event = caused_by(given, SOURCE, data, Topic.OUTREACH, task.task_id, subject=offender_id)
    event = replace(event, correlationid=task.pair_id)  # a cause from intake names the incident itself
    return (Outgoing(Topic.OUTREACH, event, about=task.pair_id),)


def _gate_event(offender_id: str, gate: Gate, given: Input) -> Outgoing:
    """Names no cause and no incident, and its id is of pair and version alone: nothing in it tells who was called."""
    data = outreach.GateChanged(
        pair_id=gate.pair_id,
        offender_id=offender_id,
        gate=gate.state,
        version=gate.version,
        answers=gate.answers,
    )
    event = Event(
        id=deterministic_id(data.TYPE, gate.pair_id, gate.version),
        source=SOURCE,
        subject=offender_id,
        time=given.at,
        recordedtime=given.at,
        data=data,
        dataclassification=Topic.OUTREACH_GATES.classification,
    )
    return Outgoing(Topic.OUTREACH_GATES, event, about=gate.pair_id)
