"""What people record of her: how she may be reached, how much danger she is in, what she allows; and that a case ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from schemas.advocacy import (
    CaseCommand,
    CloseCase,
    ContactSafety,
    GiveConsent,
    RecordSafeContact,
    RecordScreen,
    ReopenCase,
    RevokeConsent,
)
from schemas.outreach import TaskCancelReason
from services.common.service import Input, Outcome
from services.victim_outreach.domain import Case, CaseFile, ChannelEntry, Consent, Profile, Screen
from services.victim_outreach.rules import ADVOCATES, KEEPS, QUESTIONS, TAKES, Terms, result, supervises
from services.victim_outreach.usecases.links import replaced
from services.victim_outreach.usecases.moving import passed_on
from services.victim_outreach.usecases.records import reopened
from services.victim_outreach.usecases.refusing import known, need_role, refuse
from services.victim_outreach.usecases.settling import applied

OPEN_STILL = timedelta(hours=1)
"""How long a page may have been open when the case went with his record. Who closes it later has not seen what is open for her
where she is now.
"""


def record_safe_contact(file: CaseFile, data: RecordSafeContact, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Replaces what she told people of this owner before; but a way she had forbidden stays so until it is named."""
    need_role(data, KEEPS)
    _case(file, data)
    valid_until = data.valid_until or given.now + terms.now.outreach.safe_contact
    if valid_until <= given.now:
        refuse("in_past")
    if len({one.channel for one in data.channels}) < len(data.channels):
        refuse("channel_twice")
    key = (data.case_id, KEEPS[data.role])
    before = file.profiles.get(key)
    profile = Profile(
        case_id=data.case_id,
        owner=KEEPS[data.role],
        version=before.version + 1 if before else 1,
        channels=(*_still_forbidden(before, data), *((one.channel, one.safety, one.address) for one in data.channels)),
        hours=tuple((tuple(one.days), one.start, one.end) for one in data.hours),
        no_contact=data.no_contact,
        instructions=data.instructions,
        language=data.language,
        valid_until=valid_until,
        recorded_at=given.now,
        by=data.by,
    )
    after = replace(file, profiles={**replaced(file, *key), key: profile})
    return _recorded(file, after, data, given, terms)


def _still_forbidden(before: Profile | None, data: RecordSafeContact) -> Iterator[ChannelEntry]:
    named = {one.channel for one in data.channels}
    if before is not None:
        yield from (entry for entry in before.channels if entry[1] == ContactSafety.UNSAFE and entry[0] not in named)


