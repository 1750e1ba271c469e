"""The people of a made-up county, as they are. Nobody real; the same for the same seed, whoever asks and in whatever order.

Shares are invented, but for those that name a source: what matters is that every hard case of linkage is there in numbers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from services.cli.simulate import names

MEN_SHARE: Final = 0.8
SPANISH_SHARE: Final = 0.16
HYPHEN_SHARE: Final = 0.03
TWIN_SHARE: Final = 0.015
"""Of families: two people of one birth date and surname, both of whom agencies know."""
SENIOR_SHARE: Final = 0.03
"""Of families: father and son of one name."""
SIBLING_SHARE: Final = 0.05
_OLDEST: Final = date(1950, 1, 1)
_YOUNGEST: Final = date(2006, 12, 31)


@dataclass(frozen=True, slots=True)
class Person:
    """One person as he is, before any agency writes him down. `surnames`: two in the Spanish way, else one."""

    person: str
    given: str
    middle: str
    surnames: tuple[str, ...]
    suffix: str
    birth_date: date
    sex: str
    is_spanish: bool
    state_id: str
    """As the state's register has him, once he was fingerprinted."""
    fbi_number: str
    home: int
    """From 0: in which of the county's agencies he is known first, whatever their number is."""

    def __repr__(self) -> str:
        return f"Person({self.person})"


def people(seed: int, size: int) -> Iterator[Person]:
    """`size` people, family by family. Those of one family follow one another; nothing else binds them together."""
    number = family = 0
    while number < size:
        chance = random.Random(f"{seed}|family|{family}")
        family += 1
        for one in _family(seed, number, chance)[: size - number]:
            number += 1
            yield one


def _family(seed: int, number: int, chance: random.Random) -> list[Person]:
    first = _person(seed, number, chance)
    draw = chance.random()
    if draw < TWIN_SHARE:
        return [first, _twin(first, _person(seed, number + 1, chance), chance)]
    if draw < TWIN_SHARE + SENIOR_SHARE:
        return _father_and_son(first, _person(seed, number + 1, chance), chance)
    if draw < TWIN_SHARE + SENIOR_SHARE + SIBLING_SHARE:
        other = _person(seed, number + 1, chance)
        return [first, replace(other, surnames=first.surnames, is_spanish=first.is_spanish, home=first.home)]
    return [first]


def _person(seed: int, number: int, chance: random.Random) -> Person:
    sex = "M" if chance.random() < MEN_SHARE else "F"
    is_spanish = chance.random() < SPANISH_SHARE
    surnames = tuple(names.surname(is_spanish, chance) for _ in range(2 if is_spanish else 1))
    if not is_spanish and chance.random() < HYPHEN_SHARE:
        surnames = (f"{surnames[0]}-{names.surname(False, chance)}",)
    return Person(
        person=f"P{seed}-{number:07}",
        given=names.given_name(sex, is_spanish, chance),
        middle=names.given_name(sex, is_spanish, chance),
        surnames=surnames,
        suffix="",
        birth_date=_born(_OLDEST, _YOUNGEST, chance),
        sex=sex,
        is_spanish=is_spanish,
        state_id=f"NC{_scattered(seed, number, 9_000_000) + 1_000_000}",
        fbi_number=_fbi(_scattered(seed + 1, number, 9_000_000), chance),
        home=chance.randrange(1 << 30),
    )


_PRIME: Final = 2_147_483_647


def _scattered(seed: int, number: int, span: int) -> int:
    """A number that no other person of this seed has, as long as there are fewer than `span`; in no order."""
    # Adding a constant that has no factor in common with `span` walks through all of it before it repeats.
    return (number * (_PRIME % span) + seed * 7_919) % span


def _fbi(number: int, chance: random.Random) -> str:
    return (
        f"{number:07}{chance.choice('ABCDEFHJKLMNPRTVWX')}{chance.choice('ABCDEFHJKLMNPRTVWX')}{chance.randrange(10)}"
    )


def _born(first: date, last: date, chance: random.Random) -> date:
    return first + timedelta(days=chance.randrange((last - first).days + 1))


def _twin(first: Person, other: Person, chance: random.Random) -> Person:
    """Of one birth date and surname; two in three of one sex, two in five with names that begin alike."""
    sex = first.sex if chance.random() < 0.67 else ("F" if first.sex == "M" else "M")
    given = names.given_name(sex, first.is_spanish, chance)
    others = [name for name in names.given_names(sex, first.is_spanish) if name != first.given]
    alike = [name for name in others if name[0] == first.given[0]]
    if given == first.given or (alike and chance.random() < 0.4):
        given = chance.choice(alike or others)
    middle = names.given_name(sex, first.is_spanish, chance)
    return replace(
        other, given=given, middle=middle, surnames=first.surnames, birth_date=first.birth_date, sex=sex,
        is_spanish=first.is_spanish, home=first.home,
    )  # fmt: skip


def _father_and_son(first: Person, other: Person, chance: random.Random) -> list[Person]:
    """Sr and Jr (or II, III): every part of the name is one."""
    father = replace(first, sex="M", suffix=chance.choice(["Sr", "Sr", "", "II"]))
    if first.sex != "M":
        given, middle = (names.given_name("M", first.is_spanish, chance) for _ in range(2))
        father = replace(father, given=given, middle=middle)
    father = replace(father, birth_date=_born(_OLDEST, date(1982, 12, 31), chance))
    born = father.birth_date + timedelta(days=chance.randint(18 * 366, 38 * 365))
    son = replace(
        father, person=other.person, suffix="III" if father.suffix == "II" else "Jr", birth_date=min(born, _YOUNGEST),
        state_id=other.state_id, fbi_number=other.fbi_number,
    )  # fmt: skip
    return [father, son]
