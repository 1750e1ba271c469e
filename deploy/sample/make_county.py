"""Writes county.jsonl, the bundled sample of `make run`: three agencies, three months, nobody real.

`python deploy/sample/make_county.py` rewrites the file, always the same. What each offender is there to show stands
beside him; three lines are broken on purpose, so that rejects can be seen.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("county.jsonl")
CITY, COUNTY, CAMPUS = "ZZ0010000", "ZZ0020000", "ZZ0030000"
START = datetime(2025, 1, 6, 21, 30, tzinfo=UTC)

Json = dict[str, Any]


def moment(day: float) -> str:
    """So many days after the start."""
    return (START + timedelta(days=day)).isoformat().replace("+00:00", "Z")


def victim(identity: str | None, relationship: str = "BG", *codes: str, number: int = 1, **more: Any) -> Json:
    return {
        "victim_no": number,
        "victim_id": identity,
        "relationship": relationship,
        "offenses": list(codes or ["13B"]),
        **more,
    }


def incident(
    day: float,
    offender: str,
    *victims: Json,
    codes: tuple[str, ...] = ("13B",),
    charged: bool = False,
    agency: str = CITY,
    force: tuple[str, ...] = ("40",),
    number: str | None = None,
    person: Json | None = None,
    **more: Any,
) -> Json:
    """An incident, and its arrest if it is charged. The number follows from the day and the offender."""
    number = number or f"25-{int(day * 10):04}-{offender[-2:]}"
    arrest = {"arrest_id": f"{agency}:A{number}", "arrested_at": moment(day + 0.1), "type": "T"} if charged else None
    data = {
        "incident_id": f"{agency}:{number}",
        "revision": 1,
        "agency": agency,
        "occurred_at": moment(day),
        "reported_at": moment(day + 0.05),
        "offender": {"offender_id": offender, **(person or {"age": 24 + int(offender[-2:])})},
        "victims": list(victims),
        "offenses": [{"code": code, "charged": charged, "force": list(force)} for code in codes],
        "prohibited_behavior": [],
        "probable_cause": True if charged else None,
        "offender_informed": True if charged else None,
        "arrest": arrest,
        **more,
    }
    return event(day + 0.05, agency, "incident.reported", offender, data)


def event(day: float, agency: str, kind: str, subject: str, data: Json) -> Json:
    return {
        "specversion": "1.0",
        "source": f"/agencies/{agency}",
        "type": f"ipvi.{kind}.v1",
        "subject": subject,
        "time": moment(day),
        "data": data,
    }


def described(day: float, offender: str, **data: Any) -> Json:
    return event(day, CITY, "offender.described", offender, {"offender_id": offender, **data})


def victims_described(day: float, offender: str, *victims: Json) -> Json:
    return event(day, CITY, "victims.described", offender, {"offender_id": offender, "victims": list(victims)})


def custody(day: float, offender: str, change: str, at: float, agency: str = COUNTY) -> Json:
    data = {
        "offender_id": offender,
        "booking_id": f"{agency}:J{offender[-2:]}",
        "change": change,
        "at": moment(at),
        "facility": "Invented County Jail",
    }
    return event(day, agency, "custody.changed", offender, data)


def order(day: float, offender: str, kind: str) -> Json:
    data = {"offender_id": offender, "order_id": f"ORDER-{offender[-2:]}", "kind": kind, "change": "issued"}
    data |= {"from": moment(day), "until": moment(day + 365)}
    return event(day, COUNTY, "order.changed", offender, data)


def watched() -> Iterator[Json]:
    """D: suspicion, nothing charged."""
    yield incident(1, "zz-offender-01", victim("zz-victim-01", "BG"), offender_informed=True)
    yield incident(9, "zz-offender-02", victim("zz-victim-02", "SE", "13C"), codes=("13C",), force=())
    yield incident(40, "zz-offender-02", victim("zz-victim-02", "SE"), offender_informed=True)
    yield incident(13, "zz-offender-03", victim(None, "XR"), agency=CAMPUS)
    yield incident(22, "zz-offender-04", victim("zz-victim-04", "AQ", child_in_common=True), agency=COUNTY)
    yield incident(31, "zz-offender-05", victim("zz-victim-05", "BG"), victim("zz-victim-06", "CF", number=2))
    # A firearm and no charge: a person looks at it.
    yield incident(44, "zz-offender-06", victim("zz-victim-07", "XS", "13A"), codes=("13A",), force=("12",))
    # A sworn officer: same tier, another route.
    person = {"age": 38, "conflict_of_interest": True}
    yield incident(52, "zz-offender-07", victim("zz-victim-08", "SE"), person=person)


def charged_once() -> Iterator[Json]:
    """C: a first charge, some of them in custody before a hearing."""
    for number, day, agency in ((11, 3, CITY), (12, 17, COUNTY), (13, 33, CITY), (14, 61, CAMPUS)):
        offender = f"zz-offender-{number}"
        yield described(day - 1, offender, name=f"Invented Person {number}", language="es" if number == 12 else "en")
        yield incident(day, offender, victim(f"zz-victim-{number}", "BG"), charged=True, agency=agency)
    for number, day in ((12, 17), (13, 33)):
        offender = f"zz-offender-{number}"
        yield custody(day + 0.2, offender, "booked", day + 0.2)
        yield custody(day + 0.4, offender, "hearing_set", day + 1.6)
    yield custody(18.7, "zz-offender-12", "released", 18.7)
    details = {"language": "es", "contact": ["through the liaison officer"], "lethality_screen": "high"}
    yield victims_described(17.3, "zz-offender-12", {"victim_no": 1, "victim_id": "zz-victim-12", **details})
    yield incident(70, "zz-offender-15", victim("zz-victim-15", "XR", "13C"), codes=("13C",), force=(), charged=True)
    # First seen without a charge, charged by a later report of the same incident.
    both: Json = {"number": "25-0800-16"}
    yield incident(80, "zz-offender-16", victim("zz-victim-16", "CS"), **both)
    later = incident(80, "zz-offender-16", victim("zz-victim-16", "CS"), charged=True, **both)
    yield later | {"time": moment(83), "data": later["data"] | {"revision": 2}}


def charged_again() -> Iterator[Json]:
    """B: a second charge, or one and a breach of what he was told not to do."""
    for day in (5, 47):
        yield incident(day, "zz-offender-21", victim("zz-victim-21", "SE"), charged=True)
    yield incident(8, "zz-offender-22", victim("zz-victim-22", "BG"), charged=True, agency=COUNTY)
    yield order(10, "zz-offender-22", "protective_order")
    breach: Json = {"codes": ("90Z",), "force": (), "prohibited_behavior": ["protective_order"]}
    yield incident(29, "zz-offender-22", victim("zz-victim-22", "BG", "90Z"), charged=True, agency=COUNTY, **breach)
    yield custody(29.2, "zz-offender-22", "booked", 29.2)
    yield custody(29.3, "zz-offender-22", "hearing_set", 30.6)
    yield incident(55, "zz-offender-23", victim("zz-victim-23", "XR"), charged=True)
    breach = {"prohibited_behavior": ["no_contact"], "codes": ("13C",), "force": ()}
    yield incident(72, "zz-offender-23", victim("zz-victim-23", "XR", "13C"), **breach)
    # Two women, one after the other: the earlier one is not his present victim.
    yield incident(20, "zz-offender-24", victim("zz-victim-24", "BG"), charged=True)
    yield incident(95, "zz-offender-24", victim("zz-victim-25", "BG"), charged=True, agency=CAMPUS)


def gravest() -> Iterator[Json]:
    """A: three charges, or one with a weapon, by strangling, or a death."""
    for day in (2, 27, 66):
        yield incident(day, "zz-offender-31", victim("zz-victim-31", "SE"), charged=True)
    yield described(66.1, "zz-offender-31", name="Invented Person 31", birth_date="1986-04-02", lead_officer="Desk 4")
    yield custody(66.2, "zz-offender-31", "booked", 66.2)
    yield custody(66.3, "zz-offender-31", "hearing_set", 67.6)
    strangled: Json = {"codes": ("13A",), "force": ("85",)}
    yield incident(36, "zz-offender-32", victim("zz-victim-32", "BG", "13A"), charged=True, **strangled)
    knife: Json = {"codes": ("13A", "290"), "force": ("20",)}
    yield incident(58, "zz-offender-33", victim("zz-victim-33", "XS", "13A"), charged=True, agency=COUNTY, **knife)
    killed: Json = {"codes": ("09A",), "force": ("12",)}
    yield incident(90, "zz-offender-34", victim("zz-victim-34", "SE", "09A"), charged=True, agency=COUNTY, **killed)


def set_apart() -> Iterator[Json]:
    """Not on the ladder, or not yet: each of these is for a person to look at, or for nobody."""
    fight: Json = {"number": "25-0250-41"}
    first, second = victim("zz-offender-42", "SE"), victim("zz-offender-41", "SE", number=2)
    yield incident(25, "zz-offender-41", first, second | {"relationship": "VO"}, **fight)
    yield incident(25, "zz-offender-42", first | {"relationship": "VO"}, second, **fight)
    yield incident(38, "zz-offender-43", victim("zz-victim-43", "BG"), person={"age": 16}, agency=CAMPUS)
    yield incident(42, "zz-offender-44", victim("zz-victim-44", "RU"))
    yield incident(49, "zz-offender-45", victim("zz-victim-45", "PA"), charged=True)
    yield incident(63, "zz-offender-46", victim("zz-victim-46", "ST", "120"), codes=("120",), charged=True)
    # Reported in error, and taken back.
    mistaken = incident(68, "zz-offender-47", victim("zz-victim-47", "BG"))
    yield mistaken
    taken = {key: mistaken["data"][key] for key in ("incident_id", "agency", "revision")}
    yield event(71, CITY, "incident.retracted", "zz-offender-47", {"offender_id": "zz-offender-47", **taken})
    # One man under two ids: together they are charged twice.
    yield incident(12, "zz-offender-48", victim("zz-victim-48", "CS"), charged=True)
    yield incident(75, "zz-offender-49", victim("zz-victim-48", "CS"), charged=True, agency=COUNTY)
    merged = {"offender_id": "zz-offender-48", "merged_offender_id": "zz-offender-49"}
    yield event(78, COUNTY, "offender.merged", "zz-offender-48", merged)


def broken() -> Iterator[tuple[float, str]]:
    """What a feed really sends now and then: torn, a word where a code belongs, an age beyond reason."""
    whole = incident(15, "zz-offender-91", victim("zz-victim-91", "BG"))
    yield 15, _line(whole, 91)[:211]
    yield 45, _line(incident(45, "zz-offender-92", victim("zz-victim-92", "girlfriend")), 92)
    yield 75, _line(incident(75, "zz-offender-93", victim("zz-victim-93", "BG"), person={"age": 433}), 93)


def _line(what: Json, number: int) -> str:
    return json.dumps({"id": f"sample-{number:03}", **what}, separators=(",", ":"))


def lines() -> list[str]:
    """The file, in order of time."""
    parts = (watched(), charged_once(), charged_again(), gravest(), set_apart())
    events = sorted((one for part in parts for one in part), key=lambda one: str(one["time"]))
    dated = [(str(one["time"]), _line(one, number)) for number, one in enumerate(events, start=101)]
    return [line for _, line in sorted(dated + [(moment(day), line) for day, line in broken()])]


if __name__ == "__main__":
    FILE.write_text("\n".join(lines()) + "\n", encoding="utf-8")
