"""What the notifier keeps of one offender. Pure; times are record times in UTC."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar

from schemas.classification import Tier
from schemas.notice_work import NoticeWork
from schemas.notification import Notification, NotificationState
from schemas.outreach import GateState
from schemas.person import Custody, OffenderDescribed
from services.notifier.domain.notice import GIVEN, Notice
from services.notifier.domain.work import Enforcement, Help

N = TypeVar("N", bound=Notification)
W = TypeVar("W", bound=NoticeWork)


@dataclass(frozen=True, slots=True)
class Gate:
    """The last word of victim_outreach on one pair."""

    state: GateState
    version: int
    at: datetime
    answers: int = 0
    """The last asking of which it has worked all."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One incident of the offender: what the decisions say of it, and its gate. Either may come first."""

    pair_id: str
    opened: bool = False
    """The last decision that said so opened outreach, and none has withdrawn it since."""
    asked: int = 0
    """When outreach was last asked for it, as the decisions say; 0: not, or not since it was withdrawn."""
    place: int = 0
    """Order of opening; 0: never opened."""
    on_ladder: bool = False
    unannounced: bool = False
    """Uncharged, and it is not known that police spoke with him about it."""
    mutual: bool = False
    bulk: bool = False
    conflict: bool = False
    also_victim: bool = False
    agency: str | None = None
    """Whose incident it is."""
    statutes: tuple[str, ...] = ()
    gate: Gate | None = None

    @property
    def waited_for(self) -> bool:
        """Asked for and not opened, the decision that opens it is still to come."""
        return self.opened or self.asked > 0

    @property
    def clear(self) -> bool:
        """Whether the gate lets notices pass. What it said before it was last asked does not count."""
        gate = self.gate
        return gate is not None and gate.state is GateState.CLEAR and 0 < self.asked <= gate.answers


@dataclass(frozen=True, slots=True)
class Past:
    """A notice he was given under another record of his, or before this system was there. Counts as given."""

    notification_id: str
    tier: Tier
    served_at: datetime
    source: str
    """The record it was given under."""
    stands: bool = True
    """False: it has been withdrawn since, or was recorded by mistake."""


@dataclass(frozen=True, slots=True)
class Round:
    """When the notice of a list is to be given."""

    tier: Tier
    begins: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Merge:
    """One hand-over to this record that is not whole yet."""

    arriving: bool = True
    """The classifier has not handed over the whole history."""
    asking: bool = True
    """The other record's lane has not said what he was given."""
    rounds: tuple[Round, ...] = ()
    """Planned there for notices that are not prepared here yet."""


