"""What the text or statute of a charge or call is, by the first rule of the mapping file that fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from schemas.incident import Disposition, ProhibitedBehavior
from schemas.mapping import ChargeRule, Mapping
from schemas.nibrs import PERSON_CRIMES
from services.intake.mapped.values import Values

_CHARGED_BY: Final = (Disposition.PENDING, Disposition.CONVICTED, Disposition.DISMISSED, Disposition.ACQUITTED)


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge or call of a row."""

    code: str
    charged: bool
    force: tuple[str, ...] = ()
    prohibited: tuple[ProhibitedBehavior, ...] = ()
    has_victim: bool = False
    """There must be a person as victim, whether or not the row tells of one."""
    statute: str | None = None
    disposition: Disposition | None = None


def charge_of(values: Values) -> Charge | None:
    """None where the row names none. Raises `RowError`, `row_value` where no rule fits and the mapping has no `otherwise`."""
    mapping = values.mapping
    text, statute = values.text("charge"), values.text("statute")
    if text is None and statute is None:
        return None
    rule = _rule(mapping, text or "", statute or "")
    if rule is None and mapping.otherwise is None:
        raise values.wrong("charge" if text is not None else "statute")
    code = rule.code if rule else mapping.otherwise.code if mapping.otherwise else "90Z"
    disposition = disposition_in(values)
    said = values.yes("charged")
    by_rule = rule.charged if rule else mapping.otherwise.charged if mapping.otherwise else None
    charged = next((each for each in (by_rule, said) if each is not None), mapping.charged)
    victim = rule.victim if rule else None
    return Charge(
        code=code,
        charged=charged or disposition in _CHARGED_BY,
        force=tuple(rule.force) if rule else (),
        prohibited=tuple(rule.prohibited) if rule else (),
        has_victim=code in PERSON_CRIMES if victim is None else victim,
        statute=statute[:80] if statute else None,
        disposition=disposition,
    )


def disposition_in(values: Values) -> Disposition | None:
    """By this system's own words and the mapping's. Raises `RowError`."""
    own = {str(one): one for one in Disposition}
    return values.one_of("disposition", {**own, **values.mapping.dispositions})


def _rule(mapping: Mapping, text: str, statute: str) -> ChargeRule | None:
    for number, (by_text, by_statute) in enumerate(_patterns(_key(mapping))):
        if (by_text is None or by_text.search(text)) and (by_statute is None or by_statute.search(statute)):
            return mapping.charges[number]
    return None


def _key(mapping: Mapping) -> tuple[tuple[str | None, str | None], ...]:
    return tuple((rule.text, rule.statute) for rule in mapping.charges)


@lru_cache(maxsize=64)
def _patterns(
    rules: Sequence[tuple[str | None, str | None]],
) -> tuple[tuple[re.Pattern[str] | None, re.Pattern[str] | None], ...]:
    def compiled(pattern: str | None) -> re.Pattern[str] | None:
        return re.compile(pattern, re.IGNORECASE) if pattern is not None else None

    return tuple((compiled(text), compiled(statute)) for text, statute in rules)
