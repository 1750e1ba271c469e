"""A history load: `python -m tests.bench.load [INCIDENTS] [--lanes N] [--cached N] [--plain] [--sqlite] [--report FILE]`.

By hand, on a quiet machine. A made-up county of so many incidents, all of it history, goes through `ipvi ingest` into a real
broker, as of when it was reported; classifier, outreach and notifier work it until nothing is left to do. Told: how long each
part took, the peak memory of each process (VmHWM), and why what was refused was refused.

To be shown: 1,000,000 incidents loaded, the peak of every process at most 1.2 times that at 100,000, rejects explained.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from schemas.topics import Topic
from services.cli.broker.process import BoundProcess
from services.cli.serve import migrate_all
from services.cli.simulate.county import County
from services.cli.simulate.feed import Format, feed
from tests.harness import kafka
from tests.harness.pipeline import Pipeline, pipeline
from tests.harness.postgres import local_postgres

LANES = 24
LOOK_S = 1.0
TOLD_S = 60.0
MOST_S = 6 * 3600.0


class Watched:
    """Processes by name, the most memory each has ever had, in MiB, and the seconds of a core it has used."""

    def __init__(self) -> None:
        self._pids: dict[str, int] = {}
        self.peaks: dict[str, float] = {}
        self.cpu: dict[str, float] = {}

    def add(self, name: str, pid: int) -> None:
        self._pids[name] = pid

    def look(self) -> None:
        for name, pid in self._pids.items():
            try:
                status = Path(f"/proc/{pid}/status").read_text()
                used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
            except OSError:
                continue  # it has ended; its last look stays
            if found := re.search(r"VmHWM:\s+(\d+) kB", status):
                self.peaks[name] = round(int(found[1]) / 1024, 1)
                self.cpu[name] = sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def main(
    incidents: int, seed: int, kind: Format, lanes: int, cached: int | None, *, on_sqlite: bool, report: Path | None
) -> None:
    with ExitStack() as stack:
        url = None
        if not on_sqlite:
            server = stack.enter_context(local_postgres(fsync="on", full_page_writes="on"))
            url = server.create_database()
        made = stack.enter_context(pipeline(url, lanes=lanes))
        told = run(made, incidents, seed, kind, cached)
    told["database"] = "sqlite" if on_sqlite else "postgresql"
    print(json.dumps(told, indent=2))
    if report is not None:
        report.write_text(json.dumps(told, indent=2) + "\n")


def run(made: Pipeline, incidents: int, seed: int, kind: Format, cached: int | None) -> dict[str, Any]:
    watched = Watched()
    watched.add("simulate", os.getpid())
    path = made.folder / "history.jsonl"
    county = County(seed, None, incidents, years=20, live_days=0)
    times = Timer()
    with times("simulate"), path.open("wb") as file:
        lines = sum(bool(file.write(line)) for line in feed(county, kind))
    watched.look()
    asyncio.run(migrate_all(made.settings(), ["intake"]))
    services = made.start_all(**({"IPVI_CACHED_STATES": str(cached)} if cached else {}))
    for name, process in services.items():
        watched.add(name, process.process.pid)

    def check() -> None:
        for process in services.values():
            assert process.process.alive, process.tail()

    environment = {
        **os.environ,
        "KAFKA_BOOTSTRAP_SERVERS": made.bootstrap,
        "IPVI_HOME": str(made.folder),
        "IPVI_PARTITIONS": str(made.lanes),
        **({"DATABASE_URL": made.url} if made.url else {}),
    }
    command = ["ingest", "--format", "cloudevents", "--as-of", "reported", str(path)]
    log = made.folder / "ingest.log"
    began = time.monotonic()
    with times("ingest"):
        ingest = BoundProcess([sys.executable, "-m", "services.cli.main", *command], log=log, env=environment)
        watched.add("ingest", ingest.pid)
        wait(lambda: not ingest.alive, watched, check, lambda: f"{sent(made):,} on the stream")
    said = log.read_text(errors="replace").strip().splitlines()[-1:]
    assert said and "units" in said[0], said
    with times("rest"):
        for _ in range(2):
            wait(made.settled, watched, check, lambda: lag(made))
    took = time.monotonic() - began
    return {
        "incidents": incidents,
        "lines": lines,
        "ingest": said[0],
        "seconds": times.seconds | {"ingest_to_settled": round(took, 1)},
        "incidents_per_second": round(incidents / took, 1),
        "peak_mib": watched.peaks,
        "cpu_s": watched.cpu,
        "rejects": rejects(made),
        **counts(made),
        "load": round(os.getloadavg()[0], 1),
    }


class Timer:
    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)


def wait(condition: Callable[[], bool], watched: Watched, check: Callable[[], None], state: Callable[[], str]) -> None:
    """Until it holds, or `check` raises; looks at memory, and tells once a minute how far it is."""
    began = told = time.monotonic()
    while not condition():
        watched.look()
        check()
        now = time.monotonic()
        if now - began > MOST_S:
            raise TimeoutError(f"not done after {MOST_S:.0f} s")
        if now - told > TOLD_S:
            told = now
            print(f"{now - began:8.0f} s  {state()}  {watched.peaks}", file=sys.stderr, flush=True)
        time.sleep(min(LOOK_S, max(0.1, (now - began) / 20)))
    watched.look()


def sent(made: Pipeline) -> int:
    return sum(kafka.end_offsets(made.bootstrap, [str(Topic.INCIDENTS)]).values())


def lag(made: Pipeline) -> str:
    """By service, records that it has still to work."""
    found = []
    for service in made.services:
        rows = made.rows(service, "SELECT topic, lane, next_offset FROM positions")
        ends = kafka.end_offsets(made.bootstrap, sorted({row.topic for row in rows}))
        left = sum(ends[row.topic, row.lane] - row.next_offset for row in rows)
        found.append(f"{service} {left:,} behind")
    return ", ".join(found)


def rejects(made: Pipeline) -> dict[str, dict[str, int]]:
    """By service and code."""
    found = {}
    for service in made.services:
        rows = made.rows(service, "SELECT code, field, count(*) AS n FROM rejects GROUP BY code, field")
        found[service] = {f"{row.code} in {row.field}": row.n for row in rows}
    return found


def counts(made: Pipeline) -> dict[str, Any]:
    tiers = made.rows("classifier", "SELECT tier, count(*) AS n FROM offenders GROUP BY tier")
    states = made.rows("notifier", "SELECT state, count(*) AS n FROM notifications GROUP BY state")
    return {
        "incidents_kept": made.rows("classifier", "SELECT count(*) AS n FROM incidents")[0].n,
        "decisions": made.rows("classifier", "SELECT count(*) AS n FROM decisions")[0].n,
        "offenders": dict(sorted(Counter({str(row.tier): row.n for row in tiers}).items())),
        "referrals": made.rows("victim_outreach", "SELECT count(*) AS n FROM referrals")[0].n,
        "notifications": {row.state: row.n for row in states},
        "parked": {name: made.rows(name, "SELECT count(*) AS n FROM parked")[0].n for name in made.services},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("incidents", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--lanes", type=int, default=LANES)
    parser.add_argument("--cached", type=int, help="IPVI_CACHED_STATES")
    parser.add_argument("--plain", action="store_true", help="without names and contacts")
    given = parser.parse_args()
    kind = Format.INCIDENTS if given.plain else Format.CLOUDEVENTS
    main(given.incidents, given.seed, kind, given.lanes, given.cached, on_sqlite=given.sqlite, report=given.report)
