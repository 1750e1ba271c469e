"""What Kafka says of a lane, and whether going on from there could lose or double an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import CoordinatorLoadInProgressError
from aiokafka.structs import OffsetAndMetadata

from services.common.errors import LaneRefusedError
from services.common.positions import Place
from services.common.producer import offset_metadata


class GroupOffsets:
    """Committed offsets with their metadata (which the consumer drops), and the bounds of the log."""

    def __init__(
        self,
        admin: AIOKafkaAdminClient,
        consumer: Callable[[], AIOKafkaConsumer],
        group: str,
        topics: Sequence[str],
        database_id: str,
    ) -> None:
        self._admin = admin
        self._consumer = consumer
        self._group = group
        self._topics = topics
        self._metadata = offset_metadata(database_id)

    def _partitions(self, lane: int) -> list[TopicPartition]:
        return [TopicPartition(topic, lane) for topic in self._topics]

    async def committed(self, lane: int) -> dict[str, int | None]:
        """Per topic; None where the group has none. Refuses offsets that another database committed."""
        found = await group_offsets(self._admin, self._group, self._partitions(lane))
        if any(place.metadata not in ("", self._metadata) for place in found.values()):
            raise LaneRefusedError("another_database", "the group's offsets were committed from another database")
        return {tp.topic: None if place.offset < 0 else place.offset for tp, place in found.items()}

    async def starts(self, lane: int) -> dict[str, int]:
        """Per topic the first offset still there."""
        found = await self._consumer().beginning_offsets(self._partitions(lane))
        return {tp.topic: offset for tp, offset in found.items()}

    async def ends(self, lane: int) -> dict[str, int]:
        """Per topic the offset after the last that can be read."""
        found = await self._consumer().end_offsets(self._partitions(lane))
        return {tp.topic: offset for tp, offset in found.items()}


async def group_offsets(
    admin: AIOKafkaAdminClient, group: str, partitions: Sequence[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    """One entry for each of `partitions`, offset -1 where the group has none. Raises `KafkaError` (transient).

    A coordinator that is still loading answers with nothing at all; taken as "no offset" that would lose or double events.
    (confluent-kafka's admin client reads past the end of the metadata, so it is not asked.)
    """
    found = await admin.list_consumer_group_offsets(group, partitions=list(partitions))
    if any(partition not in found for partition in partitions):
        raise CoordinatorLoadInProgressError
    return dict(found)


def check_offsets(
    places: Mapping[str, Place],
    committed: Mapping[str, int | None],
    starts: Mapping[str, int],
    ends: Mapping[str, int],
) -> None:
    """Strict offsets: no silent earliest or latest. Raises `LaneRefusedError`; each code has a row in the runbook.

    `ends` must have been read after the other two: the log and what stands in SQL grow as long as another owner works.
    """
    for topic, place in places.items():
        low, high, at = starts[topic], ends[topic], committed[topic]
        if place.next < low:
            raise LaneRefusedError(
                "below_log_start", f"{topic}: records between the position and the log's start are gone"
            )
        if place.next > high:
            raise LaneRefusedError(
                "past_log_end", f"{topic}: the log ends before the position; was the topic made anew?"
            )
        if at is None and place.published != place.next:
            raise LaneRefusedError(
                "offset_lost", f"{topic}: the group's offset is gone and what was published is not known"
            )
        if at is not None and at < place.published:
            raise LaneRefusedError(
                "offset_below_published", f"{topic}: the group's offset was set back below what was published"
            )
        if at is not None and at > high:
            raise LaneRefusedError("past_log_end", f"{topic}: the group's offset is past the log's end")
