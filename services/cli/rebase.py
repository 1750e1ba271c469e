"""`ipvi offsets rebase`: go on with a log that is not the one it was: made anew, moved to another cluster, cut short.

What the log no longer holds is given up, in one explicit act; nothing that was said is said again under a new offset, and
what was never known to be said is said now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import typer
from aiokafka import TopicPartition
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.cli.group import Group, OffsetsError, PartnerOption, open_group, part_of, publish
from services.cli.offsets import published
from services.cli.serve import ServiceName
from services.common import guard
from services.common.offsets import group_offsets
from services.common.positions import Place, unpublished
from services.common.producer import JournalRow, LaneProducer
from services.common.settings import CommonSettings, settings_or_error
from services.common.tables import journal, positions, rejects

GONE = -1
"""Offset in the journal of records that lay in a log which is no more."""


@dataclass(frozen=True, slots=True)
class Rebase:
    """One lane's new place on one topic.

    `offset`: what the group's offset is set to; past `now`, where Kafka has what comes next already. `again`: journal rows
    that the output topics do not hold, and will.
    """

    lane: int
    topic: str
    before: int
    now: int
    offset: int
    again: Sequence[JournalRow] = field(repr=False)

    def __str__(self) -> str:
        moved = f"lane {self.lane}: {self.topic} from {self.before} to {self.now}"
        return f"{moved}; {len(self.again)} rows of the journal were not published, and will be"


def rebase_command(
    service: Annotated[ServiceName, typer.Option("--service", help="Whose lanes refuse.", show_default=False)],
    partner: PartnerOption = None,
    apply: Annotated[bool, typer.Option("--apply", help="Do it; else only say what would be done.")] = False,
) -> None:
    """Take the input topics as they are now: after `topic_recreated`, `past_log_end` or `below_log_start`.

    Records that the log no longer holds, and that had not been worked, are given up: first try to get them back. Every
    replica of the service must be stopped. What its journal holds and the output topics do not is published.

    Exit codes: 0 done or nothing to do, 2 refused, with one line why.
    """
    found = asyncio.run(rebase(settings_or_error(CommonSettings), part_of(service, partner), apply=apply))
    for one in found:
        typer.echo(str(one))
    if not found:
        typer.echo("the log is the one it was")
    elif not apply:
        typer.echo("nothing was done: repeat with --apply")


async def rebase(settings: CommonSettings, service: str, *, apply: bool) -> list[Rebase]:
    """What `ipvi offsets rebase` does; broken off, it may be run again.

    Raises `OffsetsError` (replicas are up, or one came up meanwhile; another number of partitions), `LaneRefusedError` (a
    copied database).
    """
    async with open_group(settings, service) as group:
        places = await group.places()
        topics = sorted({topic for at in places.values() for topic in at})
        if not topics:
            return []
        await guard.check_place(group.database, group.admin, group.name)
        await group.refuse_if_worked()
        facts = await guard.topic_facts(settings.kafka, topics)
        if any(count != settings.partitions for _, count in facts.values()):
            raise OffsetsError("a topic has another number of partitions: its keys are in other lanes")
        anew = {
            topic for topic, (id_, _) in facts.items() if await group.database.deployed(f"topic:{topic}", id_) != id_
        }
        async with group.producers(places if apply else ()) as producers:
            found = [
                one
                for lane, at in places.items()
                for topic, place in at.items()
                if (one := await _moved(group, lane, topic, place, topic in anew)) is not None
            ]
            if apply:
                for one in found:
                    await _apply(group, producers[one.lane], one)
                for topic in anew:
                    await group.database.deploy(f"topic:{topic}", facts[topic][0])
    return found


async def _moved(group: Group, lane: int, topic: str, place: Place, anew: bool) -> Rebase | None:
    partition = TopicPartition(topic, lane)
    low = (await group.consumer.beginning_offsets([partition]))[partition]
    high = (await group.consumer.end_offsets([partition]))[partition]
    now = low if anew else min(max(place.next, low), high)
    if now == place.next and not anew:
        return None
    committed = (await group_offsets(group.admin, group.name, [partition]))[partition].offset
    offset = committed if not anew and now <= committed <= high else now
    since = place.published if anew else max(place.published, committed)
    return Rebase(lane, topic, place.next, now, offset, await _unsaid(group, lane, topic, since))


async def _unsaid(group: Group, lane: int, topic: str, since: int) -> list[JournalRow]:
    """SQL knows later than Kafka what was published, and never if the service was killed: the output topics are asked.

    What precedes the last row that a partition holds was published there, though compaction may have taken it since.
    """
    async with group.database.read() as conn:
        rows = await unpublished(conn, lane, {topic: since})
    said = await published(group, lane, rows)
    last = {(row.topic, row.partition): row.seq for row in rows if row.seq in said}
    return [row for row in rows if row.seq > last.get((row.topic, row.partition), -1)]


async def _apply(group: Group, producer: LaneProducer, one: Rebase) -> None:
    """Kafka first: broken off between the two, the lane refuses, and the next run does it once more."""
    await publish(producer, one.lane, one.again, {one.topic: one.offset})
    async with group.database.write() as conn:
        await _forget(conn, one)


async def _forget(conn: AsyncConnection, one: Rebase) -> None:
    """No row of the old log may look like one of the new, which will use the same offsets."""
    here = (journal.c.lane == one.lane, journal.c.in_topic == one.topic, journal.c.in_offset >= one.now)
    await conn.execute(update(journal).where(*here).values(in_offset=GONE))
    letters = (rejects.c.topic == one.topic, rejects.c.partition == one.lane, rejects.c.offset >= one.now)
    await conn.execute(delete(rejects).where(*letters))
    moved = await conn.execute(
        update(positions)
        .where(positions.c.lane == one.lane, positions.c.topic == one.topic, positions.c.next_offset == one.before)
        .values(next_offset=one.now, published=one.now)
    )
    if moved.rowcount != 1:
        raise OffsetsError(
            f"lane {one.lane}: {one.topic} is no longer at {one.before}; stop every replica, and try again"
        )
