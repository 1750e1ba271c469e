"""Records of the incident stream, and a bench on which the classifier decides them, lane after lane, in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from schemas.classification import OffenderDecided
from schemas.commands import NotedVictim, OpenListed, Role
from schemas.envelope import Classification, Data, Event, deterministic_id, pair_id, routing_key
from schemas.incident import (
    Arrest,
    CaseDisposed,
    Disposition,
    IncidentExpunged,
    IncidentReported,
    IncidentRetracted,
    NotificationRecorded,
    Offender,
    OffenderMerged,
    OffenderSplit,
    Offense,
    ProhibitedBehavior,
    RecordedTier,
    Victim,
)
from schemas.policy import Policy
from schemas.policy_file import load_policy
from schemas.referral import Referral, ReferralOpened, ReferralWithdrawn
from schemas.topics import Topic, allowed
from services.classifier import domain
from services.classifier.app import compose
from services.classifier.stream import INPUTS, Classifier
from services.common.seal import sealer
from services.common.service import Input, Outcome, Outgoing

AGENCY = "NC0990100"
HIM = "O-1"
START = datetime(2025, 3, 1, 20, tzinfo=UTC)
PRACTICE = load_policy("high-point-practice")
SEED = load_policy("high-point-seed")
SEAL = sealer(b"a key for tests only")


def incident_id(number: int) -> str:
    return f"{AGENCY}:{number:03}"


def pair(number: int, him: str = HIM) -> str:
    return pair_id(incident_id(number), him)


def event(data: Data, subject: str, at: datetime, name: str | None = None) -> Event[Any]:
    """An event as its source sends it; its id follows from its content unless it has a `name`."""
    name = name or deterministic_id(data.TYPE, subject, at.isoformat(), data.model_dump_json())
    return Event(
        id=name, source=f"/agencies/{AGENCY}", subject=subject, time=at, data=data,
        dataclassification=Classification.RESTRICTED,
    )  # fmt: skip


def report(
    number: int = 1,
    him: str = HIM,
    *,
    day: float | None = None,
    late: timedelta = timedelta(hours=2),
    victims: Sequence[Victim | str] = ("BG",),
    code: str = "13B",
    charged: bool = False,
    force: Sequence[str] = (),
    disposition: Disposition | None = None,
    offenses: Sequence[Offense] | None = None,
    breach: Sequence[ProhibitedBehavior] = (),
    arrest: str | None = None,
    born: date | None = date(1985, 6, 15),
    offender: dict[str, Any] | None = None,
    name: str | None = None,
    **rest: Any,
) -> Event[IncidentReported]:
    """Incident `number`, on day `number` unless told; a victim may be given by her relationship alone."""
    at = START + timedelta(days=number if day is None else day)
    given = [
        one if isinstance(one, Victim) else Victim(victim_id=f"V-{number}-{one}", relationship=one) for one in victims
    ]
    made = Arrest(arrest_id=arrest or f"A-{him}-{number}", arrested_at=at, type="T") if charged or arrest else None
    data = IncidentReported(
        **{
            "incident_id": incident_id(number),
            "revision": 1,
            "agency": AGENCY,
            "occurred_at": at,
            "reported_at": at + late,
            "offender": Offender(offender_id=him, birth_date=born, **(offender or {})),
            "victims": given,
            "offenses": list(offenses)
            if offenses is not None
            else [Offense(code=code, charged=charged, force=list(force), disposition=disposition)],
            "prohibited_behavior": list(breach),
            "arrest": made,
            **rest,
        }
    )
    return event(data, him, data.reported_at, name)


def later(days: float) -> datetime:
    return START + timedelta(days=days)


def retracted(
    number: int = 1, him: str = HIM, *, revision: int | None = None, day: float = 60
) -> Event[IncidentRetracted]:
    data = IncidentRetracted(incident_id=incident_id(number), offender_id=him, agency=AGENCY, revision=revision)
    return event(data, him, later(day))


def expunged(number: int = 1, him: str = HIM, *, day: float = 90) -> Event[IncidentExpunged]:
    data = IncidentExpunged(incident_id=incident_id(number), offender_id=him, agency=AGENCY)
    return event(data, him, later(day))


def merged(gone: str, into: str = HIM, *, day: float = 40) -> Event[OffenderMerged]:
    return event(OffenderMerged(offender_id=into, merged_offender_id=gone), into, later(day))


def split(numbers: Iterable[int], to: str, him: str = HIM, *, day: float = 40) -> Event[OffenderSplit]:
    ids = [incident_id(number) for number in numbers]
    return event(OffenderSplit(offender_id=him, new_offender_id=to, incident_ids=ids), him, later(day))


def disposed(
    arrest: str, disposition: Disposition, him: str = HIM, *, charge: str = "13B", day: float = 70
) -> Event[CaseDisposed]:
    data = CaseDisposed(offender_id=him, arrest_id=arrest, charge=charge, disposition=disposition)
    return event(data, him, later(day))


def noticed(tier: str = "D", him: str = HIM, *, name: str = "N-1", day: float = 5) -> Event[NotificationRecorded]:
    data = NotificationRecorded(offender_id=him, notification_id=name, tier=RecordedTier(tier), served_at=later(day))
    return event(data, him, later(day))


def opened(number: int = 1, him: str = HIM, role: Role = Role.COORDINATOR, *, day: float = 80) -> Event[OpenListed]:
    data = OpenListed(offender_id=him, by="alex", role=role, incident_id=incident_id(number))
    return event(data, him, later(day))


@dataclass(slots=True)
class Bench:
    """The service on records one after another. Commands to other lanes wait in `crossing` or are taken at once."""

    policy: Policy = PRACTICE
    service: Classifier = field(init=False)
    offenders: dict[str, domain.Offender] = field(default_factory=dict)
    said: list[Outgoing] = field(default_factory=list)
    handed: list[Outgoing] = field(default_factory=list)
    """To other lanes, ever."""
    crossing: deque[Event[Any]] = field(default_factory=deque)
    noted: deque[Event[Any]] = field(default_factory=deque)
    """To the lanes of partners, who may be offenders themselves."""
    erased: list[str] = field(default_factory=list)
    kept: str | None = None
    """Digest of the policy in force; None: `policy`."""

    def __post_init__(self) -> None:
        self.service = compose(self.policy, SEAL)

    def put(self, *events: Event[Any]) -> Outcome[domain.Offender]:
        """Decide them and all that they set going. Returns what came of the last."""
        for one in events:
            outcome = self.decide(one)
            self.cross()
        return outcome

    def decide(self, one: Event[Any]) -> Outcome[domain.Offender]:
        """Decide one; what it sends to other lanes is still on its way."""
        topic = next(topic for topic in INPUTS if allowed(topic, one.type))
        at = one.recordedtime or one.time
        outcome = self.service.decide(self.offender(routing_key(one)), Input(one, topic, 0, at, at, kept=self.kept))
        self.offenders[routing_key(one)] = outcome.state
        if outcome.state == self.service.store.new(routing_key(one)):
            del self.offenders[routing_key(one)]
        self.said += [sent for sent in outcome.events if not sent.other_lane]
        self.handed += [sent for sent in outcome.events if sent.other_lane]
        sent = [sent.event for sent in outcome.events if sent.other_lane]
        self.crossing += [each for each in sent if not isinstance(each.data, NotedVictim)]
        self.noted += [each for each in sent if isinstance(each.data, NotedVictim)]
        self.erased += outcome.erase
        return outcome

    def cross(self) -> None:
        """Everything on its way between lanes arrives; a ring would go on for ever."""
        for _ in range(10_000):
            if not (self.crossing or self.noted):
                return
            self.decide((self.crossing or self.noted).popleft())
        raise AssertionError("hand-overs do not come to an end")

    def offender(self, him: str = HIM) -> domain.Offender:
        return self.offenders.get(him) or self.service.store.new(him)

    def codes(self, him: str = HIM) -> set[tuple[str, str]]:
        """Open reviews: the incident's number, or what else it is about, and the code."""
        return {(subject.removeprefix(f"{AGENCY}:"), str(code)) for subject, code in self.offender(him).reviews}

    def of(self, topic: Topic) -> list[Any]:
        """What was said on a topic: the data, None for a tombstone."""
        return [None if one.tombstone else one.event.data for one in self.said if one.topic is topic]

    @property
    def decisions(self) -> list[OffenderDecided]:
        return self.of(Topic.DECISIONS)

    def live_referrals(self) -> dict[str, Referral]:
        """As who heard every word knows them; how often they were asked for hangs on what came first."""
        known: dict[str, Referral] = {}
        for data in self.of(Topic.REFERRALS):
            if isinstance(data, ReferralWithdrawn):
                known.pop(data.referral_id, None)  # an expunction is told also where it was withdrawn before
            else:
                known[data.referral_id] = ReferralOpened(
                    **{name: getattr(data, name) for name in Referral.model_fields if name != "asking"}
                )
        return known

    def tiers(self) -> dict[str, str]:
        """As partners know them from the compacted topic."""
        known: dict[str, str] = {}
        for one in self.said:
            if one.topic is Topic.TIERS and one.tombstone:
                del known[one.event.subject]
            elif one.topic is Topic.TIERS:
                known[one.event.subject] = one.event.data.tier  # type: ignore[attr-defined]
        return known
