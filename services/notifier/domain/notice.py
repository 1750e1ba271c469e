"""One notification, from prepared to its end. Pure; times are record times in UTC unless said."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, tzinfo

from schemas.classification import Tier
from schemas.commands import Role
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
from services.common.versions import version_of
from services.notifier.domain.work import Deadline

UNSERVED = frozenset(
    {NotificationState.PREPARED, NotificationState.HELD, NotificationState.RELEASED, NotificationState.FAILED}
)
"""Not given, and still to be given."""
GIVEN = frozenset({NotificationState.SERVED, NotificationState.CORRECTED})
FREE = frozenset({NotificationState.RELEASED, NotificationState.FAILED})
"""May be given now, unless its gate has shut since; a failed one may be tried again."""

LEAD = timedelta(hours=4)
"""What is left to tell her of a round before it begins. Less is a coordinator's to answer for."""
_LONGEST_MEETING = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Lift:
    """One person's word that a hold is no longer needed."""

    hold: HoldReason
    pair_id: str
    by: str
    role: Role


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time it was tried and could not be given."""

    at: datetime
    """As reported: when it was tried."""
    by: str
    channel: Channel
    reason: FailureReason
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Due(Deadline):
    """The clock that runs for a notice: a deadline, and what runs out then."""

    clock: NoticeClock = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Printed:
    """A letter that was made for him. Its bytes are beside it when it comes, and in a table of their own from then on."""

    sha256: str
    dated: date
    template: str
    version: str
    template_sha256: str
    printed_at: datetime
    printed_by: str
    content: bytes | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Wording:
    """The template a notice is made from: id and version, digest, and whether it may be used."""

    name: str
    sha256: str | None = None
    signed: bool = True


@dataclass(frozen=True, slots=True)
class CallInSeat:
    """His place at a call-in."""

    call_in_id: str
    starts_at: datetime
    venue: str
    asking: int = 1


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification."""

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
    asked_at: datetime | None = None
    """When it was last asked for (a hold lifted or ended, tried again): the gate's word must be younger."""
    since: datetime | None = None
    """When it came into the state it is in."""
    released_at: datetime | None = None
    """For the first time."""
    taken_back_at: datetime | None = None
    """When the last release ended without the notice being given."""
    ended: CancelReason | None = None
    """Why it was cancelled or corrected."""
    served_at: datetime | None = None
    proof: Proof | None = None
    served_by: str | None = None
    place: Place | None = None
    attempts: tuple[Attempt, ...] = ()
    tried_before: int = 0
    """How many had been made when a person last had it tried again: a refusal among them stands no more."""
    serve_by: datetime | None = None
    """Planned when it was released, and again when his custody changes."""
    claimed_by: str | None = None
    planned_from: datetime | None = None
    """The delivery round a person has set for it. She hears of it first; what holds it, holds it all the same."""
    planned_until: datetime | None = None
    round_from: datetime | None = None
    """The round that was set last, also once it has gone by: of a D the letter bears its day."""
    round_until: datetime | None = None
    plan_told: datetime | None = None
    """The beginning of the round, or of the call-in, that was said last."""
    route: str | None = None
    """The agency whose officer gives it, where that is not the incident's."""
    correction: Correction | None = None
    """What he is told where the facts changed after service."""
    corrected_at: datetime | None = None
    """When he was told, or a person decided that he is told nothing: the end."""
    due: Due | None = None
    policy: str | None = None
    """Digest of the policy whose clocks run for it: in force when it was last held or released."""
    seat: CallInSeat | None = None
    wording: Wording | None = None
    printed: tuple[Printed, ...] = ()
    letter_sha256: str | None = None
    """Of the letter he was given."""
    unplanned: bool = False
    """It was given outside any round of which she was to hear first."""
    mistake: ServiceMistake | None = None
    """Why a service of it was recorded, the last time, that was none; or of one that was expunged, in whose place it is."""

    @property
    def last_letter(self) -> str | None:
        """SHA-256 of the one that was printed last."""
        return self.printed[-1].sha256 if self.printed else None

    @property
    def may_be_called_in(self) -> bool:
        """Whether it may be given now, and at a call-in."""
        return self.state is NotificationState.RELEASED and self.channel is Channel.CALL_IN

    @property
    def plan(self) -> tuple[datetime | None, datetime | None]:
        """When it is to be given, from and until: at the call-in he is asked to, else on the round that was set."""
        return (self.seat.starts_at, None) if self.seat is not None else (self.planned_from, self.planned_until)

    @property
    def needs_round(self) -> bool:
        """Whether a day is to be planned before anything leads to it, so that she hears of it first.

        A call-in is such a day. At the jail seconds matter, and he cannot come to her.
        """
        to_come = self.state in UNSERVED and self.state is not NotificationState.FAILED
        return to_come and self.channel is not Channel.CUSTODY_VISIT and self.plan[0] is None

    def was_planned(self, moment: datetime, slack: timedelta) -> bool:
        """Whether it was then to be given: within the round that was set last, or on the day of his call-in."""
        begins, until = self.round_from, self.round_until
        if self.seat is not None:
            begins, until = self.seat.starts_at, self.seat.starts_at + _LONGEST_MEETING
        return begins is not None and until is not None and begins - slack <= moment <= until + slack

    def let_out(self, now: datetime) -> Notice:
        """He left the jail. A round that leaves no time to tell her was for the jail, and ends with it."""
        if self.planned_from is None or self.planned_from >= now + LEAD:
            return self
        begins, until = self.round_from, self.round_until
        held = begins is not None and until is not None and begins < now
        return replace(
            self,
            planned_from=None,
            planned_until=None,
            round_from=begins if held else None,
            round_until=min(until, now) if held and until is not None else None,
        )

    def is_day_of_round(self, day: date, zone: tzinfo) -> bool:
        """Whether the round that was set last touches this local day."""
        if self.round_from is None or self.round_until is None:
            return False
        last = self.round_until - timedelta(microseconds=1)
        return self.round_from.astimezone(zone).date() <= day <= last.astimezone(zone).date()

    @property
    def template(self) -> str:
        """Id and version of the template the text is made from."""
        return self.wording.name if self.wording else f"{self.tier.lower()}-{self.channel}-{self.language}@1"

    @property
    def unsigned(self) -> bool:
        """Its wording may not be used."""
        return self.wording is not None and not self.wording.signed

    @property
    def version(self) -> str:
        """What an act on it is measured against. Made of nothing that would tell its readers why it waits, or has ended."""
        shown = replace(
            self,
            reasons=(),
            tripped=False,
            lifts=(),
            attempts=(),
            tried_before=0,
            asked_at=None,
            taken_back_at=None,
            ended=None,
            due=None,
            printed=(),
            wording=None,
        )
        return version_of([shown, len(self.lifts)])

    @property
    def asks(self) -> bool:
        """Whether it waits for a person's word, beside or instead of the gate."""
        return any(reason is not HoldReason.GATE for reason in self.reasons)

    @property
    def withdrawn(self) -> bool:
        """He has been told that it does not stand: from then on it is as if it had not been given."""
        return self.correction is Correction.WITHDRAWAL and self.corrected_at is not None

    @property
    def counts(self) -> bool:
        """Whether it is the one of its tier, given or to be given."""
        return self.state is not NotificationState.CANCELLED and not self.withdrawn

    @property
    def over(self) -> bool:
        """At its end: nothing more is to be done about it."""
        if self.state is NotificationState.CORRECTED:
            return self.corrected_at is not None
        return self.state in (NotificationState.SERVED, NotificationState.CANCELLED)

    @property
    def failure(self) -> FailureReason | None:
        """Why it could not be given: he has refused it since a person had it tried again, or what kept the last attempt."""
        if any(one.reason is FailureReason.REFUSED for one in self.attempts[self.tried_before :]):
            return FailureReason.REFUSED
        return self.attempts[-1].reason if self.attempts else None

    @property
    def wanted_at(self) -> datetime:
        """Since when it could go if the gate allowed."""
        return max(self.prepared_at, self.asked_at or self.prepared_at)

    def was_free(self, moment: datetime) -> bool:
        """Whether it had been released by `moment` and was taken back later, before the word that it was given arrived.

        How often in between is not asked: what he was told is a fact.
        """
        start, end = self.released_at, self.taken_back_at
        return start is not None and end is not None and start <= moment <= end
