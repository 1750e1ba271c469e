"""An offender from his rows, and the rows of what has changed of him."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Row

from schemas.classification import Tier
from schemas.commands import Role
from schemas.envelope import read
from schemas.notification import CancelReason, Channel, HoldReason, NotificationState, Proof
from schemas.outreach import GateState
from schemas.person import OffenderDescribed
from services.notifier.domain import Gate, Lift, Notice, Offender, Pair, waits_for_clock

Step = tuple[Offender, Offender]
"""Before and after."""


def offender(
    head: Row[Any], pair_rows: Sequence[Row[Any]], notice_rows: Sequence[Row[Any]], lift_rows: Sequence[Row[Any]]
) -> Offender:
    given: dict[str, tuple[Lift, ...]] = defaultdict(tuple)
    for row in lift_rows:
        given[row.notification_id] += (lift(row),)
    notices = [replace(notice(row), lifts=given[row.notification_id]) for row in notice_rows]
    return Offender(
        offender_id=head.offender_id,
        tier=Tier(head.tier) if head.tier else None,
        challenged=head.challenged,
        described=read(OffenderDescribed, orjson.dumps(head.described)) if head.described else None,
        pairs={row.pair_id: _pair(row) for row in pair_rows},
        notices={one.notification_id: one for one in notices},
    )


def lift(row: Row[Any]) -> Lift:
    return Lift(HoldReason(row.hold), row.pair_id, row.by, Role(row.role))


def _pair(row: Row[Any]) -> Pair:
    return Pair(
        pair_id=row.pair_id,
        opened=row.opened,
        place=row.place,
        on_ladder=row.on_ladder,
        unannounced=row.unannounced,
        mutual=row.mutual,
        bulk=row.bulk,
        conflict=row.conflict,
        statutes=tuple(row.statutes),
        withdrawn_at=row.withdrawn_at,
        gate=Gate(GateState(row.gate), row.gate_version, row.gate_at) if row.gate else None,
    )


def notice(row: Row[Any]) -> Notice:
    """Without what was lifted, which is in another table."""
    return Notice(
        notification_id=row.notification_id,
        pair_id=row.pair_id,
        tier=Tier(row.tier),
        channel=Channel(row.channel),
        language=row.language,
        prepared_at=row.prepared_at,
        state=NotificationState(row.state),
        reasons=tuple(HoldReason(reason) for reason in row.reasons),
        tripped=row.tripped,
        released_at=row.released_at,
        taken_back_at=row.taken_back_at,
        ended=CancelReason(row.ended) if row.ended else None,
        served_at=row.served_at,
        proof=Proof(row.proof) if row.proof else None,
    )


def offender_row(one: Offender, lane: int) -> dict[str, Any]:
    return {
        "offender_id": one.offender_id,
        "lane": lane,
        "tier": one.tier,
        "challenged": one.challenged,
        "described": one.described.model_dump(mode="json") if one.described else None,
        "waits_for_clock": waits_for_clock(one),
    }


def pair_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for pair in after.pairs.values():
            if before.pairs.get(pair.pair_id) != pair:
                yield {
                    "offender_id": after.offender_id,
                    "pair_id": pair.pair_id,
                    "lane": lane,
                    "opened": pair.opened,
                    "place": pair.place,
                    "on_ladder": pair.on_ladder,
                    "unannounced": pair.unannounced,
                    "mutual": pair.mutual,
                    "bulk": pair.bulk,
                    "conflict": pair.conflict,
                    "statutes": list(pair.statutes),
                    "withdrawn_at": pair.withdrawn_at,
                    "gate": pair.gate.state if pair.gate else None,
                    "gate_version": pair.gate.version if pair.gate else None,
                    "gate_at": pair.gate.at if pair.gate else None,
                }


def notice_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for notice in after.notices.values():
            if before.notices.get(notice.notification_id) != notice:
                yield {
                    "notification_id": notice.notification_id,
                    "offender_id": after.offender_id,
                    "lane": lane,
                    "pair_id": notice.pair_id,
                    "tier": notice.tier,
                    "channel": notice.channel,
                    "language": notice.language,
                    "prepared_at": notice.prepared_at,
                    "state": notice.state,
                    "reasons": list(notice.reasons),
                    "asks": notice.asks,
                    "tripped": notice.tripped,
                    "released_at": notice.released_at,
                    "taken_back_at": notice.taken_back_at,
                    "ended": notice.ended,
                    "served_at": notice.served_at,
                    "proof": notice.proof,
                }


def lift_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for notice in after.notices.values():
            known = before.notices[notice.notification_id].lifts if notice.notification_id in before.notices else ()
            for place, lift in enumerate(notice.lifts[len(known) :], start=len(known)):
                yield {
                    "notification_id": notice.notification_id,
                    "hold": lift.hold,
                    "pair_id": lift.pair_id,
                    "by": lift.by,
                    "role": lift.role,
                    "place": place,
                    "offender_id": after.offender_id,
                    "lane": lane,
                }
