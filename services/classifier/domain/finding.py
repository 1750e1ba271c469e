"""What one incident is under a policy: whose case, a charge or a suspicion, and what a person should look at."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from schemas.classification import ReviewCode
from schemas.criteria import ChargeUnit
from schemas.envelope import Event
from schemas.incident import CaseDisposed, Disposition, IncidentReported, Offense, ProhibitedBehavior, Victim
from schemas.nibrs import PERSON_CRIMES
from schemas.policy import Policy
from schemas.referral import ReferralPurpose
from services.classifier.domain.history import Telling
from services.classifier.domain.records import Force

SELF = "VO"
"""NIBRS: this victim is this offender."""
UNKNOWN = "RU"

Court = Callable[[str, str], Event[CaseDisposed] | None]
"""The court's latest word on (arrest, charge)."""


@dataclass(frozen=True, slots=True)
class Referred:
    """One person to be reached on account of the incident."""

    victim_no: int
    victim_id: str | None
    purpose: ReferralPurpose
    homicide: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """An incident, read. Equal findings mean that nothing a decision rests on has changed."""

    report: IncidentReported
    dispositions: tuple[Disposition, ...]
    """As they stand now, of `report.offenses`."""
    listed: bool
    qualifies: bool
    """A victim is an intimate partner."""
    mutual: bool
    """He is among the victims: both were arrested."""
    on_ladder: bool
    charges: int
    """Against an intimate partner, in the policy's unit; 0: a suspicion."""
    convicted: bool
    weapon: bool
    strangulation: bool
    homicide: bool
    felony: bool
    """Of the charged offences."""
    violation: bool
    """Prohibited behaviour by the policy, charged or not."""
    statutes: tuple[str, ...]
    """Of the charged offences, each once."""
    reviews: frozenset[ReviewCode]
    referred: tuple[Referred, ...]

    @property
    def incident_id(self) -> str:
        return self.report.incident_id

    @property
    def arrest_id(self) -> str | None:
        return self.report.arrest.arrest_id if self.report.arrest else None

    @property
    def place(self) -> tuple[datetime, str]:
        """Where the walk meets it."""
        return self.report.occurred_at, self.report.incident_id


def find(
    report: IncidentReported, policy: Policy, court: Court, *, listed: bool, noticed: Collection[Force] = ()
) -> Finding:
    """Read one incident (`DESIGN.md` 4). `noticed`: when notices to him were in force."""
    dispositions = tuple(_disposition(report, offense, court) for offense in report.offenses)
    others = [victim for victim in report.victims if victim.relationship != SELF]
    partners = [victim for victim in others if is_intimate(victim, policy)]
    mutual = bool(partners) and len(others) < len(report.victims)
    counting = [
        (offense, disposition)
        for offense, disposition in zip(report.offenses, dispositions, strict=True)
        if offense.charged and disposition in policy.charges.dispositions
    ]
    hers = [
        (offense, said) for offense, said in counting if any(may_be_against(victim, offense) for victim in partners)
    ]
    charged = [offense for offense, _ in hers]
    convicted = any(said is Disposition.CONVICTED for _, said in hers)
    against = [offense for offense in report.offenses if any(may_be_against(victim, offense) for victim in partners)]
    minor = is_minor(report, policy)
    force = {code for offense in charged for code in offense.force}
    if partners:
        reviews = frozenset(_reviews(report, policy, partners, charged, against, mutual=mutual, minor=minor))
    else:
        reviews = frozenset(_relationship_reviews(report, others))
    return Finding(
        report=report,
        dispositions=dispositions,
        listed=listed,
        qualifies=bool(partners),
        mutual=mutual,
        on_ladder=bool(partners) and not mutual and minor is not True,
        charges=_units(len(charged), policy.charges.unit, arrested=report.arrest is not None, convicted=convicted),
        convicted=convicted,
        weapon=bool(force & policy.codes.weapon_force),
        strangulation=bool(force & policy.codes.strangulation_force),
        homicide=any(offense.code in policy.codes.homicide for offense in charged),
        felony=any(
            any_of(each.code, each.statute, policy.codes.felony, policy.codes.felony_statutes) for each in charged
        ),
        violation=_is_violation(report, charged, policy, noticed),
        statutes=tuple(dict.fromkeys(offense.statute for offense in charged if offense.statute)),
        reviews=reviews,
        referred=tuple(_referred(report, policy, mutual=mutual, ask=ReviewCode.RELATIONSHIP_UNKNOWN in reviews)),
    )


