"""Every history decided under two policies, and what differs; in as many processes as are to be had."""

from __future__ import annotations

import gc
import multiprocessing
import secrets
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from operator import itemgetter

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.classification import ReviewCode, Tier
from schemas.envelope import Data, Event
from schemas.incident import IncidentExpunged, OffenderSplit
from schemas.policy import Policy
from schemas.rejects import InvalidRecord
from services.classifier.domain import Assessment, Offender, assess, history, walk
from services.classifier.domain.records import MOVE_NOBODY
from services.classifier.rules import rulebook
from services.classifier.terms import Terms
from services.classifier.usecases.histories import FOLDS, fold
from services.cli.replay import Replay
from services.common.seal import sealer
from services.intake.cloudevents import event_of
from services.intake.lines import Line, Source

BATCH = 2_000
"""Lines in one piece of work, about."""

Lines = list[bytes]
"""All that concerns one person, or several who are merged or told apart, in the order of the files."""


@dataclass(slots=True)
class Difference:
    """Counts over people. Notices are those their list calls for, as the notifier would give or take them back."""

    people: int = 0
    incidents: int = 0
    refused: int = 0
    moves: Counter[tuple[Tier | None, Tier | None]] = field(default_factory=Counter)
    new: Counter[Tier] = field(default_factory=Counter)
    listed: int = 0
    """Of the new ones: every incident of his is listed, so that a person opens it first."""
    cancelled: Counter[Tier] = field(default_factory=Counter)
    corrected: Counter[Tier] = field(default_factory=Counter)
    """Served already: a person decides what to tell him."""
    gaps: tuple[int, int] = (0, 0)
    """Reviews `no_rule`, before and after."""
    moved: list[tuple[str, Tier | None, Tier | None]] = field(default_factory=list)

    def add(self, other: Difference) -> None:
        self.people += other.people
        self.incidents += other.incidents
        self.refused += other.refused
        self.listed += other.listed
        for own, more in (
            (self.moves, other.moves),
            (self.new, other.new),
            (self.cancelled, other.cancelled),
            (self.corrected, other.corrected),
        ):
            own.update(more)  # type: ignore[arg-type]
        self.gaps = self.gaps[0] + other.gaps[0], self.gaps[1] + other.gaps[1]
        self.moved += other.moved


def difference(
    before: Policy, after: Policy, sources: Sequence[Source], *, jobs: int = 1, console: Console | None = None
) -> Difference:
    """Raises `InputError` for a file that cannot be read."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console or Console(file=sys.stderr, quiet=True),
    )
    found = Difference()
    policies = before.canonical(), after.canonical()
    with _uncollected(), _workers(jobs, policies) as pool, bar:
        work = bar.add_task("histories", total=None)
        groups = _groups(sources)
        bar.update(work, total=len(groups))
        running: dict[Future[Difference], int] = {
            pool.submit(_compared, batch): len(batch) for batch in _batches(groups)
        }
        for done in as_completed(running):
            found.add(done.result())
            bar.advance(work, running.pop(done))
    return found


@contextmanager
def _uncollected() -> Iterator[None]:
    """Histories are millions of small objects and no cycles; looking for some would take a tenth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def _workers(jobs: int, policies: tuple[bytes, bytes]) -> Iterator[Executor]:
    if jobs == 1:
        _policies(*policies)
        with ThreadPoolExecutor(1) as here:
            yield here
        return
    # Forked, where that is safe, before anything here has a thread: the imports are the half of a short run.
    way = "fork" if sys.platform == "linux" else "spawn"
    with ProcessPoolExecutor(jobs, multiprocessing.get_context(way), _policies, policies) as pool:
        pool.submit(_compared, []).result()
        yield pool


# in the process that reads ------------------------------------------------------------------------------------------


def _groups(sources: Sequence[Source]) -> list[Lines]:
    """The lines of each person, in the order of the files; of those whom a merge or a split ties together, in one."""
    by_subject: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    ties: dict[str, str] = {}
    for number, line in enumerate(line for source in sources for line in source.lines()):
        named = _people(line.raw)
        if named is None:
            continue
        subject, others = named
        by_subject[subject].append((number, line.raw))
        for other in others:
            ties[_root(ties, other)] = _root(ties, subject)
    tied: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    for subject, numbered in by_subject.items():
        tied[_root(ties, subject)] += numbered
    return [[raw for _, raw in sorted(numbered, key=itemgetter(0))] for numbered in tied.values()]


_MOVE_NOBODY = {each.TYPE for each in MOVE_NOBODY}


def _people(raw: bytes) -> tuple[str, list[str]] | None:
    """Whom the line is about, and whose histories it ties to his; None: it moves nobody. What cannot be read is nobody's."""
    try:
        event = orjson.loads(raw)
        subject, data = str(event["subject"]), event["data"]
        if event["type"] in _MOVE_NOBODY:
            return None
        if not str(event["type"]).startswith("ipvi.offender."):
            return subject, []
        return subject, [str(data[each]) for each in ("merged_offender_id", "new_offender_id") if each in data]
    except (ValueError, TypeError, KeyError):
        return "", []


def _root(ties: dict[str, str], person: str) -> str:
    while person in ties and ties[person] != person:
        person = ties[person]
    return person


