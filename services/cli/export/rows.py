"""One person as rows of four tables, with nothing by which a reader could look him up. Pure.

Days are counted from his own first incident in the export, so that every interval stays and no date is told.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from schemas.classification import Change, Tier
from schemas.policy import Policy
from services.classifier.domain import Decided, Finding
from services.classifier.domain.finding import is_intimate, may_be_against
from services.cli.research import Person

Cell = str | int | bool | None
Rows = Mapping[str, list[tuple[Cell, ...]]]

OFFENSES: Mapping[str, frozenset[str]] = {
    "homicide": frozenset({"09A", "09B"}),
    "sexual": frozenset({"11A", "11B", "11C", "11D", "36A", "36B"}),
    "kidnapping": frozenset({"100"}),
    "aggravated_assault": frozenset({"13A"}),
    "simple_assault": frozenset({"13B"}),
    "intimidation": frozenset({"13C"}),
    "property": frozenset({"120", "200", "210", "220", "240", "290"}),
}
"""The gravest first; whatever is in none is `other`."""
OTHER = "other"
UNKNOWN = "unknown"

PERSONS = {
    "person": "VARCHAR", "agency": "VARCHAR", "year": "INTEGER", "gravest_tier": "VARCHAR",
    "age_10": "VARCHAR", "age_2": "VARCHAR",
}  # fmt: skip
INCIDENTS = {
    "person": "VARCHAR", "number": "INTEGER", "day": "INTEGER", "tier": "VARCHAR", "offense": "VARCHAR",
    "charged": "BOOLEAN", "arrested": "BOOLEAN", "prohibited_behavior": "BOOLEAN",
}  # fmt: skip
DECISIONS = {"person": "VARCHAR", "day": "INTEGER", "tier": "VARCHAR", "change": "VARCHAR"}
NOTICES = {
    "person": "VARCHAR", "day": "INTEGER", "tier": "VARCHAR", "element": "VARCHAR", "days_after_incident": "INTEGER",
}  # fmt: skip
TABLES: Mapping[str, Mapping[str, str]] = {
    "persons": PERSONS,
    "incidents": INCIDENTS,
    "decisions": DECISIONS,
    "notices": NOTICES,
}
"""Columns and their types, as they are staged."""


@dataclass(frozen=True, slots=True)
class Terms:
    """`pseudonym` of an offender id; `tiers` that may be told of."""

    policy: Policy
    tiers: Collection[Tier]
    pseudonym: Callable[[str], str]


def keyed(key: bytes) -> Callable[[str], str]:
    """Without the key nobody can tell who it is, nor whether two exports tell of one man by his name in them."""
    return lambda offender_id: hmac.new(key, offender_id.encode(), hashlib.sha256).hexdigest()[:32]


def rows(one: Person, terms: Terms) -> Rows | None:
    """None where nothing of him may be told.

    Not told of: incidents off the ladder (under age, or mutual), those that left him on a list not among `tiers`, and
    whatever was decided or given on their account.
    """
    told = [each for each in one.incidents if each.on_ladder and one.tiers.get(each.incident_id) in terms.tiers]
    if not told:
        return None
    name = terms.pseudonym(one.offender_id)
    days = {each.incident_id: _day(each.report.occurred_at, each.report.agency, terms) for each in told}
    first = days[told[0].incident_id]
    tiers = [tier for each in told if (tier := one.tiers[each.incident_id]) is not None]
    ten, two = _bands(_age(told[0], first))
    agency = {each.incident_id: each.report.agency for each in told}
    return {
        "persons": [
            (name, told[0].report.agency, first.year, max(tiers, key=lambda tier: tier.gravity).value, ten, two)
        ],
        "incidents": [
            (
                name,
                number,
                (days[each.incident_id] - first).days,
                one.tiers[each.incident_id],
                _offense(each, terms.policy),
                each.charges > 0,
                each.report.arrest is not None,
                each.violation,
            )
            for number, each in enumerate(told, start=1)
        ],
        "decisions": [
            (name, (_day(each.decided_at, agency[incident_id], terms) - first).days, each.tier, change)
            for incident_id, each, change in _changes(one.decisions, agency, terms)
        ],
        "notices": [
            (
                name,
                (_day(each.served_at, agency[each.incident_id], terms) - first).days,
                each.tier,
                each.element,
                (_day(each.served_at, agency[each.incident_id], terms) - days[each.incident_id]).days,
            )
            for each in one.notices
            if each.incident_id in agency and each.tier in terms.tiers
        ],
    }


def _changes(
    decisions: Iterable[Decided], told: Collection[str], terms: Terms
) -> Iterator[tuple[str, Decided, Change]]:
    """By incident. A change is told against what was told before: `escalated` would say that he had been on D."""
    before: Tier | None = None
    for each in decisions:
        if (
            each.tier is None
            or each.tier not in terms.tiers
            or each.incident_id is None
            or each.incident_id not in told
        ):
            continue
        if before is None:
            change = Change.ENTERED
        elif before is each.tier:
            change = Change.KEPT
        else:
            change = Change.ESCALATED if each.tier.gravity > before.gravity else Change.LOWERED
        before = each.tier
        yield each.incident_id, each, change


def _day(moment: datetime, agency: str, terms: Terms) -> date:
    return moment.astimezone(terms.policy.zone(agency)).date()


def _age(one: Finding, day: date) -> int | None:
    born = one.report.offender.birth_date
    if born is None:
        return one.report.offender.age
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _bands(age: int | None) -> tuple[str, str]:
    if age is None:
        return UNKNOWN, UNKNOWN
    if age < 25:
        return "under 25", "under 35"
    if age >= 65:
        return "65 and over", "35 and over"
    low = 25 + 10 * ((age - 25) // 10)
    return f"{low}-{low + 9}", "under 35" if age < 35 else "35 and over"


def _offense(one: Finding, policy: Policy) -> str:
    """The gravest of those charged, else of those reported, that may be against a partner."""
    partners = [victim for victim in one.report.victims if is_intimate(victim, policy)]
    hers = [each for each in one.report.offenses if any(may_be_against(victim, each) for victim in partners)]
    codes = {each.code for each in hers if each.charged} or {each.code for each in hers}
    return next((name for name, known in OFFENSES.items() if codes & known), OTHER)
