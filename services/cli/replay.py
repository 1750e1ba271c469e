"""`ipvi replay`: what the classifier decides on each line of a file, with no broker and nothing kept."""

from __future__ import annotations

import os
import secrets
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from schemas.classification import OffenderDecided
from schemas.envelope import Data, Event, routing_key
from schemas.policy import Policy
from schemas.policy_file import PolicyError
from schemas.rejects import MENDS, InvalidRecord, RejectCode
from schemas.topics import Topic, allowed
from services.classifier.app import compose
from services.classifier.domain import Offender
from services.classifier.policies import usable
from services.classifier.stream import INPUTS
from services.classifier.usecases import decision
from services.common.errors import IpviError
from services.common.seal import sealer
from services.common.service import Input
from services.intake.cloudevents import read_events
from services.intake.lines import Source

DONE, FAILED = 0, 2
DEFAULT_POLICY = "high-point-practice"

PolicyOption = Annotated[str, typer.Option("--policy", help="Id of a policy in policies/, or a policy file.")]
FilesArgument = Annotated[
    list[Path], typer.Argument(help="CloudEvents lines, plain or gzip, read one after the other.", show_default=False)
]


class Replay:
    """The classifier's decisions on one event after another, its state in memory."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._service = compose(policy, sealer(secrets.token_bytes(32)))
        self._offenders: dict[str, Offender] = {}
        self._seen: set[tuple[str, str]] = set()

    def decide(self, event: Event[Data]) -> OffenderDecided:
        """The decision of the event's offender after it; where he was merged, of the one he is now.

        `change` is `none` for a duplicate, a stale or an early event. A merge or split takes effect whole, before it
        returns. Raises `InvalidRecord`.
        """
        before: dict[str, Offender] = {}
        if (event.source, event.id) not in self._seen:
            self._seen.add((event.source, event.id))
            before = self._apply(event)
        now = self.offender(event.subject)
        return decision(before.get(now.offender_id, now), now, event, event, event.time, self._policy)

    def offender(self, offender_id: str) -> Offender:
        """As he stands now; where he was merged, the one he is now."""
        return self._offender(self._survivor(offender_id))

    def _apply(self, event: Event[Data]) -> dict[str, Offender]:
        """Those whom it concerned, as they were before."""
        before: dict[str, Offender] = {}
        queue = deque([(event, _topic(event))])
        while queue:
            record, topic = queue.popleft()
            key = routing_key(record)
            known = self._offender(key)
            before.setdefault(key, known)
            outcome = self._service.decide(known, Input(record, topic, 0, event.time, event.time))
            self._offenders[key] = outcome.state
            queue.extend((one.event, Topic(one.topic)) for one in outcome.events if one.other_lane)
        return before

    def _offender(self, key: str) -> Offender:
        return self._offenders.get(key) or self._service.store.new(key)

    def _survivor(self, offender_id: str) -> str:
        passed = {offender_id}
        while (move := self._offender(offender_id).alias) is not None and move.to not in passed:
            offender_id = move.to
            passed.add(offender_id)
        return offender_id


def _topic(event: Event[Data]) -> Topic:
    for topic in INPUTS:
        if allowed(topic, event.type):
            return topic
    raise InvalidRecord(RejectCode.NOT_ON_THIS_TOPIC, "type")


def replay(policy: Policy, files: Iterable[Path]) -> Iterator[bytes]:
    """One JSON line for each line of the files, in order: the decision's `data`, or `{"error": ...}` for a reject.

    Raises `InputError` for a file that cannot be read; what was decided before it has been given then.
    """
    run = Replay(policy)
    for source in [Source(path) for path in files]:
        for unit in read_events(source):
            if unit.reject is not None:
                yield _error(source.name, unit.line, unit.reject.code, unit.reject.field)
                continue
            (event,) = unit.events
            try:
                yield run.decide(event).model_dump_json().encode()
            except InvalidRecord as invalid:
                yield _error(source.name, unit.line, invalid.code, invalid.field)


def _error(file: str, line: int, code: RejectCode, field: str | None) -> bytes:
    told: dict[str, Any] = {"code": code, "field": field, "mend": MENDS[code], "file": file, "line": line}
    return orjson.dumps({"error": told})


def replay_command(files: FilesArgument, policy: PolicyOption = DEFAULT_POLICY) -> None:
    """Decide every event of FILES and print the decision on each: one line out for each line in, in the same order.

    Runs the classifier's own code on files, with no broker and no database; record time is the event's time. A line that
    is refused gives {"error": {code, field, mend, file, line}} (docs/rejects.md) and the rest goes on.

    Exit codes: 0 done (with or without refused lines), 2 a file or the policy cannot be used.

    Examples:

        ipvi replay incidents.jsonl

        ipvi replay --policy high-point-seed 2024.jsonl.gz 2025.jsonl.gz | jq -r '[.offender_id, .tier] | @tsv'
    """
    out = sys.stdout.buffer
    try:
        for line in replay(usable(policy), files):
            out.write(line + b"\n")
        out.flush()
    except BrokenPipeError:
        # Whoever read our output has enough; a second complaint at exit is kept from him.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (IpviError, PolicyError) as failed:
        out.flush()
        typer.echo(f"ipvi: {failed}", err=True)
        raise typer.Exit(FAILED) from None
    raise typer.Exit(DONE)
