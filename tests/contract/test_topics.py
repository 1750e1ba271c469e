"""Topics: the list in Python, the YAML files and the registered types say the same, with no orphan and no gap."""

from __future__ import annotations

from collections import Counter

import pytest

from schemas.envelope import event_types
from schemas.topics import FOLDER, Topic, allowed, spec

SERVICES = {"intake", "classifier", "notifier", "victim_outreach", "partners"}
MIB = 2**20

topics = pytest.mark.parametrize("topic", list(Topic), ids=lambda topic: topic.short_name)


def test_each_topic_has_one_file_and_each_file_one_topic() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {topic.short_name for topic in Topic}
    assert all(spec(topic).topic is topic for topic in Topic)


def test_each_type_is_on_exactly_one_topic() -> None:
    """One topic, because the topic is the grain of access: a type on two would be read by two sets of people."""
    carried = Counter(event_type for topic in Topic for event_type in spec(topic).types)
    assert set(carried) == set(event_types())
    assert set(carried.values()) == {1}


@topics
def test_what_is_on_a_topic_is_allowed_there_and_nowhere_else(topic: Topic) -> None:
    for event_type in event_types():
        assert allowed(topic, event_type) is (event_type in spec(topic).types)


@topics
def test_only_reject_topics_carry_no_type(topic: Topic) -> None:
    assert topic.is_rejects is (not spec(topic).types)


@topics
def test_readers_and_writers_are_services(topic: Topic) -> None:
    assert set(spec(topic).producers) | set(spec(topic).consumers) <= SERVICES


@topics
def test_a_service_alone_reads_its_commands_and_nobody_its_rejects(topic: Topic) -> None:
    each = spec(topic)
    if topic.is_commands:
        assert each.producers == each.consumers == [topic.short_name.removesuffix("-commands").replace("-", "_")]
    if topic.is_rejects:
        assert each.producers == [topic.short_name.removesuffix("-rejects").replace("-", "_")]
        assert each.consumers == []


@topics
def test_what_names_a_victim_or_an_act_of_an_advocate_is_restricted(topic: Topic) -> None:
    for event_type in spec(topic).types:
        fields = set(event_types()[event_type].model_fields)
        if fields & {"victims", "victim_id", "victim_no", "task_id", "hold_id"}:
            assert topic.classification == "restricted"


@topics
def test_the_log_is_kept_14_days_or_until_its_tombstone(topic: Topic) -> None:
    each = spec(topic)
    assert (each.cleanup_policy == "compact") is topic.is_compacted
    assert each.retention_days == (None if topic.is_compacted else 14)


@topics
def test_a_refused_record_fits_its_reject_topic(topic: Topic) -> None:
    assert spec(topic).max_message_bytes == (2 * MIB if topic.is_rejects else MIB)


@topics
def test_time_is_the_brokers(topic: Topic) -> None:
    assert spec(topic).configs["message.timestamp.type"] == "LogAppendTime"
