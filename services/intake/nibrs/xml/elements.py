"""One report of the XML form as the typed facts of `nibrs.incident`; errors name the element, never its text."""

from __future__ import annotations

import re
from collections.abc import Collection, Container
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Final

from schemas.nibrs import ARREST_TYPES, FORCES, OFFENSES, RELATIONSHIPS
from schemas.rejects import RejectCode
from services.intake.nibrs.incident import Age, Arrestee, Incident, Look, Offender, Offense, Victim
from services.intake.nibrs.segments import YEARS, Head
from services.intake.nibrs.xml.fields import by_role, distinct, id_of, one_of, ref_of, told_apart, whole, wrong
from services.intake.nibrs.xml.parsing import Element

_ORI: Final = re.compile(r"[A-Z0-9]{9}")
_NUMBER: Final = re.compile(r"[!-~]{1,12}")
_LEVELS: Final = {"GROUP A INCIDENT REPORT": "1", "GROUP B ARREST REPORT": "7", "ZERO REPORT": "0"}
_KINDS: Final = {"1": "incident", "7": "arrest", "0": "zero"}
_ACTIONS: Final = {"1": "IDR", "7": "ADR", "0": "AD"}
_VICTIM_TYPES: Final = frozenset("IBFGLROSU")
_INDIVIDUALS: Final = frozenset("IL")
_CLEARANCES: Final = frozenset("ABCDEN")
_SEXES: Final = frozenset(["M", "F", "U", "X", ""])
_MOST_SUBJECTS, _MOST_VICTIMS, _MOST_ARRESTEES = 100, 999, 999
"""As many as their numbers can tell apart; arrestees by arrest."""
_ORI_AT: Final = (
    "ReportHeader", "ReportingAgency", "OrganizationAugmentation", "OrganizationORIIdentification", "IdentificationID",
)  # fmt: skip

WORDS: Final = {
    "Acquaintance": "AQ", "Babysittee": "BE", "Babysitter": "BE", "Boyfriend_Girlfriend": "BG",
    "Child of Boyfriend_Girlfriend": "CF", "Cohabitant": "CO", "Cohabitant_Non-Intimate": "CO",
    "Employee": "EE", "Employer": "ER", "Ex_Relationship": "XR", "Ex_Boyfriend_Ex_Girlfriend": "XR",
    "Ex_Spouse": "XS", "Family Member": "OF", "Family Member_Child": "CH", "Family Member_Foster Child": "FC",
    "Family Member_Foster Parent": "FP", "Family Member_Grandchild": "GC", "Family Member_Grandparent": "GP",
    "Family Member_In-Law": "IL", "Family Member_Parent": "PA", "Family Member_Sibling": "SB",
    "Family Member_Spouse": "SE", "Family Member_Spouse_Common Law": "CS", "Family Member_Stepchild": "SC",
    "Family Member_Stepparent": "SP", "Family Member_Stepsibling": "SS", "Friend": "FR",
    "Homosexual Relationship": "HR", "Neighbor": "NE", "NonFamily_Otherwise Known": "OK",
    "Relationship Unknown": "RU", "Stranger": "ST", "Victim Was Offender": "VO",
}  # fmt: skip
"""The IEPD's words for what the victim was to the offender. Another word is refused, not guessed."""
_RELATIONSHIPS: Final = {word.casefold(): code for word, code in WORDS.items()} | {
    code.casefold(): code for code in RELATIONSHIPS
}


def head_of(report: Element) -> Head:
    """What the report is and where it belongs. Raises `SegmentError`."""
    category = report.get("ReportHeader", "NIBRSReportCategoryCode")
    level = _LEVELS.get(" ".join(category.upper().split()))
    if level is None:
        raise wrong(report, "NIBRSReportCategoryCode", RejectCode.NIBRS_SEGMENT)
    action = report.get("ReportHeader", "ReportActionCategoryCode")
    if len(action) != 1 or action not in _ACTIONS[level]:
        raise wrong(report, "ReportActionCategoryCode")
    ori = report.get(*_ORI_AT)
    if not _ORI.fullmatch(ori):
        raise wrong(report, "OrganizationORIIdentification")
    if level == "0":
        return Head(level, action, ("zero", ori, f"{month_of(report)}"))
    activity = report.first("Incident" if level == "1" else "Arrest")
    number = activity.get("ActivityIdentification", "IdentificationID") if activity else ""
    if not _NUMBER.fullmatch(number):
        raise wrong(activity or report, "ActivityIdentification")
    return Head(level, action, (_KINDS[level], ori, number))


def month_of(report: Element) -> int:
    """Year and month of submission, as in 201905. Raises `SegmentError`."""
    found = re.fullmatch(r"((?:19|2\d)\d\d)-(0[1-9]|1[0-2])", report.get("ReportHeader", "ReportDate", "YearMonthDate"))
    if found is None:
        raise wrong(report, "ReportDate")
    return int(found[1]) * 100 + int(found[2])


