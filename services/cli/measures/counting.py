"""Counts over people, one after another, and the tables they come to."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from schemas.classification import Tier
from schemas.incident import Offense
from schemas.policy import Policy
from services.classifier.domain import Finding
from services.classifier.domain.finding import is_intimate, may_be_against
from services.cli.measures.follow_up import Sanction, SanctionKind, Spell, arrests, sanction, spell
from services.cli.measures.tables import Table
from services.cli.research import Element, Given, Person

ALL = "all"
GROUPS = (ALL, *(str(tier) for tier in Tier))
MONTHS = {6: timedelta(days=182), 12: timedelta(days=365)}
SOON = timedelta(days=90)
"""Within so many days a sanction still belongs to what it follows, to his mind and hers."""

HARMS: dict[str, Callable[[Offense], bool]] = {
    "homicide": lambda one: one.code in ("09A", "09B"),
    "aggravated_assault": lambda one: one.code == "13A",
    "strangulation": lambda one: "85" in one.force,
    # NIBRS adds an `A` to the code of an automatic weapon.
    "firearm_or_knife": lambda one: any(each[:2] in ("11", "12", "13", "14", "15", "20") for each in one.force),
}
"""Of one offence that may be against a partner."""


@dataclass(frozen=True, slots=True)
class Period:
    """What is counted: notices served, and incidents that happened, from `since` until before `before`; both may be open.

    Nothing after `as_of`, the end of observation, is known.
    """

    as_of: datetime
    since: datetime | None = None
    before: datetime | None = None

    def __contains__(self, moment: datetime) -> bool:
        return (
            moment <= self.as_of
            and (self.since is None or moment >= self.since)
            and (self.before is None or moment < self.before)
        )


@dataclass(slots=True)
class Tally:
    """Takes people one by one; keeps numbers, and of nobody a row."""

    period: Period
    policy: Policy
    spells: defaultdict[str, list[Spell]] = field(default_factory=lambda: defaultdict(list))
    """By the list the notice was for; `all`: from the first notice of any."""
    elements: defaultdict[tuple[str, Element], list[Spell]] = field(default_factory=lambda: defaultdict(list))
    waits: defaultdict[str, list[timedelta]] = field(default_factory=lambda: defaultdict(list))
    sanctions: list[tuple[datetime, Sanction | None]] = field(default_factory=list)
    """Of who came back: when, and what followed."""
    incidents: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    arrested: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """By month, ids, so that what two men share counts once."""
    harm: defaultdict[tuple[str, bool], set[str]] = field(default_factory=lambda: defaultdict(set))
    """Ids by what was done, and whether by a man given notice before."""

    def add(self, person: Person) -> None:
        until = self.period.as_of
        arrested = arrests(person, until)
        for one in arrested:
            if one.arrested_at in self.period:
                self.arrested[self._month(one.arrested_at, one.agency)].add(one.arrest_id)
        notices = [given for given in person.notices if given.served_at <= until]
        for group, given in _firsts(notices):
            if given.served_at not in self.period:
                continue
            his = spell(given, arrested, until)
            self.spells[group].append(his)
            if group != ALL:
                self.elements[group, given.element].append(his)
            elif his.arrest is not None:
                self.sanctions.append((his.end, sanction(person, his.arrest, until)))
        for given in notices:
            if given.served_at in self.period and given.recorded_at is not None:
                for group in (ALL, str(given.tier)):
                    self.waits[group].append(given.served_at - given.recorded_at)
        first = notices[0].served_at if notices else None
        for each in person.incidents:
            self._count(each, first)

    def _count(self, one: Finding, noticed_at: datetime | None) -> None:
        at = one.report.occurred_at
        if at not in self.period:
            return
        self.incidents[self._month(at, one.report.agency)].add(one.incident_id)
        partners = [victim for victim in one.report.victims if is_intimate(victim, self.policy)]
        hers = [each for each in one.report.offenses if any(may_be_against(victim, each) for victim in partners)]
        for name, is_so in HARMS.items():
            if any(map(is_so, hers)):
                self.harm[name, noticed_at is not None and at > noticed_at].add(one.incident_id)

    def _month(self, at: datetime, agency: str) -> str:
        return f"{at.astimezone(self.policy.zone(agency)):%Y-%m}"

    def tables(self) -> list[Table]:
        return [
            self._notified(),
            self._reoffence(),
            self._elements(),
            self._time_to_notice(),
            self._sanction(),
            self._sanction_kinds(),
            self._calls(),
            self._harm(),
        ]

    def _notified(self) -> Table:
        rows = [(group, str(len(self.spells[group]))) for group in GROUPS]
        return Table(
            "notified", "Notified, by list", ("tier", "persons"), rows,
            "Persons given a notice of that list; under `all` each once. Tried and not given does not count.",
        )  # fmt: skip

    def _reoffence(self) -> Table:
        rows = []
        for group in GROUPS:
            for months, time in MONTHS.items():
                spells = self.spells[group]
                estimate = again_by(spells, time)
                rows.append((group, str(len(spells)), str(months), *self._came_back(spells, time), _share(estimate)))
        return Table(
            "reoffence", "Arrested again after notice, by list",
            ("tier", "notified", "months", "followed", "reoffended", "share", "kaplan_meier"), rows,
            "An arrest for an offence against a partner, both after the notice (UNCG 2014). `followed`: persons for whom that"
            " much time had passed; `share` is of them. `kaplan_meier` also counts the others for as long as they were seen.",
        )  # fmt: skip

    def _elements(self) -> Table:
        rows = []
        for tier, element in sorted(self.elements):
            spells = self.elements[tier, element]
            for months, time in MONTHS.items():
                rows.append((tier, str(element), str(len(spells)), str(months), *self._came_back(spells, time)))
        return Table(
            "elements", "Arrested again after notice, by how it was given",
            ("tier", "element", "notified", "months", "followed", "reoffended", "share"), rows,
            "Not an experiment: who is given which is chosen by policy, custody and chance. Compare within a list.",
        )  # fmt: skip

    def _came_back(self, spells: Sequence[Spell], time: timedelta) -> tuple[str, str, str]:
        followed = [one for one in spells if one.followed(time, self.period.as_of)]
        again = sum(one.came_back(time) for one in followed)
        return str(len(followed)), str(again), _share(again / len(followed) if followed else None)

    def _time_to_notice(self) -> Table:
        rows = [(group, str(len(self.waits[group])), *_spread(self.waits[group], _HOUR)) for group in GROUPS]
        return Table(
            "time_to_notice", "From the incident recorded to the notice served",
            ("tier", "notices", "median_hours", "p90_hours"), rows,
            "Hours. A notice waits until she has been reached: shorter is not better by itself.",
        )  # fmt: skip

    def _sanction(self) -> Table:
        until = self.period.as_of
        times = [what.at - since for since, what in self.sanctions if what is not None]
        seen = [(since, what) for since, what in self.sanctions if since + SOON <= until]
        late = sum(what is None or what.at - since > SOON for since, what in seen)
        row = (
            str(len(self.sanctions)),
            str(len(times)),
            *_spread(times, _DAY),
            str(len(self.sanctions) - len(times)),
            str(len(seen)),
            str(late),
            _share(late / len(seen) if seen else None),
        )
        names = ("reoffended", "sanctioned", "median_days", "p90_days", "none_yet")
        return Table(
            "sanction", "From the new arrest to the first sanction",
            (*names, "followed_90_days", "none_in_90_days", "share_none"), [row],
            "Days from the first new arrest after the first notice to the first of: convicted of it, bound by a court's order"
            " (not one that she asked for), still in jail 48 hours after booking. `share_none`: of those followed for 90 days.",
        )  # fmt: skip

    def _sanction_kinds(self) -> Table:
        kinds = Counter(what.kind for _, what in self.sanctions if what is not None)
        rows = [(str(kind), str(kinds[kind])) for kind in SanctionKind]
        return Table("sanction_kinds", "What the first sanction was", ("kind", "persons"), rows)

    def _calls(self) -> Table:
        rows = []
        before: tuple[int, int] | None = None
        for month in _months([*self.incidents, *self.arrested], self._last_month()):
            now = len(self.incidents[month]), len(self.arrested[month])
            more = [str(new - old) for new, old in zip(now, before, strict=True)] if before else ["", ""]
            rows.append((month, str(now[0]), more[0], str(now[1]), more[1]))
            before = now
        return Table(
            "calls", "Incidents and arrests, month by month", ("month", "incidents", "change", "arrests", "change_arrests"),
            rows,
            "Incidents with a partner, by when they happened; arrests by when they were made. Calls that led to no report are"
            " not known here. The last months still fill up.",
        )  # fmt: skip

    def _last_month(self) -> str:
        before, as_of = self.period.before, self.period.as_of
        last = as_of if before is None else min(as_of, before - timedelta(microseconds=1))
        return f"{last.astimezone(self.policy.zone('')):%Y-%m}"

    def _harm(self) -> Table:
        by = {name: (self.harm[name, True], self.harm[name, False]) for name in HARMS}
        rows = [(name, str(len(notified)), str(len(others - notified))) for name, (notified, others) in by.items()]
        return Table(
            "harm", "Harm to partners", ("harm", "by_notified", "by_others"), rows,
            "Incidents, charged or not, by men given notice before the offence and by others. Injuries are not in what agencies"
            " send here (NIBRS has them, element 33), so they cannot be counted.",
        )  # fmt: skip


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


def again_by(spells: Sequence[Spell], time: timedelta) -> float | None:
    """The Kaplan-Meier estimate of the share arrested again within that time. None without anybody."""
    if not spells:
        return None
    again = [one.length / _DAY for one in spells if one.arrest is not None]
    unseen = [one.length / _DAY for one in spells if one.arrest is None]
    from scipy.stats import CensoredData, ecdf  # takes seconds to load: not for every command

    return float(1 - ecdf(CensoredData(uncensored=again, right=unseen)).sf.evaluate(time / _DAY))


def _firsts(notices: Sequence[Given]) -> Iterator[tuple[str, Given]]:
    """The first of each list, and the first of all."""
    seen: set[str] = set()
    for given in notices:
        for group in (ALL, str(given.tier)):
            if group not in seen:
                seen.add(group)
                yield group, given


def _spread(times: Sequence[timedelta], unit: timedelta) -> tuple[str, str]:
    """Median, and the 90th percentile by nearest rank."""
    if not times:
        return "", ""
    numbers = sorted(time / unit for time in times)
    return f"{median(numbers):.1f}", f"{numbers[math.ceil(0.9 * len(numbers)) - 1]:.1f}"


def _share(number: float | None) -> str:
    return "" if number is None else f"{number:.4f}"


def _months(known: Sequence[str], last: str) -> Iterator[str]:
    """Every month from the first known to the last."""
    if not known:
        return
    year, month = map(int, min(known).split("-"))
    while f"{year}-{month:02}" <= max(last, *known):
        yield f"{year}-{month:02}"
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
