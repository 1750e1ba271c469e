"""CloudEvents: both modes, open readers, strict writers, identities that a repeat makes again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from schemas.envelope import (
    Classification,
    Data,
    Event,
    Message,
    decode,
    deterministic_id,
    encode,
    from_json_line,
    pair_id,
    referral_id,
    to_json_line,
)
from schemas.incident import IncidentReported, OffenderMerged
from schemas.rejects import InvalidRecord, RejectCode
from tests.contract.values import events
from tests.harness.incidents import report

MERGED = Event(
    id="m-1",
    source="/agencies/NC0990100",
    subject="O-1",
    time=datetime(2026, 3, 1, tzinfo=UTC),
    data=OffenderMerged(offender_id="O-1", merged_offender_id="O-2"),
    dataclassification=Classification.RESTRICTED,
)


@given(events())
@settings(max_examples=400, deadline=None)
def test_any_event_goes_both_ways_unchanged(event: Event[Data]) -> None:
    binary, structured = encode(event), to_json_line(event)
    assert decode(binary) == event
    assert decode(Message(None, structured)) == event
    assert encode(from_json_line(structured)) == binary
    assert b"\n" not in structured


def test_readers_pass_over_what_they_do_not_know() -> None:
    message = encode(MERGED)
    body = json.dumps(json.loads(message.value or b"") | {"new_field": {"deep": [1]}}).encode()
    later = replace(message, value=body, headers=(*message.headers, ("ce_newattribute", b"x"), ("x-other", b"\xff")))
    assert decode(later) == MERGED


def test_writers_cannot_write_what_the_model_lacks() -> None:
    with pytest.raises(ValidationError):
        OffenderMerged(offender_id="O-1", merged_offender_id="O-2", note="x")  # type: ignore[call-arg]


def test_kafkas_binary_mode_has_attributes_as_headers_and_data_as_value() -> None:
    message = encode(MERGED)
    assert dict(message.headers)["ce_type"] == b"ipvi.offender.merged.v1"
    assert dict(message.headers)["content-type"] == b"application/json"
    assert json.loads(message.value or b"") == {"offender_id": "O-1", "merged_offender_id": "O-2"}


def test_a_merge_begins_in_the_lane_of_the_merged() -> None:
    assert encode(MERGED).key == b"O-2"


def test_header_names_are_read_in_any_case_and_structured_mode_without_a_key() -> None:
    message = encode(MERGED)
    shouted = replace(message, headers=tuple((name.upper(), value) for name, value in message.headers))
    assert decode(shouted) == MERGED
    line = to_json_line(MERGED)
    assert decode(Message(None, b"\xef\xbb\xbf" + line, (("content-type", b"application/cloudevents+json"),))) == MERGED


def test_what_is_absent_stays_absent() -> None:
    assert not {"recordedtime", "correlationid", "causationid"} & json.loads(to_json_line(MERGED)).keys()


@pytest.mark.parametrize("attribute", ["specversion", "id", "source", "type", "subject", "time"])
def test_a_missing_attribute_is_named(attribute: str) -> None:
    whole = json.loads(to_json_line(MERGED))
    del whole[attribute]
    with pytest.raises(InvalidRecord) as refused:
        from_json_line(json.dumps(whole).encode())
    assert (refused.value.code, refused.value.field) == (RejectCode.MISSING_FIELD, attribute)


def test_ids_say_what_caused_them_and_nothing_else() -> None:
    """The values are the contract: partners and old journals hold them."""
    pair = pair_id("NC0990100:2026-1", "O-1")
    assert pair == deterministic_id("pair", "NC0990100:2026-1", "O-1") == "2171229e-ab66-53c1-a41d-281cf648a6cd"
    assert referral_id(pair, 1) == deterministic_id("referral", pair, 1) != referral_id(pair, 2)
    assert "O-1" not in pair


def test_equal_content_has_equal_bytes() -> None:
    """`conflicting_revision` compares these: order of keys, spelling of times and given defaults make no difference."""
    spelled = b'{"merged_offender_id":"O-2","offender_id":"O-1"}'
    assert from_json_line(to_json_line(MERGED)).data.canonical() == spelled


def test_what_a_lane_reads_shares_the_sets_of_given_fields() -> None:
    """A third of the memory of a state; and a copy of one changes no other."""
    message = encode(report(1, charged=True))
    one, other = decode(message).data, decode(message).data
    assert isinstance(one, IncidentReported) and isinstance(other, IncidentReported)
    assert one.model_fields_set is other.model_fields_set
    assert one.offender.model_fields_set is other.offender.model_fields_set
    assert one.victims[0].model_fields_set is other.victims[0].model_fields_set
    before = set(other.model_fields_set)
    copy = one.model_copy(update={"new": 1})
    assert "new" in copy.model_fields_set
    assert other.model_fields_set == before