@dataclass(frozen=True, slots=True)
class Offender:
    """All the notifier keeps of one offender."""

    offender_id: str
    tier: Tier | None = None
    described: OffenderDescribed | None = None
    pairs: Mapping[str, Pair] = field(default_factory=dict)
    notices: Mapping[str, Notice] = field(default_factory=dict)
    past: tuple[Past, ...] = ()
    merges: Mapping[str, Merge] = field(default_factory=dict)
    """By the record that was merged into this one; "" for a split."""
    enforcements: Mapping[str, Enforcement] = field(default_factory=dict)
    helps: Mapping[str, Help] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    """Records that took this one over: what comes to light of it later is sent after it."""
    challenged: bool = False
    """He or his counsel disputes the listing, as the last decision says: no person lifts that here."""

    @property
    def custody(self) -> Custody | None:
        """Where he is held; None where he is not, as far as the jail has said."""
        custody = self.described.custody if self.described else None
        return custody if custody is not None and custody.held else None

    @property
    def in_custody(self) -> bool:
        return self.custody is not None

    def was_held(self, moment: datetime) -> bool:
        """Whether he was in jail then, as far as the jail has said of his last booking."""
        last = self.described.custody if self.described else None
        if last is None or last.booked_at is None:
            return False
        return last.booked_at <= moment and (last.released_at is None or moment <= last.released_at)

    @property
    def language(self) -> str:
        """His, as far as known; else English."""
        return (self.described.language if self.described else None) or "en"

    @property
    def conflict(self) -> bool:
        """He is a sworn officer or the like, by any source. With nothing open any more, what was said last counts."""
        described = self.described is not None and self.described.conflict_of_interest
        return described or any(pair.conflict for pair in self.open_pairs or self.pairs.values())

    def is_for(self, notice: Notice, agency: str | None) -> bool:
        """Whether an officer of this agency may see it and act on it. `store/sight.py` says the same in SQL.

        Where he is an officer himself: of the one it was lifted to, and none that has reported him.
        """
        reported = {pair.agency for pair in self.open_pairs}
        return not self.conflict or (agency is not None and agency == notice.route and agency not in reported)

    @property
    def open_pairs(self) -> tuple[Pair, ...]:
        """In order of opening."""
        return tuple(sorted((pair for pair in self.pairs.values() if pair.opened), key=lambda pair: pair.place))

    @property
    def clear(self) -> bool:
        """Whether every gate that is waited for is; without any open pair, none is."""
        return bool(self.open_pairs) and all(pair.clear for pair in self.pairs.values() if pair.waited_for)

    def of(self, states: Iterable[NotificationState]) -> Iterator[Notice]:
        """Notices in one of these states, in a fixed order."""
        wanted = frozenset(states)
        chosen = (notice for notice in self.notices.values() if notice.state in wanted)
        return iter(sorted(chosen, key=lambda notice: (notice.prepared_at, notice.notification_id)))

    def given_or_waiting(self, tier: Tier) -> bool:
        """One per tier per person that is not cancelled, whichever of his records it was given under."""
        return self.given_elsewhere(tier) or any(
            notice.tier is tier and notice.counts for notice in self.notices.values()
        )

    def given_elsewhere(self, tier: Tier) -> bool:
        """Under another record of his, and it stands."""
        return any(one.tier is tier and one.stands for one in self.past)

    def was_given(self, tier: Tier) -> bool:
        """By this system, or so it seemed: what is prepared anew stays, whatever was given before.

        Of what was withdrawn or recorded by mistake a decision may still say that it was given.
        """
        return any(one.tier is tier and not one.stands for one in self.past) or any(
            notice.tier is tier and (notice.state in GIVEN or notice.mistake is not None)
            for notice in self.notices.values()
        )

    def is_unannounced(self, notice: Notice) -> bool:
        """No charge has told him that somebody came forward, and it is not known that police spoke with him."""
        own = self.pairs.get(notice.pair_id)
        return notice.tier is Tier.D or own is None or own.unannounced

    def worded(self, notice: Notice) -> Notice:
        """As its wording is chosen: of what no charge has told him he is told as of a D, whatever list a person put him on."""
        return replace(notice, tier=Tier.D) if self.is_unannounced(notice) else notice

    def with_pair(self, pair: Pair) -> Offender:
        return replace(self, pairs={**self.pairs, pair.pair_id: pair})

    def with_notice(self, notice: Notice) -> Offender:
        return replace(self, notices={**self.notices, notice.notification_id: notice})

    def without_notice(self, notification_id: str) -> Offender:
        return replace(self, notices={key: one for key, one in self.notices.items() if key != notification_id})

    def with_enforcement(self, one: Enforcement) -> Offender:
        return replace(self, enforcements={**self.enforcements, one.enforcement_id: one})

    def with_help(self, one: Help) -> Offender:
        return replace(self, helps={**self.helps, one.help_id: one})

    def without_pair(self, pair_id: str) -> Offender:
        """An expunged pair leaves nothing but what was given to him, which a person must still set right."""
        pairs = {key: pair for key, pair in self.pairs.items() if key != pair_id}
        notices = {
            # Of what he was given the letter goes all the same: it names the charge.
            key: replace(one, printed=()) if one.pair_id == pair_id else one
            for key, one in self.notices.items()
            if one.pair_id != pair_id or one.state in GIVEN
        }
        enforcements = {key: one for key, one in self.enforcements.items() if one.pair_id != pair_id}
        return replace(self, pairs=pairs, notices=notices, enforcements=enforcements)

    def event(self, model: type[N], notice: Notice, by: str = "system", **more: Any) -> N:
        """What is said when this notice changes."""
        return model(
            notification_id=notice.notification_id,
            pair_id=notice.pair_id,
            offender_id=self.offender_id,
            tier=notice.tier,
            channel=notice.channel,
            language=notice.language,
            template=notice.template,
            template_sha256=notice.wording.sha256 if notice.wording else None,
            by=by,
            **more,
        )

    def work(self, model: type[W], notice: Notice, by: str = "system", **more: Any) -> W:
        """What is said of what people do about this notice."""
        return model(
            notification_id=notice.notification_id,
            pair_id=notice.pair_id,
            offender_id=self.offender_id,
            tier=notice.tier,
            by=by,
            **more,
        )
