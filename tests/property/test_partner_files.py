"""Partner files drawn from the schema: nothing outside the allow-list ever leaves, and what may not be named is refused."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from schemas.classification import Change, ReviewCode, Tier, TierCurrent
from schemas.envelope import Data, event_types
from schemas.notification import (
    CancelReason,
    FailureReason,
    HoldReason,
    NotificationCancelled,
    NotificationFailed,
    NotificationHeld,
    NotificationReleased,
    NotificationServed,
    Place,
    Proof,
)
from schemas.partner import SUBSCRIBED, PartnerEvent, PartnerKind, marker, partner_types, sendable
from schemas.partner_fields import restricted
from schemas.partner_file import Partner, PartnerFileError, read_partner
from tests.harness.partners import AGENCY, HIM, START, Bench, decision, expunction, incident_id, notice, pair, prepared

FILES = int(os.environ.get("IPVI_PARTNER_FILES", "250"))

EVERY_FIELD = sorted({name for model in event_types().values() for name in model.model_fields})
"""Of every event and command there is."""
CANARIES = ("SECRET", "o.person", "officer.name", HIM, pair(1), pair(2), "also_victim", "gate", "unannounced", "home")
"""Values that stand in what is said below, and that nobody may be sent."""


def history() -> Iterator[Data]:
    """Everything a partner may subscribe to, with something to hide in each field."""
    tells: dict[str, Any] = {
        "review": [ReviewCode.ALSO_VICTIM, ReviewCode.MUTUAL, ReviewCode.RELATIONSHIP_UNKNOWN],
        "rules": ["d-suspicion"],
        "offender_informed": True,
        "challenged": True,
        "merge_pending": True,
        "merged_offender_id": "SECRET-other",
        "raised_until": START + timedelta(days=400),
        "tiers_served": [Tier.D],
    }
    secret = {"by": "o.person", "template": "SECRET@1", "template_sha256": "5" * 64}
    yield decision(1, "C", "D", **tells | {"rules": ["c"]})
    yield decision(2, "C", "C", charged=False, statutes=[], evidence=[incident_id(1), incident_id(2)], **tells)
    yield TierCurrent(offender_id=HIM, tier=Tier.C, since=START, policy_version="1")
    yield prepared(1).model_copy(update=secret)
    yield NotificationHeld(**notice(1) | secret, reasons=[HoldReason.GATE, HoldReason.UNANNOUNCED])
    yield NotificationReleased(**notice(1) | secret, serve_by=START)
    yield NotificationFailed(**notice(1) | secret, reason=FailureReason.MISSED_VISIT, place=Place.HOME, attempt=1)
    yield NotificationServed(
        **notice(1) | secret, served_at=START, proof=Proof.SIGNATURE, served_by="officer.name", place=Place.HOME
    )
    yield NotificationCancelled(**notice(1, "B") | secret, reason=CancelReason.EXPUNGED)
    yield decision(3, "B", "C", evidence=[incident_id(n) for n in (1, 2, 3)], rules=["b"])
    yield decision(3, None, "B", charged=False, evidence=[], withdrawn_pair_ids=[pair(3)])
    yield expunction(1, None, None)


@st.composite
def files(draw: st.DrawFn) -> tuple[dict[str, Any], bool]:
    """A file, and whether it asks for nothing but what its kind may have."""
    kind = draw(st.sampled_from(PartnerKind))
    tiers = draw(st.lists(st.sampled_from(["A", "B", "C", "C", "D"]), min_size=1, max_size=4, unique=True))
    good = "D" not in tiers or kind is PartnerKind.LAW_ENFORCEMENT
    asked = []
    for name in draw(st.lists(st.sampled_from(sorted(SUBSCRIBED)), min_size=1, max_size=3, unique=True)):
        allowed = list(sendable(SUBSCRIBED[name], kind, sees_d="D" in tiers))
        fields = draw(st.lists(st.sampled_from(allowed), min_size=1, max_size=len(allowed), unique=True))
        if draw(st.integers(0, 3)) == 0:
            wrong = draw(tries(name))
            fields.insert(draw(st.integers(0, len(fields))), wrong)
            good = good and wrong in allowed and fields.count(wrong) == 1
        where = {}
        if draw(st.booleans()):
            where = draw(st.sampled_from(filters(name)))
            good = good and all(each in allowed for each in where)
        asked.append({"type": name, "fields": fields, "where": where})
    return {
        "id": "drawn",
        "name": "A partner",
        "kind": str(kind),
        "purpose": "to see that it works",
        "need": "it would not otherwise",
        "expires": "2030-12-31",
        "tiers": tiers,
        "events": asked,
        "delivery": {"kind": "topic"},
    }, good


def tries(name: str) -> st.SearchStrategy[Any]:
    """Fields of anything there is, nested, with wildcards, renamed."""
    plain = st.sampled_from(EVERY_FIELD)
    return st.one_of(
        plain,
        plain.map(lambda each: f"data.{each}"),
        plain.map(lambda each: f"{each}.*"),
        plain.map(lambda each: f"tier as {each}"),
        plain.map(lambda each: f"{each}: tier"),
        plain.map(lambda each: f"${{{each}}}"),
        plain.map(lambda each: each.upper()),
        plain.map(lambda each: f" {each}"),
        st.sampled_from(
            ["*", "**", "$", "$.*", "data", "policy.digest", "evidence[*]", "__dict__", "model_fields", "TYPE"]
        ),
    )


def filters(name: str) -> list[dict[str, Any]]:
    return [
        {},
        {"tier": ["C"]},
        {"change": ["entered", "escalated"]} if "decided" in name else {"agency": [AGENCY]},
        {"agency": [AGENCY]} if "tier" not in name else {"tier": ["A", "B", "C"]},
        {"review": ["also_victim"]},
        {"mutual": [True]},
        {"reasons": ["gate"]},
    ]


@seed(20260318)
@settings(max_examples=FILES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(files())
def test_nothing_outside_the_allow_list_ever_leaves(drawn: tuple[dict[str, Any], bool]) -> None:
    written, good = drawn
    try:
        partner = read_partner(yaml.safe_dump(written), "drawn.yaml").model
    except PartnerFileError as fault:
        assert not good, fault
        assert all(line.startswith("drawn.yaml, line ") for line in (str(fault), *fault.others))
        return
    assert good
    bench = Bench(partner)
    bench.tell(*history())
    bench.end_tier()
    check(partner, bench)


def check(partner: Partner, bench: Bench) -> None:
    asked = {each.event: set(each.fields) for each in partner.events}
    ids: set[str] = set()
    for key, value, headers in bench.sent:
        assert value is not None
        envelope = {name: text.decode() for name, text in headers}
        assert set(envelope) == {
            "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_dataclassification",
            "ce_recordedtime", "content-type",
        }  # fmt: skip
        data = orjson.loads(value)
        name = envelope["ce_type"]
        if name in asked:
            assert set(data) <= asked[name]
            assert set(data) <= set(sendable(SUBSCRIBED[name], partner.kind, sees_d=partner.sees_d))
            ids.add(envelope["ce_id"])
        else:
            assert name in partner_types()
            assert set(data) <= {"events", "mentions", "incident_id"}
            assert {*data["events"], *data["mentions"]} <= ids, "only what was sent is taken back"
        whole = b"\n".join([key or b"", value, *(text for _, text in headers)]).decode()
        for canary in CANARIES:
            assert canary not in whole, (name, canary)
        if "incident_number" not in data:
            assert incident_id(1) not in whole
            assert incident_id(3) not in whole
        if not partner.sees_d:
            assert incident_id(2) not in whole
            assert bench.seal("incident", incident_id(2)) not in whole
            assert '"D"' not in whole


models = pytest.mark.parametrize("model", SUBSCRIBED.values(), ids=lambda model: model.__name__)


def never(model: type[PartnerEvent], kind: PartnerKind) -> list[str]:
    """Every field of every event and command of this system that may not be sent to a partner of this kind."""
    return sorted({*EVERY_FIELD, *model.model_fields} - set(sendable(model, kind, sees_d=False)))


@models
def test_each_field_that_may_not_be_sent_is_refused_by_name(model: type[PartnerEvent]) -> None:
    """One by one: with its line and what to do."""
    kind = PartnerKind.NEIGHBOURING_COUNTY
    for name in never(model, kind):
        for text in (written(model, kind, name), written(model, kind, where=[name])):
            with pytest.raises(PartnerFileError) as refused:
                read_partner(text, "da.yaml")
            assert_told(str(refused.value), text, name)


@pytest.mark.parametrize("kind", PartnerKind)
@models
def test_all_of_them_at_once_are_refused_each_on_its_line(model: type[PartnerEvent], kind: PartnerKind) -> None:
    names = never(model, kind)
    for text in (written(model, kind, *names), written(model, kind, where=names)):
        with pytest.raises(PartnerFileError) as refused:
            read_partner(text, "da.yaml")
        told = [str(refused.value), *refused.value.others]
        assert len(told) == len(names)
        for line, name in zip(told, names, strict=True):
            assert_told(line, text, name)


def assert_told(told: str, text: str, name: str) -> None:
    line = next(n for n, each in enumerate(text.splitlines(), 1) if each in (f"      - {name}", f"      {name}: [x]"))
    assert told.startswith(f"da.yaml, line {line}: ")
    assert name in told
    assert "take" in told


def written(model: type[PartnerEvent], kind: PartnerKind, *names: str, where: Sequence[str] = ()) -> str:
    fields = "\n".join(f"      - {name}" for name in names or ("tier",))
    conditions = "".join(f"\n      {name}: [x]" for name in where)
    return f"""id: da
