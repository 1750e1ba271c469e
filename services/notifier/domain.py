"""What the notifier keeps of one offender, and when a notice may go to him. Pure; times are record times in UTC.

A notice is held unless everything that must be known is known and allows it: no gate record, a gate of an earlier
opening of the pair, a silent gate keeper or no pair at all is a shut gate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from schemas.classification import Tier
from schemas.commands import Role
from schemas.notification import (
    CancelReason,
    Channel,
    HoldReason,
    Notification,
    NotificationState,
    Proof,
)
from schemas.outreach import GateState
from schemas.person import OffenderDescribed
from services.common.versions import version_of

N = TypeVar("N", bound=Notification)

HEARTBEAT_MAX_AGE = timedelta(minutes=3)
"""A gate keeper silent for longer has every gate of the lane shut (`DESIGN.md` 6)."""

UNSERVED = frozenset(
    {NotificationState.PREPARED, NotificationState.HELD, NotificationState.RELEASED, NotificationState.FAILED}
)
"""Not given, and still to be given."""
GIVEN = frozenset({NotificationState.SERVED, NotificationState.CORRECTED})
FREE = frozenset({NotificationState.RELEASED, NotificationState.FAILED})
"""May be given now; a failed one may be tried again."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The last word of victim_outreach on one pair."""

    state: GateState
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """One incident of the offender: what the decisions say of it, and its gate. Either may come first."""

    pair_id: str
    opened: bool = False
    """The last decision that said so opened outreach, and none has withdrawn it since."""
    place: int = 0
    """Order of opening; 0: never opened."""
    on_ladder: bool = False
    unannounced: bool = False
    """Uncharged, and it is not known that police spoke with him about it."""
    mutual: bool = False
    bulk: bool = False
    conflict: bool = False
    statutes: tuple[str, ...] = ()
    withdrawn_at: datetime | None = None
    gate: Gate | None = None

    @property
    def clear(self) -> bool:
        """Whether the gate lets notices pass. What was said of an opening since withdrawn does not count."""
        gate = self.gate
        if gate is None or gate.state is not GateState.CLEAR:
            return False
        return self.withdrawn_at is None or gate.at > self.withdrawn_at


Demand = tuple[HoldReason, str]
"""A hold and the pair that raises it ("" for the offender or the lane): lifted for one pair, it stands for the next."""


@dataclass(frozen=True, slots=True)
class Lift:
    """One person's word that a hold is no longer needed."""

    hold: HoldReason
    pair_id: str
    by: str
    role: Role


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification, from prepared to its end."""

    notification_id: str
    pair_id: str
    tier: Tier
    channel: Channel
    language: str
    prepared_at: datetime
    state: NotificationState = NotificationState.PREPARED
    reasons: tuple[HoldReason, ...] = ()
    tripped: bool = False
    """Came when the lane's releases had run over the limit; waits for a person."""
    lifts: tuple[Lift, ...] = ()
    released_at: datetime | None = None
    taken_back_at: datetime | None = None
    """When the last release ended without the notice being given."""
    ended: CancelReason | None = None
    """Why it was cancelled or corrected."""
    served_at: datetime | None = None
    proof: Proof | None = None

    @property
    def template(self) -> str:
        """Id and version of the template the text is made from."""
        return f"{self.tier.lower()}-{self.channel}-{self.language}@1"

    @property
    def version(self) -> str:
        """What an act on it is measured against. Made of nothing that would tell its readers why it waits."""
        return version_of([replace(self, reasons=(), tripped=False, lifts=()), len(self.lifts)])

    @property
    def asks(self) -> bool:
        """Whether it waits for a person's word, beside or instead of the gate."""
        return any(reason is not HoldReason.GATE for reason in self.reasons)

    def was_free(self, moment: datetime) -> bool:
        """Whether it was released at `moment` and taken back later, before the word that it was given arrived."""
        start, end = self.released_at, self.taken_back_at
        return start is not None and end is not None and start <= moment <= end


