"""Writes `histories.jsonl`: `python -m tests.golden.build`. What is expected is reasoned by hand, here, never generated.

One history a line: `case`, `title`, `events` (CloudEvents) and, by policy, what the decision after each event is to be:
`tier`, `change`, `review`, of some also `rules` or `outreach`. Each history has people of its own, so that all of them can
be one file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson

from schemas.envelope import Event, to_json_line
from schemas.incident import Disposition, Offense, ProhibitedBehavior, Victim
from tests.harness import incidents as given

HISTORIES = Path(__file__).with_name("histories.jsonl")

NO_CONTACT = [ProhibitedBehavior.NO_CONTACT]


def after(tier: str | None, change: str, *review: str, **more: Any) -> dict[str, Any]:
    """What the decision after one event is to be; `more`: also its `rules` or `outreach`."""
    return {"tier": tier, "change": change, "review": list(review), **more}


FIRST, SECOND, THIRD = ["c-first-charge"], ["b-second-charge"], ["a-third-charge", "b-second-charge"]
BREACHED = ["b-second-charge", "b-charge-and-violation"]
SEED_FOURTH = ["a-three-previous-charges", "b-second-charge-and-violation"]
PARTNERS = ("SE", "CS", "BG", "XS", "XR", "HR")
GRAVE = ("11", "11A", "12", "12A", "13", "13A", "14", "14A", "15", "15A", "20", "85")


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
            [after(None, "kept"), after("C", "entered"), after("B", "escalated")],
            [after(None, "kept"), after("C", "entered"), after("C", "kept", "no_rule")],
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
        Case(
            "four charges, the last with a breach: which rows fired, and which did not",
            [
                *(r(number, "G26", charged=True) for number in (144, 145, 146)),
                r(147, "G26", charged=True, breach=NO_CONTACT),
            ],
            [
                after("C", "entered", rules=FIRST),
                after("B", "escalated", rules=SECOND),
                after("A", "escalated", rules=THIRD),
                after("A", "kept", rules=[*THIRD, "b-charge-and-violation"]),
            ],
            [
                after("C", "entered", rules=FIRST),
                after("C", "kept", "no_rule", rules=FIRST),
                after("C", "kept", "no_rule", rules=FIRST),
                after("A", "escalated", rules=SEED_FOURTH),
            ],
        ),
        Case(
            "five charges and no breach: the fourth and the fifth have three or more before them",
            [r(number, "G27", charged=True) for number in range(148, 153)],
            [after("C", "entered"), after("B", "escalated"), after("A", "escalated"), *[after("A", "kept")] * 2],
            [
                after("C", "entered"),
                *[after("C", "kept", "no_rule")] * 2,
                after("A", "escalated", rules=SEED_FOURTH[:1]),
                after("A", "kept", rules=SEED_FOURTH[:1]),
            ],
        ),
        Case(
            "two breaches, then two charges: in whichever order",
            [
                *(r(number, "G28", breach=NO_CONTACT) for number in (153, 154)),
                *(r(number, "G28", charged=True) for number in (155, 156)),
            ],
            [
                after("D", "entered"),
                after("D", "kept"),
                after("B", "escalated", rules=["b-charge-and-violation", *FIRST]),
                after("B", "kept", rules=BREACHED),
            ],
            [
                after("D", "entered"),
                after("D", "kept"),
                after("C", "escalated"),
                after("B", "escalated", rules=SEED_FOURTH[1:]),
            ],
        ),
        Case(
            "strangled, charged; then a call",
            [r(157, "G29", code="13A", charged=True, force=["85"]), r(158, "G29")],
            [after("A", "entered", rules=["a-strangulation", *FIRST]), after("A", "kept")],
            [after("C", "entered"), after("C", "kept")],
        ),
        Case(
            "murder, charged",
            [r(159, "G30", code="09A", charged=True)],
            [after("A", "entered", rules=["a-homicide", *FIRST])],
            [after("C", "entered")],
        ),
        Case(
            "reported thirty days after it happened: opened; a minute more: listed, and decided all the same",
            [r(160, "G31", late=timedelta(days=30)), r(161, "G31", charged=True, late=timedelta(days=30, minutes=1))],
            [after("D", "entered", outreach="opened"), after("C", "escalated", outreach="none")],
        ),
        Case(
            "a child in common, otherwise known",
            [r(162, "G32", victims=[Victim(victim_id="V-162", relationship="OK", child_in_common=True)], charged=True)],
            [after("C", "entered")],
        ),
        Case(
            "a charge, a notice served, then a charge: the second charge is the violation too",
            [
                r(163, "G33", charged=True),
                given.noticed("C", "G33", name="G33-N", day=164),
                r(165, "G33", charged=True),
            ],
            [after("C", "entered"), after("C", "kept"), after("B", "escalated", rules=BREACHED)],
            [after("C", "entered"), after("C", "kept"), after("C", "kept", "no_rule")],
        ),
        Case(
            "three counts in one arrest are one charge",
            [
                r(
                    166,
                    "G34",
                    offenses=[Offense(code=code, charged=True) for code in ("13B", "13C", "290")],
                    arrest="A-G34",
                )
            ],
            [after("C", "entered", rules=FIRST)],
        ),
        Case(
            "two years between charges",
            [r(167, "G35", charged=True), r(168, "G35", charged=True, day=167 + 730)],
            [after("C", "entered"), after("B", "escalated")],
            [after("C", "entered"), after("C", "kept", "no_rule")],
        ),
        Case(
            "every kind of breach, each with a charge, and a charge after it",
            [
                r(number + place * 5, f"G36{kind}", charged=True, breach=[kind] if place == 0 else [])
                for number, kind in enumerate(ProhibitedBehavior, start=169)
                for place in (0, 1)
            ],
            [after("B", "entered"), after("B", "kept")] * len(ProhibitedBehavior),
            [after("C", "entered"), after("B", "escalated")] * len(ProhibitedBehavior),
        ),
        Case(
            "every code of a partner",
            [r(number, f"G37{code}", victims=[code], charged=True) for number, code in enumerate(PARTNERS, start=179)],
            [after("C", "entered")] * len(PARTNERS),
        ),
        Case(
            "every firearm, a knife, hands on the throat; none charged",
            [r(number, f"G38{code}", code="13A", force=[code]) for number, code in enumerate(GRAVE, start=185)],
            [after("D", "entered", "weapon_uncharged")] * len(GRAVE),
        ),
        Case(
            "every firearm and a knife, charged",
            [
                r(number, f"G39{code}", code="13A", charged=True, force=[code])
                for number, code in enumerate(GRAVE[:-1], start=197)
            ],
            [after("A", "entered", rules=["a-weapon", *FIRST])] * len(GRAVE[:-1]),
            [after("C", "entered", rules=FIRST)] * len(GRAVE[:-1]),
        ),
        Case(
            "a blunt object, a car, hands: no weapon here",
            [
                r(number, f"G40{code}", code="13A", charged=True, force=[code])
                for number, code in enumerate(("30", "35", "40"), start=208)
            ],
            [after("C", "entered", rules=FIRST)] * 3,
        ),
        Case(
            "three charges, then a call: the fourth charge is none",
            [*(r(number, "G41", charged=True) for number in (211, 212, 213)), r(214, "G41")],
            [after("C", "entered"), after("B", "escalated"), after("A", "escalated"), after("A", "kept")],
            [after("C", "entered"), *[after("C", "kept", "no_rule")] * 2, after("C", "kept")],
        ),
        Case(
            "three counts in one arrest, then one in another: two charges",
            [
                r(
                    215,
                    "G42",
                    offenses=[Offense(code=code, charged=True) for code in ("13B", "13C", "290")],
                    arrest="A-G42",
                ),
                r(216, "G42", charged=True),
            ],
            [after("C", "entered"), after("B", "escalated")],
            [after("C", "entered"), after("C", "kept", "no_rule")],
        ),
    ]


def main() -> None:
    HISTORIES.write_bytes(b"\n".join(case.line(number) for number, case in enumerate(cases(), start=1)) + b"\n")
    print(
        f"{HISTORIES.name}: {len(cases())} histories, {sum(len(json.loads(x)['events']) for x in HISTORIES.open())} events"
    )


if __name__ == "__main__":
    main()
