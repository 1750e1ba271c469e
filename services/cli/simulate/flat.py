"""The same incidents as an agency submits them to NIBRS: the flat file, month after month, corrected by delete and insert.

What NIBRS has no room for is lost, as it is in truth: who he is, statutes, breaches, orders, custody, a relationship where the
crime is against no person. Columns: FBI CJIS, 2019.1 NIBRS Technical Specification, 2.1 to 2.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from schemas.incident import IncidentReported, IncidentRetracted, Offender, Victim
from schemas.nibrs import PERSON_CRIMES
from services.cli.simulate.history import Life
from services.cli.simulate.voice import Sent

ZONE: Final = ZoneInfo("America/New_York")
_WITH_RELATIONSHIP: Final = PERSON_CRIMES | {"120"}

Columns = tuple[int, str]
"""First column, counted from 1, and the text that begins there."""


def reports(life: Life) -> Iterator[tuple[float, bytes]]:
    """When, and the segments of one report, each with its end of line."""
    seen: set[str] = set()
    sexes = {one.offender_id: one.identifiers.sex or "U" for one in life.known}
    for (at, incident), together in groupby(_incidents(life), key=lambda each: (each.at, each.event.correlationid)):
        told = [each.event.data for each in together]
        first = told[0]
        assert isinstance(first, IncidentReported | IncidentRetracted)
        agency, _, number = first.incident_id.partition(":")
        header = (agency, number, at)
        lines = [] if incident not in seen else [_segment(88, "1", "D", header, (38, f"{_day(first, at)}"))]
        seen.add(str(incident))
        reported = [data for data in told if isinstance(data, IncidentReported)]
        if reported:
            lines += _inserted(reported, header, sexes)
        yield at.timestamp(), b"".join(line.encode() + b"\r\n" for line in lines)


def _incidents(life: Life) -> Iterator[Sent]:
    """Reports and retractions, each once: a submission does not hold what it held before."""
    told: set[tuple[str, str]] = set()
    for sent in life.sent:
        key = (sent.event.source, sent.event.id)
        if isinstance(sent.event.data, IncidentReported | IncidentRetracted) and key not in told:
            told.add(key)
            yield sent


Header = tuple[str, str, datetime]
"""Agency, incident number, when it was submitted."""


def _segment(length: int, level: str, action: str, header: Header, *columns: Columns) -> str:
    agency, number, at = header
    text = list(f"{length:04}{level}{action}{at:%m%Y}    {agency}{number:<12}".ljust(length))
    for first, value in columns:
        text[first - 1 : first - 1 + len(value)] = value
    return "".join(text)


def _inserted(reported: list[IncidentReported], header: Header, sexes: dict[str, str]) -> Iterator[str]:
    """One report for all offenders of the incident, each a person to himself in `reported`."""
    first = reported[0]
    local = first.occurred_at.astimezone(ZONE)
    yield _segment(88, "1", "I", header, (38, f"{local:%Y%m%d}"), (47, f"{local:%H}"), (49, "N"))
    for offense in first.offenses:
        forces = [(53 + 3 * place, code) for place, code in enumerate(offense.force)]
        yield _segment(71, "2", "I", header, (38, offense.code), (41, "C"), (45, "20"), *forces)
    for number, by_offender in _victims(reported).items():
        yield _victim(number, by_offender, first, header)
    for number, data in enumerate(reported, start=1):
        look = _look(data.offender, data.occurred_at, sexes)
        yield _segment(46, "5", "I", header, (38, f"{number:02}"), (40, look))
    for number, data in enumerate(reported, start=1):
        if data.arrest is not None and data.arrest.arrest_id.startswith(
            data.agency
        ):  # another's arrest is not its to report
            look = _look(data.offender, data.occurred_at, sexes)
            transaction, day = data.arrest.arrest_id.partition(":")[2], data.arrest.arrested_at.astimezone(ZONE)
            given = ((38, f"{number:02}"), (40, transaction), (52, f"{day:%Y%m%d}"), (60, data.arrest.type))
            yield _segment(110, "6", "I", header, *given, (61, "N"), (62, data.offenses[0].code), (71, look))


def _victims(reported: list[IncidentReported]) -> dict[int, dict[int, Victim]]:
    """By number of victim and of offender."""
    found: dict[int, dict[int, Victim]] = {}
    for offender, data in enumerate(reported, start=1):
        for place, victim in enumerate(data.victims, start=1):
            found.setdefault(victim.victim_no or place, {})[offender] = victim
    return found


def _victim(number: int, by_offender: dict[int, Victim], data: IncidentReported, header: Header) -> str:
    any_of = next(iter(by_offender.values()))
    codes = any_of.offenses or [data.offenses[0].code]
    columns = [(38, f"{number:03}"), (41, "".join(codes)), (71, "I"), (72, "30"), (76, "FU")]
    if _WITH_RELATIONSHIP.intersection(codes):
        columns.append((90, "".join(f"{offender:02}{each.relationship}" for offender, each in by_offender.items())))
    return _segment(141, "4", "I", header, *columns)


def _look(offender: Offender, at: datetime, sexes: dict[str, str]) -> str:
    """Age, sex and race (never known here)."""
    age = offender.age if offender.birth_date is None else _years(offender.birth_date, at)
    return f"{age if age and 0 < age < 99 else 0:02}  {sexes.get(offender.offender_id, 'U')}U"


def _years(born: date, at: datetime) -> int:
    day = at.astimezone(ZONE).date()
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _day(data: IncidentReported | IncidentRetracted, at: datetime) -> str:
    moment = data.occurred_at if isinstance(data, IncidentReported) else at
    return f"{moment.astimezone(ZONE):%Y%m%d}"
