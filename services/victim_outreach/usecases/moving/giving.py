"""What goes with her, and what people do on a page that was open still when she had gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import TypeAdapter

from schemas.advocacy import TakeOver
from schemas.envelope import pair_id, referral_id
from schemas.outreach import TaskKind
from schemas.topics import Topic
from services.common.service import Input, Outgoing, caused_by
from services.victim_outreach.domain import (
    AnnulledAttempt,
    Attempt,
    CaseFile,
    Closing,
    Consent,
    Hold,
    Link,
    Profile,
    Referral,
    Screen,
    Visit,
    case_id,
    case_of_victim,
    set_aside,
)
from services.victim_outreach.rules import about, told_of
from services.victim_outreach.usecases.telling import SOURCE

T = TypeVar("T")
K = TypeVar("K", Profile, Consent, Screen, Attempt)

KINDS: Mapping[str, TypeAdapter[Any]] = {
    "holds": TypeAdapter(list[Hold]),
    "links": TypeAdapter(list[Link]),
    "profiles": TypeAdapter(list[Profile]),
    "consents": TypeAdapter(list[Consent]),
    "screens": TypeAdapter(list[Screen]),
    "attempts": TypeAdapter(list[Attempt]),
    "annulled": TypeAdapter(list[AnnulledAttempt]),
    "visits": TypeAdapter(list[Visit]),
    "closings": TypeAdapter(list[Closing]),
    "referral": TypeAdapter(list[Referral]),
}


def handed_over(file: CaseFile, gone: Referral, to: str, given: Input) -> Iterator[Outgoing]:
    """What is kept of her, to the lane of `to`. `gone`: her referral as it stood before it was withdrawn here."""
    assert gone.incident_id is not None, "asked of what names its incident"
    pair = pair_id(gone.incident_id, to)
    there = referral_id(pair, gone.victim_no)
    case = case_id(to, there, gone.victim_id, gone.purpose, file.links.values())
    waiting = replace(
        gone,
        referral_id=there,
        pair_id=pair,
        case_id=case,
        withdrawn=True,
        opening=0,
        place=0,
        tier=None,
        told_of=told_of(file, gone),
        to_be_called=gone.listed and _is_to_be_called(file, gone),
    )
    tried = [replace(one, case_id=case) for one in file.attempts_by_case.get(gone.case_id, ())]
    kept = _kept(CaseFile(file.offender_id), file, gone, to, case)
    if (unnamed := file.case_before(gone)) is not None:  # over there it may turn out that she was named wrongly
        its = {unnamed: case_id(to, there, None, gone.purpose)}
        tried += _moved(file.attempts_by_case.get(unnamed, ()), its)
        kept["profiles"] += _moved(file.profiles.values(), its)
        kept["screens"] += _moved(file.screens.values(), its)
    # Where some stay, a hold may have been lifted for the man they stay with alone.
    others = any(one.referral_id != gone.referral_id for one in file.live_referrals)
    kept |= {
        "links": list(file.links.values()),
        "closings": list(_closings(file, gone, to, case, late=False)),
        "holds": [one for one in file.holds.values() if one.ended_at is None or not others],
        "attempts": tried,
        "referral": [waiting] if gone.opened_at is not None or waiting.to_be_called else [],
    }
    yield from _sent(file, kept, to, gone.pair_id, case, given)


def _is_to_be_called(file: CaseFile, gone: Referral) -> bool:
    """A call that police's screen has opened, and that nobody has made, is opened there as well; so is one that came from
    another record of his before her screen did.
    """
    calls = [
        task
        for task in file.tasks.values()
        if task.kind is TaskKind.HIGH_DANGER_CALL and task.referral_id == gone.referral_id and task.about == about(gone)
    ]
    return any(task.unfinished for task in calls) or (gone.to_be_called and not any(task.stands for task in calls))


def passed_on(
    before: CaseFile,
    file: CaseFile,
    given: Input,
    *,
    case: str | None = None,
    pair: str | None = None,
    closed: Mapping[str, bool] | None = None,
) -> Iterator[Outgoing]:
    """An act on a page that was open when his record was merged, or a visit by who was under way: it holds where she is now.
    Nothing of before is said again.

    `before`: what was kept before the act. `case`: of one case, `pair`: of one pair alone; else of all. `closed`: cases that it
    closed, and whether late. Where anything is left here of her on whose page it was, a hold or a closing is of this man alone;
    so is a hold on nobody's page, where anything is left of him.
    """
    stays = {one.case_id for one in file.live_referrals}
    gone = (
        one
        for one in file.referrals.values()
        if one.moved_to is not None and case in (None, one.case_id) and pair in (None, one.pair_id)
    )
    for one in {(each.moved_to, each.case_id): each for each in gone}.values():
        assert one.moved_to is not None
        there = one.moved_as or one.referral_id
        hers = case_id(one.moved_to, there, one.victim_id, one.purpose, file.links.values())
        kept = _kept(before, file, one, one.moved_to, hers)
        if one.case_id not in stays and (case is not None or not stays):
            kept["holds"] = _new(before.holds, file.holds)
        if one.case_id not in stays and closed is not None and one.case_id in closed:
            kept["closings"] = list(_closings(file, one, one.moved_to, hers, late=closed[one.case_id]))
        if any(kept.values()) or before.links != file.links:
            kept["links"] = list(file.links.values())
            yield from _sent(file, kept, one.moved_to, one.pair_id, hers, given)


def id_there(known: Referral, to: str | None) -> str | None:
    """Of a referral that is withdrawn since its incident is another's now."""
    if to is None or known.incident_id is None:
        return known.moved_as
    return referral_id(pair_id(known.incident_id, to), known.victim_no)


