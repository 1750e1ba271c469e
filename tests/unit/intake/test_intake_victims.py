"""What an agency's table says of a victim, up to the list of women she might be in other records."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.incident import IncidentReported
from schemas.mapping import Mapping
from schemas.person import DescribedVictim, VictimsDescribed
from schemas.topics import Topic
from services.intake.domain import AsOf, Feed, Terms
from services.intake.lines import Source
from services.intake.mapped import read_mapped
from services.intake.usecases.taking import take
from services.victim_outreach.store import candidates
from services.victim_outreach.store.candidates import Likeness
from tests.harness import feed
from tests.harness.intake import Bench, bench
from tests.harness.lanes import lanes, referred

NOW = datetime(2025, 1, 11, 12, tzinfo=UTC)
CITY, SHERIFF = "ZZ0010000", "ZZ0020000"
COLUMNS = ("incident", "occurred", "charge", "person", "victim", "victim_name", "victim_birth_date", "relationship")
FORM = {
    "dates": ["%Y-%m-%d", "%m/%d/%Y"],
    "charges": [{"text": "assault", "code": "13B"}],
    "relationships": {"wife": "SE"},
}


@pytest.fixture
async def intake(tmp_path: Path) -> AsyncIterator[Bench]:
    async with bench(tmp_path) as made:
        yield made


async def told(intake: Bench, folder: Path, agency: str, *rows: str, revised: bool = False) -> None:
    columns = (*COLUMNS, "revision") if revised else COLUMNS
    table = {"name": "calls", "kind": "incidents", "agency": agency, "time_zone": "America/New_York"}
    mapping = Mapping.model_validate({**table, **FORM, "columns": {name: name for name in columns}})
    file = folder / "calls.csv"
    file.write_text("\n".join([",".join(columns), *rows]) + "\n")
    units = list(read_mapped(Source(file), mapping))
    assert not any(unit.reject for unit in units)
    taken = await take(intake.database, units, Feed("calls", agency), AsOf.NOW, NOW, Terms(feed.seal))
    await intake.sender.deliver(taken.upto)


def victims(intake: Bench) -> dict[str, list[DescribedVictim]]:
    """By offender, as last said."""
    said = [data for data in intake.stream.data(Topic.VICTIMS) if isinstance(data, VictimsDescribed)]
    return {data.offender_id: data.victims for data in said}


async def test_a_birth_date_in_a_table_makes_a_candidate_of_her(intake: Bench, tmp_path: Path) -> None:
    """Two agencies write her name in two ways, and know her by numbers of their own."""
    await told(intake, tmp_path, CITY, "1,2025-01-10,assault,M1,W1,Ana Ruiz,1990-05-04,wife")
    await told(
        intake,
        tmp_path,
        SHERIFF,
        '7,2025-01-10,assault,M7,W7,"RUIZ, ANA",05/04/1990,wife',
        '8,2025-01-10,assault,M8,W8,"RUIZ, ANA",05/04/1991,wife',
        '9,2025-01-10,assault,M9,W9,"RUIZ, ANA",,wife',
    )
    reported = [data for data in intake.stream.data(Topic.INCIDENTS) if isinstance(data, IncidentReported)]
    async with lanes() as county:
        for number, data in enumerate(reported, start=1):
            him = data.offender.offender_id
            [victim] = data.victims
            assert victim.victim_id is not None
            records: list[Any] = [referred(him, number, victim.victim_id)]
            county.put(him, *records, VictimsDescribed(offender_id=him, victims=victims(intake)[him]))
        await county.keep()
        first, *others = reported
        async with county.database.read() as conn:
            found = await candidates(conn, county.case(first.offender.offender_id, 1))
        same, unknown = others[0].victims[0].victim_id, others[2].victims[0].victim_id
        assert [(one.victim_id, one.birth_date, one.alike) for one in found] == [
            (same, date(1990, 5, 4), (Likeness.NAME, Likeness.BIRTH_DATE)),
            (unknown, None, (Likeness.NAME,)),
        ]


async def test_what_was_known_of_another_woman_is_not_hers(intake: Bench, tmp_path: Path) -> None:
    """The report is corrected: the victim was somebody else. Of her nothing more is known, and nothing is made up."""
    await told(intake, tmp_path, CITY, "1,2025-01-10,assault,M1,W1,Ana Ruiz,1990-05-04,wife,1", revised=True)
    await told(intake, tmp_path, CITY, "1,2025-01-10,assault,M1,W2,,,wife,2", revised=True)
    [[victim]] = victims(intake).values()
    assert (victim.name, victim.birth_date) == (None, None)


async def test_a_later_table_that_says_less_takes_nothing_away(intake: Bench, tmp_path: Path) -> None:
    await told(intake, tmp_path, CITY, "1,2025-01-10,assault,M1,W1,Ana Ruiz,1990-05-04,wife,1", revised=True)
    await told(intake, tmp_path, CITY, "1,2025-01-10,assault,M1,W1,,,wife,2", revised=True)
    await told(intake, tmp_path, CITY, "2,2025-01-11,assault,M1,W1,,,wife,1", revised=True)
    [known] = victims(intake).values()
    assert [victim.birth_date for victim in known] == [date(1990, 5, 4)] * 2
    await told(intake, tmp_path, CITY, "1,2025-01-10,assault,M1,W1,,1990-04-05,wife,3", revised=True)
    [known] = victims(intake).values()
    assert [victim.birth_date for victim in known if victim.incident_id == f"{CITY}:1"] == [date(1990, 4, 5)], (
        "corrected"
    )
