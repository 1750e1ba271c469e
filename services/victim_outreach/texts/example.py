"""A text of each template for nobody, to try an office's data, a wording or a picture with."""

from __future__ import annotations

from datetime import date
from typing import Any

from schemas.outreach import TaskOwner
from services.victim_outreach.texts.text import Kind, VictimText


def example(kind: Kind, language: str = "en", **more: Any) -> VictimText:
    """The example of a template; `more` replaces fields of it. Raises `TextError`."""
    fields: dict[str, Any] = {
        "kind": kind,
        "owner": TaskOwner.SYSTEM_ADVOCATE,
        "dated": date(2026, 3, 9),
        "language": language,
        "to": "Invented Person 12",
        "address": ("P.O. Box 7", "Raleigh, NC 00000"),
    }
    return VictimText.of(**(fields | more))
