"""Records that wait for a lane: people's first, in their order, and none seen twice or lost when some are put back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import pytest
from aiokafka import ConsumerRecord

from services.common.mailbox import Mailbox

COMMANDS, INCIDENTS = "commands", "incidents"


def records(topic: str, offsets: Iterable[int]) -> list[ConsumerRecord[bytes, bytes]]:
    return [ConsumerRecord(topic, 0, offset, 0, 1, None, b"", None, 0, 0, ()) for offset in offsets]


def places(taken: Iterable[ConsumerRecord[bytes, bytes]]) -> list[tuple[str, int]]:
    return [(record.topic, record.offset) for record in taken]


@pytest.fixture
def mailbox() -> Mailbox:
    """Five incidents came first, then two commands."""
    made = Mailbox([COMMANDS, INCIDENTS])
    made.put(INCIDENTS, records(INCIDENTS, range(5)))
    made.put(COMMANDS, records(COMMANDS, (7, 9)))
    return made


def test_commands_come_first(mailbox: Mailbox) -> None:
    assert places(mailbox.take(3)) == [(COMMANDS, 7), (COMMANDS, 9), (INCIDENTS, 0)]
    assert places(mailbox.take(99)) == [(INCIDENTS, offset) for offset in range(1, 5)]
    assert mailbox.take(99) == [] and len(mailbox) == 0


def test_what_is_put_back_comes_again_in_its_order(mailbox: Mailbox) -> None:
    taken = mailbox.take(5)
    mailbox.put_back(taken[1:])
    assert mailbox.head(INCIDENTS) == 0
    assert places(mailbox.take(99)) == [(COMMANDS, 9), *((INCIDENTS, offset) for offset in range(5))]


def test_below_takes_no_other_topic_and_nothing_past_it(mailbox: Mailbox) -> None:
    assert places(mailbox.take(99, {INCIDENTS: 3})) == [(INCIDENTS, 0), (INCIDENTS, 1), (INCIDENTS, 2)]
    assert mailbox.take(99, {INCIDENTS: 3}) == []
    assert (mailbox.head(COMMANDS), mailbox.head(INCIDENTS)) == (7, 3)


def test_below_takes_as_it_came_and_answers_after_what_they_answer() -> None:
    """A restored database must not work a command before the report that it is about."""
    mailbox = Mailbox([COMMANDS, INCIDENTS])
    ends = {COMMANDS: 2, INCIDENTS: 5}
    mailbox.put(INCIDENTS, [replace(one, timestamp=one.offset) for one in records(INCIDENTS, range(6))])
    assert mailbox.take(99, ends) == []  # the next command may be older
    mailbox.put(COMMANDS, [replace(one, timestamp=1 + 2 * one.offset) for one in records(COMMANDS, range(2))])
    assert places(mailbox.take(3, ends)) == [(INCIDENTS, 0), (INCIDENTS, 1), (COMMANDS, 0)]
    assert places(mailbox.take(99, ends)) == [
        *((INCIDENTS, offset) for offset in (2, 3)),
        (COMMANDS, 1),
        (INCIDENTS, 4),
    ]
    assert mailbox.head(INCIDENTS) == 5


def test_below_waits_for_no_topic_that_is_through() -> None:
    mailbox = Mailbox([COMMANDS, INCIDENTS])
    mailbox.put(COMMANDS, records(COMMANDS, (0, 7)))
    mailbox.put(INCIDENTS, records(INCIDENTS, range(3)))
    assert places(mailbox.take(99, {COMMANDS: 1, INCIDENTS: 2})) == [(INCIDENTS, 0), (INCIDENTS, 1), (COMMANDS, 0)]
    assert mailbox.count(COMMANDS) == mailbox.count(INCIDENTS) == 1


def test_a_closed_one_is_empty_until_it_is_opened(mailbox: Mailbox) -> None:
    mailbox.close()
    assert mailbox.closed and len(mailbox) == 0 and mailbox.head(COMMANDS) is None
    mailbox.open()
    assert not mailbox.closed


@pytest.mark.parametrize("wake", ["put", "put_back", "close"])
async def test_whoever_waits_is_woken(wake: str) -> None:
    mailbox = Mailbox([COMMANDS])
    waiting = asyncio.create_task(mailbox.wait(60))
    await asyncio.sleep(0)
    assert not waiting.done()
    if wake == "close":
        mailbox.close()
    else:
        one = records(COMMANDS, [1])
        mailbox.put(COMMANDS, one) if wake == "put" else mailbox.put_back(one)
    await asyncio.wait_for(waiting, 1)


async def test_an_empty_one_is_waited_for_no_longer_than_asked(mailbox: Mailbox) -> None:
    mailbox.take(99)
    await asyncio.wait_for(mailbox.wait(0.01), 1)
