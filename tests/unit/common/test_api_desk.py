"""The desk: a form is one command, and its answer is the inbox row."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from aiokafka.partitioner import DefaultPartitioner

from schemas.commands import CancelNotification, Fail, PersonCommand, Role
from schemas.envelope import Message, decode
from schemas.notification import CancelReason, FailureReason
from schemas.topics import Topic
from services.common.desk import LogDesk, Noted, Reply, Standing
from services.common.records import content_digest, lane_of

NOW = datetime(2025, 1, 10, 22, tzinfo=UTC)


def command(by: str = "m.ortiz") -> CancelNotification:
    return CancelNotification(
        offender_id="O-1", by=by, role=Role.OFFICER, notification_id="N-1", reason=CancelReason.BY_PERSON
    )


@dataclass
class Log:
    """A log whose service applies a command `delay` reads of the inbox after it was written."""

    outcome: str | None = "applied"
    delay: int = 3
    refused: str | None = None
    fails: Exception | None = None
    hangs: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)
    reads: int = 0

    async def send_and_wait(
        self, topic: str, *, value: bytes | None, key: bytes | None, partition: int, headers: list[tuple[str, bytes]]
    ) -> None:
        if self.fails:
            raise self.fails
        if self.hangs:
            await asyncio.Event().wait()
        self.sent.append({"topic": topic, "value": value, "key": key, "partition": partition, "headers": headers})

    async def inbox(self, source: str, ids: Sequence[str]) -> Noted | None:
        taken = next((one for one in self.sent if dict(one["headers"])["ce_id"].decode() in ids), None)
        if taken is None:
            return None
        assert source == "/ipvi/notifier/api"
        self.reads += 1
        known = self.outcome is not None and self.reads > self.delay
        return Noted(str(self.outcome), content_digest(taken["value"])) if known else None

    async def refusal(self, lane: int) -> str | None:
        return self.refused

    def desk(self, patience: float = 1.0) -> LogDesk:
        return LogDesk(
            "notifier", Topic.NOTIFIER_COMMANDS, 24, self, self.inbox, self.refusal, patience, 0.001, lambda: NOW
        )


async def submit(log: Log, form_id: str = "form-1", by: str = "m.ortiz", patience: float = 1.0) -> Reply:
    return await log.desk(patience).submit(command(by), form_id=form_id, offender_id="O-1")


async def test_a_command_is_an_event_in_the_offenders_lane() -> None:
    log = Log()
    reply = await submit(log)
    [sent] = log.sent
    event = decode(Message(sent["key"], sent["value"], tuple(sent["headers"])))
    assert (sent["topic"], sent["key"], sent["partition"]) == (Topic.NOTIFIER_COMMANDS, b"O-1", lane_of("O-1", 24))
    assert (event.id, event.source, event.subject, event.data) == (
        reply.command_id,
        "/ipvi/notifier/api",
        "O-1",
        command(),
    )
    assert event.recordedtime is None  # the broker's time is the record's


@pytest.mark.parametrize(
    ("outcome", "standing", "code"),
    [
        ("applied", Standing.APPLIED, None),
        ("none", Standing.APPLIED, None),
        ("refused:not_released", Standing.REFUSED, "not_released"),
        ("rejected:wrong_type", Standing.REFUSED, "wrong_type"),
    ],
)
async def test_the_answer_is_the_outcome(outcome: str, standing: Standing, code: str | None) -> None:
    reply = await submit(Log(outcome))
    assert (reply.standing, reply.code) == (standing, code)


async def test_not_applied_in_time_is_accepted() -> None:
    log = Log(outcome=None)
    assert (await submit(log, patience=0.02)).standing is Standing.ACCEPTED
    assert len(log.sent) == 1


async def test_the_same_form_is_one_command_and_one_answer() -> None:
    log = Log()
    first, second = await submit(log), await submit(log)
    assert first == second
    assert len(log.sent) == 1


async def test_the_same_form_while_the_first_waits_writes_the_same_id() -> None:
    log = Log(delay=10)
    first, second = await asyncio.gather(submit(log), submit(log))
    assert first == second
    assert len({dict(one["headers"])["ce_id"] for one in log.sent}) == 1


@pytest.mark.parametrize(
    ("other", "offender"),
    [
        (command().model_copy(update={"notification_id": "N-2"}), "O-1"),
        (command().model_copy(update={"expects": "v1"}), "O-1"),
        (command().model_copy(update={"offender_id": "O-2"}), "O-2"),
        (
            Fail(
                offender_id="O-1",
                by="m.ortiz",
                role=Role.OFFICER,
                notification_id="N-1",
                reason=FailureReason.REFUSED,
            ),
            "O-1",
        ),
    ],
)
@pytest.mark.parametrize("delay", [0, 10])
async def test_the_same_form_with_other_content_is_refused(other: PersonCommand, offender: str, delay: int) -> None:
    """Whatever differs, and whoever's lane it is for; what it said first stands."""
    log = Log(delay=delay)
    first = await submit(log)
    second = await log.desk().submit(other, form_id="form-1", offender_id=offender)
    assert (second.standing, second.code) == (Standing.REFUSED, "key_reused")
    assert await submit(log) == first
    assert len(log.sent) == 1


async def test_two_that_differ_at_once_on_one_lane_are_one_and_a_refusal() -> None:
    log = Log(delay=10)
    other = command().model_copy(update={"notification_id": "N-2"})
    first, second = await asyncio.gather(submit(log), log.desk().submit(other, form_id="form-1", offender_id="O-1"))
    assert (first.standing, second.standing, second.code) == (Standing.APPLIED, Standing.REFUSED, "key_reused")
    assert first.command_id == second.command_id


async def test_another_form_or_person_is_another_command() -> None:
    log = Log()
    ids = {(await submit(log, form, by)).command_id for form in ("a", "b") for by in ("x", "y")}
    assert len(ids) == 4


async def test_a_refused_lane_is_told_at_once_and_nothing_is_written() -> None:
    log = Log(refused="offset_out_of_range")
    reply = await asyncio.wait_for(submit(log, patience=60), 1)
    assert (reply.standing, reply.code) == (Standing.UNAVAILABLE, "offset_out_of_range")
    assert log.sent == []


async def test_a_refused_lane_still_answers_for_what_was_applied() -> None:
    log = Log()
    before = await submit(log)
    log.refused = "offset_out_of_range"
    assert await submit(log) == before


@pytest.mark.parametrize("log", [Log(fails=KafkaConnectionError()), Log(hangs=True)])
async def test_a_log_out_of_reach_is_unavailable(log: Log) -> None:
    reply = await submit(log, patience=0.02)
    assert (reply.standing, reply.code) == (Standing.UNAVAILABLE, "log_unreachable")


def test_lanes_are_kafkas_own() -> None:
    for number in range(200):
        key = f"offender-{number}"
        assert lane_of(key, 24) == DefaultPartitioner()(key.encode(), list(range(24)), list(range(24)))
