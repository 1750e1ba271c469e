"""What agencies hold of a person: numbers, a name and a birth date as somebody wrote them down, with what goes wrong then.

The rates of mistakes are invented, for no source that could be read gives any; they are arguments, so that a test can make
it worse.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from typing import Final

from services.cli.simulate import names
from services.cli.simulate.people import Person, people
from services.intake.identity import Identifiers

AGENCIES: Final = tuple(f"ZZ{number:03}0000" for number in range(1, 100))
"""ORIs of nobody: city police, sheriff, and small towns."""

_KNOWS_ACCENTS: Final = 4
"""Every fourth agency's system does; the way a name is written is the agency's too."""


@dataclass(frozen=True, slots=True)
class Mistakes:
    """How often a record has them, each by itself."""

    typo: float = 0.04
    nickname: float = 0.08
    no_middle: float = 0.45
    initial: float = 0.4
    """Of the middle names that are there: written as one letter."""
    no_suffix: float = 0.4
    one_surname: float = 0.35
    """Of two Spanish surnames one is left out, mostly the second."""
    no_name: float = 0.01
    new_surname: float = 0.08
    """Of women: another one after the first record (married, divorced)."""
    no_birth_date: float = 0.05
    swapped: float = 0.015
    wrong_digit: float = 0.015
    first_of_january: float = 0.005
    no_sex: float = 0.03
    wrong_sex: float = 0.003
    wrong_number: float = 0.002
    """A mistyped number of the state: one that nobody has."""


@dataclass(frozen=True, slots=True)
class Record:
    """One agency's record of one person. `person` is the truth, which no agency knows."""

    person: str
    known: Identifiers = field(repr=False)


def population(
    seed: int, size: int, agencies: tuple[str, ...] = AGENCIES[:5], mistakes: Mistakes | None = None
) -> Iterator[Record]:
    """All records of `size` people, a person's one after the other; the same for the same arguments. Memory is flat."""
    for person in people(seed, size):
        yield from records(person, agencies, mistakes)


def records(person: Person, agencies: tuple[str, ...], mistakes: Mistakes | None = None) -> list[Record]:
    """Of one person, from 1 to 6, of different numbers or of none; the first is his home agency's."""
    chance = random.Random(f"{person.person}|records")
    wrong = mistakes or Mistakes()
    home = agencies[_skewed(person.home, len(agencies))]
    others = [agency for agency in agencies if agency != home]
    known = [home, *chance.sample(others, min(len(others), chance.choices([0, 1, 2, 3], [60, 26, 10, 4])[0]))]
    # An agency that did not find him wrote him down once more.
    known += [agency for agency in known if chance.random() < 0.07]
    is_printed, has_fbi = chance.random() < 0.6, chance.random() < 0.25
    new = (names.surname(person.is_spanish, chance),)
    since = 2 if person.sex == "F" and chance.random() < wrong.new_surname else len(known) + 1
    made = []
    for number, agency in enumerate(known, start=1):
        surnames = new if number >= since else person.surnames
        made.append(
            Record(
                person.person,
                Identifiers(
                    agency=agency,
                    report=_number(person, number, "report"),
                    state_id=_state_id(person, wrong, chance) if is_printed and chance.random() < 0.7 else None,
                    fbi_number=person.fbi_number if has_fbi and chance.random() < 0.6 else None,
                    agency_person=_number(person, number, "person") if chance.random() < 0.97 else None,
                    name=_written(person, surnames, agency, wrong, chance),
                    birth_date=_dated(person.birth_date, wrong, chance),
                    sex=_sex(person.sex, wrong, chance),
                ),
            )
        )
    return made


def _number(person: Person, number: int, kind: str) -> str:
    """An agency's own, which says nothing of who he is."""
    return blake2b(f"{person.person}|{number}|{kind}".encode(), digest_size=7).hexdigest()


def _skewed(draw: int, count: int) -> int:
    """Which agency: the first (a city's police) half, the second (the sheriff) a quarter, and so on."""
    for place in range(count - 1):
        if draw & (1 << place):
            return place
    return count - 1


