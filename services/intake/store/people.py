"""People as rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.person import DescribedVictim, OffenderDescribed
from services.common.sql import upsert
from services.intake.people import Person, Stay, Telling
from services.intake.store.tables import IN_ONE_QUERY, people

_TELLINGS = TypeAdapter(dict[str, dict[str, Telling]])
_STAYS = TypeAdapter(dict[str, Stay])


async def load_people(conn: AsyncConnection, names: Iterable[str]) -> dict[str, Person]:
    """Those of `names` that are known, and whoever they are now or have parts of theirs."""
    found: dict[str, Person] = {}
    asked: set[str] = set()
    wanted = set(names)
    while wanted := wanted - asked:
        asked |= wanted
        more: set[str] = set()
        ids = sorted(wanted)
        for start in range(0, len(ids), IN_ONE_QUERY):
            some = ids[start : start + IN_ONE_QUERY]
            for row in await conn.execute(select(people).where(people.c.offender_id.in_(some))):
                person = found[row.offender_id] = _person(row)
                more |= set(person.elsewhere)
        wanted = more
    return found


async def save_people(conn: AsyncConnection, changed: Mapping[str, Person]) -> None:
    await upsert(conn, people, [_row(name, person) for name, person in sorted(changed.items())], ["offender_id"])


def _row(name: str, person: Person) -> dict[str, Any]:
    return {
        "offender_id": name,
        "merged_into": person.merged_into,
        "described": person.described.model_dump(mode="json", exclude_defaults=True),
        "victims": [victim.model_dump(mode="json", exclude_defaults=True) for victim in person.victims.values()],
        "tellings": _TELLINGS.dump_python(person.tellings, mode="json"),
        "moved": person.moved,
        "stays": _STAYS.dump_python(person.stays, mode="json", exclude_defaults=True),
        "origins": person.origins,
    }


def _person(row: Any) -> Person:
    victims = [DescribedVictim.model_validate(victim, strict=False) for victim in row.victims]
    described = OffenderDescribed.model_validate(row.described, strict=False)
    stays = _STAYS.validate_python(row.stays, strict=False)
    if described.custody and not stays:  # from before bookings were kept
        stays = {described.custody.booking_id: Stay(described.custody)}
    return Person(
        described,
        {(victim.incident_id, victim.victim_no): victim for victim in victims},
        _TELLINGS.validate_python(row.tellings),
        row.merged_into,
        row.moved,
        stays,
        row.origins,
    )
