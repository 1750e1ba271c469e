"""Two records of victims, one woman: what a person says of them holds with every offender who has either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from schemas.advocacy import ContactSafety, LinkCommand, LinkVictims, UnlinkVictims
from schemas.outreach import ContactChannel, TaskKind, TaskOwner
from schemas.topics import Topic
from services.common.service import Input, Outcome, Outgoing, caused_by
from services.victim_outreach.domain import (
    Case,
    CaseFile,
    ChannelEntry,
    Consent,
    Link,
    Profile,
    Screen,
    Task,
    case_id,
    case_of_victim,
    last_word,
    linked,
    set_aside,
    with_screens,
)
from services.victim_outreach.rules import LINKERS, Terms
from services.victim_outreach.usecases.refusing import need_role, refuse
from services.victim_outreach.usecases.settling import applied
from services.victim_outreach.usecases.telling import SOURCE


def link_victims(file: CaseFile, data: LinkVictims, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """One case with him from now on, and one profile: the stricter of what each said."""
    first, second = _pair(file, data)
    before = file.links.get((first, second))
    if before is not None and before.ended_at is None:
        return Outcome(file, tuple(_relayed(data, given)), result="none")
    link = Link(first, second, given.at, data.by)  # record time: the same in every lane that is told
    return _told(file, relinked(file, {**file.links, (first, second): link}), data, given, terms)


def unlink_victims(file: CaseFile, data: UnlinkVictims, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Two cases again. Nobody knows whose word was given while they were one: what it forbade is kept for both, what it allowed
    ends.
    """
    first, second = _pair(file, data)
    before = file.links.get((first, second))
    if before is None or before.ended_at is not None:
        return Outcome(file, tuple(_relayed(data, given)), result="none")
    ended = replace(before, ended_at=given.at, ended_by=data.by)
    return _told(file, relinked(file, {**file.links, (first, second): ended}), data, given, terms)


def _pair(file: CaseFile, data: LinkCommand) -> tuple[str, str]:
    need_role(data, LINKERS)
    if data.victim_id == data.other_victim_id:
        refuse("same_victim")
    here = {referral.victim_id for referral in file.referrals.values()}
    if not here & {data.victim_id, data.other_victim_id}:
        refuse("unknown_victim")
    return min(data.victim_id, data.other_victim_id), max(data.victim_id, data.other_victim_id)


def _told(file: CaseFile, after: CaseFile, data: LinkCommand, given: Input, terms: Terms) -> Outcome[CaseFile]:
    done = applied(file, after, given, terms)
    return replace(done, events=(*done.events, *_relayed(data, given)))


def _relayed(data: LinkCommand, given: Input) -> Iterator[Outgoing]:
    """To the lanes of the other offenders; they hand it on no further."""
    for offender_id in sorted(set(data.also) - {data.offender_id}):
        command = data.model_copy(update={"offender_id": offender_id, "also": []})
        event = caused_by(given, SOURCE, command, Topic.VICTIM_OUTREACH_COMMANDS, offender_id, subject=offender_id)
        yield Outgoing(Topic.VICTIM_OUTREACH_COMMANDS, event, other_lane=True)


def relinked(file: CaseFile, links: Mapping[tuple[str, str], Link]) -> CaseFile:
    """Everything under the case it belongs to by these links."""
    if links == file.links:
        return file
    after = replace(file, links=links)
    for key, before in sorted(file.links.items()):
        if before.holds and not links[key].holds:
            shared = case_of_victim(file.offender_id, min(linked(before.victim_id, file.links.values())))
            after = replace(
                after,
                profiles=_profiles_of_both(file, after.profiles, before, shared),
                screens=_screens_of_both(file, after.screens, before, shared),
                consents=_consents_of_neither(after.consents, links[key], shared),
            )
    return _rekeyed(after)


def by_last_word(known: Mapping[tuple[str, str], Link], told: Iterable[Link]) -> Mapping[tuple[str, str], Link]:
    """What another lane says of links, beside what is known here."""
    links = dict(known)
    for one in told:
        key = (one.victim_id, one.other_victim_id)
        links[key] = last_word([links.get(key, one), one])
    return links


def _profiles_of_both(
    file: CaseFile, profiles: Mapping[tuple[str, TaskOwner], Profile], link: Link, shared: str
) -> Mapping[tuple[str, TaskOwner], Profile]:
    kept = dict(profiles)
    hers = [case_of_victim(file.offender_id, victim) for victim in (link.victim_id, link.other_victim_id)]
    for profile in profiles.values():
        if profile.case_id != shared or profile.recorded_at < link.linked_at:
            continue
        own = {shared: kept.pop((set_aside(shared), profile.owner), None)}
        for case in dict.fromkeys((shared, *hers)):
            before = own.get(case) or (profiles.get((case, profile.owner)) if case != shared else None)
            kept[case, profile.owner] = _stricter(before, replace(profile, case_id=case))
    return kept