def _written(
    person: Person, surnames: tuple[str, ...], agency: str, wrong: Mistakes, chance: random.Random
) -> str | None:
    if chance.random() < wrong.no_name:
        return None
    given, middle, suffix = person.given, person.middle, person.suffix
    if given in names.nicknames() and chance.random() < wrong.nickname:
        given = chance.choice(names.nicknames()[given])
    if chance.random() < wrong.no_middle:
        middle = ""
    elif chance.random() < wrong.initial:
        middle = middle[0]
    if chance.random() < wrong.no_suffix:
        suffix = ""
    last = _joined(surnames, wrong, chance)
    if "-" in last and chance.random() < 0.3:
        last = chance.choice([last.replace("-", " "), last.split("-")[0]])
    if chance.random() < wrong.typo:
        last = mistyped(last, chance)
    if chance.random() < wrong.typo:
        given = mistyped(given, chance)
    place = int(agency[2:5])
    name = _in_style(given, middle, last, suffix, place % 3)
    return name if place % _KNOWS_ACCENTS == 0 else without_accents(name)


def _joined(surnames: tuple[str, ...], wrong: Mistakes, chance: random.Random) -> str:
    """Two surnames are written as two, as one with a hyphen, turned round, or one of them is left out."""
    if len(surnames) < 2:
        return surnames[0]
    if chance.random() < wrong.one_surname:
        return surnames[0] if chance.random() < 0.8 else surnames[1]
    draw = chance.random()
    if draw < 0.65:
        return " ".join(surnames)
    return "-".join(surnames) if draw < 0.9 else " ".join(reversed(surnames))


def _in_style(given: str, middle: str, last: str, suffix: str, style: int) -> str:
    """SURNAME SUFFIX, GIVEN MIDDLE in capitals; Surname, Given Middle Suffix; Given Middle Surname Suffix."""
    if style == 0:
        return f"{_spaced(last, suffix)}, {_spaced(given, middle)}".upper()
    if style == 1:
        return f"{last}, {_spaced(given, middle, suffix)}"
    return _spaced(given, middle, last, suffix)


def _spaced(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def without_accents(text: str) -> str:
    """As systems that know no accents hold it."""
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


_NEXT_KEY: Final = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wertyuiopqsdfghjklaxcvbnmz", strict=True))


def mistyped(text: str, chance: random.Random) -> str:
    """One letter left out, doubled, exchanged with its neighbour, or the next key struck; never the first."""
    at = chance.randrange(1, max(2, len(text)))
    match chance.randrange(4):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + text[at - 1 : at] + text[at:]
        case 2:
            return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
        case _:
            struck = _NEXT_KEY.get(text[at : at + 1].lower(), "e")
            return text[:at] + struck + text[at + 1 :]


def _dated(born: date, wrong: Mistakes, chance: random.Random) -> date | None:
    draw = chance.random()
    if draw < (limit := wrong.no_birth_date):
        return None
    if draw < (limit := limit + wrong.swapped):
        return swapped(born)
    if draw < (limit := limit + wrong.wrong_digit):
        return _digit_wrong(born, chance)
    if draw < limit + wrong.first_of_january:
        return born.replace(month=1, day=1)
    return born


def swapped(born: date) -> date:
    """Day and month exchanged, where there is such a date."""
    return born.replace(month=born.day, day=born.month) if born.day <= 12 else born


def _digit_wrong(born: date, chance: random.Random) -> date:
    """One digit of year or day is another."""
    for _ in range(20):
        digits = list(f"{born:%Y%m%d}")
        digits[chance.choice([2, 3, 5, 6, 7])] = str(chance.randrange(10))
        try:
            made = date.fromisoformat("".join(digits))
        except ValueError:
            continue
        if made != born and 1930 <= made.year <= 2009:
            return made
    return born


def _sex(sex: str, wrong: Mistakes, chance: random.Random) -> str | None:
    draw = chance.random()
    if draw < wrong.no_sex:
        return None
    return ("F" if sex == "M" else "M") if draw < wrong.no_sex + wrong.wrong_sex else sex


def _state_id(person: Person, wrong: Mistakes, chance: random.Random) -> str:
    """Mistyped it has a letter where no number has one, so that it is nobody else's."""
    number = person.state_id
    return f"{number[:-1]}X" if chance.random() < wrong.wrong_number else number
