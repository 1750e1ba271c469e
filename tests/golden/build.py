"""Writes `histories.jsonl`: `python -m tests.golden.build`. What is expected is reasoned by hand, here, never generated.

One history a line: `case`, `title`, `events` (CloudEvents) and, by policy, what the decision after each event is to be:
`tier`, `change`, `review`. Each history has people of its own, so that all of them can be one file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from schemas.envelope import Event, to_json_line
from schemas.incident import Disposition, Offense, ProhibitedBehavior, Victim
from tests.harness import incidents as given

HISTORIES = Path(__file__).with_name("histories.jsonl")

NO_CONTACT = [ProhibitedBehavior.NO_CONTACT]


def after(tier: str | None, change: str, *review: str) -> dict[str, Any]:
    """What the decision after one event is to be."""
    return {"tier": tier, "change": change, "review": list(review)}


Expected = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Case:
    """One history. `seed` and `practice`: expected after each event; one list where the policies agree."""

    title: str
    events: Sequence[Event[Any]]
    practice: Expected
    seed: Expected | None = None

    def line(self, number: int) -> bytes:
        expected = {"high-point-seed": self.seed or self.practice, "high-point-practice": self.practice}
        for one in expected.values():
            assert len(one) == len(self.events), self.title
        events = [orjson.loads(to_json_line(event)) for event in self.events]
        return orjson.dumps({"case": number, "title": self.title, "events": events, "expect": expected})


def cases() -> list[Case]:
    """Numbers of incidents and people are used once, so that the file can be replayed as a whole."""
    r = given.report
    return [
        Case(
            "the same content under another id, then a stale revision",
            [r(101, "G01", revision=2), r(101, "G01", revision=2, name="G01-again"), r(101, "G01", revision=1)],
            [after("D", "entered"), after("D", "none"), after("D", "none")],
        ),
        Case(
            "taken back before it came, up to revision 1; revision 2 stands",
            [given.retracted(102, "G02", revision=1, day=102), r(102, "G02"), r(102, "G02", revision=2, charged=True)],
            [after(None, "none"), after(None, "none"), after("C", "entered")],
        ),
        Case(
            "taken back for good before it came",
            [given.retracted(103, "G03", day=103), r(103, "G03"), r(103, "G03", revision=9)],
            [after(None, "none"), after(None, "none"), after(None, "none")],
        ),
        Case(
            "taken back, and with it the tier",
            [r(104, "G04"), r(105, "G04", charged=True), given.retracted(105, "G04", day=110)],
            [after("D", "entered"), after("C", "escalated"), after("D", "lowered")],
        ),
        Case(
            "expunged, then reported late: it stays out",
            [r(106, "G05", charged=True), given.expunged(106, "G05", day=120), r(106, "G05", revision=3, charged=True)],
            [after("C", "entered"), after(None, "removed"), after(None, "none")],
        ),
        Case(
            "expunged before it was ever reported",
            [given.expunged(107, "G06", day=108), r(107, "G06", charged=True), r(108, "G06")],
            [after(None, "none"), after(None, "none"), after("D", "entered")],
        ),
        Case(
            "an expunged charge no longer stands before the next",
            [r(109, "G07", charged=True), r(110, "G07", charged=True), given.expunged(109, "G07", day=200)],
            [after("C", "entered"), after("B", "escalated"), after("C", "lowered")],
            [after("C", "entered"), after("C", "kept", "no_rule"), after("C", "kept")],
        ),
        Case(
            "two records are one person: their charges add up",
            [
                r(111, "G08", charged=True),
                r(112, "G08b", charged=True, breach=NO_CONTACT),
                given.merged("G08b", "G08", day=130),
                r(113, "G08b", charged=True),
            ],
            [after("C", "entered"), after("B", "entered"), after("B", "escalated"), after("A", "escalated")],
            [after("C", "entered"), after("C", "entered"), after("B", "escalated"), after("B", "kept")],
        ),
        Case(
            "merged before anything is known of the merged one",
            [given.merged("G09b", "G09", day=100), r(114, "G09b", charged=True), r(115, "G09", charged=True)],
            [after(None, "none"), after("C", "entered"), after("B", "escalated")],
            [after(None, "none"), after("C", "entered"), after("C", "kept", "no_rule")],
        ),
        Case(
            "merged both ways: one history, under the first id",
            [
                r(116, "G10", charged=True),
                r(117, "G10b", charged=True),
                given.merged("G10b", "G10", day=130),
                given.merged("G10", "G10b", day=131),
                r(118, "G10b", charged=True),
            ],
            [
                after("C", "entered"),
                after("C", "entered"),
                after("B", "escalated"),
                after("B", "none"),
                after("A", "escalated"),
            ],
            [
                after("C", "entered"),
                after("C", "entered"),
                after("C", "kept", "no_rule"),
                after("C", "none"),
                after("C", "kept", "no_rule"),
            ],
        ),
        Case(
            "one record is two persons; what comes late follows",
            [
                r(119, "G11", charged=True),
                r(120, "G11", charged=True),
                given.split([120], "G11b", "G11", day=130),
                r(120, "G11", revision=2, charged=True, force=["12"]),
                r(121, "G11b"),
            ],
            [
                after("C", "entered"),
                after("B", "escalated"),
                after("C", "lowered"),
                after("C", "none"),
                after("A", "kept"),
            ],
            [
                after("C", "entered"),
                after("C", "kept", "no_rule"),
                after("C", "kept"),
                after("C", "none"),
                after("C", "kept"),
            ],
        ),
        Case(
            "the court's word: dismissed still counts, acquitted does not",
            [
                r(122, "G12", charged=True, arrest="A-G12"),
                given.disposed("A-G12", Disposition.DISMISSED, "G12", day=140),
                given.disposed("A-G12", Disposition.ACQUITTED, "G12", day=150),
            ],
            [after("C", "entered"), after("C", "kept"), after("D", "lowered")],
        ),
        Case(
            "the court's word comes before the report",
            [
                given.disposed("A-G13", Disposition.ACQUITTED, "G13", day=200),
                r(123, "G13", charged=True, arrest="A-G13"),
            ],
            [after(None, "none"), after("D", "entered")],
        ),
        Case(
            "a notice served before this system changes no tier",
            [r(124, "G14"), given.noticed("D", "G14", name="G14-N", day=125), r(125, "G14", charged=True)],
            [after("D", "entered"), after("D", "kept"), after("C", "escalated")],
        ),
        Case(
            "other content under the same revision is refused; the same event again is not",
            [r(126, "G15"), r(126, "G15", charged=True), r(126, "G15")],
            [after("D", "entered"), {"error": "conflicting_revision"}, after("D", "none")],
        ),
        Case(
            "a knife and hands on the throat, neither charged",
            [r(127, "G16", code="13A", force=["20"]), r(128, "G16", code="13A", force=["85"])],
            [after("D", "entered", "weapon_uncharged"), after("D", "kept", "weapon_uncharged")],
        ),
        Case(
            "eighteen that day, in the agency's time zone",
            [
                r(129, "G17", day=129.2, born=date(2007, 7, 9), charged=True),  # 20:48 on 8 July there, 9 July in UTC
                r(130, "G17", day=130, born=date(2007, 7, 9), charged=True),
            ],
            [after(None, "kept", "juvenile"), after("C", "entered")],
        ),
        Case(
            "the relationship becomes known: the review goes, the tier comes",
            [r(131, "G18", victims=["RU"], charged=True), r(131, "G18", revision=2, victims=["SE"], charged=True)],
            [after(None, "kept", "relationship_unknown"), after("C", "entered")],
        ),
        Case(
            "she turns out to be his sister: off the list",
            [r(132, "G19", charged=True), r(132, "G19", revision=2, victims=["SB"], charged=True)],
            [after("C", "entered"), after(None, "removed")],
        ),
        Case(
            "charged for the stranger; what he did to her counts as suspicion",
            [
                r(
                    133,
                    "G20",
                    victims=[
                        Victim(victim_no=1, relationship="ST", offenses=["13A"]),
                        Victim(victim_no=2, relationship="XS", offenses=["13C"]),
                    ],
                    offenses=[Offense(code="13A", charged=True, force=["13"]), Offense(code="13C", charged=False)],
                )
            ],
            [after("D", "entered")],
        ),
        Case(
            "one arrest clears two incidents: one charge, however the second was done",
            [r(134, "G21", charged=True, arrest="A-G21"), r(135, "G21", charged=True, arrest="A-G21", force=["11"])],
            [after("C", "entered"), after("C", "kept")],
        ),
        Case(
            "a breach first, the charge after; then the breach is taken back",
            [
                r(136, "G22", breach=NO_CONTACT),
                r(137, "G22", charged=True),
                given.retracted(136, "G22", day=150),
            ],
            [after("D", "entered"), after("B", "escalated"), after("C", "lowered")],
            [after("D", "entered"), after("C", "escalated"), after("C", "kept")],
        ),
        Case(
            "convicted of the first charge, then charged again",
            [
                r(138, "G23", charged=True, arrest="A-G23"),
                given.disposed("A-G23", Disposition.CONVICTED, "G23", day=150),
                r(139, "G23", charged=True),
            ],
            [after("C", "entered"), after("C", "kept"), after("B", "escalated")],
            [after("C", "entered"), after("C", "kept"), after("C", "kept", "no_rule")],
        ),
        Case(
            "charged, and not arrested yet",
            [r(140, "G24", offenses=[Offense(code="13B", charged=True)])],
            [after("C", "entered")],
        ),
        Case(
            "a charge, a notice served, then a call: the call breaches the notice",
            [r(141, "G25", charged=True), given.noticed("C", "G25", name="G25-N", day=142), r(143, "G25")],
            [after("C", "entered"), after("C", "kept"), after("B", "escalated")],
            [after("C", "entered"), after("C", "kept"), after("C", "kept")],
        ),
    ]


def main() -> None:
    HISTORIES.write_bytes(b"\n".join(case.line(number) for number, case in enumerate(cases(), start=1)) + b"\n")
    print(
        f"{HISTORIES.name}: {len(cases())} histories, {sum(len(json.loads(x)['events']) for x in HISTORIES.open())} events"
    )


if __name__ == "__main__":
    main()
