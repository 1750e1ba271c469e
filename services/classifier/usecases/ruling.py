"""A policy comes into force in a lane, and offenders are decided again under it: an explicit act, in chunks.

Nobody is decided again by the change itself. A live record is decided under the lane's policy, whatever came before it.
"""

from __future__ import annotations

from dataclasses import replace

from schemas.classification import PolicyActivated
from schemas.commands import ActivatePolicy, NotedVictim, Redecide
from schemas.envelope import Data, Event
from schemas.policy import Policy
from schemas.topics import Topic
from services.classifier.domain import Offender
from services.classifier.store import CHUNK
from services.classifier.terms import Terms
from services.classifier.usecases.deciding import About
from services.classifier.usecases.settling import SOURCE, settled
from services.common.service import Input, Outcome, Outgoing, caused_by


def activated(policy: Policy, before: Policy, given: Input) -> tuple[Outgoing, ...]:
    """The point in the log from which the lane decides under it."""
    command = given.event.data
    assert isinstance(command, ActivatePolicy)
    if policy.digest == before.digest:
        return ()
    data = PolicyActivated(lane=given.lane, policy=policy.ref, previous=before.ref, by=command.by)
    return (
        Outgoing(Topic.DECISIONS, caused_by(given, SOURCE, data, Topic.DECISIONS, given.lane, subject=str(given.lane))),
    )


def next_chunk(command: Redecide, given: Input, active: Policy) -> tuple[Outgoing, ...]:
    """Goes out in the transaction of the chunk before, so that it resumes after any crash."""
    if command.digest != active.digest or len(given.due) < CHUNK:
        return ()
    data: Data = command.model_copy(update={"after": given.due[-1]})
    event = caused_by(given, SOURCE, data, Topic.CLASSIFIER_COMMANDS, given.lane, subject=str(given.lane))
    return (Outgoing(Topic.CLASSIFIER_COMMANDS, event),)


def redecided(state: Offender, event: Event[Redecide], given: Input, terms: Terms) -> Outcome[Offender]:
    """Marked `bulk`: what changes for him waits for a person. Who has been decided under this policy is passed over."""
    if event.data.digest != terms.policy.digest or state.policy == terms.policy.digest:
        return Outcome(state, result="none")
    return settled(state, state, event, given, terms, what=About(bulk=True))


def noted(state: Offender, event: Event[NotedVictim], given: Input, terms: Terms) -> Outcome[Offender]:
    """He is another's victim, or no more. Kept of whoever is named: he may come to be reported later."""
    data = event.data
    if state.alias is not None:
        onwards = data.model_copy(update={"offender_id": state.alias.to})
        to = caused_by(given, SOURCE, onwards, Topic.CLASSIFIER_COMMANDS, state.alias.to, subject=state.alias.to)
        return Outcome(state, (Outgoing(Topic.CLASSIFIER_COMMANDS, to, other_lane=True),))
    cases = state.victim_of - {data.case} if data.withdrawn else state.victim_of | {data.case}
    if cases == state.victim_of:
        return Outcome(state, result="none")
    noted = replace(state, victim_of=cases)
    if replace(noted, policy=None) == Offender(state.offender_id):
        return Outcome(Offender(state.offender_id))  # of who is known for nothing else, not even the id stays
    return settled(state, noted, event, given, terms)
