"""Counts of women over one quarter, as tables from which no woman can be told. Pure; definitions: `docs/measures.md`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from schemas.classification import Tier
from schemas.outreach import TaskCancelReason
from services.victim_outreach.rules.suppression import Sum, withheld

SETTLES = timedelta(days=30)
"""After its end a quarter is counted, with what was recorded until then, once and for all."""
ALL = "all"
NO_TIER = "none"
TIERS = (*(str(tier) for tier in Tier), NO_TIER)
STOPS = (
    TaskCancelReason.HER_WORD,
    TaskCancelReason.NO_CONTACT,
    TaskCancelReason.ATTEMPTS_EXHAUSTED,
    TaskCancelReason.BY_PERSON,
)
"""Rules that end what is done for her, the weightiest first."""
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "first_contact": ("within_24_hours", "within_72_hours", "later", "not_reached"),
    "safety_plan": ("made", "not_made"),
    "overdue": ("some_task", "no_task"),
    "stopped": (*STOPS, "not_stopped"),
}
BY_TIER = ("first_contact", "safety_plan", "overdue")
"""`stopped` is given for all lists together."""

Key = tuple[str, str, str]
"""Table, tier, column; totals of women belong to no one table."""


@dataclass(frozen=True, slots=True)
class Quarter:
    """A calendar quarter, UTC, written `2025-Q3`."""

    year: int
    number: int

    @classmethod
    def of(cls, moment: datetime) -> Self:
        moment = moment.astimezone(UTC)
        return cls(moment.year, (moment.month + 2) // 3)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `ValueError`."""
        year, _, number = text.partition("-Q")
        if not (len(year) == 4 and year.isdecimal() and number in ("1", "2", "3", "4")):
            raise ValueError("a quarter is written like 2025-Q3")
        return cls(int(year), int(number))

    @property
    def start(self) -> datetime:
        return datetime(self.year, 3 * self.number - 2, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        return self.next.start

    @property
    def settled_at(self) -> datetime:
        return self.end + SETTLES

    @property
    def next(self) -> Self:
        made = (self.year, self.number + 1) if self.number < 4 else (self.year + 1, 1)
        return type(self)(*made)

    def __str__(self) -> str:
        return f"{self.year:04}-Q{self.number}"


@dataclass(frozen=True, slots=True)
class Story:
    """What was done for one woman by the time her quarter had settled. Never leaves: only counts of these do."""

    tier: Tier | None
    opened_at: datetime
    contacted_at: datetime | None
    planned: bool
    overdue: bool
    stopped: TaskCancelReason | None

    @property
    def cells(self) -> Mapping[str, str]:
        """Her column in each table."""
        return {
            "first_contact": self._first_contact,
            "safety_plan": "made" if self.planned else "not_made",
            "overdue": "some_task" if self.overdue else "no_task",
            "stopped": self.stopped or "not_stopped",
        }

    @property
    def _first_contact(self) -> str:
        if self.contacted_at is None:
            return "not_reached"
        after = self.contacted_at - self.opened_at
        if after <= timedelta(hours=24):
            return "within_24_hours"
        return "within_72_hours" if after <= timedelta(hours=72) else "later"


@dataclass(frozen=True, slots=True)
class Line:
    """One list. A cell without a number is withheld."""

    tier: str
    women: int | None
    cells: dict[str, int | None]


@dataclass(frozen=True, slots=True)
class OutreachTable:
    """One table."""

    name: str
    lines: list[Line]


def tables(stories: Iterable[Story]) -> list[OutreachTable]:
    """All tables of one quarter, withheld together: what one hides no other gives away."""
    values = _values(stories)
    hidden = withheld(values, SUMS, wanted={_women(ALL)})
    shown = {key: None if key in hidden else value for key, value in values.items()}
    return [
        OutreachTable(
            name,
            [
                Line(tier, shown[_women(tier)], {column: shown[name, tier, column] for column in columns})
                for tier in ((*TIERS, ALL) if name in BY_TIER else (ALL,))
            ],
        )
        for name, columns in COLUMNS.items()
    ]


def _values(stories: Iterable[Story]) -> dict[Key, int]:
    counts: Counter[Key] = Counter()
    for story in stories:
        for tier in (story.tier or NO_TIER, ALL):
            counts[_women(tier)] += 1
            for name, column in story.cells.items():
                counts[name, tier, column] += 1
    return {key: counts[key] for key in _keys()}


def _women(tier: str) -> Key:
    return ("women", tier, ALL)


def _keys() -> dict[Key, None]:
    return dict.fromkeys(key for total, parts in SUMS for key in (total, *parts))


def _sums() -> list[Sum[Key]]:
    """Every sum that holds among the cells."""
    found: list[Sum[Key]] = [(_women(ALL), tuple(_women(tier) for tier in TIERS))]
    for name, columns in COLUMNS.items():
        tiers = TIERS if name in BY_TIER else ()
        found += [(_women(tier), tuple((name, tier, column) for column in columns)) for tier in (*tiers, ALL)]
        if tiers:
            found += [((name, ALL, column), tuple((name, tier, column) for tier in tiers)) for column in columns]
    return found


SUMS = _sums()
