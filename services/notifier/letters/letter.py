"""What a letter may say of a person: this and nothing else (`DESIGN.md` 6, `DOMAIN.md` 3).

No field can hold a victim, an incident, a time of a call, a narrative or the reason why somebody looked. What is not a
field here has no way on to the page, whatever the wording asks for.
"""

from __future__ import annotations

from datetime import date, time
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError, model_validator

from schemas.classification import Tier
from services.common.citations import is_citation
from services.common.county import Line, Strict, mend
from services.common.errors import IpviError
from services.notifier.letters.words import forbidden


class LetterError(IpviError):
    """A letter cannot be made from this. Names the field, never the value."""


class Kind(StrEnum):
    """The templates: one a tier, and four that are of no one tier."""

    A = "a"
    B = "b"
    C = "c"
    D = "d"
    CALL_IN = "call_in"
    CUSTODY_VISIT = "custody_visit"
    CORRECTION = "correction"
    """Part of what he was told does not hold; the notice does."""
    WITHDRAWAL = "withdrawal"
    """The notice does not hold."""


AFTERWARDS = frozenset({Kind.CORRECTION, Kind.WITHDRAWAL})
"""What sets right a notice that was given."""
OF_TIER = {Tier.A: Kind.A, Tier.B: Kind.B, Tier.C: Kind.C, Tier.D: Kind.D}


def may_be_cited(statute: str) -> bool:
    """Whether this cites a statute and says nothing else, nor what no letter may."""
    return is_citation(statute) and not _says_what_no_letter_may(statute)


def _says_what_no_letter_may(statute: str) -> bool:
    return forbidden([statute], "en") is not None or forbidden([statute], "es") is not None


def _citation(statute: str) -> str:
    if not may_be_cited(statute):
        raise ValueError("is no citation of a statute")
    return statute


Statute = Annotated[Line, AfterValidator(_citation)]


class Meeting(Strict):
    """Where and when a call-in is held. Local date and time, as they are to be printed."""

    on: date
    at: time
    place: Line


class Letter(Strict):
    """One letter. `dated` is printed as its date: of a D, or of any notice of which he has not heard, the delivery round's.

    `statutes` are those charged. `served_on`, of a correction or a withdrawal: when the notice was given.
    """

    kind: Kind
    tier: Tier
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"
    name: Line
    dated: date
    statutes: tuple[Statute, ...] = ()
    meeting: Meeting | None = None
    served_on: date | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Letter:
        if self.kind in OF_TIER.values() and OF_TIER[self.tier] is not self.kind:
            raise ValueError("the letter of another tier")
        if self.statutes and (self.tier is Tier.D or self.kind in AFTERWARDS):
            raise ValueError("names no statute")
        if (self.meeting is not None) != (self.kind is Kind.CALL_IN):
            raise ValueError("a meeting belongs to a call-in, and to nothing else")
        if (self.served_on is not None) != (self.kind in AFTERWARDS):
            raise ValueError("served_on belongs to a correction or a withdrawal, and to nothing else")
        return self

    @classmethod
    def of(cls, **fields: object) -> Letter:
        """A letter of these fields. Raises `LetterError`, which quotes none of them."""
        try:
            return cls.model_validate(fields)
        except ValidationError as failed:
            raise LetterError(f"letter: {mend(failed)}") from None
