"""What the loop of a lane is given: the consumer that feeds it, and what all lanes of a replica share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from services.common.database import Database
from services.common.offsets import GroupOffsets
from services.common.producer import LaneProducer
from services.common.service import Service

if TYPE_CHECKING:  # a ledger needs the tools
    from services.common.ledger import Batch

S = TypeVar("S")


class Source(Protocol):
    """What a lane needs of the consumer that feeds it."""

    async def fit(self, lane: int) -> None:
        """Raises `LaneRefusedError` if all inputs' partitions are not here, or the topics are not those they were."""
        ...

    def pause(self, lane: int, topic: str | None = None) -> None:
        """Stop fetching for the lane, of one topic or of all."""
        ...

    def resume(self, lane: int, topic: str | None = None) -> None:
        """Fetch again."""
        ...

    def seek(self, lane: int, nexts: Mapping[str, int]) -> None:
        """Next poll starts there; what was fetched before is dropped. No await inside."""
        ...

    async def positions(self, lane: int) -> dict[str, int]:
        """Where the next poll starts: past every record handed over and past transaction markers."""
        ...


@dataclass(frozen=True, slots=True)
class LaneTools(Generic[S]):
    """What every lane of a replica shares."""

    service: Service[S]
    database: Database
    source: Source
    offsets: GroupOffsets
    producer: Callable[[int], LaneProducer]
    process: Callable[[Batch[S]], Awaitable[object]]
    """Runs `Batch.handle` under the framework's middlewares."""
    partitions: int
    max_batch: int = 250
    cached_states: int = 500
    """Of offenders, in each lane, between batches."""
    pipeline: bool = True
    live: bool = True