def is_intimate(victim: Victim, policy: Policy) -> bool:
    """By the policy's codes, or a child in common. A protective order alone does not prove partnership."""
    by_child = policy.codes.child_in_common and victim.child_in_common
    return victim.relationship != SELF and (victim.relationship in policy.codes.intimate or by_child)


def as_one(telling: Telling, policy: Policy) -> IncidentReported:
    """The report that counts, with every victim whom the last revision names under any id of his.

    NIBRS says of each offender who was what to him. Where two of an incident turn out to be one man, whatever is closest holds:
    nobody loses her help because to the other she was a stranger.
    """
    if not telling.beside:
        return telling.report
    found: dict[int, Victim] = {}
    for report in (telling.report, *telling.beside):
        for number, victim in zip(victim_numbers(report), report.victims, strict=True):
            known = found.get(number)
            closer = known is not None and known.relationship != SELF and not is_intimate(known, policy)
            if known is None or (closer and is_intimate(victim, policy)):
                found[number] = victim.model_copy(update={"victim_no": number})
    return telling.report.model_copy(update={"victims": [found[number] for number in sorted(found)]})


def victim_numbers(report: IncidentReported) -> list[int]:
    """Of each victim in turn: as given, else the place in the list."""
    return [victim.victim_no or place for place, victim in enumerate(report.victims, start=1)]


def _disposition(report: IncidentReported, offense: Offense, court: Court) -> Disposition:
    """The later of what the agency reported and what the court said; a charge is pending until somebody says more."""
    said = court(report.arrest.arrest_id, offense.code) if report.arrest and offense.charged else None
    if said is not None and (offense.disposition is None or said.time >= report.reported_at):
        return said.data.disposition
    return offense.disposition or Disposition.PENDING


def may_be_against(victim: Victim, offense: Offense) -> bool:
    """Where no link is known, any offence of the incident may be the one against her."""
    return not victim.offenses or offense.code in victim.offenses


def _units(counts: int, unit: ChargeUnit, *, arrested: bool, convicted: bool) -> int:
    match unit:
        case ChargeUnit.CHARGE:
            return counts
        case ChargeUnit.INCIDENT:
            return min(counts, 1)
        case ChargeUnit.ARREST:
            return min(counts, 1) if arrested else 0
        case ChargeUnit.CONVICTION:
            return int(convicted)


def _is_violation(report: IncidentReported, charged: list[Offense], policy: Policy, noticed: Collection[Force]) -> bool:
    rules = policy.violations
    after_notice = rules.notice_terms_from_service and any(one.binds(report.occurred_at) for one in noticed)
    shown = {*report.prohibited_behavior, *([ProhibitedBehavior.NOTICE_TERMS] if after_notice else [])}
    return bool(shown & rules.behavior) or any(
        any_of(each.code, each.statute, rules.charged_offenses, rules.statutes) for each in charged
    )


def any_of(code: str, statute: str | None, codes: Collection[str], statutes: Collection[str]) -> bool:
    """Whether a charged offence bears such a code, or is charged under such a statute."""
    return code in codes or any(_part_of(each).search(statute or "") for each in statutes)


