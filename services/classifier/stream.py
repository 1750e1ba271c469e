"""Which records the classifier reads, and the use case of each type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.commands import Adopt, ClassifierActivatePolicy, ClassifierTick, Forget, NotedVictim, Redecide
from schemas.envelope import Data, Event
from schemas.incident import IncidentExpunged, OffenderMerged, OffenderSplit
from schemas.notification import Notification
from schemas.rejects import InvalidRecord, RejectCode
from schemas.topics import Topic
from services.classifier import usecases
from services.classifier.domain import Offender
from services.classifier.store import ClassifierStore
from services.classifier.terms import Terms
from services.common.policies import Policies, policy_of
from services.common.seal import NOBODYS
from services.common.service import Input, Outcome, Outgoing, Refused

INPUTS = (Topic.CLASSIFIER_COMMANDS, Topic.INCIDENTS, Topic.NOTIFICATIONS)

UseCase = Callable[[Offender, Event[Any], Input, Terms], Outcome[Offender]]

USE_CASES: Mapping[type[Data], UseCase] = {
    **dict.fromkeys(usecases.FOLDS, usecases.taken),
    OffenderMerged: usecases.merged,
    OffenderSplit: usecases.split,
    Adopt: usecases.adopted,
    IncidentExpunged: usecases.expunged,
    Forget: usecases.forgotten,
    NotedVictim: usecases.noted,
    Redecide: usecases.redecided,
    ClassifierTick: usecases.clock,
    ClassifierActivatePolicy: usecases.clock,
    **dict.fromkeys(usecases.ACTS, usecases.act),
}


class Classifier:
    """See `services.common.service.Service`."""

    name = "classifier"
    inputs = INPUTS
    rejects = Topic.CLASSIFIER_REJECTS

    def __init__(self, store: ClassifierStore, policies: Policies[Terms]) -> None:
        self.store = store
        self._policies = policies

    @property
    def key_mark(self) -> str:
        """Of the seal key."""
        return self._policies.of(None).seal(NOBODYS)

    def decide(self, state: Offender, given: Input) -> Outcome[Offender]:
        """Raises `InvalidRecord` for a type that is none of ours. Of notifications `served` and `withdrawn` are history."""
        data = given.event.data
        use_case = USE_CASES.get(type(data))
        if use_case is None:
            if isinstance(data, Notification):
                return Outcome(state, result="none")
            raise InvalidRecord(RejectCode.NOT_ON_THIS_TOPIC, "type")
        try:
            return use_case(state, given.event, given, self._policies.of(given.kept))
        except Refused as refused:
            return Outcome(state, result=f"refused:{refused}")

    def about(self, event: Event[Data]) -> str | None:
        """The pair of the incident, where it names one; of a court's word the sealed charge."""
        return usecases.about_of(event.data, self._policies.of(None).seal)

    def on_lane_tick(self, given: Input) -> tuple[Outgoing, ...]:
        """The point at which a policy comes into force, and the next chunk of those to be decided again."""
        data, active = given.event.data, self._policies.of(given.kept).policy
        match data:
            case ClassifierActivatePolicy():
                policy = policy_of(data)
                return () if policy is None else usecases.activated(policy, active, given)
            case Redecide():
                return usecases.next_chunk(data, given, active)
            case _:
                return ()

    def lane_kept(self, given: Input) -> str | None:
        """The digest of the policy in force."""
        return self._policies.kept(given)
