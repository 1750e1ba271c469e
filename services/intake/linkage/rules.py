"""What a pair of records agrees on, what contradicts a number they share, and what follows. Pure.

A wrong link puts another man's charges on a list and another woman's address in a file; a missing one costs a person a look.
So wherever a rule doubts, a person decides. Victims are no evidence: that two men have one victim in common is known on
the restricted side, and says nothing of whether they are one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Final

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from services.intake.linkage.names import Name, taken_apart

_ALIKE: Final = 0.9
"""Jaro-Winkler, from which two surnames may be one mistyped."""
_GENERATION: Final = 12
"""Years between two birth dates of one name, from which they may be father and son."""


@dataclass(frozen=True)
class Known:
    """One record of one person, as one agency has it. `offender_id` as the reader made it.

    `state_number` with its state, `own_number` with its agency; `arrests`: the arrests this record tells of.
    """

    record_id: str
    offender_id: str
    agency: str
    state_number: str | None = field(default=None, repr=False)
    fbi_number: str | None = field(default=None, repr=False)
    own_number: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    sex: str | None = field(default=None, repr=False)
    arrests: frozenset[str] = frozenset()

    @cached_property
    def parts(self) -> Name:
        return taken_apart(self.name)


class Shared(StrEnum):
    """What two records have in common that is no name, birth date or sex."""

    STATE_NUMBER = "state_number"
    FBI_NUMBER = "fbi_number"
    OWN_NUMBER = "own_number"
    """The same agency's own number of him."""
    ARREST = "arrest"
    """One arrest, whoever reports it: the jail's booking and the police's report, one incident told by two agencies."""


class Contradiction(StrEnum):
    """Why a person decides, whatever number is shared."""

    STATE_NUMBERS = "state_numbers"
    """The state's register says that they are two, or a number is mistyped."""
    FBI_NUMBERS = "fbi_numbers"
    NAME_AND_BIRTH_DATE = "name_and_birth_date"
    GIVEN_NAME = "given_name"
    """Another given name under one surname or birth date: brothers, twins, or an alias. Daniel and Daniela, where the sexes
    differ too, and Juan-Carlos and Juan-Pablo are others.
    """
    SURNAME = "surname"
    """Another surname, and no birth date to speak for it."""
    GENERATION = "generation"
    """Sr and Jr, or born so far apart that they may be father and son."""
    DECIDED = "decided_different"
    """A person has said of records of these two that they are two."""


class Answer(StrEnum):
    """A person's word on two records."""

    SAME = "same"
    DIFFERENT = "different"


class Reason(StrEnum):
    """By what a person knows that two records are one man's, or two men's."""

    FINGERPRINTS = "fingerprints"
    PHOTOGRAPH = "photograph"
    DOCUMENTS = "documents"
    RECORDS_COMPARED = "records_compared"
    KNOWN_TO_STAFF = "known_to_staff"
    RELATIVES = "relatives"
    """Twins, brothers, father and son."""
    WRONG_NUMBER = "wrong_number"
    """A number was mistyped, or given to two."""


class Verdict(StrEnum):
    """What follows for a pair."""

    LINK = "link"
    ASK = "ask"
    SEPARATE = "separate"


@dataclass(frozen=True, slots=True)
class Bars:
    """Match probabilities of the model. `high`: with an arrest in common the pair is linked; `low`: below it a pair without a
    number in common stays separate.
    """

    high: float = 0.99
    low: float = 0.5


def shared(one: Known, other: Known) -> frozenset[Shared]:
    """What numbers and arrests the two records have in common."""
    found = set()
    if one.state_number and one.state_number == other.state_number:
        found.add(Shared.STATE_NUMBER)
    if one.fbi_number and one.fbi_number == other.fbi_number:
        found.add(Shared.FBI_NUMBER)
    if one.own_number and one.own_number == other.own_number:
        found.add(Shared.OWN_NUMBER)
    if one.arrests & other.arrests:
        found.add(Shared.ARREST)
    return frozenset(found)


def numbers_differ(one: Known, other: Known) -> Contradiction | None:
    """Two numbers of one register, both known: the register's own word that they are two people."""
    a, b = one.state_number, other.state_number
    if a and b and a != b and a.partition(":")[0] == b.partition(":")[0]:
        return Contradiction.STATE_NUMBERS
    if one.fbi_number and other.fbi_number and one.fbi_number != other.fbi_number:
        return Contradiction.FBI_NUMBERS
    return None