@lru_cache(1_024)
def _part_of(statute: str) -> re.Pattern[str]:
    """The statute or a part of it, with whatever stands around: of `50B-4.1` also `G.S. 50B-4.1(a)`, not `50B-4.10`."""
    return re.compile(rf"(?<![\w.-]){re.escape(statute)}(?![\w-]|\.\w)", re.IGNORECASE)


def is_minor(report: IncidentReported, policy: Policy) -> bool | None:
    """Under age at the time, where the agency is; None: neither birth date nor age is known."""
    offender = report.offender
    if offender.tried_as_adult:
        return False
    if offender.birth_date is not None:
        day = report.occurred_at.astimezone(policy.zone(report.agency)).date()
        return _years(offender.birth_date, day) < policy.adult_age
    return None if offender.age is None else offender.age < policy.adult_age


def _years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _reviews(
    report: IncidentReported,
    policy: Policy,
    partners: list[Victim],
    charged: list[Offense],
    against: list[Offense],
    *,
    mutual: bool,
    minor: bool | None,
) -> Iterator[ReviewCode]:
    """Why a person should look at an incident that qualifies."""
    if mutual:
        yield ReviewCode.MUTUAL
    if minor is not False:
        yield ReviewCode.AGE_UNKNOWN if minor is None else ReviewCode.JUVENILE
    grave = policy.codes.weapon_force | policy.codes.strangulation_force
    if not charged and any(grave.intersection(offense.force) for offense in against):
        yield ReviewCode.WEAPON_UNCHARGED
    if report.probable_cause and not any(offense.charged for offense in report.offenses):
        yield ReviewCode.PROBABLE_CAUSE_UNCHARGED
    linked = {code for victim in partners for code in victim.offenses}
    by_guess = charged and not any(offense.code in linked or offense.code in PERSON_CRIMES for offense in charged)
    if by_guess and not report.prohibited_behavior:
        yield ReviewCode.CHARGE_LINK_UNKNOWN
    if report.offender.conflict_of_interest:
        yield ReviewCode.CONFLICT_OF_INTEREST
    if report.arrestee_unmatched:
        yield ReviewCode.ARRESTEE_UNMATCHED


def _relationship_reviews(report: IncidentReported, others: list[Victim]) -> Iterator[ReviewCode]:
    """Why a person should look at an incident in which no partner is known."""
    if any(_is_unknown(victim, report) for victim in others):
        yield ReviewCode.RELATIONSHIP_UNKNOWN
    elif report.prohibited_behavior and all(victim.relationship == UNKNOWN for victim in others):
        yield ReviewCode.RELATIONSHIP_MISSING


def _is_unknown(victim: Victim, report: IncidentReported) -> bool:
    """Nobody said who she is to him, in a crime against the person."""
    crimes = (offense.code for offense in report.offenses if may_be_against(victim, offense))
    return victim.relationship == UNKNOWN and not PERSON_CRIMES.isdisjoint(crimes)


def _referred(report: IncidentReported, policy: Policy, *, mutual: bool, ask: bool) -> Iterator[Referred]:
    """Every partner, whatever the tier; both people of a mutual incident; who is unknown is asked after."""
    for number, victim in zip(victim_numbers(report), report.victims, strict=True):
        if is_intimate(victim, policy) or (mutual and victim.relationship == SELF):
            yield Referred(number, victim.victim_id, ReferralPurpose.OUTREACH, _is_dead(victim, report, policy))
        elif ask and _is_unknown(victim, report):
            yield Referred(number, victim.victim_id, ReferralPurpose.ASK_RELATIONSHIP, _is_dead(victim, report, policy))


def _is_dead(victim: Victim, report: IncidentReported, policy: Policy) -> bool:
    """Where several victims carry no link to the offences nobody can say whom it hit: each is then sought."""
    if victim.offenses:
        return not policy.codes.fatal.isdisjoint(victim.offenses)
    return len(report.victims) == 1 and any(offense.code in policy.codes.fatal for offense in report.offenses)
