"""How right automatic links are, how many they find, and how much is left to people: `python -m tests.bench.linkage SEED...`

Made-up people of `ipvi simulate` (twins, Sr and Jr, brothers, namesakes, two Spanish surnames, nicknames, exchanged day and
month), through intake's own database, with a model trained on the same records as a county's is. On top of what the population
has wrong: numbers of the state and the FBI written down for somebody else, relatives arrested together under one number, wrong
arrest numbers. Bars and rules were set on seeds 1 to 9; seeds from 100 on are held out.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations, pairwise
from pathlib import Path

from sqlalchemy import select

from services.cli.simulate.records import Record, population
from services.intake.identity import Identifiers, Sighting, offender_id
from services.intake.store import identities, linkage, tables
from services.intake.store.linkage import OPEN
from services.intake.usecases.linking import link_numbers, score_new, train_model
from tests.harness.identity import NOW, TERMS
from tests.harness.intake import Bench, bench

HELD_OUT = range(100, 1_000)


@dataclass(frozen=True, slots=True)
class Errors:
    """What is made wrong beside what the population has wrong, as shares."""

    anothers_number: float = 0.004
    """Of records: the state's or FBI's number is somebody else's; every third time a relative's."""
    together: float = 0.3
    """Of relatives: arrested together, under one number."""
    anothers_arrest: float = 0.005
    """Of records: an arrest number that is somebody else's."""
    same_arrest: float = 0.5
    """Of pairs of one man's records: one arrest that both tell of, as a jail and a police report do. Not an error."""


@dataclass
class Report:
    """Counts over one or more seeds. A link is a merge of two ids; right if both stand for one person."""

    records: int = 0
    by_number: int = 0
    by_arrest: int = 0
    wrong: int = 0
    pairs: int = 0
    """Of records of one person under different ids: what is to be found."""
    found: int = 0
    """Of those: one person after the automatic links."""
    reachable: int = 0
    """Of those: one person once people have answered every question."""
    false_pairs: int = 0
    """Pairs of records of two people that automatic links have made one."""
    questions: int = 0
    questions_same: int = 0
    """Of those: truly one person."""
    wrong_links: list[str] = field(default_factory=list)

    @property
    def links(self) -> int:
        return self.by_number + self.by_arrest

    def plus(self, other: Report) -> Report:
        return Report(*(getattr(self, name) + getattr(other, name) for name in Report.__dataclass_fields__))

    def __str__(self) -> str:
        return (
            f"records {self.records:,}; automatic links {self.links:,} (number {self.by_number:,}, arrest {self.by_arrest:,}), "
            f"wrong {self.wrong}, precision at least {lower_bound(self.links - self.wrong, self.links):.4f}; "
            f"pairs to find {self.pairs:,}: found {self.found / max(1, self.pairs):.1%}, after the questions "
            f"{self.reachable / max(1, self.pairs):.1%}; false pairs {self.false_pairs}; questions {self.questions:,} "
            f"({1000 * self.questions / max(1, self.records):.0f} per 1,000 records), truly one "
            f"{self.questions_same / max(1, self.questions):.1%}"
        )


def lower_bound(right: int, of: int, confidence: float = 0.95) -> float:
    """Of a share, Clopper and Pearson's, one-sided at (1 - confidence) / 2: the p for which `right` or more of `of` has that
    probability. Found by bisection on the binomial tail.
    """
    from math import exp, lgamma, log

    if right == 0:
        return 0.0
    tail = (1 - confidence) / 2

    def or_more(p: float) -> float:
        total = 0.0
        for k in range(right, of + 1):
            chosen = lgamma(of + 1) - lgamma(k + 1) - lgamma(of - k + 1)
            total += exp(chosen + k * log(p) + ((of - k) * log(1 - p) if k < of else 0.0))
        return total

    low, high = 1e-12, 1 - 1e-12
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if or_more(middle) < tail else (low, middle)
    return low


def told(seed: int, size: int, errors: Errors) -> list[tuple[str, Sighting]]:
    """(who it is in truth, what an agency has), in the order of a county's days."""
    chance = random.Random(f"{seed}|evidence")
    by_person: dict[str, list[Identifiers]] = defaultdict(list)
    for record in population(seed, size):
        by_person[record.person].append(record.known)
    people = list(by_person)
    arrests: dict[int, str] = {}
    records: list[Record] = [Record(person, known) for person in people for known in by_person[person]]
    place = {id(record.known): number for number, record in enumerate(records)}
    for person in people:
        for one, other in combinations(by_person[person], 2):
            if chance.random() < errors.same_arrest:
                number = arrests.get(place[id(one)]) or f"{one.agency}:A{seed}-{person}-{place[id(one)]}"
                arrests[place[id(one)]] = arrests.setdefault(place[id(other)], number)
    for one_of, next_of in pairwise(people):
        if _related(by_person[one_of][0], by_person[next_of][0]) and chance.random() < errors.together:
            number = f"together-{seed}-{one_of}"
            arrests[place[id(by_person[one_of][0])]] = arrests[place[id(by_person[next_of][0])]] = number
    for at in range(len(records)):
        if chance.random() < errors.anothers_arrest and arrests:
            arrests[at] = chance.choice(list(arrests.values()))
        if chance.random() < errors.anothers_number:
            records[at] = replace(records[at], known=_mistaken(records, at, chance))
    made = [
        (record.person, Sighting(offender_id(record.known), record.known, f"I{at}", arrests.get(at)))
        for at, record in enumerate(records)
    ]
    chance.shuffle(made)
    return made


