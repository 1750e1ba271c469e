"""Which offender an arrestee is: NIBRS does not say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from services.intake.nibrs.incident import Arrestee, Offender


@dataclass(frozen=True, slots=True)
class Matched:
    """Arrests by number of offender, and the offenders of whom it is open whether a remaining arrest is theirs."""

    arrests: dict[int, Arrestee]
    unmatched: frozenset[int] = frozenset()


def match(offenders: Sequence[Offender], arrestees: Sequence[Arrestee]) -> Matched:
    """One offender: the arrest is his, whatever the two segments say of looks (the earliest, if he was arrested twice).

    Several: age, sex and race must tell. Two who look alike, both arrested, are both told, in the order of their
    numbers; two alike and one arrest are not. An arrest that is left over may be of any offender not matched, or, if
    all are, of any: those are `unmatched`.
    """
    if not arrestees:
        return Matched({})
    if len(offenders) == 1:
        return Matched({offenders[0].number: min(arrestees, key=lambda arrestee: (arrestee.day, arrestee.number))})
    alike: dict[tuple[int, ...], list[Arrestee]] = defaultdict(list)
    for arrestee in sorted(arrestees, key=lambda arrestee: arrestee.number):
        alike[tuple(one.number for one in offenders if one.look.fits(arrestee.look))].append(arrestee)
    arrests: dict[int, Arrestee] = {}
    for numbers, group in sorted(alike.items(), key=lambda item: len(item[0])):
        free = [number for number in numbers if number not in arrests]
        if len(group) >= len(free):
            arrests.update(zip(free, group, strict=False))
    if len(arrests) == len(arrestees):
        return Matched(arrests)
    everyone = {one.number for one in offenders}
    return Matched(arrests, frozenset(everyone - arrests.keys() or everyone))
