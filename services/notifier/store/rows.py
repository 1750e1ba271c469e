"""An offender from his rows, and the rows of what has changed of him."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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
)
from schemas.outreach import GateState
from schemas.person import OffenderDescribed
from services.notifier.domain import (
    Attempt,
    CallInSeat,
    Deadline,
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
    waits_for_clock,
)
from services.notifier.store.work_rows import Step, enforcement, help_asked


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
        past=tuple(Past(row.notification_id, Tier(row.tier), row.served_at, row.source) for row in rows.past),
        merges={other: _merge(merge) for other, merge in head.merges.items()},
        enforcements={row.enforcement_id: enforcement(row) for row in rows.enforcements},
        helps={row.help_id: help_asked(row) for row in rows.helps},
        told=tuple(head.told),
    )


_MERGE = TypeAdapter(Merge)


def _merge(kept: Any) -> Merge:
    return _MERGE.validate_python(kept)


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
        policy=row.policy,
        due=Due(NoticeClock(row.due_clock), row.due_first, row.due_at, row.escalation) if row.due_clock else None,
    )


def _clocks(one: Offender) -> Iterator[datetime]:
    dues: list[Due | Deadline | None] = [each.due for each in one.notices.values()]
    dues += [each.due for each in one.enforcements.values()]
    dues += [each.due for each in one.helps.values()]
    return (due.at for due in dues if due is not None)


def offender_row(one: Offender, lane: int) -> dict[str, Any]:
    return {
        "offender_id": one.offender_id,
        "lane": lane,
        "tier": one.tier,
        "challenged": one.challenged,
        "described": one.described.model_dump(mode="json") if one.described else None,
        "waits_for_clock": waits_for_clock(one),
        "next_at": min(_clocks(one), default=None),
        "merges": {other: _MERGE.dump_python(merge, mode="json") for other, merge in one.merges.items()},
        "told": list(one.told),
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
                    "also_victim": pair.also_victim,
                    "agency": pair.agency,
                    "statutes": list(pair.statutes),
                    "asked": pair.asked,
                    "gate": pair.gate.state if pair.gate else None,
                    "gate_version": pair.gate.version if pair.gate else None,
                    "gate_at": pair.gate.at if pair.gate else None,
                    "gate_answers": pair.gate.answers if pair.gate else 0,
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
                    "asked_at": notice.asked_at,
                    "since": notice.since,
                    "released_at": notice.released_at,
                    "taken_back_at": notice.taken_back_at,
                    "ended": notice.ended,
                    "served_at": notice.served_at,
                    "proof": notice.proof,
                    "served_by": notice.served_by,
                    "place": notice.place,
                    "serve_by": notice.serve_by,
                    "claimed_by": notice.claimed_by,
                    "planned_from": notice.planned_from,
                    "planned_until": notice.planned_until,
                    "round_from": notice.round_from,
                    "round_until": notice.round_until,
                    "plan_told": notice.plan_told,
                    "route": notice.route,
                    "correction": notice.correction,
                    "corrected_at": notice.corrected_at,
                    "tried_before": notice.tried_before,
                    "policy": notice.policy,
                    "due_clock": notice.due.clock if notice.due else None,
                    "due_first": notice.due.first if notice.due else None,
                    "due_at": notice.due.at if notice.due else None,
                    "escalation": notice.due.escalation if notice.due else None,
                    "template": notice.wording.name if notice.wording else None,
                    "template_sha256": notice.wording.sha256 if notice.wording else None,
                    "unsigned": notice.unsigned,
                    "letter_sha256": notice.letter_sha256,
                    "call_in_id": notice.seat.call_in_id if notice.seat else None,
                    "call_in_at": notice.seat.starts_at if notice.seat else None,
                    "call_in_venue": notice.seat.venue if notice.seat else None,
                    "call_in_asking": notice.seat.asking if notice.seat else None,
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


def attempt_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for notice in after.notices.values():
            known = before.notices[notice.notification_id].attempts if notice.notification_id in before.notices else ()
            for place, attempt in enumerate(notice.attempts[len(known) :], start=len(known)):
                yield {
                    "notification_id": notice.notification_id,
                    "place_no": place,
                    "at": attempt.at,
                    "by": attempt.by,
                    "channel": attempt.channel,
                    "reason": attempt.reason,
                    "place": attempt.place,
                    "offender_id": after.offender_id,
                    "lane": lane,
                }


def past_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for place, one in enumerate(after.past[len(before.past) :], start=len(before.past)):
            yield {
                "offender_id": after.offender_id,
                "notification_id": one.notification_id,
                "lane": lane,
                "tier": one.tier,
                "served_at": one.served_at,
                "source": one.source,
                "place": place,
            }


def letter_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for notice in after.notices.values():
            known = before.notices[notice.notification_id].printed if notice.notification_id in before.notices else ()
            for place, one in enumerate(notice.printed[len(known) :], start=len(known)):
                yield {
                    "notification_id": notice.notification_id,
                    "sha256": one.sha256,
                    "place_no": place,
                    "dated": one.dated,
                    "template": one.template,
                    "version": one.version,
                    "template_sha256": one.template_sha256,
                    "printed_at": one.printed_at,
                    "printed_by": one.printed_by,
                    "content": one.content,
                    "offender_id": after.offender_id,
                    "lane": lane,
                }
