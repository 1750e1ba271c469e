"""Rows with one incident and one person become one event: his charges or what he is suspected of, and the victims told of.

What a table does not tell stays unknown. A crime against a person has a victim; where no row tells of her she stands without a
name, as RU (relationship unknown), so that somebody asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from schemas import incident as contract
from schemas.envelope import Classification, Data, Event, deterministic_id
from schemas.nibrs import RELATIONSHIPS
from schemas.rejects import RejectCode
from services.intake.identity import Identifiers, Sighting, victim_id
from services.intake.mapped.charges import Charge, charge_of
from services.intake.mapped.values import Values
from services.intake.mapped.women import Woman, Women, as_known, person_of, place_of, woman_of
from services.intake.people import Facts, OffenderFacts, VictimFacts

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
MOST_ROWS: Final = 500
"""Of one incident; with more the column holds no number of incidents."""


def number_of(values: Values) -> tuple[str, str]:
    """ORI and the incident's number. Raises `RowError`."""
    return values.agency, values.number("incident")


@dataclass(frozen=True, slots=True)
class _Victim:
    place: int
    victim: contract.Victim
    facts: VictimFacts


def incident_of(rows: Sequence[Values], women: Women) -> tuple[Event[Data], tuple[Facts, ...], Sighting] | None:
    """The event of one person's rows, what came with it and who he is; None where nobody is named as offender.

    `women`: of all rows of the incident. Raises `RowError`.
    """
    first = rows[0]
    ori, number = number_of(first)
    who = person_of(first)
    if not who:
        return None
    charges = [charge for row in rows if (charge := charge_of(row)) is not None]
    occurred = min(row.needed_moment("occurred") for row in rows)
    reported = min((moment for row in rows if (moment := row.moment("reported"))), default=occurred)
    known = [row.identifiers(number) for row in rows]
    assert known[0] is not None
    him = replace(known[0], birth_date=next((one.birth_date for one in known if one and one.birth_date), None))
    _one_man(rows, known)
    victims = _victims(rows, ori, number, who, women)
    data = contract.IncidentReported(
        incident_id=f"{ori}:{number}",
        revision=_revision(rows),
        agency=ori,
        occurred_at=occurred,
        reported_at=max(reported, occurred),
        offender=contract.Offender(
            offender_id=who,
            birth_date=him.birth_date,
            age=next((age for row in rows if (age := row.whole("age", 0, 120)) is not None), None),
            conflict_of_interest=any(row.yes("conflict_of_interest") for row in rows),
        ),
        victims=[each.victim for each in victims] or _nameless(charges),
        offenses=_offenses(charges, rows),
        prohibited_behavior=_prohibited(charges, rows),
        probable_cause=_any(rows, "probable_cause", if_charged=any(charge.charged for charge in charges)),
        offender_informed=_any(rows, "offender_informed", if_charged=False),
        arrest=_arrest(rows, ori, occurred),
        bulk=first.mapping.bulk,
    )
    sighting = Sighting(who, him, data.incident_id, data.arrest.arrest_id if data.arrest else None)
    return _event(first, data, who), (_him(rows, him, who), *(each.facts for each in victims)), sighting


def _one_man(rows: Sequence[Values], known: Sequence[Identifiers | None]) -> None:
    """Known by name alone, two of one incident would be one who is charged with what both did. Raises `RowError`."""
    seen: dict[str, object] = {}
    told_by_place = all(row.text("offender_no") for row in rows)
    for row, him in zip(rows, known, strict=True):
        if him is None or told_by_place or him.is_numbered:
            return
        row.one_man(seen, him)


def _revision(rows: Sequence[Values]) -> int:
    """As the table counts; else by the second in which it was last changed; else 1."""
    counted = [number for row in rows if (number := row.whole("revision", 1, 2**31)) is not None]
    if counted:
        return max(counted)
    changed = [moment for row in rows if (moment := row.moment("updated")) is not None]
    return max([1, *(int((moment - _EPOCH).total_seconds()) for moment in changed)])


def _offenses(charges: Sequence[Charge], rows: Sequence[Values]) -> list[contract.Offense]:
    force = [code for row in rows for code in row.one_of("force", row.mapping.force) or ()]
    return [
        contract.Offense(
            code=charge.code,
            charged=charge.charged,
            force=list(dict.fromkeys([*charge.force, *(force if charge.has_victim else ())])),
            statute=charge.statute,
            disposition=charge.disposition,
        )
        for charge in charges
    ]


def _prohibited(charges: Sequence[Charge], rows: Sequence[Values]) -> list[contract.ProhibitedBehavior]:
    told = [breach for charge in charges for breach in charge.prohibited]
    told += [breach for row in rows for breach in row.one_of("prohibited", row.mapping.prohibited) or ()]
    return list(dict.fromkeys(told))