name: DA
kind: {kind}
purpose: to see that it works
need: it would not otherwise
expires: 2030-12-31
events:
  - type: {model.TYPE}
    fields:
{fields}
    where: {conditions or "{}"}
delivery: {{kind: topic}}
"""


def test_every_field_says_to_whom_it_may_be_sent_and_a_new_one_to_nobody() -> None:
    for model in SUBSCRIBED.values():
        assert all(marker(model, name) is not None for name in model.model_fields)

    class New(PartnerEvent):
        TYPE = "ipvi.partner.new.v1"
        told: str = ""

    assert marker(New, "told") is None
    assert all(sendable(New, kind, sees_d=True) == () for kind in PartnerKind)


def test_what_speaks_of_a_victim_has_no_copy() -> None:
    telling = (
        "victim",
        "advocate",
        "outreach",
        "gate",
        "hold",
        "mutual",
        "review",
        "reason",
        "consent",
        "contact",
        "safe",
    )
    for model in SUBSCRIBED.values():
        assert not [name for name in model.model_fields if any(word in name for word in telling)]
        assert {"victim_id", "victims", "review", "mutual", "reasons", "outreach", "by", "place"} <= restricted(model)


def test_values_are_no_way_round() -> None:
    """An alias, an anchor or a tag of YAML names nothing else than it says."""
    for text in ("fields: &a [review]", "fields: !!python/name:os.system", "fields: [!!str review]"):
        whole = written(SUBSCRIBED["ipvi.partner.decided.v1"], PartnerKind.COURT).replace("fields:\n      - tier", text)
        with pytest.raises(PartnerFileError):
            read_partner(whole)


def test_the_draw_is_what_it_should_be() -> None:
    """Files that are sent something are drawn, not only such as are refused."""
    rng = random.Random(1)
    name = "ipvi.partner.decided.v1"
    fields = [each for each in sendable(SUBSCRIBED[name], PartnerKind.COURT, sees_d=False) if rng.random() < 0.5]
    text = json.dumps(
        {
            "id": "da", "name": "DA", "kind": "court", "purpose": "to see that it works", "need": "it would not otherwise",
            "expires": "2030-12-31", "events": [{"type": name, "fields": fields}], "delivery": {"kind": "topic"},
        }
    )  # fmt: skip
    bench = Bench(read_partner(text).model)
    bench.tell(*history())
    assert len(bench.rows) >= 4
    assert Change.ENTERED.value.encode() in b"".join(row.value or b"" for row in bench.rows) or "change" not in fields