def _batches(groups: Iterable[Lines]) -> Iterator[list[Lines]]:
    batch: list[Lines] = []
    size = 0
    for group in groups:
        batch.append(group)
        size += len(group)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


# in those that compare -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """The two policies, as one process has them."""

    before: Terms
    after: Terms
    read_alike: bool
    """Both take an incident for the same but for what follows a notice."""


_pair: _Pair | None = None


def _policies(before: bytes, after: bytes) -> None:
    global _pair
    seal = sealer(secrets.token_bytes(32))
    made = [Policy.model_validate_json(each) for each in (before, after)]
    first, second = (Terms(policy, rulebook(policy), seal) for policy in made)
    _pair = _Pair(first, second, _reading(first.policy) == _reading(second.policy))


def _reading(policy: Policy) -> tuple[object, ...]:
    """All that `find` goes by, but the notices."""
    told = policy.violations
    parts = policy.time_zone, policy.agency_time_zones, policy.adult_age, policy.codes, policy.charges
    return (*parts, told.behavior, told.charged_offenses, told.statutes)


def _compared(batch: list[Lines]) -> Difference:
    assert _pair is not None
    found = Difference()
    for lines in batch:
        events = list(_events(lines, found))
        if any(type(event.data) not in FOLDS and not isinstance(event.data, IncidentExpunged) for event in events):
            people = _together(events, found, _pair)
        else:
            people = _alone(events, found, _pair)
        for was, now in people:
            if was.history.strands:
                _compare(was, now, found, _pair)
    return found


def _events(lines: Lines, found: Difference) -> Iterator[Event[Data]]:
    """Each once."""
    seen: set[tuple[str, str]] = set()
    for raw in lines:
        try:
            event = event_of(Line(0, raw, len(raw)))
        except InvalidRecord:
            found.refused += 1
            continue
        if (event.source, event.id) not in seen:
            seen.add((event.source, event.id))
            yield event


def _alone(events: list[Event[Data]], found: Difference, pair: _Pair) -> Iterator[tuple[Offender, Offender]]:
    """Nobody's history but his own: what lanes say to each other, and all they would publish, is left out."""
    if not events:
        return
    him = _folded(events, found, pair.before)
    was = _assessed(him, pair.before)
    if pair.before.policy.stale_after != pair.after.policy.stale_after:
        him = _folded(events, Difference(), pair.after)
    elif pair.read_alike and him.history.noticed_at() is None:
        yield was, _walked(was, pair.after)
        return
    yield was, _assessed(him, pair.after)


def _folded(events: list[Event[Data]], found: Difference, terms: Terms) -> Offender:
    him = Offender(events[0].subject)
    for event in events:
        if isinstance(event.data, IncidentExpunged):
            left = history.expunged(him.history, {terms.seal(event.data.incident_id)}, terms.seal)
            him = replace(him, history=history.tidied(left, terms.seal))
            continue
        try:
            him = fold(him, event, terms)
        except InvalidRecord:
            found.refused += 1
    return him


def _assessed(him: Offender, terms: Terms) -> Offender:
    assessment = assess(him.offender_id, him.history, terms.policy, terms.fire)
    return Offender(him.offender_id, him.history, tier=assessment.standing.tier, assessment=assessment)


def _walked(him: Offender, terms: Terms) -> Offender:
    """The same findings under other rows."""
    findings = him.assessment.findings
    standing = walk(findings.values(), terms.policy, terms.fire)
    return Offender(him.offender_id, him.history, tier=standing.tier, assessment=Assessment(findings, standing))


def _together(events: list[Event[Data]], found: Difference, pair: _Pair) -> Iterator[tuple[Offender, Offender]]:
    """Merged, told apart, expunged: as the classifier does it, lane by lane."""
    before, after = Replay(pair.before.policy), Replay(pair.after.policy)
    people: dict[str, None] = {}
    for event in events:
        people |= dict.fromkeys([event.subject])
        if isinstance(event.data, OffenderSplit):
            people |= dict.fromkeys([event.data.new_offender_id])
        try:
            before.decide(event)
            after.decide(event)
        except InvalidRecord:
            found.refused += 1
    for person in dict.fromkeys(before.offender(each).offender_id for each in people):
        yield before.offender(person), after.offender(person)


def _compare(was: Offender, now: Offender, found: Difference, pair: _Pair) -> None:
    found.people += 1
    found.incidents += len(was.assessment.findings)
    found.moves[was.tier, now.tier] += 1
    found.gaps = found.gaps[0] + _gaps(was), found.gaps[1] + _gaps(now)
    if was.tier is not now.tier:
        found.moved.append((now.offender_id, was.tier, now.tier))
    old, new = _notice(was, pair.before.policy), _notice(now, pair.after.policy)
    if old is new:
        return
    served = now.history.tiers_served  # a notice is given once a list, but by a person's act
    if old is not None:
        (found.corrected if old in served else found.cancelled)[old] += 1
    if new is not None and new not in served:
        found.new[new] += 1
        found.listed += all(each.listed for each in now.assessment.findings.values() if each.on_ladder)


def _notice(him: Offender, policy: Policy) -> Tier | None:
    """The notice his list calls for."""
    return him.tier if him.tier is not None and policy.tiers[him.tier].offender is not None else None


def _gaps(him: Offender) -> int:
    return sum(code is ReviewCode.NO_RULE for _, code in him.assessment.standing.reviews)
