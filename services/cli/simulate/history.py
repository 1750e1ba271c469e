"""One offender's years: what happened, and what agencies, jail and court sent of it, as events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from schemas.envelope import Data, Event
from schemas.incident import (
    IncidentReported,
    IncidentRetracted,
    Offender,
    OffenderMerged,
)
from schemas.person import DescribedVictim, OffenderDescribed, VictimsDescribed
from services.cli.simulate import rates
from services.cli.simulate.aftermath import Aftermath
from services.cli.simulate.county import County
from services.cli.simulate.incident import Incidents, number_of, revision_of
from services.cli.simulate.partners import partner
from services.cli.simulate.people import Person
from services.cli.simulate.voice import Case, Known, Sent, Voice
from services.intake.identity import Identifiers, offender_id, victim_id

_YOUNGEST: Final = timedelta(days=15 * 365.25)


@dataclass(frozen=True, slots=True)
class Life:
    """All that was sent of one person, in the order in which it came. `same`: incidents that are one, by incident id."""

    sent: list[Sent]
    known: list[Known]
    same: list[tuple[str, str]]
    incidents: int


def life(person: Person, county: County, most: int) -> Life:
    """With at most so many incidents, and nothing after the county's end."""
    voice = Voice(person, county)
    made = _Life(voice)
    made.live(most)
    sent = sorted((each for each in voice.sent if each.at < county.until), key=lambda each: each.at)
    return Life(sent, list(voice.known.values()), made.same, made.incidents)


