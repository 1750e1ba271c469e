"""Named points at which a fault test makes this process die, freeze, fail or wait.

Armed by `IPVI_FAILPOINTS`, for example `sql.committed=kill@3;kafka.end_txn=raise~0.05`: `@n` fires at the n-th pass (1 if not
given) and once, `~p` at each pass with probability p, drawn from `IPVI_FAILPOINTS_SEED`. Not armed, a point costs one
dictionary look-up.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
from dataclasses import dataclass

POINTS = (
    "claim.init_producer",
    "claim.epoch",
    "claim.committed",
    "claim.recovery",
    "claim.done",
    "decide.done",
    "sql.open",
    "sql.before_commit",
    "sql.committed",
    "kafka.produced",
    "kafka.offsets",
    "kafka.end_txn",
    "kafka.done",
)
"""In the order the loop passes them: `DESIGN.md` 5, steps 1 to 5."""


class FaultInjectedError(RuntimeError):
    """A failpoint armed with `raise` was reached."""


@dataclass(slots=True)
class _Armed:
    action: str
    countdown: int
    probability: float
    seconds: float


_SPEC = re.compile(
    r"^(?P<name>[a-z_.]+)=(?P<action>kill|stop|raise|hang:(?P<seconds>[\d.]+))(@(?P<n>\d+)|~(?P<p>[\d.]+))?$"
)
_random = random.Random(os.environ.get("IPVI_FAILPOINTS_SEED", "0"))


def parse(text: str) -> dict[str, _Armed]:
    """Read the specification. Raises `ValueError` naming the part that is wrong."""
    armed = {}
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        match = _SPEC.match(part)
        if match is None or match["name"] not in POINTS:
            raise ValueError(f"IPVI_FAILPOINTS: {part!r} is not <point>=<kill|stop|raise|hang:seconds>[@n|~p]")
        armed[match["name"]] = _Armed(
            match["action"].split(":")[0], int(match["n"] or 1), float(match["p"] or 0), float(match["seconds"] or 0)
        )
    return armed


_armed = parse(os.environ.get("IPVI_FAILPOINTS", ""))


def arm(text: str) -> None:
    """Replace what is armed (tests inside one process)."""
    _armed.clear()
    _armed.update(parse(text))


async def reach(name: str, *, after: float = 0) -> None:
    """Pass the point `name`. `after`: seconds to let a request just handed over leave this process, if the point fires."""
    armed = _armed.get(name)
    if armed is None or not _fires(armed):
        return
    if after:
        await asyncio.sleep(after)
    match armed.action:
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "hang":
            await asyncio.sleep(armed.seconds)
        case _:
            raise FaultInjectedError(name)


def _fires(armed: _Armed) -> bool:
    if armed.probability:
        return _random.random() < armed.probability
    armed.countdown -= 1
    return armed.countdown == 0
