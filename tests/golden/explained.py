"""Why each golden history ends as it does, as `ipvi policy explain` tells it: `python -m tests.golden.explained` writes it.

One text a file of histories and policy. What is written is read before it is committed; any changed word fails a test. The
digest is left out: it changes with settings that explain nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from schemas.envelope import from_json_line
from schemas.policy import Policy
from schemas.policy_file import load_policy
from schemas.rejects import InvalidRecord
from services.classifier.domain.explanation import explain
from services.classifier.rules import rulebook
from services.cli.policy.explain import lines
from services.cli.replay import Replay
from tests.golden import build

FOLDER = Path(__file__).with_name("explanations")
SHARED = Path(__file__).parents[3] / "shared" / "golden" / "cases.json"
"""The contract's own cases: beside the repository where it is developed."""
POLICIES = ("high-point-seed", "high-point-practice")

Case = dict[str, Any]


def histories(kind: str) -> list[Case]:
    """`own` ones, or the contract's: none where they are not at hand."""
    if kind == "own":
        return [json.loads(line) for line in build.HISTORIES.read_text().splitlines()]
    found: list[Case] = json.loads(SHARED.read_text()) if SHARED.is_file() else []
    return found


def file_of(kind: str, policy: str) -> Path:
    return FOLDER / f"{kind}.{policy}.txt"


def text(kind: str, policy: Policy) -> str:
    return "\n".join(line for case in histories(kind) for line in explained(kind, case, policy)) + "\n"


def explained(kind: str, case: Case, policy: Policy) -> Iterator[str]:
    """Everybody the history ends with, in the order they came in."""
    run = Replay(policy)
    people: dict[str, None] = {}
    for event in case["events"]:
        try:
            run.decide(from_json_line(json.dumps(event).encode()))
        except InvalidRecord:
            continue
        people |= dict.fromkeys(run.offender(each).offender_id for each in (event["subject"], *_more(event["data"])))
    yield f"==== {kind} {case['case']}"
    yield ""
    for person in people:
        him = run.offender(person)
        if him.offender_id == person and him.history.strands:
            said = "\n".join(lines(explain(him, policy, rulebook(policy)), policy))
            yield said.replace(f", digest {policy.digest}", "")
        else:
            yield f"{person}: nothing is known"
        yield ""


def _more(data: dict[str, Any]) -> list[str]:
    return [data["new_offender_id"]] if "new_offender_id" in data else []


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name in POLICIES:
        for kind in ("own", "shared"):
            if histories(kind):
                file_of(kind, name).write_text(text(kind, load_policy(name)))


if __name__ == "__main__":
    main()
