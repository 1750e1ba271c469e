"""The same month twice, in two formats, by two agencies, with a correction: each arrest is one charge."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from schemas.envelope import Data, Event
from schemas.mapping import Mapping
from schemas.policy_file import load_policy
from services.cli.replay import Replay
from services.intake.domain import Unit
from services.intake.identity import Identifiers, offender_id
from services.intake.lines import Source
from services.intake.mapped import read_mapped
from services.intake.nibrs import read_nibrs, read_nibrs_xml
from tests.harness import feed, nibrs, nibrs_xml
from tests.unit.intake.test_intake_people import event as event_of

SHERIFF = "ZZ0020000"
COLUMNS = {
    "person": "man", "incident": "case", "occurred": "day", "charge": "charge", "victim": "woman", "relationship": "rel",
    "arrest": "arrest", "arrest_agency": "by",
}  # fmt: skip
MAPPING = Mapping.model_validate(
    {
        "name": "warrants", "kind": "incidents", "agency": SHERIFF, "time_zone": "America/New_York", "columns": COLUMNS,
        "charged": True, "charges": [{"text": "assault", "code": "13B"}], "relationships": {"girlfriend": "BG"},
    }
)  # fmt: skip


def zone(_: str) -> ZoneInfo:
    return ZoneInfo("America/New_York")


async def test_counted_once(tmp_path: Path) -> None:
    month = [line for number in range(1, 21) for line in nibrs.incident(f"25-{number:03}", arrested=number % 2 == 0)]
    flat = list(read_nibrs(Source(nibrs.written(tmp_path / "01.txt", month)), zone))
    same = tmp_path / "01.xml"
    same.write_text("".join(nibrs_xml.converted([line.encode() for line in month])))
    corrected = tmp_path / "02.xml"
    changed = [nibrs.administrative("25-002", action="D", month="02"), nibrs.administrative("25-002", month="02"),
               *nibrs.incident("25-002", arrested=True)[1:]]  # fmt: skip
    corrected.write_text("".join(nibrs_xml.converted([line.encode() for line in changed])))
    again = [*read_nibrs_xml(Source(same), zone), *read_nibrs_xml(Source(corrected), zone)]
    table = tmp_path / "warrants.csv"
    rows = [f"M{n},S-{n},2025-01-10,Assault,W{n},girlfriend,A25-{n:03},{nibrs.ORI}" for n in range(2, 21, 2)]
    table.write_text("\n".join(["man,case,day,charge,woman,rel,arrest,by", *rows]) + "\n")
    others = list(read_mapped(Source(table), MAPPING))
    kept = feed.Kept()
    for units in (flat, again, others, flat, again, others):
        await kept.take(units)
    assert len(kept.events) == 20 + 1 + 10, "the month once, the correction, the other agency's word of ten arrests"

    run = Replay(load_policy("high-point-practice"))
    for event in kept.events:
        run.decide(event)
    men = {number: offender_id(Identifiers(nibrs.ORI, f"25-{number:03}")) for number in range(1, 21)}
    theirs = {n: offender_id(Identifiers(SHERIFF, f"S-{n}", agency_person=f"M{n}")) for n in range(2, 21, 2)}
    for number, other in theirs.items():
        merged: Event[Data] = event_of(
            {"offender_id": men[number], "merged_offender_id": other}, "ipvi.offender.merged.v1"
        )
        run.decide(merged)
    tiers = {number: str(run.offender(man).tier) for number, man in men.items()}
    assert tiers == {number: "C" if number % 2 == 0 else "D" for number in men}, (
        "two reports of one arrest are one charge"
    )


def test_a_correction_is_one_revision_more(tmp_path: Path) -> None:
    lines = [nibrs.administrative("25-002", action="D"), *nibrs.incident("25-002", arrested=True)]
    first: list[Unit] = list(read_nibrs(Source(nibrs.written(tmp_path / "1.txt", nibrs.incident("25-002"))), zone))
    second = list(read_nibrs(Source(nibrs.written(tmp_path / "2.txt", [*nibrs.incident("25-002"), *lines])), zone))
    assert first[0].events == second[0].events
    assert [event.data.revision for unit in second for event in unit.events] == [20250101, 20250102]  # type: ignore[attr-defined]