def _kept(before: CaseFile, file: CaseFile, gone: Referral, to: str, case: str) -> dict[str, list[Any]]:
    """But for what was kept `before`: she may have said otherwise since where she is now. `case`: hers with `to`.

    What is kept under each of her ids stays under that: over there it may turn out that they are two.
    """
    ids = {victim for pair in file.links for victim in pair}
    own = {case_of_victim(file.offender_id, each): case_of_victim(to, each) for each in ids}
    hers = {each: own.get(each, case) for each in file.own_cases(gone.case_id)}
    there = {**hers, set_aside(gone.case_id): set_aside(case)}
    return {
        "profiles": list(_moved(_new(before.profiles, file.profiles), there)),
        "consents": list(_moved(_new(before.consents, file.consents), hers)),
        "screens": list(_moved(_new(before.screens, file.screens), hers)),
        "visits": list(_visits(before, file, gone, to)),
        "annulled": [
            replace(one, case_id=case)
            for one in _new(before.annulled_attempts, file.annulled_attempts)
            if file.shared_case(one.case_id) in (gone.case_id, file.case_before(gone))
        ],
    }


def _moved(kept: Iterable[K], there: Mapping[str, str]) -> Iterator[K]:
    return (replace(one, case_id=there[one.case_id]) for one in kept if one.case_id in there)


def _new(before: Mapping[Any, T], after: Mapping[Any, T]) -> list[T]:
    return [one for key, one in after.items() if before.get(key) != one]


def _visits(before: CaseFile, file: CaseFile, gone: Referral, to: str) -> Iterator[Visit]:
    """Those she has not been asked after: of her own incidents, and of whichever else she was to be asked after."""
    asked = [one for one in file.tasks.values() if (one.case_id, one.kind) == (gone.case_id, TaskKind.AFTER_DELIVERY)]
    over = {task.about for task in asked if task.stands and not task.unfinished}
    open_ = {task.about for task in asked} - over
    hers = [one for one in file.referrals.values() if one.case_id == gone.case_id]
    ids = {one.pair_id: id_there(one, to) for one in hers if one.moved_to == to or one.referral_id == gone.referral_id}
    for one in _new(before.deliveries, file.deliveries):
        about = f"{one.notification_id}|{one.last}"
        there = ids.get(one.pair_id) or (id_there(gone, to) if about in open_ else None)
        if there is not None and one.visited_at is not None and about not in over:
            known = one.visit(one.last)
            yield Visit(there, one.notification_id, one.last, one.visited_at, (known,) if known else ())


def _closings(file: CaseFile, gone: Referral, to: str, case: str, *, late: bool) -> Iterator[Closing]:
    closed = file.cases.get(gone.case_id)
    if closed is None or closed.closed_at is None:
        return
    hers = [one for one in file.referrals.values() if one.case_id == gone.case_id and one.place]
    tiers = {there: one.gravest for one in hers if one.live and (there := id_there(one, to)) is not None}
    moved = (one.moved_as for one in hers if one.moved_to == to and one.moved_as is not None)
    yield Closing(replace(closed, case_id=case), tiers, tuple(sorted(moved)), late)


def _sent(
    file: CaseFile, kept: Mapping[str, list[Any]], to: str, about: str, case: str, given: Input
) -> Iterator[Outgoing]:
    """`case`: hers over there; of two women of one incident each is told."""
    if to == file.offender_id or not any(kept.values()):
        return
    command = TakeOver(
        offender_id=to,
        from_offender_id=file.offender_id,
        # From SQL a code comes as its text; pydantic would warn of it, and quote what she said.
        kept={name: KINDS[name].dump_python(entries, mode="json", warnings=False) for name, entries in kept.items()},
    )
    event = caused_by(given, SOURCE, command, Topic.VICTIM_OUTREACH_COMMANDS, to, about, case, subject=to)
    yield Outgoing(Topic.VICTIM_OUTREACH_COMMANDS, event, about=about, other_lane=True)
