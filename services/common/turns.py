"""Long work on the event loop, in slices.

All lanes of a replica share one loop. A publish awaits some ten answers of the broker, and each waits for whatever runs: were
that five other lanes' whole batches, a Kafka transaction could outlast its time on a busy machine and the lane be fenced.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

T = TypeVar("T")

SLICE_S = 0.005
"""How long one task works before the others have their turn."""


async def in_turns(items: Iterable[T]) -> AsyncIterator[T]:
    """Each of `items`; between two of them, once `SLICE_S` has passed, the other tasks go first."""
    since = time.monotonic()
    for item in items:
        yield item
        if time.monotonic() - since > SLICE_S:
            await asyncio.sleep(0)
            since = time.monotonic()