def record_screen(file: CaseFile, data: RecordScreen, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Kept as said, with what it comes to. It changes nothing for him."""
    need_role(data, ADVOCATES)
    _case(file, data)
    if len(data.answers) not in (0, QUESTIONS):
        refuse("not_eleven_answers")
    number = 1 + sum(case_id == data.case_id for case_id, _ in file.screens)
    screen = Screen(
        case_id=data.case_id,
        number=number,
        owner=KEEPS[data.role],
        answers=tuple(data.answers),
        believed=data.believed,
        result=result(data.answers, believed=data.believed),
        recorded_at=given.now,
        by=data.by,
    )
    after = replace(file, screens={**file.screens, (data.case_id, number): screen})
    return _recorded(file, after, data, given, terms)


def give_consent(file: CaseFile, data: GiveConsent, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """In writing and for a reasonable time (28 C.F.R. 94.115); policy says how long that is at the most."""
    need_role(data, ADVOCATES)
    _case(file, data)
    if data.consent_id in file.consents:
        return Outcome(file, result="none")
    if not data.signed:
        refuse("not_signed")
    if data.until <= given.now:
        refuse("in_past")
    if data.until > given.now + terms.now.outreach.consent:
        refuse("too_long")
    consent = Consent(
        consent_id=data.consent_id,
        case_id=data.case_id,
        owner=KEEPS[data.role],
        scope=data.scope,
        recipient=data.recipient,
        named=data.named,
        given_at=given.now,
        until=data.until,
        by=data.by,
    )
    after = replace(file, consents={**file.consents, consent.consent_id: consent})
    return _recorded(file, after, data, given, terms)


def revoke_consent(file: CaseFile, data: RevokeConsent, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """At once, in whatever form she says it, to whichever advocate."""
    need_role(data, ADVOCATES)
    consent = known(file.consents, data.consent_id, "unknown_consent")
    if consent.case_id not in file.own_cases(data.case_id):
        refuse("unknown_consent")
    if consent.revoked_at is not None:
        return Outcome(file, result="none")
    ended = replace(consent, revoked_at=given.now)
    after = replace(file, consents={**file.consents, consent.consent_id: ended})
    return _recorded(file, after, data, given, terms)


def close_case(file: CaseFile, data: CloseCase, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """Who closes it answers for what is left undone: an advocate for tasks she may take, the supervisor for all.

    One that has gone with his record is closed where it is now, unless the page was open when it went.
    """
    need_role(data, ADVOCATES)
    case = _case(file, data)
    if case.closed_at is not None:
        return Outcome(file, result="none")
    gone = _has_gone(file, case.case_id)
    if gone and not _was_open_still(file, case.case_id, given):
        refuse("moved")
    left = [task for task in file.unfinished_tasks() if task.case_id == data.case_id]
    if not supervises(data.role) and any(data.role not in TAKES[task.owner] for task in left):
        refuse("wrong_role")
    closed = replace(case, closed_at=given.now, closed_by=data.by, close_reason=data.reason)
    after = replace(file, cases={**file.cases, case.case_id: closed})
    return _recorded(file, after, data, given, terms, closed={case.case_id: True} if gone else None)


def reopen_case(file: CaseFile, data: ReopenCase, given: Input, terms: Terms) -> Outcome[CaseFile]:
    """What her last incident calls for is to be done anew, as if it had come now; what was done for the gate stays done."""
    need_role(data, ADVOCATES)
    case = _case(file, data)
    if case.closed_at is None:
        return Outcome(file, result="none")
    hers = [one for one in file.live_referrals if one.case_id == case.case_id]
    if _has_gone(file, case.case_id):
        refuse("moved")
    if not hers:
        refuse("no_incident")
    last = replace(hers[-1], opening=hers[-1].opening + 1, clocks_from=given.at, policy=terms.now.digest)
    after = reopened(replace(file, referrals={**file.referrals, last.referral_id: last}), case.case_id)
    return _recorded(file, after, data, given, terms)


def _has_gone(file: CaseFile, case_id: str) -> bool:
    """Whether all of it is another record's of his now."""
    hers = [one for one in file.referrals.values() if one.case_id == case_id]
    return all(one.withdrawn for one in hers) and any(one.moved_to is not None for one in hers)


def _was_open_still(file: CaseFile, case_id: str, given: Input) -> bool:
    """Whether a task of it ended with its going a short while ago."""
    moved = {key for key, one in file.referrals.items() if one.case_id == case_id and one.moved_to is not None}
    return any(
        task.cancel_reason is TaskCancelReason.REFERRAL_WITHDRAWN
        and task.ended_at is not None
        and task.ended_at >= given.now - OPEN_STILL
        for task in file.tasks.values()
        if task.case_id == case_id and task.referral_id in moved
    )


def _case(file: CaseFile, data: CaseCommand) -> Case:
    return known(file.cases, data.case_id, "unknown_case")


def _recorded(
    file: CaseFile,
    after: CaseFile,
    data: CaseCommand,
    given: Input,
    terms: Terms,
    *,
    closed: Mapping[str, bool] | None = None,
) -> Outcome[CaseFile]:
    """It holds where she is now as well, should his record have been merged while the page was open."""
    outcome = applied(file, after, given, terms)
    onwards = passed_on(file, after, given, case=after.shared_case(data.case_id), closed=closed)
    return replace(outcome, events=(*outcome.events, *onwards))
