"""From a line of a jail's roster to the task it opens: `python -m tests.bench.roster_to_task [BOOKINGS] [A_SNAPSHOT]`.

By hand, on a quiet machine. A real broker, SQLite, intake watching a folder, classifier, victim_outreach. Each
snapshot adds bookings with a charge that may concern a partner; each opens a task to ask for the relationship. Time runs from
when the roster file has its name to the broker's time stamp of the task. To be shown: under 5 s at p99 over 10,000 bookings.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from schemas.topics import Topic
from services.cli.serve import migrate_all
from tests.harness import kafka
from tests.harness.pipeline import Pipeline, pipeline
from tests.harness.replicas import wait_for

HEADER = "booking,person,name,booked,facility,hearing,status,charge"
EVERY_S = 2.0


def row(number: int) -> str:
    return f"B{number},P{number},,{time.strftime('%Y-%m-%d %H:%M')},Jail 1,,in,ASSAULT ON A FEMALE"


def main(bookings: int, at_once: int) -> None:
    with pipeline(None, lanes=24) as made:
        run(made, bookings, at_once)


def run(made: Pipeline, bookings: int, at_once: int) -> None:
    folder = made.folder / "in"
    folder.mkdir()
    feeds = made.folder / "feeds.yaml"
    feeds.write_text("feeds: [{folder: in, format: roster, mapping: roster}]\n")
    asyncio.run(migrate_all(made.settings(), ["intake"]))
    made.start_all(IPVI_AS_OF="now")
    made.start("intake", IPVI_FEEDS_FILE=str(feeds), IPVI_AS_OF="now")
    put(folder, "0.csv", [row(0)])
    wait_for(lambda: (folder / "done" / "0.csv").exists(), 180, "the first snapshot, a history load")
    written: dict[str, float] = {}
    for start in range(1, bookings + 1, at_once):
        began = time.monotonic()
        shown = range(start, min(start + at_once, bookings + 1))
        # A jail holds some hundreds, however many are booked in a year: a fifth leave with each snapshot.
        held = range(max(1, start - 4 * at_once), start)
        put(folder, f"{start:06}.csv", [row(number) for number in (0, *held, *shown)])
        now = time.time()
        written |= {f"ZZ0000000:booking-B{number}": now for number in shown}
        time.sleep(max(0.0, EVERY_S - (time.monotonic() - began)))
    wait_for(lambda: len(opened(made)) >= bookings, 600, "a task for each booking")
    delays = sorted(at - written[incident] for incident, at in opened(made).items() if incident in written)
    load = os.getloadavg()[0]
    print(
        json.dumps(
            {
                "bookings": len(delays),
                "p50_s": round(delays[len(delays) // 2], 3),
                "p99_s": round(delays[int(len(delays) * 0.99) - 1], 3),
                "max_s": round(delays[-1], 3),
                "load": round(load, 1),
            }
        )
    )


def put(folder: Path, name: str, rows: list[str]) -> None:
    part = folder / f".{name}"
    part.write_text("\n".join([HEADER, *rows]) + "\n")
    part.rename(folder / name)


def opened(made: Pipeline) -> dict[str, float]:
    """By incident, when its first task was opened."""
    incidents = {
        row.pair_id: row.incident_id for row in made.rows("classifier", "SELECT pair_id, incident_id FROM decisions")
    }
    found: dict[str, float] = {}
    for record in kafka.read_all(made.bootstrap, Topic.OUTREACH, timeout=120):
        if dict(record.headers)["ce_type"] != b"ipvi.task.opened.v1" or record.value is None:
            continue
        incident = incidents.get(json.loads(record.value).get("pair_id", ""))
        if incident is not None:
            found.setdefault(incident, record.timestamp / 1000)
    return found


if __name__ == "__main__":
    main(*(int(each) for each in (sys.argv[1:] + ["10000", "100"][len(sys.argv) - 1 :])))
