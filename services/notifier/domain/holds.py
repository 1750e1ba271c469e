"""When a notice may go to him, and why not.

A notice is held unless everything that must be known is known and allows it: no gate record, a gate of an earlier
opening of the pair, a silent gate keeper or no pair at all is a shut gate.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.commands import Role
from schemas.notification import HoldReason
from services.notifier.domain.notice import FREE, UNSERVED, Notice
from services.notifier.domain.offender import Offender

HEARTBEAT_MAX_AGE = timedelta(minutes=3)
"""A gate keeper silent for longer has every gate of the lane shut (`DESIGN.md` 6)."""

TWO_PEOPLE = frozenset({HoldReason.UNANNOUNCED, HoldReason.ALSO_VICTIM})
"""Lifted by a coordinator and an outreach supervisor, who are two."""

Demand = tuple[HoldReason, str]
"""A hold and the pair that raises it ("" for the lane): lifted for one pair, it stands for the next."""


@dataclass(frozen=True, slots=True)
class LaneView:
    """What a notice must know of its lane: the time, when the gate keeper was last heard, releases still allowed."""

    now: datetime
    heartbeat: datetime | None
    releases_left: int
    spoken: bool = False
    """The record at hand is the gate keeper's own word."""

    @property
    def kept(self) -> bool:
        """Whether somebody keeps the lane's gates."""
        return self.heartbeat is not None and self.now - self.heartbeat <= HEARTBEAT_MAX_AGE

    def confirmed(self, offender: Offender, notice: Notice) -> bool:
        """Whether the gate keeper has spoken since the notice was last asked for, by whatever ended a hold as well.

        His words come in order: whatever shut a gate before he spoke is known here by then. Without this a safety hold
        still on its way would lose to a person's act that reaches this service by a shorter one.
        """
        gates = (pair.gate.at for pair in offender.open_pairs if pair.gate is not None)
        spoken = max((at for at in (self.heartbeat, *gates) if at is not None), default=None)
        return spoken is not None and spoken >= notice.wanted_at


def demands(offender: Offender, notice: Notice) -> frozenset[Demand]:
    """The holds that a person may lift, lifted or not.

    `unannounced` and `bulk` are of the incident the notice stands on: it says nothing of any other. `mutual`
    and `also_victim` are of any open pair: no word to him before a person has looked at it. So is `conflict`: the agency
    that is to tell him must be none that has reported him.
    """
    own = offender.pairs.get(notice.pair_id)
    found: set[Demand] = set()
    for pair in offender.open_pairs:
        raised = {
            HoldReason.MUTUAL: pair.mutual,
            HoldReason.ALSO_VICTIM: pair.also_victim,
            HoldReason.CONFLICT: offender.conflict,
        }
        found |= {(reason, pair.pair_id) for reason, is_so in raised.items() if is_so}
    found |= {(HoldReason.MERGE_PENDING, other) for other in offender.merges}
    if own is None or own.unannounced:
        found.add((HoldReason.UNANNOUNCED, notice.pair_id))
    if own is not None and own.bulk:
        found.add((HoldReason.BULK, notice.pair_id))
    if notice.tripped:
        found.add((HoldReason.BREAKER, ""))
    return frozenset(found)


def lifted(notice: Notice, demand: Demand) -> bool:
    """`unannounced` and `also_victim` take two people, a coordinator and an outreach supervisor; the rest a coordinator."""
    given = [lift for lift in notice.lifts if (lift.hold, lift.pair_id) == demand]
    coordinators = {lift.by for lift in given if lift.role is Role.COORDINATOR}
    if demand[0] not in TWO_PEOPLE:
        return bool(coordinators)
    supervisors = {lift.by for lift in given if lift.role is Role.OUTREACH_SUPERVISOR}
    return any(one != other for one in coordinators for other in supervisors)


def reasons_to_hold(offender: Offender, notice: Notice, lane: LaneView) -> tuple[HoldReason, ...]:
    """Every reason why this notice must wait now, in the order of `HoldReason`; none: it may go."""
    held = {reason for reason, pair_id in demands(offender, notice) if not lifted(notice, (reason, pair_id))}
    if notice.unsigned:
        held.add(HoldReason.UNSIGNED_TEMPLATE)
    if not (lane.kept and offender.clear and lane.confirmed(offender, notice)):
        held.add(HoldReason.GATE)
    if offender.challenged:
        held.add(HoldReason.CHALLENGED)
    return tuple(reason for reason in HoldReason if reason in held)


def waits_for_clock(offender: Offender) -> bool:
    """Whether time alone can change a notice: the gate keeper's silence takes it back, his return lets it go."""
    return offender.clear and any(
        notice.state in FREE or HoldReason.GATE in notice.reasons or notice.unsigned for notice in offender.of(UNSERVED)
    )
