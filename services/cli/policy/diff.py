"""`ipvi policy diff`: whom another policy would move, before it counts."""

from __future__ import annotations

import gc
import multiprocessing
import os
import secrets
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from operator import itemgetter
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from schemas.classification import ReviewCode, Tier
from schemas.envelope import Data, Event
from schemas.incident import NotificationRecorded, OffenderMerged, OffenderSplit
from schemas.notification import NotificationServed
from schemas.policy import Policy
from schemas.rejects import InvalidRecord
from services.classifier.domain import Offender, assess
from services.classifier.policies import usable
from services.classifier.rules import rulebook
from services.classifier.seal import sealer
from services.classifier.usecases import Terms
from services.classifier.usecases.histories import fold
from services.cli.replay import Replay
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


def diff_command(
    a: Annotated[str, typer.Argument(metavar="A", help="The policy as it is: id or file.", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="The policy as it would be.", show_default=False)],
    files: Annotated[list[Path], typer.Argument(help="CloudEvents lines, plain or gzip.", show_default=False)],
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = min(os.cpu_count() or 1, 8),
    moved: Annotated[Path | None, typer.Option(help="Write who would move: offender, from, to; tab-separated.")] = None,
) -> None:
    """Decide every history of FILES under A and under B, and say whom the change would move: from which list to which, how many
    notices would be new, how many cancelled, how many charges are in no row.

    Nothing is kept and nobody is told. Lines that `ipvi replay` would refuse are counted and passed over.

    Exit codes: 0 done, 2 a file or a policy cannot be used.

    Examples:

        ipvi policy diff high-point-seed high-point-practice incidents.jsonl

        ipvi policy diff policies/now.yaml policies/next.yaml history.jsonl.gz --moved moved.tsv
    """
    before, after = usable(a), usable(b)
    found = difference(before, after, [Source(path) for path in files], jobs=jobs, console=Console(stderr=True))
    for line in report(before, after, found):
        typer.echo(line)
    if moved is not None:
        rows = (f"{him}\t{_name(was)}\t{_name(now)}\n" for him, was, now in sorted(found.moved))
        moved.write_text("".join(rows))


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
    # Spawned, not forked: the rules engine and the progress bar have threads, and a fork would copy their locks.
    context = multiprocessing.get_context("spawn")
    with bar, ProcessPoolExecutor(jobs, context, _policies, policies) as pool:
        work = bar.add_task("histories", total=None)
        for _ in range(jobs):
            pool.submit(_compared, [])  # they start while the files are read
        groups = _groups(sources)
        bar.update(work, total=len(groups))
        running: dict[Future[Difference], int] = {
            pool.submit(_compared, batch): len(batch) for batch in _batches(groups)
        }
        for done in as_completed(running):
            found.add(done.result())
            bar.advance(work, running[done])
    return found


# in the process that reads ------------------------------------------------------------------------------------------


def _groups(sources: Sequence[Source]) -> list[Lines]:
    """The lines of each person, in the order of the files; of those whom a merge or a split ties together, in one."""
    by_subject: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    ties: dict[str, str] = {}
    for number, line in enumerate(line for source in sources for line in source.lines()):
        subject, others = _people(line.raw)
        by_subject[subject].append((number, line.raw))
        for other in others:
            ties[_root(ties, other)] = _root(ties, subject)
    tied: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
    for subject, numbered in by_subject.items():
        tied[_root(ties, subject)] += numbered
    return [[raw for _, raw in sorted(numbered, key=itemgetter(0))] for numbered in tied.values()]


def _people(raw: bytes) -> tuple[str, list[str]]:
    """Whom the line is about, and whose histories it ties to his. What cannot be read is nobody's."""
    try:
        event = orjson.loads(raw)
        subject, data = str(event["subject"]), event["data"]
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


_pair: _Pair | None = None