def _related(one: Identifiers, other: Identifiers) -> bool:
    from services.intake.linkage.names import taken_apart

    return bool(set(taken_apart(one.name).surnames) & set(taken_apart(other.name).surnames))


def _mistaken(records: list[Record], number: int, chance: random.Random) -> Identifiers:
    near = [records[at].known for at in range(max(0, number - 4), min(len(records), number + 5))]
    related = [one for one in near if _related(one, records[number].known)]
    source = chance.choice(related if related and chance.random() < 1 / 3 else [chance.choice(records).known])
    known = records[number].known
    if source.fbi_number and (not source.state_id or chance.random() < 0.5):
        return replace(known, fbi_number=source.fbi_number)
    return replace(known, state_id=source.state_id or known.state_id)


async def trial(folder: Path, seed: int, size: int, errors: Errors) -> Report:
    """One seed, through the database; train, link, ask, and judge by the truth."""
    truth: dict[str, str] = {}
    made = told(seed, size, errors)
    async with bench(folder) as intake:
        for start in range(0, len(made), 1_000):
            async with intake.database.write() as conn:
                await identities.keep_sightings(
                    conn, [seen for _, seen in made[start : start + 1_000]], NOW, TERMS.seal
                )
        while await link_numbers(intake.database, TERMS, NOW):
            pass
        await train_model(intake.database, NOW, "bench")
        await score_new(intake.database, TERMS)
        async with intake.database.read() as conn:
            for row in await conn.execute(select(tables.identities.c.record_id, tables.identity_marks.c.incident_id).join(
                tables.identity_marks, tables.identity_marks.c.record_id == tables.identities.c.record_id
            )):  # fmt: skip
                truth[row.record_id] = row.incident_id
        people = {seen.incident_id: person for person, seen in made}
        return await _judged(intake, {record: people[incident] for record, incident in truth.items()})


class Union:
    """Who is with whom."""

    def __init__(self, members: Iterable[str]) -> None:
        self._with = {member: member for member in members}

    def of(self, member: str) -> str:
        while (above := self._with.setdefault(member, member)) != member:
            member = above
        return member

    def unite(self, one: str, other: str) -> None:
        self._with[self.of(other)] = self.of(one)


async def _judged(intake: Bench, truth: dict[str, str]) -> Report:
    report = Report(records=len(truth))
    async with intake.database.read() as conn:
        rows = [known async for _, known in identities.everyone(conn)]
        links = (await conn.execute(select(tables.identity_links).order_by(tables.identity_links.c.seq))).all()
        questions = (await conn.execute(select(tables.candidates).where(tables.candidates.c.state == OPEN))).all()
        assert (await linkage.standing(conn)).to_score == 0
    offender = {known.record_id: known.offender_id for known in rows}
    behind: dict[str, set[str]] = defaultdict(set)
    for record, person in truth.items():
        behind[offender[record]].add(person)
    groups = Union(behind)
    for link in links:
        one, other = groups.of(link.offender_id), groups.of(link.other_id)
        report.by_arrest += link.how == "scored"
        report.by_number += link.how == "number"
        if not behind[one] & behind[other]:
            report.wrong += 1
            report.wrong_links.append(link.how)
        groups.unite(one, other)
        behind[groups.of(one)] = behind[one] | behind[other]
    asked = Union(behind)
    for question in questions:
        is_one = truth[question.one] == truth[question.other]
        report.questions += 1
        report.questions_same += is_one
        if is_one:
            asked.unite(groups.of(offender[question.one]), groups.of(offender[question.other]))
    _pairs(report, rows, truth, groups, asked)
    return report


def _pairs(report: Report, rows: Iterable[object], truth: dict[str, str], groups: Union, asked: Union) -> None:
    of_person: dict[str, list[str]] = defaultdict(list)
    of_group: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for known in rows:
        record, who = known.record_id, known.offender_id  # type: ignore[attr-defined]
        of_person[truth[record]].append(who)
        of_group[groups.of(who)].append((truth[record], who))
    for ids in of_person.values():
        for one, other in combinations(ids, 2):
            if one != other:
                report.pairs += 1
                report.found += groups.of(one) == groups.of(other)
                report.reachable += asked.of(groups.of(one)) == asked.of(groups.of(other))
    for members in of_group.values():
        report.false_pairs += sum(a[0] != b[0] and a[1] != b[1] for a, b in combinations(members, 2))


def run(seeds: Iterable[int], size: int, errors: Errors | None = None) -> Iterator[Report]:
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            yield asyncio.run(trial(Path(folder), seed, size, errors or Errors()))


def main(seeds: list[int], size: int = 5_000) -> None:
    total = Report()
    for seed, report in zip(seeds, run(seeds, size), strict=True):
        print(f"seed {seed}: {report} {report.wrong_links}", flush=True)
        total = total.plus(report)
    print(f"all: {total}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MiB, CPU {time.process_time():.0f} s")


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or [100, 101, 102, 103])
