"""Lines to reports: what belongs together, in which revision, whatever is broken in it.

The segments of an incident lie together, its administrative segment first (specification 4.5). A line that cannot be
made out (noise, a torn line) counts against the incident it lies in: that may lack just this segment. Between two
incidents it is a unit of its own, unless it begins like a segment of the incident before it.

Deletes and repeats can lie anywhere in a file, so a first pass notes, for each report that occurs more than once, in
which order. Memory holds those that repeat, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from services.intake.lines import Line
from services.intake.nibrs.layout import HEADER_LENGTH, PARTS
from services.intake.nibrs.segments import Head, Key, head_of, text_of
from services.intake.repeats import repeats

_INSERTS: Final = "IA"
P = TypeVar("P")
"""What a report is made of: lines of a flat file, elements of an XML one."""


@dataclass(slots=True)
class Run(Generic[P]):
    """Parts that lie together and belong together. Without a head: one that cannot be made out."""

    head: Head | None
    lines: list[P]


def _continues(run: Run[Line], head: Head) -> bool:
    if run.head is None or head.key != run.head.key or head.level in "01":
        return False
    return head.level != "7" or head.action == run.head.action


def _begins_like(run: Run[Line], torn: Line) -> bool:
    """Whether a line that breaks off in its header is a segment of this incident."""
    text = text_of(torn)
    if run.head is None or len(text) < 5 or len(text) >= HEADER_LENGTH or text[4] not in PARTS:
        return False
    first = text_of(run.lines[0])
    return first[6:].startswith(text[6:])


def runs(lines: Iterable[Line]) -> Iterator[Run[Line]]:
    """Blank lines are passed over."""
    run: Run[Line] | None = None
    strays: list[Line] = []
    for line in lines:
        if line.is_blank:
            continue
        head = head_of(line)
        if head is None:
            strays.append(line)
        elif run and _continues(run, head):
            run.lines += [*strays, line]
            strays = []
        else:
            kept = [] if head.level in "017" else strays  # parts without a head of their own: the stray was their head
            yield from _ended(run, strays if not kept else [])
            run, strays = Run(head, [*kept, line]), []
    yield from _ended(run, strays)


def _ended(run: Run[Line] | None, strays: list[Line]) -> Iterator[Run[Line]]:
    while run and strays and _begins_like(run, strays[0]):
        run.lines.append(strays.pop(0))
    if run:
        yield run
    yield from (Run(None, [stray]) for stray in strays)


@dataclass(slots=True)
class Report(Generic[P]):
    """All parts of a unit.

    `ordinal`: n-th report of this key in the file, from 1; `repeats`: there are more than one.
    """

    key: Key | None
    lines: list[P]
    ordinal: int = 1
    repeats: bool = False


Plan = dict[Key, str]
"""Of each key that occurs more than once the actions, in the order of the file."""


def plan_of(runs: Iterable[Run[P]]) -> Plan:
    """The first pass."""
    return repeats((run.head.key, run.head.action) for run in runs if run.head)


@dataclass(slots=True)
class _Progress(Generic[P]):
    """How far the second pass is with a key that repeats."""

    run: int = 0
    ordinal: int = 0
    held: list[P] = field(default_factory=list)


def reports(runs: Iterable[Run[P]], plan: Plan) -> Iterator[Report[P]]:
    """The second pass.

    A delete waits for the insert that follows it: both are one report; so are all arrests of one number.
    """
    state: dict[Key, _Progress[P]] = {}
    for run in runs:
        if run.head is None or run.head.key not in plan:
            yield Report(run.head.key if run.head else None, run.lines)
            continue
        key = run.head.key
        progress = state.setdefault(key, _Progress())
        progress.run += 1
        progress.held += run.lines
        if _waits(key, run.head.action, plan[key][progress.run : progress.run + 1]):
            continue
        progress.ordinal += 1
        yield Report(key, progress.held, progress.ordinal, repeats=True)
        progress.held = []


def _waits(key: Key, action: str, following: str) -> bool:
    if not following:
        return False
    if action == "D":
        return following in _INSERTS
    return key[0] == "arrest" and action == "A" == following
