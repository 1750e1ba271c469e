"""A partition whose leader is not known yet is asked for again."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from services.cli.settled import ends


class Admin:
    """Answers each request with the next of these: an offset, or the code of an error."""

    def __init__(self, *answers: tuple[int | None, int]) -> None:
        self.answers = list(answers)

    def list_offsets(self, places: dict[TopicPartition, Any], request_timeout: float) -> dict[TopicPartition, Any]:
        error, offset = self.answers.pop(0)
        future: Future[Any] = Future()
        if error is None:
            future.set_result(SimpleNamespace(offset=offset))
        else:
            future.set_exception(KafkaException(KafkaError(error)))
        return dict.fromkeys(places, future)


def test_asked_again() -> None:
    admin: Any = Admin((KafkaError.UNKNOWN_LEADER_EPOCH, 0), (KafkaError.LEADER_NOT_AVAILABLE, 0), (None, 7))
    assert ends(admin, ["topic"], 1) == {("topic", 0): 7}


def test_what_does_not_pass_is_told() -> None:
    admin: Any = Admin((KafkaError.TOPIC_AUTHORIZATION_FAILED, 0), (None, 7))
    with pytest.raises(KafkaException):
        ends(admin, ["topic"], 1)