class _Life:
    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._person, self._county, self._chance = voice.person, voice.county, voice.chance
        self.same: list[tuple[str, str]] = []
        self.incidents = 0
        self._after = Aftermath(voice)
        self._incidents = Incidents(voice, self._after)
        self._partners = 1
        self._her = partner(voice.person, 1, voice.chance)
        self._described: dict[tuple[str, str], list[DescribedVictim]] = {}

    # The course of it ----------------------------------------------------------------------------------

    def live(self, most: int) -> None:
        """One incident after another."""
        again = self._chance.choices([one for _, one in rates.REPEATERS], [share for share, _ in rates.REPEATERS])[0]
        born = datetime.combine(self._person.birth_date, datetime.min.time(), self._county.until.tzinfo)
        first = max(self._county.since, born + _YOUNGEST)
        at = first + (self._county.until - first) * self._chance.random()
        while at < self._county.until and self.incidents < most:
            self.incidents += 1
            self._incident(at.replace(microsecond=0))
            if not self._voice.happens(again):
                break
            at += timedelta(days=self._gap())
            self._between()
        self._found_out()

    def _gap(self) -> float:
        if self._voice.happens(rates.SOON_SHARE):
            return self._chance.uniform(0.5, rates.SOON_DAYS)
        return rates.SOON_DAYS + self._chance.expovariate(1 / rates.LATER_DAYS)

    def _between(self) -> None:
        if self._voice.happens(rates.NEW_PARTNER_SHARE):
            self._partners += 1
            self._her = partner(self._person, self._partners, self._chance)
        elif self._voice.happens(rates.PARTED_SHARE):
            self._her.parts()

    def _incident(self, at: datetime) -> None:
        case = self._incidents.case(at, self.incidents, self._her)
        self._tell_him(case)
        first = self._report(case.data, case.reported_at)
        if self._voice.happens(rates.SENT_TWICE):
            self._voice.sent.append(Sent(case.reported_at + timedelta(hours=self._chance.uniform(1, 300)), first))
        self._describe_victims(case)
        if self._voice.happens(rates.DOUBLE):
            self._double(case)
        if self._voice.happens(rates.MUTUAL) and case.data.victims:
            self._mutual(case)
        self._correct(case)
        self._after.of(case)

    # What is sent of it --------------------------------------------------------------------------------

    def _report(self, data: IncidentReported, at: datetime) -> Event[Data]:
        return self._voice.say(
            at,
            data,
            data.agency,
            f"{data.incident_id}.{data.offender.offender_id[:8]}.r{data.revision}",
            data.incident_id,
        )

    def _tell_him(self, case: Case) -> None:
        """The first time an id is seen: what the agency has of him."""
        who = case.offender_id
        if not self._voice.knows(who, case.him):
            return
        described = OffenderDescribed(
            offender_id=who,
            name=case.him.name,
            birth_date=case.him.birth_date,
            language="es" if self._person.is_spanish and self._voice.happens(0.4) else None,
            conflict_of_interest=case.data.offender.conflict_of_interest,
        )
        self._voice.say(case.reported_at - timedelta(seconds=1), described, case.agency, f"him.{who}")

    def _describe_victims(self, case: Case) -> None:
        """Where a form was filed. An agency's record of his victims is whole, each time."""
        if not self._voice.happens(rates.SCREENED):
            return
        draw = self._chance.random()
        screen = "declined" if draw < rates.SCREEN_DECLINED else "not_high"
        if draw > 1 - rates.SCREENED_HIGH:
            screen = "high"
        her, given = case.her, case.data.victims[0]
        own = self._described.setdefault((case.offender_id, case.agency), [])
        own.append(
            DescribedVictim(
                victim_no=1,
                incident_id=case.incident_id,
                victim_id=given.victim_id,
                name=her.name if given.victim_id else None,
                birth_date=her.birth_date if given.victim_id else None,
                contact=[her.contact] if given.victim_id else [],
                language="es" if her.speaks_spanish else None,
                substitute_address="PO Box 28041, Raleigh NC 27611"
                if self._voice.happens(rates.SUBSTITUTE_ADDRESS)
                else None,
                lethality_screen=screen,
            )
        )
        data = VictimsDescribed(offender_id=case.offender_id, victims=list(own[-50:]))
        self._voice.say(
            case.reported_at + timedelta(seconds=1), data, case.agency, f"victims.{case.incident_id}", case.incident_id
        )

    def _double(self, case: Case) -> None:
        """Another agency's record of the same: its own number, its own number of him, the same arrest."""
        others = [record for record in self._voice.records if record.agency != case.agency]
        if not others:
            return
        held = self._chance.choice(others)
        number = f"{case.at:%y}{number_of(self._person.person, self.incidents, 'double')}"
        him = replace(held, report=number)
        at = case.reported_at + timedelta(days=self._chance.uniform(0.1, 20))
        at = at.replace(microsecond=0)
        data = case.data.model_copy(
            update={
                "incident_id": f"{held.agency}:{number}",
                "agency": held.agency,
                "revision": revision_of(at, 1),
                "reported_at": at,
                "offender": case.data.offender.model_copy(
                    update={"offender_id": offender_id(him), "birth_date": him.birth_date}
                ),
                "victims": [
                    one.model_copy(update={"victim_id": victim_id(held.agency, number, no)})
                    for no, one in enumerate(case.data.victims, start=1)
                ],
                "bulk": at < self._county.live_from,
            }
        )
        other = replace(case, reported_at=at, agency=held.agency, number=number, him=him, data=data)
        self._tell_him(other)
        self._report(data, at)
        self.same.append((case.incident_id, data.incident_id))

    def _mutual(self, case: Case) -> None:
        """She is reported as offender too: each event has the other as victim, and the victim who was this offender (VO)."""
        her_id = offender_id(
            Identifiers(case.agency, case.number, 2, agency_person=f"F{case.her.number_at(case.agency)}")
        )
        hers = case.data.victims[0]
        at, chance = case.reported_at, self._chance
        as_victim = hers.model_copy(update={"victim_no": 1, "victim_id": victim_id(case.agency, case.number, 9)})
        arrest = case.data.arrest
        data = case.data.model_copy(
            update={
                "offender": Offender(offender_id=her_id, birth_date=_past(case.her.birth_date, at)),
                "victims": [as_victim, hers.model_copy(update={"victim_no": 2, "relationship": "VO"})],
                "prohibited_behavior": [],
                "arrest": arrest.model_copy(update={"arrest_id": f"{arrest.arrest_id}B"}) if arrest else None,
            }
        )
        his = case.data.model_copy(
            update={
                "revision": case.data.revision + 1,
                "victims": [
                    as_victim.model_copy(update={"relationship": "VO"}),
                    hers.model_copy(update={"victim_no": 2}),
                ],
            }
        )
        later = at + timedelta(hours=chance.uniform(0.1, 2))
        self._report(his, later)
        self._report(data.model_copy(update={"revision": his.revision}), later)
        case.data = his

    def _correct(self, case: Case) -> None:
        """Amended, taken back, or taken back and reported anew."""
        data, chance = case.data, self._chance
        if self._voice.happens(rates.AMENDED):
            at = case.reported_at + timedelta(days=chance.uniform(2.5, 60))
            victims = [
                one.model_copy(update={"relationship": case.her.relationship})
                if one.victim_no == 1 and one.relationship != "VO"
                else one
                for one in data.victims
            ]
            case.data = data.model_copy(
                update={"revision": max(revision_of(at, 1), data.revision + 1), "victims": victims}
            )
            self._report(case.data, at)
        if self._voice.happens(rates.RETRACTED):
            at = case.reported_at + timedelta(days=chance.uniform(61, 120))
            gone = IncidentRetracted(
                incident_id=case.incident_id,
                offender_id=case.offender_id,
                agency=case.agency,
                revision=case.data.revision,
            )
            self._voice.say(at, gone, case.agency, f"{case.incident_id}.gone", case.incident_id)
            if self._voice.happens(rates.INSERTED_AGAIN):
                later = at + timedelta(minutes=chance.uniform(1, 90))
                case.data = case.data.model_copy(
                    update={"revision": max(revision_of(later, 1), case.data.revision + 1)}
                )
                self._report(case.data, later)

    def _found_out(self) -> None:
        """Two ids of one person become one, by a person's decision."""
        ids = list(self._voice.known)
        if len(ids) < 2 or not self._voice.happens(rates.MERGED):
            return
        at = max(each.at for each in self._voice.sent) + timedelta(days=self._chance.uniform(1, 60))
        data = OffenderMerged(offender_id=ids[0], merged_offender_id=ids[1])
        self._voice.say(at, data, self._county.agencies[0], f"merged.{ids[1]}")


def _past(day: date, at: datetime) -> date:
    """A birth date that leaves her at least 16 then."""
    return min(day, at.date() - timedelta(days=16 * 366))