def replaced(file: CaseFile, case_id: str, owner: TaskOwner) -> Mapping[tuple[str, TaskOwner], Profile]:
    """The profiles, where one is replaced by what was said now. From before a link, it is kept for when that is taken back."""
    hers = file.own_cases(case_id)
    links = (
        one for one in file.links.values() if one.holds and case_of_victim(file.offender_id, one.victim_id) in hers
    )
    newest = max((one.linked_at for one in links), default=None)
    known = file.profiles.get((case_id, owner))
    if known is None or newest is None or known.recorded_at >= newest:
        return file.profiles
    key = (set_aside(case_id), owner)
    before = file.profiles.get(key)
    kept = replace(known, case_id=set_aside(case_id))
    return {**file.profiles, key: kept if before is None else _stricter(before, kept)}


def _stricter(own: Profile | None, said: Profile) -> Profile:
    """`own`: what she said before, if that is known; `said`: what one of the two has said since."""
    channels = tuple(entry for one in ContactChannel if (entry := _strictest(one, own, said)) is not None)
    if own is None:
        return replace(said, channels=channels, version=said.version + 1)
    return replace(
        said,
        channels=channels,
        hours=said.hours or own.hours,
        no_contact=own.no_contact or said.no_contact,
        valid_until=min(own.valid_until, said.valid_until),
        version=max(own.version, said.version) + 1,
    )


def _strictest(channel: ContactChannel, own: Profile | None, said: Profile) -> ChannelEntry | None:
    """Safe is only what she said herself, where the other word is the same to the address: else it may be the other one's."""
    words = {own.says(channel) if own is not None else ContactSafety.UNKNOWN, said.says(channel)}
    if ContactSafety.UNSAFE in words:
        return channel, ContactSafety.UNSAFE, None
    if own is None or words != {ContactSafety.SAFE} or own.address(channel) != said.address(channel):
        return None
    return channel, ContactSafety.SAFE, own.address(channel)


def _screens_of_both(
    file: CaseFile, screens: Mapping[tuple[str, int], Screen], link: Link, shared: str
) -> Mapping[tuple[str, int], Screen]:
    said = [one for one in screens.values() if one.case_id == shared and one.recorded_at >= link.linked_at]
    hers = (case_of_victim(file.offender_id, victim) for victim in (link.victim_id, link.other_victim_id))
    return with_screens(screens, (replace(one, case_id=case) for case in hers for one in said))


def _consents_of_neither(consents: Mapping[str, Consent], link: Link, shared: str) -> Mapping[str, Consent]:
    """`link`: as it was ended."""
    assert link.ended_at is not None, "asked of links that end"
    ending = (
        one
        for one in consents.values()
        if one.case_id == shared and one.given_at >= link.linked_at and one.revoked_at is None
    )
    return {**consents, **{one.consent_id: replace(one, revoked_at=max(link.ended_at, one.given_at)) for one in ending}}


def _rekeyed(file: CaseFile) -> CaseFile:
    """Referrals, tasks and attempts under the case they belong to now. A task belongs to whom it was opened for."""
    links = file.links.values()
    referrals = {
        key: replace(one, case_id=case_id(file.offender_id, key, one.victim_id, one.purpose, links))
        for key, one in file.referrals.items()
    }
    tasks = {key: replace(task, case_id=_case_of(file, task)) for key, task in file.tasks.items()}
    # A try that was taken over from another record of his has no task here, and stays where it is.
    attempts = {
        key: replace(one, case_id=tasks[one.task_id].case_id) if one.task_id in tasks else one
        for key, one in file.attempts.items()
    }
    made = replace(file, referrals=referrals, tasks=tasks, attempts=attempts)
    return replace(made, cases=_cases(file, made))


def _case_of(file: CaseFile, task: Task) -> str:
    if task.victim_id is None or task.kind is TaskKind.ASK_RELATIONSHIP:
        return task.case_id
    return case_of_victim(file.offender_id, min(linked(task.victim_id, file.links.values())))


def _cases(before: CaseFile, after: CaseFile) -> Mapping[str, Case]:
    """A shared case is as old as the oldest of hers, and open where one of them is."""
    cases = dict(before.cases)
    for case in {one.case_id for one in after.referrals.values()}:
        hers = [cases[each] for each in after.own_cases(case) if each in cases]
        if not hers:
            continue
        opened_at = min(one.opened_at for one in hers)
        still_open = next((one for one in hers if one.closed_at is None), None)
        cases[case] = replace(still_open or cases.get(case, hers[0]), case_id=case, opened_at=opened_at)
    return cases
