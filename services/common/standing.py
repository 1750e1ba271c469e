"""Where a lane stands on each of its topics: in SQL, in Kafka, and by what SQL knows of Kafka. Pure.

Every map is by topic and holds offsets: that of the first record which is still to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from aiokafka import ConsumerRecord

from services.common.positions import Place


@dataclass(slots=True)
class Standing:
    """From one claim to the next. Maps are replaced, never changed, so that whoever was given one has what it was then."""

    next: Mapping[str, int]
    """What SQL has not worked yet."""
    published: Mapping[str, int]
    """Up to where Kafka has all that follows, and the group's offsets say so."""
    marked: Mapping[str, int]
    """`published`, as SQL has it."""
    quiet: Mapping[str, int] = field(default_factory=dict)
    """A restored database works again what it has forgotten: up to there it says nothing, since Kafka has it all."""
    ends_at_claim: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def claimed(
        cls, places: Mapping[str, Place], committed: Mapping[str, int | None], ends: Mapping[str, int]
    ) -> Standing:
        """As it will be once recovery has published what SQL has and Kafka has not."""
        nexts = {topic: place.next for topic, place in places.items()}
        quiet = {topic: at for topic, at in committed.items() if at is not None and at > nexts[topic]}
        return cls(
            next=nexts,
            published={**nexts, **quiet},
            marked={topic: place.published for topic, place in places.items()},
            quiet=quiet,
            ends_at_claim=ends,
        )

    @property
    def caught_up(self) -> bool:
        """Whether all that was there at the claim has been worked."""
        return all(self.next[topic] >= end for topic, end in self.ends_at_claim.items())

    @property
    def is_settled(self) -> bool:
        """Whether SQL, Kafka and what SQL knows of Kafka are one."""
        return self.published == self.next == self.marked

    def after(self, records: Iterable[ConsumerRecord]) -> dict[str, int]:
        """Where the lane will stand once `records` are worked."""
        return {**self.next, **{record.topic: record.offset + 1 for record in records}}

    def advance(self, ends: Mapping[str, int], published: Mapping[str, int]) -> None:
        """SQL stands at `ends` and, of the topics that moved, knows of `published`."""
        moved = {topic for topic, end in ends.items() if end != self.next[topic]}
        self.marked = {**self.marked, **{topic: published[topic] for topic in moved}}
        self.next = dict(ends)
        self.quiet = {topic: at for topic, at in self.quiet.items() if at > ends[topic]}
