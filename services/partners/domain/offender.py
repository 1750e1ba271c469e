"""What is kept of one offender for one partner."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Pair:
    """One incident of his, as far as it bears on what the partner may know."""

    pair_id: str
    incident: str | None
    """The partner's pseudonym of the incident; the incident itself is not kept."""
    agency: str | None
    charged: bool
    shown: str | None = None
    """Digest of what the partner was last told of it; null: nothing."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One event that was sent about a pair."""

    event_id: str
    """As the partner knows it."""
    place: int
    """In the order of sending, from 1."""
    pair_id: str
    """Empty: about none, but it names some."""
    mentions: tuple[str, ...] = ()
    """Other pairs whose incidents it names among its evidence."""
    is_list: bool = False
    """It says the list that he came on by the pair: the next list sets it right, so only an expunction takes it back."""


@dataclass(frozen=True, slots=True)
class Note:
    """What was taken back, and whether the partner has said that it is gone. Nothing tells any more what it was."""

    note_id: str
    kind: str
    at: datetime
    events: int
    """How many events it names."""
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Early:
    """A notification that came before the decision it stands on: it waits, as it is not known yet whether it may be sent."""

    event: Mapping[str, Any]
    """Structured CloudEvents JSON."""
    pair_id: str


@dataclass(frozen=True, slots=True)
class Offender:
    """One offender."""

    offender_id: str
    conflict: bool = False
    """A sworn officer or the like, by the last decision."""
    decided: str | None = None
    """The list he is on by the last decision that the partner may know of, or `none`; null: no such decision has come."""
    pairs: Mapping[str, Pair] = field(default_factory=dict)
    sent: Mapping[str, Sent] = field(default_factory=dict)
    """By event id, in the order of sending."""
    notes: Mapping[str, Note] = field(default_factory=dict)
    tier: Mapping[str, Any] | None = None
    """The last current tier that came, as JSON, with the `pair_id` by which he came on it; null: none."""
    tier_sent: Mapping[str, Any] | None = None
    """As the partner was last told it."""
    told: str | None = None
    """The list in the last copy of a decision that was sent, as it is shown; null: none, or no copy."""
    early: tuple[Early, ...] = ()
    owed: tuple[str, ...] = ()
    """Pairs to be withdrawn once the subscription is renewed."""
    behind: bool = False
    """The partner is to be told something once the subscription is renewed."""
    erased: Mapping[str, datetime | None] = field(default_factory=dict)
    """Keyed hashes of pairs that were erased: what comes of them on another topic is neither said nor kept. With the record
    time of a purge, which a later revision may undo; null: expunged, for good."""

    def with_sent(
        self, event_id: str, pair_id: str | None, mentions: tuple[str, ...] = (), *, is_list: bool = False
    ) -> Offender:
        """One more event was sent. About no pair and naming none: there is nothing in it to take back."""
        if pair_id is None and not mentions:
            return self
        place = max((one.place for one in self.sent.values()), default=0) + 1
        return replace(self, sent={**self.sent, event_id: Sent(event_id, place, pair_id or "", mentions, is_list)})

    def with_pair(self, pair: Pair) -> Offender:
        return replace(self, pairs={**self.pairs, pair.pair_id: pair})

    def pair_of(self, incident: str) -> Pair | None:
        """The pair of an incident, by the partner's pseudonym of it."""
        return next((pair for pair in self.pairs.values() if pair.incident == incident), None)

    def is_erased(self, sealed: str, at: datetime) -> bool:
        """Whether what was recorded `at` is of a pair from before it was erased."""
        until = self.erased.get(sealed, datetime.min.replace(tzinfo=UTC))
        return until is None or at <= until

    def sent_about(self, pairs: Collection[str]) -> list[Sent]:
        return [one for one in self.sent.values() if one.pair_id in pairs]

    def sent_naming(self, pair_id: str) -> list[Sent]:
        """Events about other pairs that name this one's incident."""
        return [one for one in self.sent.values() if one.pair_id != pair_id and pair_id in one.mentions]

    def without(self, pairs: Collection[str]) -> Offender:
        """Nothing tells any more that these pairs were there."""
        sent = {
            key: replace(one, mentions=tuple(each for each in one.mentions if each not in pairs))
            for key, one in self.sent.items()
            if one.pair_id not in pairs
        }
        return replace(
            self,
            pairs={key: pair for key, pair in self.pairs.items() if key not in pairs},
            sent=sent,
            early=tuple(one for one in self.early if one.pair_id not in pairs),
            owed=tuple(each for each in self.owed if each not in pairs),
            tier=_unless_of(self.tier, pairs),
            tier_sent=_unless_of(self.tier_sent, pairs),
        )


def _unless_of(tier: Mapping[str, Any] | None, pairs: Collection[str]) -> Mapping[str, Any] | None:
    return None if tier is not None and tier.get("pair_id") in pairs else tier
