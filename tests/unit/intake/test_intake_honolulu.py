"""A real month of a real department: every unit accounted for. The file is not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from schemas.incident import IncidentReported
from services.intake.domain import IngestSummary, Unit
from services.intake.lines import Source
from services.intake.nibrs import read_nibrs

SHARED = Path(os.environ.get("IPVI_SHARED") or Path(__file__).parents[4] / "shared")
FILE = SHARED / "data" / "nibrs-honolulu-2019-05.txt.gz"
INTIMATE = {"SE", "CS", "BG", "XS", "XR", "HR"}

pytestmark = pytest.mark.skipif(
    not FILE.exists(), reason=f"{FILE.name} is not there (shared/data/SOURCES.md says whence)"
)


@pytest.fixture(scope="module")
def units() -> list[Unit]:
    return list(read_nibrs(Source(FILE), lambda _: ZoneInfo("Pacific/Honolulu")))


@pytest.fixture(scope="module")
def reported(units: list[Unit]) -> list[IncidentReported]:
    return [event.data for unit in units for event in unit.events if isinstance(event.data, IncidentReported)]


def test_the_sum_is_exact(units: list[Unit]) -> None:
    """4,247 incidents and 995 Group B arrest reports (1,220 segments), none broken; 2,326 have offender 00 alone."""
    summary = IngestSummary()
    for unit in units:
        summary = summary.plus(unit)
    assert summary == IngestSummary(units=4247 + 995, events=3286, rejected=0, no_offender=2326)
    assert summary.with_events == 2916


def test_one_event_per_known_offender(units: list[Unit], reported: list[IncidentReported]) -> None:
    """2,291 offender segments are not 00; each Group B report has one arrestee."""
    assert len({event.id for unit in units for event in unit.events}) == len(reported) == 2291 + 995
    assert len({(data.incident_id, data.offender.offender_id) for data in reported}) == len(reported)
    assert {data.revision for data in reported} == {20190701}


def test_intimate_partners(reported: list[IncidentReported]) -> None:
    """217 relationships stand in the file (BG 107, SE 50, XR 48, XS 12.

    No CS, no HR), in 209 incidents of one man each.
    """
    of_partners = [data for data in reported if any(one.relationship in INTIMATE for one in data.victims)]
    assert sum(one.relationship in INTIMATE for data in reported for one in data.victims) == 217
    assert len({data.incident_id for data in of_partners}) == len(of_partners) == 209
    assert sum(data.arrest is not None for data in of_partners) == 100


def test_arrests(reported: list[IncidentReported]) -> None:
    """Of 677 arrestee segments 656 are told to be an offender's; the others leave 18 incidents to ask about."""
    charged = [data for data in reported if data.arrest]
    assert len(charged) == 656 + 995
    assert len({data.incident_id for data in reported if data.arrestee_unmatched}) == 18
    assert all(offense.charged for data in charged for offense in data.offenses)
    assert not any(offense.charged for data in reported if not data.arrest for offense in data.offenses)
