"""The rows of what has changed of an offender; `rows.py` reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from services.notifier.domain import Deadline, Notice, Offender, waits_for_clock
from services.notifier.store.rows import MERGE
from services.notifier.store.work_rows import Step, due_columns

T = TypeVar("T")


def _clocks(one: Offender) -> Iterator[datetime]:
    dues: list[Deadline | None] = [each.due for each in one.notices.values()]
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
        "merges": {other: MERGE.dump_python(merge, mode="json") for other, merge in one.merges.items()},
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
                    **due_columns(notice.due),
                    "template": notice.wording.name if notice.wording else None,
                    "template_sha256": notice.wording.sha256 if notice.wording else None,
                    "unsigned": notice.unsigned,
                    "letter_sha256": notice.letter_sha256,
                    "unplanned": notice.unplanned,
                    "mistake": notice.mistake,
                    "call_in_id": notice.seat.call_in_id if notice.seat else None,
                    "call_in_at": notice.seat.starts_at if notice.seat else None,
                    "call_in_venue": notice.seat.venue if notice.seat else None,
                    "call_in_asking": notice.seat.asking if notice.seat else None,
                }


def lift_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for whose, place, lift in _added(steps, lane, lambda notice: notice.lifts):
        yield {
            **whose,
            "hold": lift.hold,
            "pair_id": lift.pair_id,
            "by": lift.by,
            "role": lift.role,
            "place": place,
        }


def attempt_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for whose, place, attempt in _added(steps, lane, lambda notice: notice.attempts):
        yield {
            **whose,
            "place_no": place,
            "at": attempt.at,
            "by": attempt.by,
            "channel": attempt.channel,
            "reason": attempt.reason,
            "place": attempt.place,
        }


def letter_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for whose, place, one in _added(steps, lane, lambda notice: notice.printed):
        yield {
            **whose,
            "sha256": one.sha256,
            "place_no": place,
            "dated": one.dated,
            "template": one.template,
            "version": one.version,
            "template_sha256": one.template_sha256,
            "printed_at": one.printed_at,
            "printed_by": one.printed_by,
            "content": one.content,
        }


def past_rows(steps: Sequence[Step], lane: int) -> Iterator[dict[str, Any]]:
    for before, after in steps:
        for place, one in enumerate(after.past):
            if place < len(before.past) and before.past[place] == one:
                continue
            yield {
                "offender_id": after.offender_id,
                "notification_id": one.notification_id,
                "lane": lane,
                "tier": one.tier,
                "served_at": one.served_at,
                "source": one.source,
                "stands": one.stands,
                "place": place,
            }


def _added(
    steps: Sequence[Step], lane: int, part: Callable[[Notice], Sequence[T]]
) -> Iterator[tuple[dict[str, Any], int, T]]:
    """What this part of each notice has more than before: the columns that say whose it is, its place, and it."""
    for before, after in steps:
        for notice in after.notices.values():
            known = part(before.notices[notice.notification_id]) if notice.notification_id in before.notices else ()
            for place, one in enumerate(part(notice)[len(known) :], start=len(known)):
                whose = {"notification_id": notice.notification_id, "offender_id": after.offender_id, "lane": lane}
                yield whose, place, one
