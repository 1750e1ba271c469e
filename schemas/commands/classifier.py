"""What the classifier is asked, by people and from lane to lane."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from schemas.commands.common import ActivatePolicy, PersonCommand, RetryParked, Tick
from schemas.envelope import Data, event_type
from schemas.incident import Identifier


@event_type("ipvi.classifier.command.tick.v1")
class ClassifierTick(Tick):
    """Classifier's clock."""


@event_type("ipvi.classifier.command.retry_parked.v1")
class ClassifierRetryParked(RetryParked):
    """Classifier's."""


@event_type("ipvi.classifier.command.adopt.v1")
class Adopt(Data):
    """One event of another offender's history, handed to this one's lane by a merge or a split, in its order there."""

    offender_id: Identifier
    """Who takes it."""
    from_offender_id: Identifier
    """Who gives it."""
    original: dict[str, Any]
    """The event as structured CloudEvents JSON."""
    remaining: Annotated[int, Field(ge=0)]
    """How many more of the same hand-over follow; at 0 it is complete."""
    handover_id: str
    """The merge or split that caused it."""
    sealed: list[str] = []
    """Keyed hashes of incidents that were expunged there: they stay out here too."""
    opened_through: Annotated[int, Field(ge=0)] = 0
    """Of a report: the highest revision that came in time or was opened by a person; what is open stays open."""
    others: list[str] = []
    """Of a report or a retraction: charges of arrests (`arrest|charge`) that other revisions named."""
    via: list[Identifier] = []
    """Offenders it has been handed on by, the first giver first: a ring of merges is seen, and ends."""
    known_as: list[Identifier] = []
    """Other ids by whose way what the first giver held had come to him: an expunction goes to each of them."""
    moved: list[str] = []
    """Of the first of a split: keyed hashes of the incidents that move. `original` then names none of them."""
    by_split: bool = False
    """Sent after what a split had moved on: the hand-over is complete without it, and no ring of merges is seen by it."""


@event_type("ipvi.classifier.command.forget.v1")
class Forget(Data):
    """An incident was expunged under another offender id: erase what was said of it under this one. Names no incident."""

    offender_id: Identifier
    sealed: str
    """Keyed hash of the incident, by which who holds it knows it."""
    pair_id: str
    """Of the incident and this offender."""
    matters: list[str] = []
    """Keyed hashes of arrests and charges of it, of no other incident: what a court has said of them goes too."""
    via: list[Identifier] = []
    """Offenders whose lanes have done it."""


@event_type("ipvi.classifier.command.noted_victim.v1")
class NotedVictim(Data):
    """This person, if he is an offender too, is a partner in another's incident. By whom he was hurt is not said."""

    offender_id: Identifier
    case: str
    """Opaque: of that other offender and him."""
    withdrawn: bool = False
    """The last incident of the case is gone."""


@event_type("ipvi.classifier.command.activate_policy.v1")
class ClassifierActivatePolicy(ActivatePolicy):
    """Classifier's."""


@event_type("ipvi.classifier.command.redecide.v1")
class Redecide(Data):
    """Decide again the lane's next offenders, in the order of their ids, that were last decided under another policy."""

    lane: Annotated[int, Field(ge=0)]
    digest: str
    """The policy that must be active; where it is not any more, nothing is done."""
    run_id: str
    after: str = ""
    """The last offender of the chunk before."""
    by: Annotated[str, Field(min_length=1, max_length=120)]


@event_type("ipvi.classifier.command.open_listed.v1")
class OpenListed(PersonCommand):
    """Open outreach and notice for a listed incident (history load, late report)."""

    incident_id: str
