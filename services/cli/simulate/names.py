"""Names, drawn by rank as in `names.yaml` (Zipf): few are borne by many and most by few.

So two people of one name and birth date really happen.
"""

from __future__ import annotations

import random
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import yaml

_TAIL_SHARE: Final = 0.35
"""Of English surnames, made of two halves each."""


@cache
def listed(kind: str) -> tuple[str, ...]:
    """The names of one list, commonest first."""
    return tuple(_file()[kind].split())


@cache
def nicknames() -> dict[str, tuple[str, ...]]:
    """By given name what people of it are called."""
    return {given: tuple(called.split()) for given, called in _file()["nicknames"].items()}


@cache
def _file() -> dict[str, Any]:
    lists: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("names.yaml").read_text(encoding="utf-8"))
    return lists


@cache
def _weights(count: int) -> list[float]:
    """Cumulative, by rank: the n-th commonest is drawn as 1 / (n + 12), about the slope of common names."""
    return list(accumulate(1 / (rank + 12) for rank in range(count)))


def given_names(sex: str, is_spanish: bool) -> tuple[str, ...]:
    """Commonest first."""
    return listed(("spanish_" if is_spanish else "") + ("men" if sex == "M" else "women"))


def given_name(sex: str, is_spanish: bool, chance: random.Random) -> str:
    """A first or middle name."""
    return _drawn(given_names(sex, is_spanish), chance)


def surname(is_spanish: bool, chance: random.Random) -> str:
    """One surname."""
    if is_spanish:
        return _drawn(listed("spanish_surnames"), chance)
    if chance.random() < _TAIL_SHARE:
        return chance.choice(listed("surname_starts")) + chance.choice(listed("surname_ends"))
    return _drawn(listed("surnames"), chance)


def _drawn(names: tuple[str, ...], chance: random.Random) -> str:
    return chance.choices(names, cum_weights=_weights(len(names)))[0]
