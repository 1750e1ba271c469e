"""Which incidents told what is held of an offender, so that nothing stays that an expunged one alone has told."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from schemas.person import OffenderDescribed

Origins = Mapping[str, list[str]]
"""By field the incidents that told its value. Of a field that something else told too, a jail or a court, there are none."""
_MOST: Final = 20
"""Incidents kept for a field: what more than these have told is simply his."""


def told(
    origins: Origins, known: OffenderDescribed, given: Mapping[str, Any], incident: str | None
) -> dict[str, list[str]]:
    """With what `incident` (none: something else) tells, which `known` is to take."""
    found = dict(origins)
    for name, value in given.items():
        is_known = getattr(known, name) == value
        if incident is None:
            found.pop(name, None)
        elif not is_known:
            found[name] = [incident]
        elif name in found and incident not in found[name]:
            found[name] = [*found[name], incident]
            if len(found[name]) > _MOST:
                del found[name]
    return found


def together(own: Origins, known: OffenderDescribed, others: Origins, other: OffenderDescribed) -> dict[str, list[str]]:
    """Of two who are one, where the own value stands unless there is none."""
    found = dict(own)
    for name in OffenderDescribed.model_fields:
        mine, his = getattr(known, name), getattr(other, name)
        if not mine and name in others:
            found[name] = others[name]
        elif mine == his and name in found:
            found |= {name: list(dict.fromkeys([*found[name], *others[name]]))} if name in others else {}
            if name not in others or len(found[name]) > _MOST:
                del found[name]
    return found


def few(origins: Origins) -> dict[str, list[str]]:
    """Those that are kept."""
    return {name: those for name, those in origins.items() if 0 < len(those) <= _MOST}


def without(origins: Origins, incidents: Collection[str]) -> tuple[dict[str, list[str]], list[str]]:
    """What is left, and the fields that these incidents alone have told."""
    left = {name: [each for each in those if each not in incidents] for name, those in origins.items()}
    return {name: those for name, those in left.items() if those}, [name for name, those in left.items() if not those]