def _policies(before: bytes, after: bytes) -> None:
    """Once a process."""
    global _pair
    seal = sealer(secrets.token_bytes(32))
    made = [Policy.model_validate_json(each) for each in (before, after)]
    _pair = _Pair(*(Terms(policy, rulebook(policy), seal) for policy in made))
    gc.freeze()


def _compared(batch: list[Lines]) -> Difference:
    assert _pair is not None
    found = Difference()
    for lines in batch:
        events = list(_events(lines, found))
        if any(isinstance(event.data, OffenderMerged | OffenderSplit) for event in events):
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
    same = pair.before.policy.stale_after == pair.after.policy.stale_after
    again = him if same else _folded(events, Difference(), pair.after)
    yield _assessed(him, pair.before), _assessed(again, pair.after)


def _folded(events: list[Event[Data]], found: Difference, terms: Terms) -> Offender:
    him = Offender(events[0].subject)
    for event in events:
        try:
            him = fold(him, event, terms)
        except InvalidRecord:
            found.refused += 1
    return him


def _assessed(him: Offender, terms: Terms) -> Offender:
    assessment = assess(him.offender_id, him.history, terms.policy, terms.fire)
    return replace(him, assessment=assessment, tier=assessment.standing.tier)


def _together(events: list[Event[Data]], found: Difference, pair: _Pair) -> Iterator[tuple[Offender, Offender]]:
    """Merged and told apart as the classifier does it."""
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
    served = _served(now)
    if old is not None:
        (found.corrected if old in served else found.cancelled)[old] += 1
    if new is not None and new not in served:
        found.new[new] += 1
        found.listed += all(each.listed for each in now.assessment.findings.values() if each.on_ladder)


def _notice(him: Offender, policy: Policy) -> Tier | None:
    """The notice his list calls for."""
    return him.tier if him.tier is not None and policy.tiers[him.tier].offender is not None else None


def _served(him: Offender) -> set[Tier]:
    """A notice is given once a list, but by a person's act."""
    notices = (one.data for one in him.history.records.values())
    return {Tier(one.tier) for one in notices if isinstance(one, NotificationRecorded | NotificationServed)}


def _gaps(him: Offender) -> int:
    return sum(code is ReviewCode.NO_RULE for _, code in him.assessment.standing.reviews)


# in words ------------------------------------------------------------------------------------------------------------


def report(before: Policy, after: Policy, found: Difference) -> Iterator[str]:
    """Counts, the table of moves, the notices."""
    yield f"from {_edition(before)}"
    yield f"to   {_edition(after)}"
    yield f"{found.people:,} people, {found.incidents:,} incidents; {found.refused:,} lines passed over"
    yield ""
    columns: list[Tier | None] = [*Tier, None]
    yield "from \\ to" + "".join(f"{_name(tier):>11}" for tier in columns)
    for row in columns:
        yield f"{_name(row):9}" + "".join(f"{found.moves[row, column]:11,}" for column in columns)
    yield ""
    up = sum(count for (was, now), count in found.moves.items() if _gravity(now) > _gravity(was))
    down = sum(count for (was, now), count in found.moves.items() if _gravity(now) < _gravity(was))
    yield f"moved: {up + down:,} ({up:,} higher, {down:,} lower)"
    yield f"new notices: {_by_tier(found.new)}; for {found.listed:,} of them a person opens the incident first"
    yield f"cancelled notices: {_by_tier(found.cancelled)}"
    yield f"served, and a person decides what to tell him: {_by_tier(found.corrected)}"
    yield f"reviews no_rule: {found.gaps[0]:,}, then {found.gaps[1]:,}"


def _edition(policy: Policy) -> str:
    return f"{policy.id}, version {policy.version}, digest {policy.digest}"


def _name(tier: Tier | None) -> str:
    return tier or "none"


def _gravity(tier: Tier | None) -> int:
    return tier.gravity if tier else 0


def _by_tier(counts: Counter[Tier]) -> str:
    said = ", ".join(f"{tier} {counts[tier]:,}" for tier in Tier if counts[tier])
    return f"{counts.total():,}" + (f" ({said})" if said else "")
