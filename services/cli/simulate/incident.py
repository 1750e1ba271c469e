"""One incident as the agency whose it is reports it first."""

from __future__ import annotations

from base64 import b32encode
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from schemas.incident import Arrest, IncidentReported, Offender, Offense, ProhibitedBehavior, Victim
from services.cli.simulate import rates
from services.cli.simulate.aftermath import Aftermath
from services.cli.simulate.partners import Partner
from services.cli.simulate.voice import Case, Voice
from services.intake.identity import Identifiers, offender_id, victim_id

_ADULT: Final = 18
_STATUTES: Final = {
    "13A": "14-32", "13C": "14-277.1", "290": "14-127", "100": "14-39", "11A": "14-27.22", "220": "14-51", "90J": "14-134.3",
    "09A": "14-17",
}  # fmt: skip
"""N.C.G.S., as DOMAIN 4.4 lists them."""


class Incidents:
    """Of one person."""

    def __init__(self, voice: Voice, after: Aftermath) -> None:
        self._voice = voice
        self._after = after
        self._person, self._county, self._chance = voice.person, voice.county, voice.chance
        self._has_conflict = voice.happens(rates.CONFLICT)

    def case(self, at: datetime, place: int, her: Partner) -> Case:
        """His `place`-th incident, with her."""
        chance = self._chance
        held = self._voice.records[0] if self._voice.happens(0.75) else chance.choice(self._voice.records)
        number = f"{at:%y}{number_of(self._person.person, place)}"
        late = chance.uniform(1, rates.LATE_DAYS) if self._voice.happens(rates.LATE) else chance.uniform(0.01, 0.2)
        reported_at = (at + timedelta(days=late)).replace(microsecond=0)
        him = replace(held, report=number)
        is_charged = self._voice.happens(rates.CHARGED_AGAIN if place > 1 else rates.CHARGED_FIRST)
        breaches = self._after.breaches(at)
        offenses = self._offenses(is_charged, breaches, her)
        data = IncidentReported(
            incident_id=f"{held.agency}:{number}",
            revision=revision_of(reported_at, 1),
            agency=held.agency,
            occurred_at=at,
            reported_at=reported_at,
            offender=self._offender(him, at),
            victims=self._victims(held.agency, number, offenses[0].code, her),
            offenses=offenses,
            prohibited_behavior=breaches,
            probable_cause=True
            if is_charged or self._voice.happens(rates.PROBABLE_CAUSE_UNCHARGED)
            else chance.choice([None, False]),
            offender_informed=True if is_charged else (True if self._voice.happens(rates.INFORMED_UNCHARGED) else None),
            arrest=self._arrest(held.agency, number, reported_at) if is_charged else None,
            bulk=reported_at < self._county.live_from,
        )
        return Case(at, reported_at, held.agency, number, him, her, data)

    def _offender(self, him: Identifiers, at: datetime) -> Offender:
        age = (at.date() - self._person.birth_date).days // 365.25
        is_minor = age < _ADULT
        return Offender(
            offender_id=offender_id(him),
            birth_date=him.birth_date,
            age=int(age) if him.birth_date is None and self._voice.happens(0.6) else None,
            tried_as_adult=is_minor and self._voice.happens(rates.TRIED_AS_ADULT),
            conflict_of_interest=self._has_conflict,
        )

    def _victims(self, agency: str, number: str, code: str, her: Partner) -> list[Victim]:
        chance = self._chance
        known = (
            None
            if self._voice.happens(rates.UNIDENTIFIED_VICTIM)
            else victim_id(agency, number, 1, her.number_at(agency))
        )
        relationship = her.relationship
        if self._voice.happens(rates.RELATIONSHIP_UNKNOWN):
            relationship = "RU"
        elif self._voice.happens(rates.NOT_A_PARTNER):
            relationship = chance.choice(["SB", "PA", "AQ", "OF", "FR"])
        codes = [code] if self._voice.happens(0.9) else []
        victims = [
            Victim(
                victim_no=1,
                victim_id=known,
                relationship=relationship,
                child_in_common=her.has_his_child,
                offenses=codes,
            )
        ]
        if self._voice.happens(rates.CHILD_PRESENT):
            child = victim_id(agency, number, 2)
            relation = "CH" if her.has_his_child else "CF"
            victims.append(Victim(victim_no=2, victim_id=child, relationship=relation, offenses=codes))
        return victims

    def _offenses(self, is_charged: bool, breaches: list[ProhibitedBehavior], her: Partner) -> list[Offense]:
        code = self._chance.choices(list(rates.OFFENSES), list(rates.OFFENSES.values()))[0]
        forces = rates.FORCE.get(code, {"": 1})
        force = self._chance.choices(list(forces), list(forces.values()))[0]
        statute = _STATUTES.get(code) or ("14-33(c)(2)" if self._person.sex == "M" and her.sex == "F" else "14-33(a)")
        if force == "85":
            statute = "14-32.4(b)"
        made = [Offense(code=code, charged=is_charged, force=[force] if force else [], statute=statute)]
        if ProhibitedBehavior.PROTECTIVE_ORDER in breaches:
            made.append(Offense(code="90Z", charged=is_charged, statute="50B-4.1(a)"))
        return made

    def _arrest(self, agency: str, number: str, at: datetime) -> Arrest:
        kind = self._chance.choice("OT") if self._voice.happens(rates.JAILED) else "S"
        return Arrest(arrest_id=f"{agency}:{number}", arrested_at=at, type=kind)


def number_of(person: str, place: int, what: str = "") -> str:
    """Nine characters that no other incident has; with the year eleven of the twelve that NIBRS leaves."""
    return b32encode(blake2b(f"{person}|{place}|{what}".encode(), digest_size=6).digest())[:9].decode()


def revision_of(at: datetime, nth: int) -> int:
    """As NIBRS numbers them (DESIGN 3): month of submission x 100 + n-th report."""
    return (at.year * 100 + at.month) * 100 + nth
