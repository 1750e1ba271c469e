"""Writes `people30.jsonl` from the rows below: `python -m tests.golden.measures.build`. What they come to: `people30.md`.

Every offence is at noon UTC, recorded two hours later; an arrest is at noon of its day. Nobody here is real.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from schemas.classification import Tier
from schemas.envelope import Data, Event, deterministic_id, pair_id, to_json_line
from schemas.incident import (
    Arrest,
    CaseDisposed,
    CustodyChange,
    CustodyChanged,
    Disposition,
    IncidentExpunged,
    IncidentReported,
    IncidentRetracted,
    NotificationRecorded,
    Offender,
    Offense,
    OrderChange,
    OrderChanged,
    ProhibitedBehavior,
    RecordedTier,
    Victim,
)
from schemas.notification import (
    Channel,
    FailureReason,
    Notification,
    NotificationFailed,
    NotificationServed,
    Proof,
)
from schemas.topics import Topic

FILE = Path(__file__).with_name("people30.jsonl")
AGENCY = "NC0990100"
LETTER, VISIT, PHONE = Channel.LETTER_IN_HAND, Channel.FACE_TO_FACE, Channel.PHONE
JAIL, CALL_IN = Channel.CUSTODY_VISIT, Channel.CALL_IN
HOUR = timedelta(hours=1)


def noon(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) + 12 * HOUR


class Him:
    """One man's records, in the order they are written down below."""

    def __init__(self, number: int) -> None:
        self.id = f"P{number:02}"
        self.events: list[Event[Any]] = []
        self._incidents = 0

    def say(self, data: Data, at: datetime) -> Him:
        made = deterministic_id("people30", self.id, len(self.events))
        topic = Topic.NOTIFICATIONS if isinstance(data, Notification) else Topic.INCIDENTS
        self.events.append(
            Event(
                id=made, source=f"/agencies/{AGENCY}", subject=self.id, time=at, recordedtime=at, data=data,
                dataclassification=topic.classification,
            )
        )  # fmt: skip
        return self

    def incident(
        self,
        day: str,
        *,
        charged: bool = False,
        code: str = "13B",
        force: Sequence[str] = (),
        victim: str = "BG",
        arrested: str | None = None,
        reported: str | None = None,
        bulk: bool = False,
    ) -> Him:
        self._incidents += 1
        taken = noon(arrested or day)
        recorded = (noon(reported) if reported else max(noon(day), taken)) + 2 * HOUR
        arrest = Arrest(arrest_id=f"A-{self._incident}", arrested_at=taken, type="T") if charged else None
        data = IncidentReported(
            incident_id=self._incident,
            revision=1,
            agency=AGENCY,
            occurred_at=noon(day),
            reported_at=recorded,
            offender=Offender(offender_id=self.id, birth_date=date(1985, 6, 15)),
            victims=[Victim(victim_no=1, victim_id=f"V-{self._incident}", relationship=victim)],
            offenses=[Offense(code=code, charged=charged, force=list(force))],
            offender_informed=True,
            arrest=arrest,
            bulk=bulk,
        )
        return self.say(data, recorded)

    def charged(self, day: str, **more: Any) -> Him:
        return self.incident(day, charged=True, **more)

    def served(self, tier: Tier, hours: int, channel: Channel) -> Him:
        """Of the last incident, so many hours after it was recorded."""
        at = self.events[-1].time + hours * HOUR
        return self.say(NotificationServed(**self._notice(tier, channel), served_at=at, proof=Proof.SIGNATURE), at)

    def not_found(self, tier: Tier, hours: int, channel: Channel) -> Him:
        at = self.events[-1].time + hours * HOUR
        return self.say(NotificationFailed(**self._notice(tier, channel), reason=FailureReason.NOT_FOUND), at)

    def served_before(self, tier: str, day: str) -> Him:
        """Before this system was there."""
        known = NotificationRecorded(
            offender_id=self.id, notification_id=f"old-{self.id}", tier=RecordedTier(tier), served_at=noon(day)
        )
        return self.say(known, self.events[-1].time)

    def court(self, day: str, disposition: Disposition, *, code: str = "13B") -> Him:
        """On the arrest of the last incident."""
        arrest = f"A-{self._incident}"
        data = CaseDisposed(offender_id=self.id, arrest_id=arrest, charge=code, disposition=disposition)
        return self.say(data, noon(day))

    def order(self, day: str, kind: ProhibitedBehavior) -> Him:
        data = OrderChanged(
            **{"from": noon(day)}, offender_id=self.id, order_id=f"R-{self.id}", kind=kind, change=OrderChange.ISSUED
        )
        return self.say(data, noon(day))

    def jail(self, day: str, change: CustodyChange) -> Him:
        data = CustodyChanged(offender_id=self.id, booking_id=f"J-{self.id}", change=change, at=noon(day))
        return self.say(data, noon(day))

    def taken_back(self, day: str) -> Him:
        data = IncidentRetracted(incident_id=self._incident, offender_id=self.id, agency=AGENCY)
        return self.say(data, noon(day))

    def expunged(self, day: str) -> Him:
        data = IncidentExpunged(incident_id=self._incident, offender_id=self.id, agency=AGENCY)
        return self.say(data, noon(day))

    @property
    def _incident(self) -> str:
        return f"{AGENCY}:{self.id}-{self._incidents}"

    def _notice(self, tier: Tier, channel: Channel) -> dict[str, Any]:
        return {
            "notification_id": f"N-{self.id}-{tier}",
            "pair_id": pair_id(self._incident, self.id),
            "offender_id": self.id,
            "tier": tier,
            "channel": channel,
            "template": "sample@1",
        }


