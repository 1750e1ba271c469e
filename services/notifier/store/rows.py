"""An offender from his rows; `changes.py` makes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Row

from schemas.classification import Tier
from schemas.commands import Role
from schemas.envelope import read
from schemas.notice_work import Correction, NoticeClock
from schemas.notification import (
    CancelReason,
    Channel,
    FailureReason,
    HoldReason,
    NotificationState,
    Place,
    Proof,
    ServiceMistake,
)
from schemas.outreach import GateState
from schemas.person import OffenderDescribed
from services.notifier.domain import (
    Attempt,
    CallInSeat,
    Due,
    Gate,
    Lift,
    Merge,
    Notice,
    Offender,
    Pair,
    Past,
    Printed,
    Wording,
)
from services.notifier.store.work_rows import enforcement, help_asked

MERGE = TypeAdapter(Merge)


@dataclass(frozen=True, slots=True)
class Rows:
    """All that is stored of one offender, each list in its order."""

    head: Row[Any]
    pairs: Sequence[Row[Any]] = ()
    notices: Sequence[Row[Any]] = ()
    lifts: Sequence[Row[Any]] = ()
    attempts: Sequence[Row[Any]] = ()
    past: Sequence[Row[Any]] = ()
    letters: Sequence[Row[Any]] = ()
    enforcements: Sequence[Row[Any]] = ()
    helps: Sequence[Row[Any]] = ()


def offender(rows: Rows) -> Offender:
    lifted: dict[str, tuple[Lift, ...]] = defaultdict(tuple)
    for row in rows.lifts:
        lifted[row.notification_id] += (lift(row),)
    tried: dict[str, tuple[Attempt, ...]] = defaultdict(tuple)
    for row in rows.attempts:
        tried[row.notification_id] += (_attempt(row),)
    printed: dict[str, tuple[Printed, ...]] = defaultdict(tuple)
    for row in rows.letters:
        printed[row.notification_id] += (_printed(row),)
    notices = [
        replace(
            notice(row),
            lifts=lifted[row.notification_id],
            attempts=tried[row.notification_id],
            printed=printed[row.notification_id],
        )
        for row in rows.notices
    ]
    head = rows.head
    return Offender(
        offender_id=head.offender_id,
        tier=Tier(head.tier) if head.tier else None,
        challenged=head.challenged,
        described=read(OffenderDescribed, orjson.dumps(head.described)) if head.described else None,
        pairs={row.pair_id: _pair(row) for row in rows.pairs},
        notices={one.notification_id: one for one in notices},
        past=tuple(
            Past(row.notification_id, Tier(row.tier), row.served_at, row.source, row.stands) for row in rows.past
        ),
        merges={other: MERGE.validate_python(merge) for other, merge in head.merges.items()},
        enforcements={row.enforcement_id: enforcement(row) for row in rows.enforcements},
        helps={row.help_id: help_asked(row) for row in rows.helps},
        told=tuple(head.told),
    )


def lift(row: Row[Any]) -> Lift:
    return Lift(HoldReason(row.hold), row.pair_id, row.by, Role(row.role))


def _printed(row: Row[Any]) -> Printed:
    return Printed(
        row.sha256,
        row.dated,
        row.template,
        row.version,
        row.template_sha256,
        row.printed_at,
        row.printed_by,
    )


def _attempt(row: Row[Any]) -> Attempt:
    place = Place(row.place) if row.place else None
    return Attempt(row.at, row.by, Channel(row.channel), FailureReason(row.reason), place)


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
        also_victim=row.also_victim,
        agency=row.agency,
        statutes=tuple(row.statutes),
        asked=row.asked,
        gate=Gate(GateState(row.gate), row.gate_version, row.gate_at, row.gate_answers) if row.gate else None,
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
        asked_at=row.asked_at,
        since=row.since,
        released_at=row.released_at,
        taken_back_at=row.taken_back_at,
        ended=CancelReason(row.ended) if row.ended else None,
        served_at=row.served_at,
        proof=Proof(row.proof) if row.proof else None,
        served_by=row.served_by,
        place=Place(row.place) if row.place else None,
        serve_by=row.serve_by,
        claimed_by=row.claimed_by,
        planned_from=row.planned_from,
        planned_until=row.planned_until,
        round_from=row.round_from,
        round_until=row.round_until,
        plan_told=row.plan_told,
        route=row.route,
        correction=Correction(row.correction) if row.correction else None,
        corrected_at=row.corrected_at,
        tried_before=row.tried_before,
        seat=CallInSeat(row.call_in_id, row.call_in_at, row.call_in_venue, row.call_in_asking)
        if row.call_in_id
        else None,
        wording=Wording(row.template, row.template_sha256, not row.unsigned) if row.template else None,
        letter_sha256=row.letter_sha256,
        unplanned=row.unplanned,
        mistake=ServiceMistake(row.mistake) if row.mistake else None,
        policy=row.policy,
        due=Due(row.due_first, row.due_at, row.escalation, clock=NoticeClock(row.due_clock)) if row.due_clock else None,
    )
