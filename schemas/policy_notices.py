"""What a county has decided about giving notices: how soon, how often, whom a clock calls. Part of `schemas.policy`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, PlainSerializer

from schemas.classification import Tier
from schemas.duty import DutyRole
from schemas.enforcement import Lever
from schemas.envelope import Data

_InOrder = PlainSerializer(sorted, when_used="json")


class Span(Data):
    """How long a clock runs."""

    hours: Annotated[int, Field(ge=1, le=24 * 365)]
    business: bool = False
    """Only hours the office is open count; false: hours as they pass, over nights, holidays and changes of the clock."""


Ladder = Annotated[list[DutyRole], Field(min_length=1, max_length=10)]
"""Who is called first, second and so on; the last again and again."""


class Duty(Data):
    """Whom each kind of clock calls."""

    notices: Ladder = [DutyRole.NOTICE_DESK, DutyRole.NOTICE_SUPERVISOR, DutyRole.COORDINATOR]
    """To take and to give a notice."""
    enforcement: Ladder = [DutyRole.PROSECUTOR, DutyRole.COORDINATOR]
    """To take a referral, and to say what came of it."""
    help: Ladder = [DutyRole.COORDINATOR]
    """To refer him where he asked for help, and to hear what came of it."""
    holds: Ladder = [DutyRole.COORDINATOR]
    """A notice that waits long, failed for good, or must be set right."""


class EnforcementTerms(Data):
    """The lists whose charged incidents go to the prosecutor at once, and what is asked of him."""

    tiers: Annotated[frozenset[Tier], _InOrder] = frozenset({Tier.A})
    levers: Annotated[list[Lever], Field(min_length=1)] = list(Lever)
    take_within: Span = Span(hours=24)
    close_within: Span = Span(hours=720)


class HelpTerms(Data):
    """What follows where he asks for help."""

    refer_within: Span = Span(hours=72)
    outcome_within: Span = Span(hours=720)


class Notices(Data):
    """How notices are given and what happens where they are not."""

    claim_within: Span = Span(hours=24)
    """Until somebody has taken a notice that may be given; one at the jail calls at once."""
    serve_within: dict[Tier, Span] = {
        Tier.A: Span(hours=48),
        Tier.B: Span(hours=720),
        Tier.C: Span(hours=48),
        Tier.D: Span(hours=48),
    }
    """From release to service, outside jail; a list that is not named has a week."""
    custody_visit_within_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 48
    """In jail: from booking, or until the hearing where that is sooner."""
    held_reminder: Span = Span(hours=72)
    """How often somebody looks at a notice that waits."""
    retry_after: Span | None = Span(hours=24)
    """When a visit that met nobody is made again; null: on a person's word alone. A refusal always is."""
    attempts: Annotated[int, Field(ge=1, le=50)] = 3
    """After so many a person decides."""
    close_within: Span = Span(hours=168)
    """Until somebody has decided about a notice that failed for good."""
    correction_within: Span = Span(hours=72)
    """Until it is decided what he is told where the facts changed, and again until he is told."""
    attendance_within: Span = Span(hours=24)
    """After a call-in: until somebody has said who came."""
    repeat_hours: Annotated[int, Field(ge=1, le=24 * 30)] = 24
    """How often whoever is on duty is called again."""
    custody_repeat_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 15
    """The same for a notice at the jail."""
    enforcement: EnforcementTerms = EnforcementTerms()
    help: HelpTerms = HelpTerms()
    signed_templates_only: bool = True
    """Whether a notice waits while its wording is not signed off; without a county's folder nothing waits for one."""
    duty: Duty = Duty()
