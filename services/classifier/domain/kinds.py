"""Which incidents there can be, as far as a policy tells them apart: by what its rows ask and its lists name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import NamedTuple

from schemas.criteria import ChargeUnit, Fact
from schemas.incident import Disposition
from schemas.nibrs import FORCES, OFFENSES
from schemas.policy import Policy
from services.classifier.domain.finding import any_of


class Kind(NamedTuple):
    """One incident, as far as the policy can tell it from others."""

    units: int
    """Charges it adds."""
    repeated: bool = False
    """Charged, and an incident before it bears the charge of the arrest."""
    violation: bool = False
    convicted: bool = False
    weapon: bool = False
    strangulation: bool = False
    homicide: bool = False
    felony: bool = False
    after_pause: bool = False
    """Longer than the policy looks back has passed since the incident before."""

    def __str__(self) -> str:
        if self.repeated:
            what = "a charge of an arrest already counted"
        elif self.units:
            what = "a charge" if self.units == 1 else f"{self.units} charges"
        else:
            what = "a suspicion"
        said = [name for name in ("weapon", "strangulation", "homicide", "felony") if getattr(self, name)]
        said += ["conviction"] if self.convicted else []
        said += ["prohibited behaviour"] if self.violation else []
        pause = "long after, " if self.after_pause else ""
        return f"{pause}{what}" + (f" ({', '.join(said)})" if said else "")


class _Marks(NamedTuple):
    """What the lists of the policy say of one charged offence, or of several."""

    weapon: bool = False
    strangulation: bool = False
    homicide: bool = False
    felony: bool = False
    violation: bool = False


def kinds(policy: Policy, limits: Mapping[Fact, int]) -> Iterator[Kind]:
    """What incidents there are, each once, the plain ones first."""
    found = {kind._replace(after_pause=pause) for kind in _plain_kinds(policy, limits) for pause in _pauses(policy)}
    yield from sorted(found, key=lambda kind: (sum(bool(each) for each in kind), kind))


def _pauses(policy: Policy) -> tuple[bool, ...]:
    return (False,) if policy.look_back is None else (False, True)


def _plain_kinds(policy: Policy, limits: Mapping[Fact, int]) -> Iterator[Kind]:
    unit = policy.charges.unit
    breaches = (False, True) if policy.violations.behavior else (False,)
    convictions = _convictions(policy)
    asks_violation = _asks(policy, Fact.VIOLATIONS) or _asks(policy, Fact.VIOLATION_HERE)
    asks_conviction = _asks(policy, Fact.CONVICTIONS)
    several = max(limits.get(Fact.CHARGES, 0), limits.get(Fact.PREVIOUS_CHARGES, 0), 1)
    most = several if unit is ChargeUnit.CHARGE else 1
    one = _offence_marks(policy)
    any_marks = _together(one)
    without_charge = frozenset({_Marks()})
    if unit is ChargeUnit.ARREST or (unit is ChargeUnit.CONVICTION and policy.charges.dispositions != _CONVICTED_ALONE):
        without_charge = any_marks | without_charge  # charged, and the unit does not count it
    for marks, breach in product(without_charge, breaches):
        yield Kind(0, violation=asks_violation and (breach or marks.violation))
    for units, convicted in product(range(1, most + 1), convictions):
        exactly = any_marks
        if unit is ChargeUnit.CHARGE:
            exactly = one
            for _ in range(units - 1):
                exactly = _pairs(exactly, one)
        for marks, breach in product(exactly, breaches):
            violation = asks_violation and (breach or marks.violation)
            yield Kind(units, False, violation, asks_conviction and convicted, *marks[:4])
            yield Kind(0, True, violation, False)
            if asks_conviction and convicted:
                yield Kind(0, True, violation, True)


_CONVICTED_ALONE = frozenset({Disposition.CONVICTED})


def _convictions(policy: Policy) -> tuple[bool, ...]:
    """Whether what counts as a charge may be, or must be, a conviction."""
    counted = policy.charges.dispositions
    if policy.charges.unit is ChargeUnit.CONVICTION or counted == _CONVICTED_ALONE:
        return (True,) if Disposition.CONVICTED in counted else ()
    return (False, True) if Disposition.CONVICTED in counted else (False,)


def _offence_marks(policy: Policy) -> frozenset[_Marks]:
    """Of one charged offence: any code, any statute, any weapons."""
    codes, violations = policy.codes, policy.violations
    listed = {*codes.felony_statutes, *violations.statutes}
    forces = {_Marks()} | {_Marks(code in codes.weapon_force, code in codes.strangulation_force) for code in FORCES}
    offences = {
        _Marks(
            homicide=code in codes.homicide,
            felony=any_of(code, statute, codes.felony, codes.felony_statutes),
            violation=any_of(code, statute, violations.charged_offenses, violations.statutes),
        )
        for code in OFFENSES
        for statute in (None, *listed, " ".join(sorted(listed)))
    }
    made = _pairs(offences, _together(frozenset(forces)))
    return frozenset(_asked(policy, marks) for marks in made)


def _asked(policy: Policy, marks: _Marks) -> _Marks:
    return _Marks(
        marks.weapon and _asks(policy, Fact.WEAPON_HERE),
        marks.strangulation and _asks(policy, Fact.STRANGULATION_HERE),
        marks.homicide and _asks(policy, Fact.HOMICIDE_HERE),
        marks.felony and _asks(policy, Fact.FELONY_HERE),
        marks.violation,
    )


def _pairs(some: Iterable[_Marks], others: Iterable[_Marks]) -> frozenset[_Marks]:
    others = list(others)
    return frozenset(
        _Marks(*(one or two for one, two in zip(first, second, strict=True))) for first in some for second in others
    )


def _together(marks: frozenset[_Marks]) -> frozenset[_Marks]:
    """Of any number of them."""
    while (more := marks | _pairs(marks, marks)) != marks:
        marks = more
    return marks


def _asks(policy: Policy, fact: Fact) -> bool:
    return any(fact in rule.when for rule in policy.rules)