def incident_of(report: Element, zone: tzinfo) -> Incident:
    """A Group A report. Raises `SegmentError` for the first thing wrong."""
    head = head_of(report)
    incident = report.first("Incident")
    assert incident is not None  # its number was read
    day, hour = day_and_hour(incident, zone)
    told_apart(report.all("Subject"), _MOST_SUBJECTS, "SubjectSequenceNumberText")
    told_apart(report.all("Victim"), _MOST_VICTIMS, "VictimSequenceNumberText")
    offenses = {id_of(each): _offense(each) for each in report.all("Offense")}
    if not offenses:
        raise wrong(report, "Offense", RejectCode.MISSING_FIELD)
    distinct(report.all("Offense"), [each.code for each in offenses.values()], "OffenseUCRCode")
    persons = _persons(report)
    subjects = {id_of(each): _offender(each, persons) for each in report.all("Subject")}
    if not subjects:
        raise wrong(report, "Subject", RejectCode.MISSING_FIELD)
    distinct(report.all("Subject"), [each.number for each in subjects.values()], "SubjectSequenceNumberText")
    if not report.all("Victim"):
        raise wrong(report, "Victim", RejectCode.MISSING_FIELD)
    known = {key: each for key, each in subjects.items() if each.number}
    links = _Links(
        offenses, known, set(subjects), by_role(report, "OffenseVictimAssociation", "Victim"),
        by_role(report, "SubjectVictimAssociation", "Victim"),
    )  # fmt: skip
    victims = [_victim(each, links) for each in report.all("Victim")]
    _all_there(links, {id_of(each) for each in report.all("Victim")})
    distinct(report.all("Victim"), [each.number for each in victims], "VictimSequenceNumberText")
    clearance = incident.get("IncidentAugmentation", "IncidentExceptionalClearanceCode") or next(
        (each.get("IncidentExceptionalClearanceCode") for each in incident.all("IncidentAugmentation")
         if each.get("IncidentExceptionalClearanceCode")), "N"
    )  # fmt: skip
    if clearance not in _CLEARANCES:
        raise wrong(incident, "IncidentExceptionalClearanceCode")
    return Incident(
        ori=head.key[1],
        number=head.key[2],
        month=month_of(report),
        day=day,
        hour=hour,
        cleared_exceptionally=clearance != "N",
        offenses=tuple(offenses.values()),
        victims=tuple(victims),
        offenders=tuple(sorted(known.values(), key=lambda each: each.number)),
        arrestees=tuple(arrestees_of(report, zone)),
    )


def day_and_hour(activity: Element, zone: tzinfo) -> tuple[date, int]:
    """By the clock of the agency's time zone, whichever one the text names; the hour is 0 where it is not known."""
    at = activity.get("ActivityDate", "DateTime")
    if not at:
        return _day(activity), 0
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise wrong(activity, "ActivityDate") from None
    if moment.year not in YEARS:
        raise wrong(activity, "ActivityDate")
    if moment.tzinfo is not None:
        moment = moment.astimezone(zone)
    return moment.date(), moment.hour


def _day(activity: Element) -> date:
    text = activity.get("ActivityDate", "Date")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise wrong(activity, "ActivityDate")
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise wrong(activity, "ActivityDate") from None
    if found.year not in YEARS:
        raise wrong(activity, "ActivityDate")
    return found


def _offense(element: Element) -> Offense:
    code = one_of(element, "OffenseUCRCode", OFFENSES)
    force = []
    for each in element.all("OffenseForce"):
        if each.get("ForceCategoryCode"):
            force.append(one_of(each, "ForceCategoryCode", FORCES))
    return Offense(code, tuple(dict.fromkeys(force)))


def _offender(subject: Element, persons: dict[str, Element]) -> Offender:
    number = whole(subject, "SubjectSequenceNumberText", 0, 99)
    return Offender(number, _look(subject, persons))


@dataclass(frozen=True, slots=True)
class _Links:
    """What a victim can be linked to, by id, and the links by victim."""

    offenses: dict[str, Offense]
    known: dict[str, Offender]
    subjects: Collection[str]
    to_offenses: dict[str, list[Element]]
    to_subjects: dict[str, list[Element]]


