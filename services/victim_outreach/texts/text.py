"""What a text for her can hold: to whom, in which language, from whom. Nothing of him, of a list or of what happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field, ValidationError

from schemas.outreach import TaskOwner
from services.common.county import Line, Strict, mend
from services.common.errors import IpviError


class TextError(IpviError):
    """A text cannot be made from this. Names the field, never the value."""


class Kind(StrEnum):
    """The texts there are."""

    INFORMATION = "information"
    """What the law gives her in writing within 72 hours (N.C.G.S. 15A-831)."""
    RIGHTS = "rights"
    RESOURCES = "resources"
    SAFETY_PLANNING = "safety_planning"


class VictimText(Strict):
    """One text for one person. `to` and `address` are printed on paper alone; a message bears neither.

    `owner` is who holds the task: what she tells an agency or a system advocate may be discoverable, and the page says so.
    """

    kind: Kind
    owner: TaskOwner
    dated: date
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] = "en"
    to: Line | None = None
    address: Annotated[tuple[Line, ...], Field(max_length=6)] = ()

    @classmethod
    def of(cls, **fields: object) -> VictimText:
        """A text of these fields. Raises `TextError`, which quotes none of them."""
        try:
            return cls.model_validate(fields)
        except ValidationError as failed:
            raise TextError(f"text: {mend(failed)}") from None


def mailing_address(given: Sequence[str], substitute: str | None) -> tuple[str, ...]:
    """Where paper goes: the substitute address wins over any other, which is then nowhere on it (N.C.G.S. 15C-8)."""
    lines = substitute.splitlines() if substitute and substitute.strip() else given
    return tuple(line.strip() for line in lines if line.strip())
