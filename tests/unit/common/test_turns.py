"""Long work on the event loop leaves the others their turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from services.common.turns import SLICE_S, in_turns


def slow(times: int, each_s: float) -> Iterator[int]:
    for number in range(times):
        until = time.perf_counter() + each_s
        while time.perf_counter() < until:
            pass
        yield number


async def test_another_task_runs_after_every_slice() -> None:
    at: list[int] = []
    done: list[int] = []

    async def other() -> None:
        while True:
            at.append(len(done))
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    async for number in in_turns(slow(6, SLICE_S)):
        done.append(number)
    beside.cancel()
    assert done == list(range(6))
    assert at == [1, 2, 3, 4, 5, 6], "once after each of the slow"


async def test_short_work_is_not_interrupted() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        turns += 1

    beside = asyncio.create_task(other())
    assert [number async for number in in_turns(range(3))] == [0, 1, 2]
    assert turns == 0
    await beside


async def test_cancelled_in_between_it_ends() -> None:
    seen: list[int] = []

    async def work() -> None:
        async for number in in_turns(slow(1_000, SLICE_S)):
            seen.append(number)

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(seen) < 10
