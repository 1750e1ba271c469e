"""The bundled sample is what its script writes, every line of it is told, and it holds what it is to show."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from runpy import run_path

from schemas.incident import CustodyChanged, IncidentReported
from services.intake.cloudevents import read_events
from services.intake.domain import IngestSummary, Unit
from services.intake.lines import Source

FOLDER = Path(__file__).parents[3] / "deploy" / "sample"
FILE = FOLDER / "county.jsonl"
INTIMATE = {"SE", "CS", "BG", "XS", "XR", "HR"}
GRAVE = {"11", "12", "13", "14", "15", "20", "85"}


def units() -> list[Unit]:
    return list(read_events(Source(FILE)))


def test_it_is_what_the_script_writes() -> None:
    assert FILE.read_text("utf-8").splitlines() == run_path(str(FOLDER / "make_county.py"))["lines"]()


def test_three_lines_are_refused_and_the_rest_is_taken() -> None:
    summary = IngestSummary()
    for unit in units():
        summary = summary.plus(unit)
    assert summary == IngestSummary(units=59, events=56, rejected=3, no_offender=0)
    assert [str(unit.reject.code) for unit in units() if unit.reject] == ["broken_json", "unknown_code", "out_of_range"]


def test_it_names_nobody() -> None:
    """Ids and names say that they are invented; agencies have no state."""
    for line in FILE.read_text("utf-8").splitlines():
        if not line.endswith("}}"):
            continue
        event = json.loads(line)
        assert event["subject"].startswith("zz-offender-")
        assert event["data"].get("name", "Invented Person").startswith("Invented Person")
        assert event["source"].startswith("/agencies/ZZ00")


def test_it_has_all_tiers_custody_and_several_agencies() -> None:
    """By a rough count of charges, as the practice policy has it; what the tiers are is the classifier's to say."""
    incidents: dict[str, dict[str, IncidentReported]] = defaultdict(dict)
    booked = set()
    for unit in units():
        for event in unit.events:
            if isinstance(event.data, IncidentReported) and _of_partners(event.data):
                incidents[event.subject][event.data.incident_id] = event.data
            if isinstance(event.data, CustodyChanged):
                booked.add(event.subject)
    tiers = Counter(_rough_tier(list(history.values())) for history in incidents.values())
    assert {tier: count >= 3 for tier, count in tiers.items()} == dict.fromkeys("ABCD", True)
    assert len(booked) == 4
    assert len({data.agency for history in incidents.values() for data in history.values()}) == 3


def _of_partners(data: IncidentReported) -> bool:
    return any(victim.relationship in INTIMATE or victim.child_in_common for victim in data.victims)


def _rough_tier(history: list[IncidentReported]) -> str:
    charged = [data for data in history if any(offense.charged for offense in data.offenses)]
    grave = any(GRAVE.intersection(offense.force) for data in charged for offense in data.offenses)
    if len(charged) >= 3 or grave:
        return "A"
    breach = any(data.prohibited_behavior for data in history)
    if len(charged) == 2 or (charged and breach):
        return "B"
    return "C" if charged else "D"
