"""NIBRS XML written from the segments of a flat file: the same month in the other format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from xml.sax.saxutils import escape

from services.intake.lines import Line
from services.intake.nibrs.reports import runs
from services.intake.nibrs.segments import Segment, segment_of
from services.intake.nibrs.xml.elements import WORDS

_WORD = {code: word for word, code in reversed(WORDS.items())}
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<nibrs:Submission xmlns:nibrs="http://fbi.gov/cjis/nibrs/4.2" xmlns:cjis="http://fbi.gov/cjis/1.0"'
    ' xmlns:j="http://release.niem.gov/niem/domains/jxdm/5.2/" xmlns:nc="http://release.niem.gov/niem/niem-core/3.0/"'
    ' xmlns:s="http://release.niem.gov/niem/structures/3.0/">\n'
)
TAIL = "</nibrs:Submission>\n"
_CATEGORIES = {"1": "GROUP A INCIDENT REPORT", "7": "GROUP B ARREST REPORT", "0": "ZERO REPORT"}


def converted(lines: Iterable[bytes]) -> Iterator[str]:
    """The XML file in parts, one report each between head and tail."""
    yield HEAD
    numbered = (Line(number, raw, len(raw)) for number, raw in enumerate(lines, start=1))
    for run in runs(numbered):
        yield report([segment_of(line) for line in run.lines])
    yield TAIL


def report(segments: Sequence[Segment]) -> str:
    first = segments[0]
    level = first.layout.level
    body = _incident(segments) if level == "1" else ""
    if level == "7":
        body = _arrests(segments, first.get("incident_number"))
    month = f"{first.get('year_of_submission')}-{first.get('month_of_submission')}"
    return (
        "<nibrs:Report>\n<nibrs:ReportHeader>"
        f"<nibrs:NIBRSReportCategoryCode>{_CATEGORIES[level]}</nibrs:NIBRSReportCategoryCode>"
        f"<nibrs:ReportActionCategoryCode>{first.action}</nibrs:ReportActionCategoryCode>\n"
        f"<nibrs:ReportDate><nc:YearMonthDate>{month}</nc:YearMonthDate></nibrs:ReportDate>"
        "<nibrs:ReportingAgency><j:OrganizationAugmentation><j:OrganizationORIIdentification>"
        f"<nc:IdentificationID>{first.get('ori')}</nc:IdentificationID></j:OrganizationORIIdentification>"
        f"</j:OrganizationAugmentation></nibrs:ReportingAgency></nibrs:ReportHeader>\n{body}</nibrs:Report>\n"
    )


def _number(number: str) -> str:
    return f"<nc:ActivityIdentification><nc:IdentificationID>{escape(number)}</nc:IdentificationID></nc:ActivityIdentification>"


def _date(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def _incident(segments: Sequence[Segment]) -> str:
    first = segments[0]
    hour, day = first.get("incident_hour"), _date(first.get("incident_date"))
    when = f"<nc:DateTime>{day}T{hour}:00:00</nc:DateTime>" if hour else f"<nc:Date>{day}</nc:Date>"
    parts = [
        f"<nc:Incident>{_number(first.get('incident_number'))}<nc:ActivityDate>{when}</nc:ActivityDate>"
        "<j:IncidentAugmentation><j:IncidentExceptionalClearanceCode>"
        f"{first.get('cleared_exceptionally')}</j:IncidentExceptionalClearanceCode></j:IncidentAugmentation></nc:Incident>\n"
    ]
    by_level = {level: [one for one in segments if one.layout.level == level] for level in "2456"}
    for one in by_level["2"]:
        force = "".join(
            f"<j:OffenseForce><j:ForceCategoryCode>{code}</j:ForceCategoryCode></j:OffenseForce>"
            for code in one.every("weapon")
            if code
        )
        code = one.get("offense_code")
        parts.append(
            f'<j:Offense s:id="O{code}"><nibrs:OffenseUCRCode>{code}</nibrs:OffenseUCRCode>{force}</j:Offense>\n'
        )
    for one in by_level["5"]:
        number = one.get("sequence_number")
        parts.append(_person(one, f"PS{number}"))
        parts.append(
            f'<j:Subject s:id="S{int(number)}"><nc:RoleOfPerson s:ref="PS{number}"/>'
            f"<j:SubjectSequenceNumberText>{number}</j:SubjectSequenceNumberText></j:Subject>\n"
        )
    for one in by_level["4"]:
        parts.append(_victim(one))
    return "".join(parts) + _arrests(by_level["6"])


def _victim(one: Segment) -> str:
    number = one.get("sequence_number")
    links = "".join(
        f'<j:OffenseVictimAssociation><j:Offense s:ref="O{code}"/><j:Victim s:ref="V{number}"/></j:OffenseVictimAssociation>\n'
        for code in one.every("offense_codes")
        if code
    )
    for offender, relationship in zip(one.every("offender_number"), one.every("relationship"), strict=True):
        if offender and relationship:
            links += (
                f'<j:SubjectVictimAssociation><j:Subject s:ref="S{int(offender)}"/><j:Victim s:ref="V{number}"/>'
                f"<nibrs:VictimToSubjectRelationshipCode>{_WORD[relationship]}</nibrs:VictimToSubjectRelationshipCode>"
                "</j:SubjectVictimAssociation>\n"
            )
    return (
        f'<j:Victim s:id="V{number}"><j:VictimSequenceNumberText>{number}</j:VictimSequenceNumberText>'
        f"<j:VictimCategoryCode>{one.get('type_of_victim')}</j:VictimCategoryCode></j:Victim>\n{links}"
    )


def _arrests(segments: Sequence[Segment], transaction: str = "") -> str:
    parts = []
    for place, one in enumerate(segments):
        number = one.get("sequence_number")
        parts.append(_person(one, f"PA{place}"))
        parts.append(
            f'<j:Arrestee s:id="A{place}"><nc:RoleOfPerson s:ref="PA{place}"/>'
            f"<j:ArrestSequenceID>{number}</j:ArrestSequenceID></j:Arrestee>\n"
            f'<j:Arrest s:id="X{place}">{_number(transaction or one.get("arrest_transaction"))}'
            f"<nc:ActivityDate><nc:Date>{_date(one.get('arrest_date'))}</nc:Date></nc:ActivityDate>"
            f"<j:ArrestCharge><nibrs:ChargeUCRCode>{one.get('offense_code')}</nibrs:ChargeUCRCode></j:ArrestCharge>"
            f"<j:ArrestCategoryCode>{one.get('type_of_arrest')}</j:ArrestCategoryCode></j:Arrest>\n"
            f'<j:ArrestSubjectAssociation><nc:Activity s:ref="X{place}"/><j:Subject s:ref="A{place}"/>'
            "</j:ArrestSubjectAssociation>\n"
        )
    return "".join(parts)


def _person(one: Segment, key: str) -> str:
    age = one.get("age")
    if age in ("", "00"):
        measure = "<nc:MeasureValueText>UNKNOWN</nc:MeasureValueText>"
    elif len(age) == 4:
        measure = (
            f"<nc:MeasureIntegerRange><nc:RangeMaximumIntegerValue>{age[2:]}</nc:RangeMaximumIntegerValue>"
            f"<nc:RangeMinimumIntegerValue>{age[:2]}</nc:RangeMinimumIntegerValue></nc:MeasureIntegerRange>"
        )
    else:
        measure = f"<nc:MeasureIntegerValue>{age}</nc:MeasureIntegerValue>"
    return (
        f'<nc:Person s:id="{key}"><nc:PersonAgeMeasure>{measure}</nc:PersonAgeMeasure>'
        f"<j:PersonRaceNDExCode>{one.get('race')}</j:PersonRaceNDExCode>"
        f"<j:PersonSexCode>{one.get('sex')}</j:PersonSexCode></nc:Person>\n"
    )
