"""A report's segments as typed facts, cross-checked as far as an event depends on them. No event is made here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from schemas.nibrs import ARREST_TYPES, FORCES, OFFENSES, RELATIONSHIPS
from schemas.rejects import RejectCode
from services.intake.nibrs.segments import Segment, SegmentError

ADULT: Final = 18
_INDIVIDUALS: Final = frozenset("IL")
_VICTIM_TYPES: Final = frozenset("IBFGLROSU")
_CLEARANCES: Final = frozenset("ABCDEN")
_TRANSACTION: Final = re.compile(r"[!-~][ -~]{0,11}")
_SEXES: Final = frozenset(["M", "F", "U", "X", ""])
_NEEDED: Final = {"1": "administrative", "2": "offense", "4": "victim", "5": "offender"}
"""Levels without which a report of an incident is not whole (specification, edit 075)."""


@dataclass(frozen=True, slots=True)
class Age:
    """In years, a range where the agency gave one."""

    least: int
    most: int

    @property
    def years(self) -> int | None:
        """The mean of a range, rounded down, as the FBI stores it; None where it is open whether he was of age."""
        if self.least < ADULT <= self.most:
            return None
        return (self.least + self.most) // 2

    def holds(self, other: Age) -> bool:
        return self.least <= other.least and other.most <= self.most


@dataclass(frozen=True, slots=True)
class Look:
    """What NIBRS knows of a person's looks; empty texts and None where nothing is known."""

    age: Age | None
    sex: str
    race: str

    @property
    def years(self) -> int | None:
        """The age, where it can be given in years."""
        return self.age.years if self.age else None

    def fits(self, arrestee: Look) -> bool:
        """Whether an arrestee can be told to be this offender.

        His age, or one in the range given, his sex, his race.
        """
        if self.age is None or arrestee.age is None:
            return False
        return self.age.holds(arrestee.age) and (self.sex, self.race) == (arrestee.sex, arrestee.race)


@dataclass(frozen=True, slots=True)
class Offense:
    """One offence of the incident."""

    code: str
    force: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Victim:
    """One victim. `relationships`: what she was to the offender of that number."""

    number: int
    is_person: bool
    codes: tuple[str, ...]
    relationships: dict[int, str]


@dataclass(frozen=True, slots=True)
class Offender:
    """One known offender."""

    number: int
    look: Look


@dataclass(frozen=True, slots=True)
class Arrestee:
    """One arrest."""

    number: int
    transaction: str
    day: date
    type: str
    code: str
    look: Look


@dataclass(frozen=True, slots=True)
class Incident:
    """A Group A incident report. `offenders` are the known ones; none means that nobody is known."""

    ori: str
    number: str
    month: int
    """Year and month of submission, as in 201905."""
    day: date
    hour: int
    """0 where the hour is not known, which puts the incident at the start of its day."""
    cleared_exceptionally: bool
    offenses: tuple[Offense, ...]
    victims: tuple[Victim, ...]
    offenders: tuple[Offender, ...]
    arrestees: tuple[Arrestee, ...]


def incident_of(segments: Sequence[Segment]) -> Incident:
    """Raises `SegmentError` for the first thing wrong. Without a known offender relationships are not looked at."""
    first = segments[0]
    if first.layout.level != "1":
        raise SegmentError(first.line, RejectCode.NIBRS_ORPHAN, f"{first.layout.name}.segment_level@5-5")
    levels = {level: [segment for segment in segments if segment.layout.level == level] for level in "12456"}
    for level, name in _NEEDED.items():
        if not levels[level]:
            raise SegmentError(first.line, RejectCode.MISSING_FIELD, f"{name} segment (level {level})")
    offenses = tuple(map(_offense, levels["2"]))
    _distinct(levels["2"], "offense_code")
    _distinct(levels["4"], "sequence_number")
    _distinct(levels["5"], "sequence_number")
    offenders = tuple(offender for segment in levels["5"] if (offender := _offender(segment)).number)
    return Incident(
        ori=first.get("ori"),
        number=first.get("incident_number"),
        month=month_of(first),
        day=first.day("incident_date"),
        hour=first.whole("incident_hour", 0, 23) if first.get("incident_hour") else 0,
        cleared_exceptionally=first.code("cleared_exceptionally", _CLEARANCES) != "N",
        offenses=offenses,
        victims=tuple(_victim(segment, offenses, offenders) for segment in levels["4"]),
        offenders=offenders,
        arrestees=tuple(_arrestee(segment, segment.get("arrest_transaction")) for segment in levels["6"]),
    )