def _any(rows: Sequence[Values], name: str, *, if_charged: bool) -> bool | None:
    said = [answer for row in rows if (answer := row.yes(name)) is not None]
    return True if if_charged or any(said) else False if said else None


def _arrest(rows: Sequence[Values], ori: str, occurred: datetime) -> contract.Arrest | None:
    """The earliest; its number is that of the agency that made it, so that two who report it report one charge."""
    found = []
    for row in rows:
        number = row.short("arrest")
        if number is None:
            continue
        made = max(row.moment("arrested") or occurred, occurred)
        kind = row.one_of("arrest_type", {"O": "O", "S": "S", "T": "T", **row.mapping.arrest_types}) or "T"
        found.append(
            contract.Arrest(arrest_id=f"{row.ori('arrest_agency') or ori}:{number}", arrested_at=made, type=kind)
        )
    return min(found, key=lambda arrest: (arrest.arrested_at, arrest.arrest_id), default=None)


def _victims(rows: Sequence[Values], ori: str, number: str, who: str, women: Women) -> list[_Victim]:
    """Those told of, each once, in order of rows; `offenses` are the charges in her rows. Raises `RowError`."""
    found: dict[Woman, list[Values]] = {}
    for row in rows:
        if (woman := woman_of(row)) is not None:
            found.setdefault(as_known(woman, women), []).append(row)
    victims: list[_Victim] = []
    for woman, of_her in found.items():
        if woman not in women:
            raise of_her[0].wrong("victim_no", RejectCode.ROW_CONFLICT)
        place = place_of(of_her, women[woman], {victim.place for victim in victims})
        row = of_her[0]
        codes = [charge.code for each in of_her if (charge := charge_of(each)) and charge.has_victim]
        victims.append(
            _Victim(
                place,
                contract.Victim(
                    victim_no=place,
                    victim_id=_victim_id(row, ori, number, place),
                    relationship=_relationship(of_her),
                    child_in_common=any(each.yes("child_in_common") for each in of_her),
                    offenses=list(dict.fromkeys(codes)),
                ),
                _her(of_her, who, f"{ori}:{number}", place),
            )
        )
    return victims


def _victim_id(row: Values, ori: str, number: str, place: int) -> str | None:
    """None where nothing identifies her: her task is to identify her."""
    person = row.text("victim")
    if person is None and row.text("victim_name") is None:
        return None
    return victim_id(ori, number, place, person)


def _relationship(of_her: Sequence[Values]) -> str:
    row = of_her[0]
    own = {code: code for code in RELATIONSHIPS}
    known = [code for each in of_her if (code := each.one_of("relationship", {**own, **row.mapping.relationships}))]
    if len(set(known)) > 1:
        raise of_her[1].wrong("relationship", RejectCode.ROW_CONFLICT)
    return known[0] if known else "RU"


def _nameless(charges: Sequence[Charge]) -> list[contract.Victim]:
    codes = list(dict.fromkeys(charge.code for charge in charges if charge.has_victim))
    return [contract.Victim(victim_no=1, relationship="RU", offenses=codes)] if codes else []


def _him(rows: Sequence[Values], him: Identifiers, who: str) -> OffenderFacts:
    places = [place for row in rows if (place := row.text("place"))]
    return OffenderFacts(
        who,
        name=him.name,
        birth_date=him.birth_date,
        places=tuple(dict.fromkeys(places)),
        language=_language(rows, "language"),
    )


def _her(rows: Sequence[Values], who: str, incident_id: str, place: int) -> VictimFacts:
    def first(name: str) -> str | None:
        return next((value for row in rows if (value := row.text(name))), None)

    contact = [value for row in rows if (value := row.text("victim_contact"))]
    return VictimFacts(
        who,
        incident_id,
        place,
        name=first("victim_name"),
        birth_date=next((day for row in rows if (day := row.born("victim_birth_date"))), None),
        contact=tuple(dict.fromkeys(contact)),
        language=_language(rows, "victim_language"),
        substitute_address=first("victim_substitute_address"),
    )


def _language(rows: Sequence[Values], name: str) -> str | None:
    return next((value for row in rows if (value := row.language(name))), None)


def _event(values: Values, data: contract.IncidentReported, who: str) -> Event[Data]:
    """The id has the content in it: the same rows again are the same event, changed content under one revision is seen."""
    content = hashlib.sha256(data.canonical()).hexdigest()
    return Event(
        id=deterministic_id("mapped", data.TYPE, data.incident_id, data.revision, who, content),
        source=f"/agencies/{data.agency}/{values.mapping.name}",
        subject=who,
        time=data.reported_at,
        data=data,
        dataclassification=Classification.RESTRICTED,
        correlationid=data.incident_id,
    )
