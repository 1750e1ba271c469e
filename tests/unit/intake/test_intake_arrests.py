"""Who was arrested: NIBRS does not link arrestee and offender."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.nibrs.arrests import match
from services.intake.nibrs.incident import Age, Arrestee, Look, Offender

LOOKS = {
    "he": Look(Age(30, 30), "M", "W"),
    "she": Look(Age(28, 28), "F", "W"),
    "young": Look(Age(18, 25), "M", "B"),
    "boy": Look(Age(19, 19), "M", "B"),
    "unknown": Look(None, "M", "W"),
}


def offenders(*names: str) -> list[Offender]:
    return [Offender(number, LOOKS[name]) for number, name in enumerate(names, start=1)]


def arrestees(*names: str) -> list[Arrestee]:
    return [
        Arrestee(number, f"A{number}", date(2025, 1, 10), "O", "13B", LOOKS[name])
        for number, name in enumerate(names, start=1)
    ]


@pytest.mark.parametrize(
    ("there", "arrested", "matched", "open_for"),
    [
        (("he",), (), {}, ()),
        (("he",), ("she",), {1: 1}, ()),
        (("he", "she"), ("she",), {2: 1}, ()),
        (("he", "she"), ("she", "he"), {1: 2, 2: 1}, ()),
        (("young", "he"), ("boy",), {1: 1}, ()),
        (("he", "he"), ("he",), {}, (1, 2)),
        (("he", "he"), ("he", "he"), {1: 1, 2: 2}, ()),
        (("he", "he", "she"), ("she", "he"), {3: 1}, (1, 2)),
        (("he", "unknown"), ("boy",), {}, (1, 2)),
        (("he", "unknown"), ("he", "boy"), {1: 1}, (2,)),
        (("he", "she"), ("he", "he"), {1: 1}, (2,)),
        (("he", "she"), ("he", "she", "boy"), {1: 1, 2: 2}, (1, 2)),
    ],
)
def test_match(
    there: tuple[str, ...], arrested: tuple[str, ...], matched: dict[int, int], open_for: tuple[int, ...]
) -> None:
    found = match(offenders(*there), arrestees(*arrested))
    assert {number: arrestee.number for number, arrestee in found.arrests.items()} == matched
    assert found.unmatched == frozenset(open_for)


def test_the_only_offender_arrested_twice_has_the_earliest_arrest() -> None:
    first, second = arrestees("he", "he")
    later = Arrestee(1, "A9", date(2025, 2, 1), "T", "13A", LOOKS["he"])
    assert match(offenders("he"), [later, second, first]).arrests == {1: first}


@given(
    st.lists(st.sampled_from(sorted(LOOKS)), min_size=1, max_size=6),
    st.lists(st.sampled_from(sorted(LOOKS)), max_size=6),
)
def test_every_arrest_is_told_or_asked_about(there: list[str], arrested: list[str]) -> None:
    """No arrest is given to two, and one that nobody got leaves somebody to be asked about."""
    found = match(offenders(*there), arrestees(*arrested))
    given_out = [arrestee.number for arrestee in found.arrests.values()]
    assert len(given_out) == len(set(given_out))
    if len(there) > 1:
        assert bool(found.unmatched) == (len(given_out) < len(arrested))
