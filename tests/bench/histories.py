"""Simulated histories, the same for the same seed: `python -m tests.bench.histories 100000 > histories.jsonl`.

How many incidents a person has, and what they are, is chosen so that the lists come out about as High Point's did in its
first year (D 469, C 166, B 38; `DOMAIN.md` 1.7). Nobody is real.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

AGENCIES = ("ZZ0010000", "ZZ0020000", "ZZ0030000")
START = datetime(2015, 1, 1, tzinfo=UTC)
DAYS = 3_650

Json = dict[str, Any]


def histories(people: int, seed: int = 1) -> Iterator[bytes]:
    """Events of so many people, one JSON line each, a person's in the order they were reported."""
    chance = random.Random(seed)
    for person in range(people):
        yield from map(orjson.dumps, _person(f"sim-{seed}-{person:07}", chance))


def _person(him: str, chance: random.Random) -> Iterator[Json]:
    number = 1 + sum(chance.random() < 0.2 for _ in range(6))
    born = f"{chance.randint(1955, 2004)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    incidents = [
        _incident(him, place, day, born, chance)
        for place, day in enumerate(sorted(chance.uniform(0, DAYS) for _ in range(number)), start=1)
    ]
    yield from incidents
    for event in incidents:
        arrest = event["data"]["arrest"]
        if arrest is not None and chance.random() < 0.3:
            yield _event(him, event, "case.disposed", 90, {
                "offender_id": him, "arrest_id": arrest["arrest_id"], "charge": event["data"]["offenses"][0]["code"],
                "disposition": chance.choice(["convicted", "dismissed", "dismissed", "acquitted"]),
            })  # fmt: skip
    if chance.random() < 0.15:
        served = _moment(datetime.fromisoformat(incidents[0]["data"]["occurred_at"]) + timedelta(days=4))
        yield _event(him, incidents[0], "notification.recorded", 4, {
            "offender_id": him, "notification_id": f"{him}-N", "tier": "D", "served_at": served,
        })  # fmt: skip
    if chance.random() < 0.02:
        data = {name: incidents[-1]["data"][name] for name in ("incident_id", "agency")}
        yield _event(him, incidents[-1], "incident.retracted", 10, {**data, "offender_id": him, "revision": 1})


def _incident(him: str, place: int, day: float, born: str, chance: random.Random) -> Json:
    at = START + timedelta(days=day)
    agency = chance.choice(AGENCIES)
    charged = chance.random() < 0.3
    code = chance.choices(["13B", "13A", "13C", "290", "90Z"], [60, 12, 18, 6, 4])[0]
    force = chance.choices([[], ["40"], ["12"], ["20"], ["85"], ["30"]], [20, 68, 2, 3, 4, 3])[0]
    relationship = chance.choices(["BG", "SE", "XR", "XS", "CS", "RU", "SB", "ST"], [42, 22, 14, 6, 6, 4, 4, 2])[0]
    breach = [chance.choice(["protective_order", "no_contact", "pretrial_condition"])] if chance.random() < 0.06 else []
    number = f"{him}-{place:02}"
    data = {
        "incident_id": f"{agency}:{number}", "revision": 1, "agency": agency, "occurred_at": _moment(at),
        "reported_at": _moment(at + timedelta(hours=chance.uniform(0.2, 40))),
        "offender": {"offender_id": him, "birth_date": born},
        "victims": [{"victim_no": 1, "victim_id": f"{him}-V{chance.randint(1, 2)}", "relationship": relationship}],
        "offenses": [{"code": code, "charged": charged, "force": force}],
        "prohibited_behavior": breach, "probable_cause": True if charged else chance.choice([None, False]),
        "arrest": {"arrest_id": f"A-{number}", "arrested_at": _moment(at), "type": "T"} if charged else None,
    }  # fmt: skip
    return {
        "specversion": "1.0", "id": number, "source": f"/agencies/{agency}", "type": "ipvi.incident.reported.v1",
        "subject": him, "time": data["reported_at"], "data": data,
    }  # fmt: skip


def _event(him: str, after: Json, kind: str, days: float, data: Json) -> Json:
    at = datetime.fromisoformat(after["time"]) + timedelta(days=days)
    return {
        "specversion": "1.0", "id": f"{after['id']}-{kind}", "source": after["source"], "type": f"ipvi.{kind}.v1",
        "subject": him, "time": _moment(at), "data": data,
    }  # fmt: skip


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def main() -> None:
    people = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    for line in histories(people, seed):
        sys.stdout.buffer.write(line + b"\n")


if __name__ == "__main__":
    main()