def group_b_arrestee(segment: Segment) -> Arrestee:
    """One Group B arrest. Raises `SegmentError`."""
    return _arrestee(segment, segment.get("incident_number"))


def month_of(segment: Segment) -> int:
    """Year and month of submission, as in 201905. Raises `SegmentError`."""
    return segment.whole("year_of_submission", 1900, 2999) * 100 + segment.whole("month_of_submission", 1, 12)


def _distinct(segments: Sequence[Segment], name: str) -> None:
    seen: set[str] = set()
    for segment in segments:
        if segment.get(name) in seen:
            raise segment.wrong(name)
        seen.add(segment.get(name))


def _offense(segment: Segment) -> Offense:
    return Offense(segment.code("offense_code", OFFENSES), segment.codes("weapon", FORCES))


def _victim(segment: Segment, offenses: Sequence[Offense], offenders: Sequence[Offender]) -> Victim:
    is_person = segment.code("type_of_victim", _VICTIM_TYPES) in _INDIVIDUALS
    return Victim(
        number=segment.whole("sequence_number", 1, 999),
        is_person=is_person,
        codes=segment.codes("offense_codes", {offense.code for offense in offenses}),
        relationships=_relationships(segment, {one.number for one in offenders}) if is_person and offenders else {},
    )


def _relationships(segment: Segment, known: set[int]) -> dict[int, str]:
    """By number of offender.

    A code without a number, or for an offender who is not there, would be lost in silence: an error.
    """
    found: dict[int, str] = {}
    pairs = zip(segment.every("offender_number"), segment.every("relationship"), strict=True)
    for occurrence, (number, code) in enumerate(pairs):
        if not number and not code:
            continue
        if not (number.isascii() and number.isdigit()) or int(number) in found:
            raise segment.wrong("offender_number", occurrence)
        if int(number) not in known:
            raise segment.wrong("offender_number", occurrence)
        if code not in RELATIONSHIPS:
            raise segment.wrong("relationship", occurrence)
        found[int(number)] = code
    return found


def _offender(segment: Segment) -> Offender:
    return Offender(segment.whole("sequence_number", 0, 99), _look(segment))


def _arrestee(segment: Segment, transaction: str) -> Arrestee:
    if not _TRANSACTION.fullmatch(transaction):
        raise segment.wrong(
            "arrest_transaction" if "arrest_transaction" in segment.layout.columns else "incident_number"
        )
    return Arrestee(
        number=segment.whole("sequence_number", 1, 99),
        transaction=transaction,
        day=segment.day("arrest_date"),
        type=segment.code("type_of_arrest", ARREST_TYPES),
        code=segment.code("offense_code", OFFENSES),
        look=_look(segment),
    )


def _look(segment: Segment) -> Look:
    return Look(_age(segment), segment.code("sex", _SEXES), segment.get("race"))


def _age(segment: Segment) -> Age | None:
    """Two digits, or four for a range; 00 and blank are not known (specification, element 37)."""
    text = segment.get("age")
    if text in ("", "00"):
        return None
    if not (text.isascii() and text.isdigit() and len(text) in (2, 4)):
        raise segment.wrong("age")
    least, most = int(text[:2]), int(text[-2:])
    if least == 0 or most < least:
        raise segment.wrong("age")
    return Age(least, most)
