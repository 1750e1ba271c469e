"""His record was merged into another's, or an incident split off: what is kept of her goes with it, lane to lane.

The hold that somebody placed for her, what she said of safe contact, her consents and screens, and the tries to reach her
must not end because two records turned out to be one man. Tasks are opened anew over there, with the clocks they had.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import TypeAdapter

from schemas.advocacy import ContactSafety, TakeOver
from schemas.envelope import pair_id, referral_id
from schemas.outreach import TaskOwner
from schemas.topics import Topic
from services.common.service import Input, Outcome, Outgoing, caused_by
from services.victim_outreach.domain import (
    Attempt,
    CaseFile,
    Consent,
    Hold,
    Link,
    Profile,
    Referral,
    Screen,
    case_id,
)
from services.victim_outreach.rules import Terms, told_of
from services.victim_outreach.usecases.links import by_last_word, relinked, with_screens
from services.victim_outreach.usecases.settling import settled
from services.victim_outreach.usecases.telling import SOURCE, Draft

T = TypeVar("T")

_KINDS: Mapping[str, TypeAdapter[Any]] = {
    "holds": TypeAdapter(list[Hold]),
    "links": TypeAdapter(list[Link]),
    "profiles": TypeAdapter(list[Profile]),
    "consents": TypeAdapter(list[Consent]),
    "screens": TypeAdapter(list[Screen]),
    "attempts": TypeAdapter(list[Attempt]),
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
        gravest=None,
        told_of=told_of(file, gone),
    )
    tried = [replace(one, case_id=case) for one in file.attempts_by_case.get(gone.case_id, ())]
    kept = {
        **_kept(file, gone, case),
        "attempts": tried,
        "referral": [waiting] if gone.opened_at is not None else [],
    }
    yield from _sent(file, kept, to, gone.pair_id, case, given)


def passed_on(file: CaseFile, given: Input, case: str | None = None) -> Iterator[Outgoing]:
    """An act on a page that was open when his record was merged: what it changed holds where she is now.

    `case`: of one case; else of all (a hold is for all).
    """
    gone = (one for one in file.referrals.values() if one.moved_to is not None and case in (None, one.case_id))
    for one in {(each.moved_to, each.case_id): each for each in gone}.values():
        assert one.moved_to is not None
        there = case_id(one.moved_to, one.moved_as or one.referral_id, one.victim_id, one.purpose, file.links.values())
        yield from _sent(file, _kept(file, one, there), one.moved_to, one.pair_id, there, given)


def _kept(file: CaseFile, gone: Referral, case: str) -> dict[str, list[Any]]:
    hers = file.own_cases(gone.case_id)
    return {
        "holds": list(file.holds.values()),
        "links": list(file.links.values()),
        "profiles": [replace(one, case_id=case) for one in file.profiles.values() if one.case_id in hers],
        "consents": [replace(one, case_id=case) for one in file.consents.values() if one.case_id in hers],
        "screens": [replace(one, case_id=case) for one in file.screens.values() if one.case_id in hers],
    }


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
        kept={name: _KINDS[name].dump_python(entries, mode="json", warnings=False) for name, entries in kept.items()},
    )
    event = caused_by(given, SOURCE, command, Topic.VICTIM_OUTREACH_COMMANDS, to, about, case, subject=to)
    yield Outgoing(Topic.VICTIM_OUTREACH_COMMANDS, event, about=about, other_lane=True)


def taken_over(file: CaseFile, data: TakeOver, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Beside what is known here. Said twice, for two incidents of hers, it is there once."""
    kept = {name: _KINDS[name].validate_python(data.kept.get(name, [])) for name in _KINDS}
    here = relinked(file, by_last_word(file.links, kept["links"]))
    # The other lane may not know of every link that was made here.
    attempts = [replace(one, case_id=here.shared_case(one.case_id)) for one in kept["attempts"]]
    referrals = [replace(one, case_id=here.shared_case(one.case_id)) for one in kept["referral"]]
    after = replace(
        here,
        holds=_holds(here.holds, kept["holds"]),
        consents=_consents(here.consents, kept["consents"]),
        attempts=_new(here.attempts, {(one.task_id, one.number): one for one in attempts}),
        profiles=_profiles(here, kept["profiles"]),
        screens=with_screens(here.screens, kept["screens"]),
    )
    for one in referrals:
        after = replace(after, referrals={**after.referrals, one.referral_id: _joined(after, one)})
    outcome = settled(file, Draft(after), given, terms)
    # On to where he has been merged in the meantime; what is there already goes no further, so a ring comes to an end.
    onwards = passed_on(after, given) if outcome.state is not file else ()
    return replace(outcome, events=(*outcome.events, *onwards), result="applied")


def _new(known: Mapping[Any, T], told: Mapping[Any, T]) -> Mapping[Any, T]:
    return {**told, **known}


def _holds(known: Mapping[str, Hold], told: Iterable[Hold]) -> Mapping[str, Hold]:
    """Of one hold, the word that lasts longer: who lifted it had not seen that it was renewed. Of the same, ended is ended."""
    holds = dict(known)
    for one in told:
        other = holds.get(one.hold_id, one)
        if other.until < one.until:
            holds[one.hold_id] = one
        elif other.until == one.until:
            holds[one.hold_id] = replace(other, ended_at=other.ended_at or one.ended_at)
        else:
            holds[one.hold_id] = other
    return holds


def _consents(known: Mapping[str, Consent], told: Iterable[Consent]) -> Mapping[str, Consent]:
    """Revoked anywhere, it is revoked."""
    consents = dict(known)
    for one in told:
        other = consents.get(one.consent_id, one)
        consents[one.consent_id] = replace(other, revoked_at=other.revoked_at or one.revoked_at)
    return consents


def _profiles(file: CaseFile, told: Iterable[Profile]) -> Mapping[tuple[str, TaskOwner], Profile]:
    """Of two, the one recorded later, with what either forbids."""
    profiles = dict(file.profiles)
    for one in told:
        key = (one.case_id, one.owner)
        other = profiles.get(key)
        profiles[key] = one if other is None else _stricter(*sorted((one, other), key=lambda each: each.recorded_at))
    return profiles


def _stricter(older: Profile, newer: Profile) -> Profile:
    forbidden = {
        channel: entry for entry in older.channels if (channel := entry[0]) and entry[1] == ContactSafety.UNSAFE
    }
    channels = [entry for entry in newer.channels if entry[0] not in forbidden]
    both = replace(
        newer,
        channels=(*channels, *forbidden.values()),
        no_contact=older.no_contact or newer.no_contact,
        version=max(older.version, newer.version),
    )
    known = any(replace(both, version=one.version) == one for one in (older, newer))
    return both if known else replace(both, version=both.version + 1)


def _joined(file: CaseFile, told: Referral) -> Referral:
    """Her referral here goes on from when it was opened there: what was done for her then counts, and no clock starts anew."""
    known = file.referrals.get(told.referral_id)
    if known is None:
        return told
    if not known.live or known.case_id != told.case_id or known.opened_at is None or told.opened_at is None:
        return known
    assert known.clocks_from is not None, "what is live was opened"
    assert told.clocks_from is not None, "so it was where it came from"
    return replace(
        known,
        told_of=told.told_of or known.told_of,
        opened_at=min(known.opened_at, told.opened_at),
        clocks_from=min(known.clocks_from, told.clocks_from),
    )