def people() -> Iterator[Him]:
    b, c, d = Tier.B, Tier.C, Tier.D
    convicted, dismissed = Disposition.CONVICTED, Disposition.DISMISSED
    pretrial, no_contact = ProhibitedBehavior.PRETRIAL_CONDITION, ProhibitedBehavior.NO_CONTACT
    booked, released = CustodyChange.BOOKED, CustodyChange.RELEASED
    # Twelve who were given notice of D first.
    yield Him(1).incident("2024-01-10").served(d, 24, LETTER)
    yield Him(2).incident("2024-01-20").served(d, 48, LETTER).charged("2024-05-01").court("2024-08-09", convicted)
    yield Him(3).incident("2024-02-05").served(d, 48, VISIT).charged("2024-10-20").order("2024-10-22", pretrial)
    yield (
        Him(4).incident("2024-03-01").served(d, 72, LETTER).charged("2025-06-01", code="09A").jail("2025-06-01", booked)
    )
    yield Him(5).incident("2024-04-01").served(d, 72, LETTER)
    yield Him(6).incident("2024-05-01").served(d, 96, LETTER)
    yield Him(7).incident("2024-06-01").served(d, 24, VISIT).incident("2024-07-01")
    yield Him(8).incident("2024-07-01").served(d, 48, LETTER).charged("2024-06-20", arrested="2024-08-01")
    yield Him(9).incident("2025-01-10").served(d, 48, LETTER).charged("2025-03-01").court("2025-05-01", dismissed)
    yield Him(10).incident("2025-02-01").served(d, 120, LETTER)
    yield Him(11).incident("2025-09-01").served(d, 48, LETTER)
    yield Him(12).incident("2025-10-01").served(d, 48, VISIT).charged("2025-11-01")
    # Twelve of C.
    yield Him(13).charged("2024-01-15", code="13A", force=("40",)).served(c, 6, JAIL)
    yield (
        Him(14)
        .charged("2024-02-10")
        .served(c, 12, VISIT)
        .charged("2024-04-10", code="13A", force=("85",))
        .jail("2024-04-10", booked)
        .jail("2024-04-11", released)
        .order("2024-04-13", no_contact)
    )
    yield Him(15).charged("2024-03-10").served(c, 24, VISIT).charged("2024-12-10").court("2025-01-09", convicted)
    yield Him(16).charged("2024-04-10").served(c, 24, LETTER)
    yield (
        Him(17)
        .charged("2024-05-10")
        .served(c, 30, PHONE)
        .charged("2024-07-10")
        .jail("2024-07-10", booked)
        .jail("2024-07-20", released)
        .court("2024-09-10", convicted)
        .charged("2024-08-10", code="13A", force=("12",))
    )
    yield Him(18).charged("2024-06-10").served(c, 36, VISIT).charged("2024-07-10", victim="ST")
    yield Him(19).charged("2024-07-10").served(c, 48, PHONE).charged("2024-09-10").taken_back("2024-10-01")
    yield Him(20).charged("2024-08-10").served(c, 48, LETTER)
    yield Him(21).charged("2024-09-10").served(c, 60, VISIT).charged("2025-09-20").court("2025-12-19", convicted)
    yield Him(22).charged("2025-03-10").served(c, 72, VISIT)
    yield Him(23).charged("2025-08-10").served(c, 12, JAIL)
    yield Him(24).charged("2024-10-10").served(c, 24, VISIT).expunged("2024-12-01")
    # Four of B, three of whom had notice of C before.
    yield (
        Him(25)
        .charged("2024-01-05")
        .served(c, 24, VISIT)
        .charged("2024-03-05")
        .served(b, 360, CALL_IN)
        .order("2024-03-06", pretrial)
        .charged("2024-06-20")
    )
    yield (
        Him(26)
        .charged("2024-02-15")
        .served(c, 24, VISIT)
        .charged("2024-05-15")
        .served(b, 480, CALL_IN)
        .order("2024-05-20", ProhibitedBehavior.PROTECTIVE_ORDER)
    )
    yield Him(27).charged("2024-03-20").not_found(c, 24, VISIT).charged("2024-04-20").served(b, 240, CALL_IN)
    yield Him(28).charged("2024-06-15").served(c, 24, VISIT).charged("2025-10-15").served(b, 480, CALL_IN)
    # One whose notice is older than this system, and one who was never given any.
    yield (
        Him(29)
        .incident("2024-02-18", reported="2024-03-01", bulk=True)
        .served_before("D", "2024-02-20")
        .charged("2024-06-01")
        .court("2025-01-15", convicted)
    )
    yield Him(30).incident("2024-09-01").charged("2025-01-15", code="09A")


def events() -> list[Event[Any]]:
    """As they came, by record time."""
    said = [event for him in people() for event in him.events]
    return sorted(said, key=lambda event: (event.time, event.subject or "", event.id))


if __name__ == "__main__":
    FILE.write_bytes(b"".join(to_json_line(event) + b"\n" for event in events()))