@dataclass(frozen=True, slots=True)
class Offender:
    """All the notifier keeps of one offender."""

    offender_id: str
    tier: Tier | None = None
    described: OffenderDescribed | None = None
    pairs: Mapping[str, Pair] = field(default_factory=dict)
    notices: Mapping[str, Notice] = field(default_factory=dict)
    challenged: bool = False
    """He or his counsel disputes the listing, as the last decision says."""

    @property
    def in_custody(self) -> bool:
        custody = self.described.custody if self.described else None
        return custody is not None and custody.held

    @property
    def language(self) -> str:
        """His, as far as known; else English."""
        return (self.described.language if self.described else None) or "en"

    @property
    def conflict(self) -> bool:
        """He is a sworn officer or the like, by any source."""
        described = self.described is not None and self.described.conflict_of_interest
        return described or any(pair.conflict for pair in self.open_pairs)

    @property
    def open_pairs(self) -> tuple[Pair, ...]:
        """In order of opening."""
        return tuple(sorted((pair for pair in self.pairs.values() if pair.opened), key=lambda pair: pair.place))

    @property
    def clear(self) -> bool:
        """Whether every open pair's gate is; without any, none is."""
        pairs = self.open_pairs
        return bool(pairs) and all(pair.clear for pair in pairs)

    def of(self, states: Iterable[NotificationState]) -> Iterator[Notice]:
        """Notices in one of these states, in a fixed order."""
        wanted = frozenset(states)
        chosen = (notice for notice in self.notices.values() if notice.state in wanted)
        return iter(sorted(chosen, key=lambda notice: (notice.prepared_at, notice.notification_id)))

    def given_or_waiting(self, tier: Tier) -> bool:
        """One per tier per person that is not cancelled."""
        return any(
            notice.tier is tier and notice.state is not NotificationState.CANCELLED for notice in self.notices.values()
        )

    def was_given(self, tier: Tier) -> bool:
        """By this system, under this id: what a person has prepared anew stays, whatever was given before."""
        return any(notice.tier is tier and notice.state in GIVEN for notice in self.notices.values())

    def with_pair(self, pair: Pair) -> Offender:
        return replace(self, pairs={**self.pairs, pair.pair_id: pair})

    def with_notice(self, notice: Notice) -> Offender:
        return replace(self, notices={**self.notices, notice.notification_id: notice})

    def without_pair(self, pair_id: str) -> Offender:
        """An expunged pair leaves nothing but what was given to him, which a person must still set right."""
        pairs = {key: pair for key, pair in self.pairs.items() if key != pair_id}
        notices = {key: one for key, one in self.notices.items() if one.pair_id != pair_id or one.state in GIVEN}
        return replace(self, pairs=pairs, notices=notices)

    def event(self, model: type[N], notice: Notice, by: str = "system", **more: Any) -> N:
        """What is said when this notice changes."""
        return model(
            notification_id=notice.notification_id,
            pair_id=notice.pair_id,
            offender_id=self.offender_id,
            tier=notice.tier,
            channel=notice.channel,
            language=notice.language,
            template=notice.template,
            by=by,
            **more,
        )


@dataclass(frozen=True, slots=True)
class LaneView:
    """What a notice must know of its lane: the time, when the gate keeper was last heard, releases still allowed."""

    now: datetime
    heartbeat: datetime | None
    releases_left: int

    @property
    def kept(self) -> bool:
        """Whether somebody keeps the lane's gates."""
        return self.heartbeat is not None and self.now - self.heartbeat <= HEARTBEAT_MAX_AGE


def demands(offender: Offender, notice: Notice) -> frozenset[Demand]:
    """The holds that a person may lift, lifted or not.

    `unannounced` and `bulk` are of the incident the notice stands on: it says nothing of any other. `mutual` is of any
    open pair: no word to him before a person has named the predominant aggressor.
    """
    own = offender.pairs.get(notice.pair_id)
    found = {(HoldReason.MUTUAL, pair.pair_id) for pair in offender.open_pairs if pair.mutual}
    if own is None or own.unannounced:
        found.add((HoldReason.UNANNOUNCED, notice.pair_id))
    if own is not None and own.bulk:
        found.add((HoldReason.BULK, notice.pair_id))
    if offender.conflict:
        found.add((HoldReason.CONFLICT, ""))
    if notice.tripped:
        found.add((HoldReason.BREAKER, ""))
    return frozenset(found)


def lifted(notice: Notice, demand: Demand) -> bool:
    """`unannounced` takes two people, a coordinator and an outreach supervisor; the rest a coordinator."""
    given = [lift for lift in notice.lifts if (lift.hold, lift.pair_id) == demand]
    coordinators = {lift.by for lift in given if lift.role is Role.COORDINATOR}
    if demand[0] is not HoldReason.UNANNOUNCED:
        return bool(coordinators)
    supervisors = {lift.by for lift in given if lift.role is Role.OUTREACH_SUPERVISOR}
    return any(one != other for one in coordinators for other in supervisors)


def reasons_to_hold(offender: Offender, notice: Notice, lane: LaneView) -> tuple[HoldReason, ...]:
    """Every reason why this notice must wait now, in the order of `HoldReason`; none: it may go."""
    held = {reason for reason, pair_id in demands(offender, notice) if not lifted(notice, (reason, pair_id))}
    if not (lane.kept and offender.clear):
        held.add(HoldReason.GATE)
    if offender.challenged:
        held.add(HoldReason.CHALLENGED)
    return tuple(reason for reason in HoldReason if reason in held)


def waits_for_clock(offender: Offender) -> bool:
    """Whether time alone can change a notice: the gate keeper's silence takes it back, his return lets it go."""
    return offender.clear and any(
        notice.state in FREE or HoldReason.GATE in notice.reasons for notice in offender.of(UNSERVED)
    )
