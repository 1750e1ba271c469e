"""schemathesis asks every API what its own document says may be asked, over HTTP, of services at work.

No request ends in a fault; every answer is one the document names, in the form it names; and every command that was taken is
in the log exactly once, with one outcome. `IPVI_API_EXAMPLES` sets how many requests an operation gets (`make fault`: 500).
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import positive_data_acceptance

from schemas.commands import Role
from schemas.topics import Topic
from services.cli.registry import SERVICES
from services.common.api import document
from tests.harness.county import County
from tests.harness.http import api_of
from tests.harness.in_process import PARTNER, LocalPipeline, local_pipeline, token

EXAMPLES = int(os.environ.get("IPVI_API_EXAMPLES", "8"))
WHO = "everyone"

KNOWN = {
    "notification_id": ("notifier", "SELECT notification_id FROM notifications"),
    "task_id": ("victim_outreach", "SELECT task_id FROM tasks"),
    "case_id": ("victim_outreach", "SELECT DISTINCT case_id FROM tasks"),
    "pair_id": ("victim_outreach", "SELECT pair_id FROM gates"),
    "hold_id": ("victim_outreach", "SELECT hold_id FROM holds"),
    "partner_id": ("partners", f"SELECT '{PARTNER.id}'"),
    "note_id": ("partners", "SELECT note_id FROM notes"),
    "path": ("partners", "SELECT 'json/envelope.schema.json' UNION SELECT 'asyncapi.yaml'"),
}
"""By path parameter, or field of a form, where there are ids that are somebody's."""


class Asked:
    """The services, what they have said, and ids to ask about."""

    def __init__(self, pipeline: LocalPipeline) -> None:
        self.pipeline = pipeline
        self.taken: dict[str, list[str]] = defaultdict(list)
        """By service, the id of each command somebody was told about."""
        self._known = {
            name: sorted(row[0] for row in pipeline.rows(service, query)) for name, (service, query) in KNOWN.items()
        }

    def of_somebody(self, name: str, invented: str) -> str:
        """Two in three times an id that is there; which one follows from what was invented."""
        number = sha256(repr(invented).encode()).digest()[0]
        known = self._known.get(name)
        return known[number % len(known)] if known and number % 3 else invented

    def heard(self, service: str, answered: schemathesis.Response) -> None:
        """What is refused before it was written down (no letters are set up) names no command."""
        if answered.status_code not in (200, 202, 409, 412) or answered.request.method != "POST":
            return
        said = answered.json()
        if isinstance(said, list):  # what was sought
            return
        if answered.status_code < 400 or "command_id" in said:
            self.taken[service].append(said["command_id"])


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Asked by all tests of the module; at the end nothing that was taken is missing or there twice."""
    with local_pipeline(tmp_path_factory.mktemp("apis"), {WHO: list(Role)}, with_partner=True) as pipeline:
        pipeline.feed(Topic.INCIDENTS, *County(seed=3, offenders=6).events(60))
        pipeline.tick()
        made = Asked(pipeline)
        yield made
        pipeline.wait_settled()
        for service, ids in made.taken.items():
            logged = Counter(pipeline.ids(pipeline.services[service].commands))
            outcomes = Counter(row.id for row in pipeline.rows(service, "SELECT id FROM inbox"))
            for one in set(ids):
                assert (logged[one], outcomes[one]) == (1, 1), f"{service}: {logged[one]} in the log"


def _test_of(service: str) -> Callable[..., None]:
    config = SchemathesisConfig(seed=20250110)
    config.projects.default.generation.update(max_examples=EXAMPLES, deterministic=True)
    schema = schemathesis.openapi.from_dict(document(api_of(service)), config=config)

    @schema.parametrize()
    def test(case: schemathesis.Case[Any], asked: Asked) -> None:
        for name, invented in case.path_parameters.items():
            case.path_parameters[name] = asked.of_somebody(name, invented)
        if isinstance(case.body, dict) and isinstance(invented := case.body.get("note_id"), str):
            case.body["note_id"] = asked.of_somebody("note_id", invented)
        base = asked.pipeline.services[service].url
        answered = case.call(base_url=base, headers={"Authorization": f"Bearer {token(WHO)}"})
        if answered.status_code == 500:
            raise AssertionError(case.formatted_path) from asked.pipeline.services[service].faults[-1]
        asked.heard(service, answered)
        case.validate_response(answered, excluded_checks=[positive_data_acceptance])  # a cursor or key may be no good

    made: Callable[..., None] = test
    return made


test_classifier = _test_of("classifier")
test_notifier = _test_of("notifier")
test_victim_outreach = _test_of("victim_outreach")
test_partners = _test_of("partners")


def test_every_service_is_asked() -> None:
    assert all(f"test_{service}" in globals() for service in (*SERVICES, "partners"))
