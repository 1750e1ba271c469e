"""The composition root."""

from __future__ import annotations

import pytest

from schemas.classification import Tier
from schemas.policy_file import PolicyError
from services.common.settings import CommonSettings
from services.notifier.app import build
from tests.harness.notices import Bench, decision


@pytest.mark.parametrize("policy", ["high-point-practice", "high-point-seed"])
def test_a_notifier_of_a_shipped_policy_prepares_and_holds(policy: str) -> None:
    notifier = build(CommonSettings(policy=policy))
    assert (notifier.name, notifier.rejects in notifier.inputs) == ("notifier", False)
    bench = Bench()
    outcome = notifier.decide(bench.offender, bench.input(decision(1, Tier.A)))
    assert [out.event.type.split(".")[2] for out in outcome.events] == ["prepared", "referred", "held"]


def test_a_policy_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(PolicyError, match="no such policy"):
        build(CommonSettings(policy="nowhere"))