def _victim(element: Element, links: _Links) -> Victim:
    number = whole(element, "VictimSequenceNumberText", 1, 999)
    is_person = one_of(element, "VictimCategoryCode", _VICTIM_TYPES) in _INDIVIDUALS
    known = links.known
    codes = []
    for link in links.to_offenses.get(id_of(element), ()):
        if (offense := links.offenses.get(ref_of(link, "Offense"))) is None:
            raise wrong(link, "Offense")
        codes.append(offense.code)
    relationships: dict[int, str] = {}
    for link in links.to_subjects.get(id_of(element), ()):
        if not is_person or not known:
            continue  # where nobody is known, nothing can be related to him
        if (subject := ref_of(link, "Subject")) not in links.subjects:
            raise wrong(link, "Subject")
        if subject not in known:
            continue  # the unknown offender has no relationship (edit 468)
        if known[subject].number in relationships:
            raise wrong(link, "Subject")
        word = link.get("VictimToSubjectRelationshipCode").casefold()
        if word not in _RELATIONSHIPS:
            raise wrong(link, "VictimToSubjectRelationshipCode")
        relationships[known[subject].number] = _RELATIONSHIPS[word]
    return Victim(number, is_person, tuple(dict.fromkeys(codes)), relationships)


def _all_there(links: _Links, victims: Container[str]) -> None:
    """A link to a victim who is not there would be lost in silence, and she with it. Raises `SegmentError`."""
    to_known = links.to_subjects if links.known else {}  # where nobody is known, nothing can be related to him
    for key, found in (*links.to_offenses.items(), *to_known.items()):
        if key and key not in victims:
            raise wrong(found[0], "Victim")


def arrestees_of(report: Element, zone: tzinfo) -> list[Arrestee]:
    """Each arrestee with his arrest; of a Group B report with one arrest and no links that arrest is theirs."""
    told_apart(report.all("Arrest"), _MOST_ARRESTEES, "ActivityIdentification")
    arrests = {id_of(each): each for each in report.all("Arrest")}
    links, persons = by_role(report, "ArrestSubjectAssociation", "Subject"), _persons(report)
    found: list[Arrestee] = []
    for element in report.all("Arrestee"):
        made = (ref_of(link, "Activity") for link in links.get(id_of(element), ()))
        own = [arrests[activity] for activity in made if activity in arrests]
        if not own and len(arrests) == 1 and not links:
            own = list(arrests.values())
        if not own:
            raise wrong(element, "ArrestSubjectAssociation", RejectCode.MISSING_FIELD)
        if len(found) + len(own) > _MOST_ARRESTEES:
            raise wrong(element, "ArrestSequenceID")
        found += [_arrestee(element, arrest, persons, zone) for arrest in own]
    return found


def _arrestee(element: Element, arrest: Element, persons: dict[str, Element], zone: tzinfo) -> Arrestee:
    transaction = arrest.get("ActivityIdentification", "IdentificationID")
    if not _NUMBER.fullmatch(transaction):
        raise wrong(arrest, "ActivityIdentification")
    charge = arrest.first("ArrestCharge")
    if charge is None:
        raise wrong(arrest, "ArrestCharge", RejectCode.MISSING_FIELD)
    return Arrestee(
        number=whole(element, "ArrestSequenceID", 1, 99),
        transaction=transaction,
        day=_day(arrest) if arrest.get("ActivityDate", "Date") else day_and_hour(arrest, zone)[0],
        type=one_of(arrest, "ArrestCategoryCode", ARREST_TYPES),
        code=one_of(charge, "ChargeUCRCode", OFFENSES),
        look=_look(element, persons),
    )


def _look(role: Element, persons: dict[str, Element]) -> Look:
    """Of the person whose role this is; nothing is known of one who is not described."""
    link = role.first("RoleOfPerson") or role.first("RoleOfPersonReference")
    key = link.attributes.get("ref", "") if link else ""
    person = persons.get(key) if key else None
    if person is None:
        return Look(None, "", "")
    sex = person.get("PersonSexCode")
    if sex not in _SEXES:
        raise wrong(person, "PersonSexCode")
    race = person.get("PersonRaceNDExCode") or person.get("PersonRaceCode")
    return Look(_age(person), sex, race[:1])


def _age(person: Element) -> Age | None:
    measure = person.first("PersonAgeMeasure")
    if measure is None:
        return None
    span = measure.first("MeasureIntegerRange") or measure.first("MeasureRangeValue")
    if span is not None:
        least = _years(span, "RangeMinimumIntegerValue")
        most = _years(span, "RangeMaximumIntegerValue")
    else:
        text = measure.get("MeasureIntegerValue")
        if not text:
            return None  # in words: not known, or a small child
        least = most = _years(measure, "MeasureIntegerValue")
    if most == 0:
        return None  # as the flat file's 00
    if most < least or least == 0:
        raise wrong(person, "PersonAgeMeasure")
    return Age(least, most)


def _years(element: Element, name: str) -> int:
    return whole(element, name, 0, 99)


def _persons(report: Element) -> dict[str, Element]:
    """By id, of which the first counts."""
    return {id_of(each): each for each in reversed(report.all("Person"))}
