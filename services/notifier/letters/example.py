"""A letter of each template about nobody, to try a letterhead, a wording or a picture with."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from schemas.classification import Tier
from services.notifier.letters.letter import AFTERWARDS, Kind, Letter, Meeting

_CHARGED = ("N.C.G.S. 14-33(c)(2)", "N.C.G.S. 14-277.1")
_TIERS = {Kind.A: Tier.A, Kind.B: Tier.B, Kind.D: Tier.D, Kind.CALL_IN: Tier.B}
_NAMES_CHARGES = frozenset({Kind.A, Kind.B, Kind.C, Kind.CUSTODY_VISIT})


def example(kind: Kind, language: str = "en", **more: Any) -> Letter:
    """The example of a template; `more` replaces fields of it. Raises `LetterError` where they do not fit together."""
    fields: dict[str, Any] = {
        "kind": kind,
        "tier": _TIERS.get(kind, Tier.C),
        "language": language,
        "name": "Invented Person 11",
        "dated": date(2026, 3, 9),
        "statutes": _CHARGED if kind in _NAMES_CHARGES else (),
    }
    if kind is Kind.CALL_IN:
        place = "Sampleton City Hall, 1 Courthouse Square"
        fields["meeting"] = Meeting(on=date(2026, 4, 9), at=time(18, 30), place=place)
    if kind in AFTERWARDS:
        fields["served_on"] = date(2026, 2, 3)
    return Letter.of(**(fields | more))
