"""The made-up people of a county and what agencies wrote down of them."""

from __future__ import annotations

import random
import tracemalloc
from collections import Counter, defaultdict
from functools import cache
from itertools import islice, pairwise

import pytest

from services.cli.simulate import Mistakes, Person, Record, people, population
from services.cli.simulate.records import mistyped, swapped, without_accents
from services.intake.identity import offender_id

SEED = 7
PERFECT = Mistakes(*[0.0] * len(Mistakes.__slots__))


@cache
def everybody() -> list[Person]:
    return list(people(SEED, 6_000))


@cache
def held() -> list[Record]:
    return list(population(SEED, 6_000))


@cache
def by_person() -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for record in held():
        found[record.person].append(record)
    return found


@cache
def truth() -> dict[str, Person]:
    return {person.person: person for person in everybody()}


def test_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert list(population(SEED, 300)) == list(population(SEED, 300)) == [r for r in held() if r.person < "P7-0000300"]
    assert not {r.known for r in population(SEED + 1, 300)} & {r.known for r in held()}


def test_everybody_has_a_record_and_numbers_of_his_own() -> None:
    assert len(everybody()) == len(truth()) == len(by_person()) == 6_000
    for number in ("state_id", "fbi_number"):
        assert len({getattr(person, number) for person in everybody()}) == 6_000
    theirs = defaultdict(set)
    for record in held():
        for kind in ("agency_person", "state_id", "fbi_number"):
            if value := getattr(record.known, kind):
                theirs[kind, value].add(record.person)
    assert all(len(persons) == 1 for key, persons in theirs.items() if not key[1].endswith("X"))


def test_no_number_of_an_agency_tells_who_he_is() -> None:
    for record in held():
        assert record.person.split("-")[1] not in f"{record.known.agency_person} {record.known.report}"


def test_many_are_known_under_several_numbers() -> None:
    counts = Counter(len({offender_id(record.known) for record in held}) for held in by_person().values())
    assert counts[1] > 3_000
    assert counts[2] > 600
    assert counts[3] > 100
    agencies = Counter(record.known.agency for record in held())
    assert agencies["ZZ0010000"] > agencies["ZZ0020000"] > agencies["ZZ0050000"] > 100
    assert any(len({r.known.agency for r in held}) < len(held) for held in by_person().values()), "twice in one agency"


def _pairs() -> list[tuple[Person, Person]]:
    return list(pairwise(everybody()))


def test_twins_fathers_and_brothers() -> None:
    twins = [(a, b) for a, b in _pairs() if (a.surnames, a.birth_date) == (b.surnames, b.birth_date)]
    assert len(twins) > 50
    assert all(a.given != b.given for a, b in twins)
    assert sum(a.given[0] == b.given[0] for a, b in twins) > 10
    fathers = [(a, b) for a, b in _pairs() if (a.given, a.middle, a.surnames) == (b.given, b.middle, b.surnames)]
    assert len(fathers) > 100
    assert {b.suffix for _, b in fathers} == {"Jr", "III"}
    assert all(b.birth_date.year - a.birth_date.year >= 18 for a, b in fathers)
    assert sum(a.surnames == b.surnames for a, b in _pairs()) > 300


def test_two_of_one_name_and_birth_date_do_happen() -> None:
    known = Counter((p.given, p.surnames, p.birth_date) for p in people(3, 60_000))
    assert sum(count - 1 for count in known.values()) >= 3


def test_what_is_written_down_goes_wrong_in_every_way() -> None:
    made = Counter[str]()
    for record in held():
        him, known = truth()[record.person], record.known
        name = known.name or ""
        made["no name"] += not name
        made["no birth date"] += known.birth_date is None
        made["no sex"] += known.sex is None
        made["swapped"] += known.birth_date == swapped(him.birth_date) != him.birth_date
        made["another day"] += known.birth_date not in (None, him.birth_date, swapped(him.birth_date))
        made["suffix lost"] += bool(him.suffix and name and him.suffix.lower() not in name.lower())
        made["capitals"] += bool(name) and name == name.upper()
        made["surname first"] += "," in name
        made["accent"] += without_accents(name) != name
        made["accent lost"] += without_accents(him.given) != him.given and without_accents(name) == name
        if len(him.surnames) == 2 and name:
            written = [one for one in him.surnames if without_accents(one).lower() in without_accents(name).lower()]
            made["one of two surnames"] += len(written) == 1
            made["two surnames"] += len(written) == 2
        made["given name changed"] += (
            bool(name) and without_accents(him.given).lower() not in without_accents(name).lower()
        )
    assert min(made.values()) >= 20, made


@pytest.mark.parametrize("letters", ["a", "ab", "Smith", "O'Brien-Hart", "Nguyễn"])
def test_a_typo_keeps_the_first_letter(letters: str) -> None:
    assert all(mistyped(letters, random.Random(n)).startswith(letters[0]) for n in range(200))


def test_without_mistakes_every_record_has_it_all() -> None:
    for record in population(SEED, 300, mistakes=PERFECT):
        him, known = truth()[record.person], record.known
        assert known.birth_date == him.birth_date
        assert known.sex == him.sex
        assert without_accents(him.given).lower() in without_accents(known.name or "").lower()
        assert known.state_id in (None, him.state_id)


def test_memory_is_flat() -> None:
    stream = population(SEED, 10**8)
    list(islice(stream, 100))
    tracemalloc.start()
    for _ in islice(stream, 5_000):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_no_text_of_a_person_or_record_holds_a_name() -> None:
    him = everybody()[0]
    for text in (repr(him), str(him), repr(by_person()[him.person][0])):
        assert him.given not in text
        assert him.surnames[0] not in text
