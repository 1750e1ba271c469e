"""A name as somebody wrote it down, taken apart. Nothing of it reaches a log or an error."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

import yaml

_SUFFIXES: Final[Mapping[str, str]] = {
    "jr": "2",
    "ii": "2",
    "sr": "1",
    "iii": "3",
    "iv": "4",
    "junior": "2",
    "senior": "1",
}
_PARTICLES: Final = frozenset({"de", "del", "la", "las", "los", "y", "e", "van", "von", "da", "dos", "di"})
_WORD: Final = re.compile(r"[a-z]+")
_GIVEN: Final = re.compile(r"[a-z]+(?:-[a-z]+)*")


@dataclass(frozen=True, slots=True)
class Name:
    """Lower case, no accents. `surnames`: all that may be one; without a comma it cannot be told from a middle name."""

    given: str | None = field(default=None, repr=False)
    """`juan-carlos` is one name: his brother may be Juan."""
    middles: tuple[str, ...] = field(default=(), repr=False)
    """Names or initials; known only where a comma tells them from surnames."""
    surnames: tuple[str, ...] = field(default=(), repr=False)
    suffix: str | None = field(default=None, repr=False)
    """Generation, `1` for Sr, `2` for Jr and II."""

    @property
    def family(self) -> str | None:
        """The surnames in alphabetical order: turned round they are the same."""
        return " ".join(sorted(self.surnames)) or None

    @property
    def called(self) -> tuple[str, ...]:
        """The given names that this one may stand for; itself where it is no known nickname."""
        return formal(self.given) if self.given else ()


def taken_apart(name: str | None) -> Name:
    """`SURNAME SUFFIX, GIVEN MIDDLE`, `Surname, Given Middle Suffix`, `Given Middle Surname Suffix`; two surnames or one,
    with a hyphen or without. None and what has no letters: nothing is known.
    """
    if not name:
        return Name()
    before, comma, after = _plain(name).partition(",")
    suffixes = [_SUFFIXES[word] for word in _WORD.findall(f"{before} {after}") if word in _SUFFIXES]
    told = _words(after if comma else before, _GIVEN)
    given, others = (told[0], told[1:]) if told else (None, [])
    rest = _words(before) if comma else [part for word in others for part in word.split("-")]
    if not comma:
        rest = [word for word in rest if len(word) > 1] or rest
    middles = tuple(others) if comma else ()
    return Name(given, middles, tuple(dict.fromkeys(rest)), suffixes[-1] if suffixes else None)


def _plain(text: str) -> str:
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in split if not unicodedata.combining(letter)).replace("'", "")


def _words(text: str, form: re.Pattern[str] = _WORD) -> list[str]:
    return [word for word in form.findall(text) if word not in _SUFFIXES and word not in _PARTICLES]


def formal(given: str) -> tuple[str, ...]:
    """What a nickname may stand for, and the name itself: `pat` is Patrick, Patricia or Pat."""
    return (given, *_formal().get(given, ()))


@cache
def _formal() -> Mapping[str, tuple[str, ...]]:
    listed = yaml.safe_load(files(__package__).joinpath("nicknames.yaml").read_text("utf-8"))
    found: dict[str, list[str]] = {}
    for name, called in listed.items():
        for nickname in called.split():
            found.setdefault(nickname, []).append(name)
    return {nickname: tuple(names) for nickname, names in found.items()}
