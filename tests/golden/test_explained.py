"""The explanations of the golden histories, word by word."""

from __future__ import annotations

import json
import re

import pytest

from schemas.policy_file import load_policy
from tests.golden import explained

WRITTEN = [
    (kind, name) for name in explained.POLICIES for kind in ("own", "shared") if explained.histories(kind)
]  # where the contract's own are not at hand, ours stand by themselves


@pytest.mark.parametrize(("kind", "name"), WRITTEN)
def test_no_word_has_changed(kind: str, name: str) -> None:
    """Mended by `python -m tests.golden.explained`; read what it wrote."""
    assert explained.text(kind, load_policy(name)) == explained.file_of(kind, name).read_text()


@pytest.mark.parametrize(("kind", "name"), WRITTEN)
def test_no_victim_is_in_it(kind: str, name: str) -> None:
    """Neither an id of hers nor what she is to him."""
    written = explained.file_of(kind, name).read_text()
    for case in explained.histories(kind):
        for victim in (each for event in case["events"] for each in event["data"].get("victims", ())):
            assert not victim.get("victim_id") or victim["victim_id"] not in written
    assert not re.search(r"victim|spouse|girlfriend|\b(SE|CS|BG|XS|XR|HR|RU|VO|ST)\b", written)


@pytest.mark.parametrize("name", explained.POLICIES)
def test_nothing_of_what_was_expunged_is_in_it(name: str) -> None:
    written = explained.file_of("own", name).read_text()
    numbers = [
        event["data"]["incident_id"].split(":")[1]
        for case in explained.histories("own")
        for event in case["events"]
        if event["type"] == "ipvi.incident.expunged.v1"
    ]
    assert numbers and not [number for number in numbers if f"number {number}" in written]


@pytest.mark.parametrize("name", explained.POLICIES)
def test_each_ends_on_the_tier_that_is_expected(name: str) -> None:
    """Of histories of one person: the text says the tier that `histories.jsonl` expects at the end."""
    texts = dict(re.findall(r"==== own (\d+)\n\n(.*)", explained.file_of("own", name).read_text()))
    for case in explained.histories("own"):
        expected = case["expect"][name][-1].get("tier")
        if len({event["subject"] for event in case["events"]}) == 1 and "split" not in json.dumps(case):
            told = texts[str(case["case"])]
            assert told.endswith((f": list {expected}",) if expected else (": no list", ": nothing is known")), told
