"""A batch worked at once, as the loop works it in slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from services.common.positions import LaneRow
from services.common.records import Parsed
from services.common.work import Worker
from services.common.worked import Worked

S = TypeVar("S")


def work(
    worker: Worker[S],
    row: LaneRow,
    batch: Sequence[Parsed],
    states: Mapping[str, S] | None = None,
    seen: set[tuple[str, str]] | None = None,
    parked: Mapping[str, int] | None = None,
    due: Sequence[str] = (),
    queue: Sequence[tuple[int, Parsed]] = (),
) -> Worked[S]:
    """What `Worker.steps` adds up to."""
    worked: Worked[S] = Worked(row)
    for _ in worker.steps(worked, batch, states or {}, seen or set(), parked or {}, due, queue):
        pass
    return worked
