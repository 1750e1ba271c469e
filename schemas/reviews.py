"""What people decide about an offender's place on the lists: reviews, raises, validation of D, challenges.

Commands go to `ipvi.restricted.classifier-commands.v1`; each act that counted is told on `ipvi.internal.decisions.v1`.
"""

from __future__ import annotations

from enum import StrEnum

from schemas.classification import ReviewCode, Tier
from schemas.commands import PersonCommand
from schemas.envelope import Data, Timestamp, event_type
from schemas.incident import Identifier, IncidentId


class ReviewOutcome(StrEnum):
    """What a person found; a closed list, for free text would hold what must not leave."""

    AS_IT_STANDS = "as_it_stands"
    """Looked at; nothing is to change."""
    SOURCE_CORRECTS = "source_corrects"
    """The agency has been asked, and sends a revision or takes the report back."""
    RAISED = "raised"
    """A raise was entered on account of it."""
    NOTICE_WITHHELD = "notice_withheld"
    """No notice shall go to him on account of it."""
    REFERRED = "referred"
    """Handed to the prosecutor, the juvenile side or internal affairs."""


class RaiseReason(StrEnum):
    """Why a person puts him on a graver list than the rules do."""

    WEAPON = "weapon"
    STRANGULATION = "strangulation"
    THREAT_TO_KILL = "threat_to_kill"
    STALKING = "stalking"
    ESCALATING = "escalating"
    RECORD_ELSEWHERE = "record_elsewhere"
    NO_RULE = "no_rule"


class Challenger(StrEnum):
    """Who disputes the listing."""

    PERSON = "person"
    COUNSEL = "counsel"


class ChallengeGround(StrEnum):
    """What is disputed."""

    NOT_THE_PERSON = "not_the_person"
    NOT_A_PARTNER = "not_a_partner"
    FACTS = "facts"
    DISPOSITION = "disposition"
    SEALED = "sealed"


class ChallengeOutcome(StrEnum):
    """The answer. None lowers a tier: where the record was wrong, its source corrects it."""

    STANDS = "stands"
    SOURCE_CORRECTS = "source_corrects"
    WITHDRAWN = "withdrawn"


class ReviewCommand(PersonCommand):
    """An act on one open review."""

    incident_id: IncidentId
    code: ReviewCode
    late: bool = False
    """Set by the service alone: it followed a merge or split, and no such review was open where it came. It counts for none."""


@event_type("ipvi.classifier.command.claim_review.v1")
class ClaimReview(ReviewCommand):
    """I work on it."""


@event_type("ipvi.classifier.command.conclude_review.v1")
class ConcludeReview(ReviewCommand):
    """What I found. Two people who find the same close it."""

    outcome: ReviewOutcome


@event_type("ipvi.classifier.command.raise_tier.v1")
class RaiseTier(PersonCommand):
    """A graver list than the rules give, until a date. It never lowers, and its end lifts nothing but itself."""

    tier: Tier
    reason: RaiseReason
    until: Timestamp


@event_type("ipvi.classifier.command.end_raise.v1")
class EndRaise(PersonCommand):
    """The raise ends before its date."""

    raise_id: str


@event_type("ipvi.classifier.command.validate_d.v1")
class ValidateD(PersonCommand):
    """I have looked at what keeps him on list D, and it may be kept for another term of the policy (28 CFR 23.20(h))."""


@event_type("ipvi.classifier.command.challenge.v1")
class ChallengeListing(PersonCommand):
    """He or his counsel disputes the listing: no notice goes to him before two people have answered."""

    challenger: Challenger
    ground: ChallengeGround


@event_type("ipvi.classifier.command.answer_challenge.v1")
class AnswerChallenge(PersonCommand):
    """My answer. Two people of one answer close the challenge."""

    challenge_id: str
    outcome: ChallengeOutcome


class Matter(StrEnum):
    """What an act was about."""

    REVIEW = "review"
    RAISE = "raise"
    VALIDATION = "validation"
    CHALLENGE = "challenge"


class ActKind(StrEnum):
    """What was done. `ended`: by a person, or by the clock."""

    CLAIMED = "claimed"
    CONCLUDED = "concluded"
    CLOSED = "closed"
    OPENED = "opened"
    ENDED = "ended"


@event_type("ipvi.review.acted.v1")
class ReviewActed(Data):
    """One act of a person, or of the clock, on a review, a raise, a validation or a challenge. Nothing of any victim."""

    offender_id: Identifier
    matter: Matter
    matter_id: str
    """Of a raise or challenge its id; of a review its code; of a validation `D`."""
    act: ActKind
    pair_id: str | None = None
    """Of a review: which incident of his."""
    outcome: str | None = None
    """As coded in the command."""
    until: Timestamp | None = None
    by: str
    """The person's user name, or `clock`."""
