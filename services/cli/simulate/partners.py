"""Whom he hurts: one partner after another, as the police come to know them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b

from services.cli.simulate import names, rates
from services.cli.simulate.people import Person


@dataclass(slots=True)
class Partner:
    """What she is to him, and what is known of her. `key` is hers alone."""

    key: str
    sex: str
    relationship: str
    name: str
    birth_date: date
    contact: str
    has_his_child: bool
    speaks_spanish: bool

    def number_at(self, agency: str) -> str:
        """The agency's own number of her."""
        return blake2b(f"{self.key}|{agency}".encode(), digest_size=7).hexdigest()

    def parts(self) -> None:
        """They part; whoever is no longer his partner stays what she was."""
        self.relationship = rates.ENDS.get(self.relationship, self.relationship)


def partner(of: Person, place: int, chance: random.Random) -> Partner:
    """His `place`-th."""
    sex = ("F" if of.sex == "M" else "M") if chance.random() < 0.97 else of.sex
    is_spanish = of.is_spanish if chance.random() < 0.8 else not of.is_spanish
    given, last = names.given_name(sex, is_spanish, chance), names.surname(is_spanish, chance)
    kinds = rates.RELATIONSHIPS
    return Partner(
        key=f"{of.person}|{place}",
        sex=sex,
        relationship=chance.choices(list(kinds), list(kinds.values()))[0],
        name=f"{given} {last}",
        birth_date=of.birth_date + timedelta(days=chance.randint(-8 * 365, 8 * 365)),
        contact=f"336-555-{chance.randrange(10_000):04}",
        has_his_child=chance.random() < rates.CHILD_IN_COMMON,
        speaks_spanish=is_spanish and chance.random() < 0.4,
    )
