"""One person behind many records: what links by itself, what a person is asked, and that no merge goes wrong."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select

from schemas.incident import IncidentExpunged, OffenderMerged
from schemas.person import OffenderDescribed
from services.common.paging import Page
from services.intake.identity import Identifiers, offender_id
from services.intake.store import linkage
from services.intake.store.linkage import OPEN, Candidate
from services.intake.store.tables import identities, identity_marks
from tests.harness import identity
from tests.harness.identity import CITY, SHERIFF, later, linked, merges, record, taken
from tests.harness.intake import Bench, bench

BORN = date(1985, 3, 14)
CITYS = Identifiers(
    CITY, "I1", state_id="NC1", fbi_number="1AB", agency_person="P1", name="Mills, Robert", birth_date=BORN, sex="M"
)
SHERIFFS = Identifiers(SHERIFF, "S1", fbi_number="1AB", agency_person="X9", name="MILLS, BOB", birth_date=BORN, sex="M")


@pytest.fixture
async def intake(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


async def asked(intake: Bench) -> list[Candidate]:
    async with intake.database.read() as conn:
        return list((await linkage.listed(conn, Page(), {OPEN})).items)


async def test_two_records_of_one_fbi_number_are_one_person(intake: Bench) -> None:
    await taken(intake, record(CITYS), record(SHERIFFS))

    assert merges(intake) == [(offender_id(CITYS), offender_id(SHERIFFS))]
    assert await asked(intake) == []


async def test_what_comes_again_links_nothing_again(intake: Bench) -> None:
    for _ in range(3):
        await taken(intake, record(CITYS), record(SHERIFFS))
    await taken(intake, record(later(SHERIFFS, "S2")), record(later(CITYS, "I2")))

    assert len(merges(intake)) == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": "Garcia, Luis", "birth_date": date(1999, 12, 1)}, "name_and_birth_date"),
        ({"name": "Mills, Kevin"}, "given_name"),
        ({"name": "Mills, Robert Jr", "birth_date": date(2005, 6, 2)}, "generation"),
        ({"name": "Garcia, Robert", "birth_date": None}, "surname"),
        ({"state_id": "NC2"}, "state_numbers"),
    ],
)
async def test_a_number_that_something_contradicts_is_a_persons_to_judge(
    intake: Bench, changes: dict[str, object], why: str
) -> None:
    await taken(intake, record(CITYS), record(replace(SHERIFFS, **changes)))  # type: ignore[arg-type]

    assert merges(intake) == []
    [question] = await asked(intake)
    assert (question.contradiction, question.shared) == (why, ("fbi_number",))


async def test_one_state_number_with_another_name_and_birth_date_is_asked_about(intake: Bench) -> None:
    other = replace(CITYS, report="I2", agency_person="P2", name="Garcia, Luis", birth_date=date(1999, 12, 1))
    await taken(intake, record(CITYS), record(replace(other, fbi_number=None)))

    [question] = await asked(intake)
    assert question.shared == ("state_number",)


async def test_an_agencys_number_given_to_two_state_numbers_is_asked_about(intake: Bench) -> None:
    await taken(intake, record(replace(CITYS, fbi_number=None)), record(replace(CITYS, report="I2", state_id="NC2")))

    assert merges(intake) == []
    [question] = await asked(intake)
    assert question.contradiction == "state_numbers"


async def test_a_number_that_stands_for_nobody_is_one_question_for_each_record(intake: Bench) -> None:
    """Twelve men with the number 0: not each against all."""
    names = ("Al", "Bo", "Cy", "Dov", "Ed", "Fay", "Gus", "Hal", "Ira", "Jon", "Kip", "Lou")
    men = [Identifiers(CITY, f"R{n}", agency_person="0", name=f"Mills, {name}") for n, name in enumerate(names)]
    await taken(intake, *map(record, men[:5]))
    await taken(intake, *map(record, men[5:]))
    questions = await asked(intake)
    assert len(questions) == len(men) - 1
    ends = {each.one for each in questions} | {each.other for each in questions}
    assert len(ends) == len(men), "each is asked about"


async def test_one_question_about_a_record_and_a_man_however_many_records_he_has(intake: Bench) -> None:
    await taken(intake, record(CITYS), record(later(replace(CITYS, name="MILLS, ROBERT"), "I2")))
    await taken(intake, record(replace(SHERIFFS, name="Mills, Kevin")))
    assert len(await asked(intake)) == 1


async def test_what_two_links_would_join_stays_apart_where_the_register_has_two(intake: Bench) -> None:
    """A is B by one number and B is C by another; A and C have two numbers of the state."""
    bridge = Identifiers(SHERIFF, "S1", fbi_number="1AB", agency_person="X9", name="Mills, Rob", birth_date=BORN)
    second = Identifiers(SHERIFF, "S2", state_id="NC2", agency_person="X9", name="Mills, Rob", birth_date=BORN)
    await taken(intake, record(CITYS), record(bridge), record(second))

    assert len(merges(intake)) == 1
    [question] = await asked(intake)
    assert question.contradiction == "state_numbers"


async def test_merges_are_never_of_one_who_is_merged_nor_cross(intake: Bench) -> None:
    """Whatever the order of records and portions: each id folds once, into one who stands for himself then."""
    for seed in range(4):
        chance = random.Random(seed)
        numbers = [f"F{seed}-{n}" for n in range(3)]
        records = [
            Identifiers(
                chance.choice([CITY, SHERIFF]), f"R{seed}-{n}", fbi_number=chance.choice([*numbers, None, None]),
                agency_person=f"A{seed}-{chance.randrange(5)}", name="Mills, Robert", birth_date=BORN,
            )
            for n in range(12)
        ]  # fmt: skip
        while records:
            portion, records = records[: (cut := chance.randint(1, 4))], records[cut:]
            await taken(intake, *map(record, portion), link=chance.random() < 0.5)
        await linked(intake)
    gone: set[str] = set()
    for stays, goes in merges(intake):
        assert stays not in gone
        assert goes not in gone
        gone.add(goes)
    assert gone


async def test_a_merge_that_a_file_brings_the_other_way_round_is_not_passed_on(intake: Bench) -> None:
    await taken(intake, record(CITYS), record(SHERIFFS))
    first = record(CITYS).events[0]
    data = OffenderMerged(offender_id=offender_id(SHERIFFS), merged_offender_id=offender_id(CITYS))
    crossing = replace(record(CITYS), events=(replace(first, id="crossing", data=data),), facts=(), sightings=())
    await taken(intake, crossing)

    assert merges(intake) == [(offender_id(CITYS), offender_id(SHERIFFS))]


async def test_his_record_follows(intake: Bench) -> None:
    await taken(intake, record(replace(CITYS, name=None, birth_date=None)), record(SHERIFFS))

    last = {
        data.offender_id: data
        for data in intake.stream.data("ipvi.internal.offenders.v1")
        if isinstance(data, OffenderDescribed)
    }
    assert last[offender_id(CITYS)].name == "MILLS, BOB"
    assert last[offender_id(SHERIFFS)] == OffenderDescribed(offender_id=offender_id(SHERIFFS))


async def test_of_an_expunged_incident_no_identity_stays(intake: Bench) -> None:
    unit = record(CITYS)
    await taken(intake, unit)
    data = IncidentExpunged(incident_id=f"{CITY}:I1", offender_id=offender_id(CITYS), agency=CITY)
    gone = replace(unit, events=(replace(unit.events[0], id="expunged", data=data),), facts=(), sightings=())
    again = replace(unit, events=(replace(unit.events[0], id="again"),))
    await taken(intake, gone)
    await taken(intake, again)

    async with intake.database.read() as conn:
        assert await conn.scalar(select(func.count()).select_from(identities)) == 0
        assert await conn.scalar(select(func.count()).select_from(identity_marks)) == 0


def test_nothing_personal_is_shown_of_a_record() -> None:
    known = identity.record(CITYS)

    assert "Mills" not in repr(known.sightings)
    assert "1985" not in repr(known.sightings)
