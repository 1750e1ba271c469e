"""Histories shared out: each person's lines together, in batches, to as many processes as are to be had."""

from __future__ import annotations

import gc
import multiprocessing
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from operator import itemgetter

import orjson

from services.classifier.domain.records import MOVE_NOBODY
from services.intake.lines import Source

BATCH = 2_000
"""Lines in one piece of work, about."""

Lines = list[bytes]
"""All that concerns one person, or several who are merged or told apart, in the order of the files."""

_MOVE_NOBODY = {each.TYPE for each in MOVE_NOBODY}


@contextmanager
def uncollected() -> Iterator[None]:
    """Histories are millions of small objects and no cycles; looking for some would take a tenth of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def workers(jobs: int, prepare: Callable[[], None]) -> Iterator[Executor]:
    """Each process calls `prepare` before its first piece of work. With one job the work is done in this one."""
    if jobs == 1:
        prepare()
        with ThreadPoolExecutor(1) as here:
            yield here
        return
    # Forked, where that is safe, before anything here has a thread: the imports are the half of a short run.
    way = "fork" if sys.platform == "linux" else "spawn"
    with ProcessPoolExecutor(jobs, multiprocessing.get_context(way), prepare) as pool:
        pool.submit(_nothing).result()
        yield pool


def _nothing() -> None:
    """The first piece of work: once it is done, all forked processes are there."""


def by_person(sources: Sequence[Source]) -> list[Lines]:
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


def batches(histories: Iterable[Lines]) -> Iterator[list[Lines]]:
    batch: list[Lines] = []
    size = 0
    for lines in histories:
        batch.append(lines)
        size += len(lines)
        if size >= BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
