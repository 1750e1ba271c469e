"""Partner files, and a bench on which what the classifier decides becomes what partners are sent, byte for byte."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from aiokafka import ConsumerRecord

from schemas.classification import Change, OffenderDecided, Outreach, PolicyRef, Tier, TierCurrent
from schemas.envelope import Classification, Data, Event, Message, decode, deterministic_id, encode, pair_id
from schemas.notification import Channel, NotificationPrepared
from schemas.partner import SUBSCRIBED, PartnerKind, sendable
from schemas.partner_file import Partner
from schemas.topics import Topic, allowed
from services.common.positions import LaneRow
from services.common.producer import JournalRow
from services.common.records import outbound, parse
from services.common.service import Outgoing, Redaction
from services.common.work import Worker
from services.partners.app import compose
from services.partners.domain import Offender
from tests.harness.working import work

KEY = b"a county's key, for tests only"
HIM = "NC099-88213"
AGENCY = "NC0990100"
START = datetime(2026, 3, 1, 20, tzinfo=UTC)
POLICY = PolicyRef(id="p", version="1", digest="0" * 64)
ALL_TIERS = list(Tier)


def partner(kind: PartnerKind = PartnerKind.PROSECUTION, *, id: str = "da", **changes: Any) -> Partner:
    """All that its kind may have, until something is said otherwise."""
    sees_d = "D" in changes.get("tiers", ())
    given: dict[str, Any] = {
        "id": id,
        "name": "A partner",
        "kind": kind,
        "purpose": "to see that it works",
        "need": "it would not otherwise",
        "expires": "2030-12-31",
        "events": [
            {"type": name, "fields": list(sendable(model, kind, sees_d=sees_d))} for name, model in SUBSCRIBED.items()
        ],
        "delivery": {"kind": "topic"},
    }
    return Partner.model_validate_json(orjson.dumps(given | changes), strict=True)


def everyone() -> list[Partner]:
    """One partner of each kind, and law enforcement with D besides."""
    made = [partner(kind, id=kind.replace("_", "-")) for kind in PartnerKind]
    return [*made, partner(PartnerKind.LAW_ENFORCEMENT, id="with-d", tiers=ALL_TIERS)]


def incident_id(number: int) -> str:
    return f"{AGENCY}:{number:03}"


def pair(number: int, him: str = HIM) -> str:
    return pair_id(incident_id(number), him)


def decision(
    number: int | None = 1, tier: str | None = "C", previous: str | None = None, *, him: str = HIM, **changes: Any
) -> OffenderDecided:
    """On incident `number`, charged and on the ladder unless said otherwise."""
    known = incident_id(number) if number is not None else None
    given: dict[str, Any] = {
        "decision_id": deterministic_id("decision", him, number, tier, previous, repr(sorted(changes.items()))),
        "pair_id": pair(number, him) if number is not None else None,
        "offender_id": him,
        "incident_id": known,
        "tier": Tier(tier) if tier else None,
        "previous_tier": Tier(previous) if previous else None,
        "change": Change.KEPT,
        "rules": ["c-charge"],
        "evidence": [known] if known else [],
        "review": [],
        "outreach": Outreach.OPENED,
        "charged": number is not None,
        "statutes": ["14-33(c)(2)"] if number is not None else [],
        "policy": POLICY,
        "occurred_at": START,
        "decided_at": START,
        "agency": AGENCY,
    }
    return OffenderDecided(**given | changes)


def expunction(number: int, tier: str | None, previous: str | None, him: str = HIM) -> OffenderDecided:
    """Names the pair alone."""
    return decision(
        None,
        tier,
        previous,
        him=him,
        pair_id=pair(number, him),
        withdrawn_pair_ids=[pair(number, him)],
        occurred_at=None,
    )


def current(tier: str, him: str = HIM) -> TierCurrent:
    return TierCurrent(offender_id=him, tier=Tier(tier), since=START, policy_version="1")


def prepared(number: int, tier: str = "C", him: str = HIM) -> NotificationPrepared:
    return NotificationPrepared(**notice(number, tier, him))


def notice(number: int, tier: str = "C", him: str = HIM) -> dict[str, Any]:
    """Fields that every notification has."""
    return {
        "notification_id": deterministic_id("notification", him, number, tier),
        "pair_id": pair(number, him),
        "offender_id": him,
        "tier": Tier(tier),
        "channel": Channel.LETTER_IN_HAND,
        "template": "c-en@1",
    }


@dataclass(slots=True)
class Bench:
    """One partner's lane, in memory: records as they lie on the topics in, journal rows out."""

    partner: Partner
    states: dict[str, Offender] = field(default_factory=dict)
    rows: list[JournalRow] = field(default_factory=list)
    erased: list[str] = field(default_factory=list)
    redacted: list[Redaction] = field(default_factory=list)
    row: LaneRow = field(default_factory=lambda: LaneRow(1))
    offsets: Counter[str] = field(default_factory=Counter)
    seen: set[tuple[str, str]] = field(default_factory=set)
    minutes: int = 0
    results: list[str] = field(default_factory=list)
    """What the last record came to."""
    worker: Worker[Offender] = field(init=False)

    def __post_init__(self) -> None:
        self.worker = Worker(compose(self.partner, KEY), 0, 1)

    @property
    def seal(self) -> Any:
        """Kind and value to the partner's pseudonym."""
        return self.worker.service.terms.pseudonyms.of_kind  # type: ignore[attr-defined]

    def tell(
        self, *said: Data, at: datetime | None = None, him: str | None = None, about: str | None = None
    ) -> list[Event[Any]]:
        """Say these, one a minute (or at `at`); `about`: the pair in their headers. Returns what the partner was sent."""
        before = len(self.rows)
        for data in said:
            self.minutes += 1
            moment = at or START + timedelta(minutes=self.minutes)
            subject = him or str(getattr(data, "offender_id", HIM))
            topic = next(topic for topic in Topic if allowed(topic, data.TYPE))
            event: Event[Data] = Event(
                id=deterministic_id(data.TYPE, subject, data.canonical(), moment.isoformat()),
                source="/tests",
                subject=subject,
                time=moment,
                recordedtime=moment,
                correlationid=about,
                data=data,
                dataclassification=Classification.INTERNAL,
            )
            self.take(topic, encode(event), moment)
        return [decode(_message(row)) for row in self.rows[before:]]

    def relay(self, said: Iterable[Outgoing]) -> None:
        """What a service has said, as it goes to its topics; what is not for partners is left out."""
        for one in said:
            if one.topic in self.worker.service.inputs:
                message = outbound(one, 0, 1).message
                self.take(Topic(one.topic), message, one.event.recordedtime or one.event.time)

    def end_tier(self, him: str = HIM) -> list[Event[Any]]:
        """A tombstone on the compacted topic."""
        before = len(self.rows)
        self.minutes += 1
        at = max(START + timedelta(minutes=self.minutes), self.row.clock or START)
        self.take(Topic.TIERS, Message(him.encode(), None), at)
        return [decode(_message(row)) for row in self.rows[before:]]

    def tick(self, *due: str, at: datetime) -> list[Event[Any]]:
        """The clock, for these offenders."""
        from schemas.commands import PartnersTick

        before = len(self.rows)
        event: Event[Data] = Event(
            id=f"tick-{at.isoformat()}", source="/tests", subject="0", time=at,
            data=PartnersTick(lane=0, period=int(at.timestamp()) // 60),
            dataclassification=Classification.INTERNAL,
        )  # fmt: skip
        self.take(Topic.PARTNERS_COMMANDS, encode(event), at, due)
        return [decode(_message(row)) for row in self.rows[before:]]

    def take(self, topic: Topic, message: Message, at: datetime, due: Sequence[str] = ()) -> None:
        self.offsets[topic] += 1
        stamp = int(at.timestamp() * 1000) + 999
        record = ConsumerRecord(
            str(topic),
            0,
            self.offsets[topic],
            stamp,
            1,
            message.key,
            message.value,
            None,
            -1,
            -1,
            tuple(message.headers),
        )
        worked = work(self.worker, self.row, [parse(record)], self.states, self.seen, due=due)
        assert worked.failed is None, worked.failed
        assert not worked.overslept, worked.overslept
        assert not worked.rejects, worked.rejects
        self.row = worked.row
        self.states |= {key: after for key, (_, after) in worked.changed.items()}
        self.seen |= {(one["source"], one["id"]) for one in worked.inbox}
        self.rows += worked.journal
        self.erased += worked.erase
        self.redacted += worked.redact
        self.results = [one["outcome"] for one in worked.inbox]

    @property
    def sent(self) -> list[tuple[bytes | None, bytes | None, tuple[tuple[str, bytes], ...]]]:
        """What lies on the partner's topic, byte for byte."""
        return [(row.key, row.value, row.headers) for row in self.rows]

    def state(self, him: str = HIM) -> Offender:
        return self.states[him]


def _message(row: JournalRow) -> Message:
    return Message(row.key, row.value, row.headers)