def contradiction(one: Known, other: Known) -> Contradiction | None:
    """Why these records may be of two people although a number says one; None where nothing speaks against it."""
    if (found := numbers_differ(one, other)) is not None:
        return found
    given, surname, born = _given(one.parts, other.parts), _surname(one.parts, other.parts), _born(one, other)
    if given is not False and surname is not False and _generations(one, other, born):
        return Contradiction.GENERATION
    if born is False and (given is False or surname is False):
        return Contradiction.NAME_AND_BIRTH_DATE
    is_one_name = given is not None and one.parts.given == other.parts.given
    if given is False or (_sexes_differ(one, other) and not is_one_name):
        return Contradiction.GIVEN_NAME
    if surname is False and not born:
        return Contradiction.SURNAME
    return None


def agree(one: Known, other: Known) -> bool:
    """Whether name, birth date and sex all agree, none of them unknown but sex, suffix and middle names; a nickname agrees, a
    mistyped given name does not: it may be a twin's.
    """
    is_given = bool(set(one.parts.called) & set(other.parts.called)) and not _middles_differ(one.parts, other.parts)
    is_family = bool(_surname(one.parts, other.parts))
    return is_given and is_family and _born(one, other) is True and not _sexes_differ(one, other)


def verdict(one: Known, other: Known, probability: float, bars: Bars) -> tuple[Verdict, Contradiction | None]:
    """Of two records under different ids. Name and birth date alone never link.

    A number links at once unless something contradicts it; an arrest links where all else agrees and the model is sure of it.
    """
    evidence = shared(one, other)
    against = contradiction(one, other)
    if evidence - {Shared.ARREST}:
        return (Verdict.ASK if against else Verdict.LINK), against
    if numbers_differ(one, other) is not None and not _nearly(one, other):
        return Verdict.SEPARATE, against
    if probability < bars.low:
        return Verdict.SEPARATE, against
    if Shared.ARREST in evidence and probability >= bars.high and against is None and agree(one, other):
        return Verdict.LINK, None
    return Verdict.ASK, against


def fit_together(group: Iterable[Known], other: Iterable[Known]) -> bool:
    """Whether two groups of records, each one person's, hold no two numbers of one register: A is B and B is C does not make A
    C where the register has two.
    """
    both = list(other)
    return all(numbers_differ(one, two) is None for one in group for two in both)


def _nearly(one: Known, other: Known) -> bool:
    """One number, mistyped in one place, perhaps: a person looks."""
    pairs = ((one.state_number, other.state_number), (one.fbi_number, other.fbi_number))
    return all(not (a and b) or DamerauLevenshtein.distance(a, b) <= 1 for a, b in pairs)


def _given(one: Name, other: Name) -> bool | None:
    if not one.given or not other.given:
        return None
    if set(one.called) & set(other.called):
        return True
    (first, _, second), (first_too, _, second_too) = one.given.partition("-"), other.given.partition("-")
    if first == first_too and not (second and second_too):
        return True
    short = min(len(one.given), len(other.given))
    if short == 1:
        return one.given[0] == other.given[0]
    return short > 3 and DamerauLevenshtein.distance(one.given, other.given) <= 1


def _middles_differ(one: Name, other: Name) -> bool:
    """Both have some, and none of the one can be one of the other's, written out or as a letter."""
    if not one.middles or not other.middles:
        return False
    return not any(a == b or (1 in (len(a), len(b)) and a[0] == b[0]) for a in one.middles for b in other.middles)


def _surname(one: Name, other: Name) -> bool | None:
    """Whether any of the one may be any of the other's: of two Spanish surnames agencies leave one out."""
    if not one.surnames or not other.surnames:
        return None
    if set(one.surnames) & set(other.surnames):
        return True
    return any(
        min(len(a), len(b)) > 3 and (JaroWinkler.similarity(a, b) >= _ALIKE and DamerauLevenshtein.distance(a, b) <= 2)
        for a in one.surnames
        for b in other.surnames
    )


def _born(one: Known, other: Known) -> bool | None:
    """Equal, day and month exchanged, one digit off, or the first of January of that year, as is written for unknown."""
    a, b = one.birth_date, other.birth_date
    if a is None or b is None:
        return None
    if a == b or (a.year == b.year and (a.month, a.day) == (b.day, b.month)):
        return True
    if a.year == b.year and (1, 1) in ((a.month, a.day), (b.month, b.day)):
        return True
    return sum(x != y for x, y in zip(f"{a:%Y%m%d}", f"{b:%Y%m%d}", strict=True)) == 1


def _generations(one: Known, other: Known, born: bool | None) -> bool:
    a, b = one.parts.suffix, other.parts.suffix
    if a and b and a != b:
        return True
    if one.birth_date is None or other.birth_date is None or born:
        return False
    return abs(one.birth_date.year - other.birth_date.year) >= _GENERATION


def _sexes_differ(one: Known, other: Known) -> bool:
    return bool(one.sex and other.sex and one.sex != other.sex)
