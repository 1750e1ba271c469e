"""`ipvi offsets mend`: a group's offsets that Kafka has lost, or that were set back, found again from what was published.

The journal knows what each lane had to say, in order; the output topics know how much of it was said. Each transaction ends
on an input offset, so the first journal row that is not in the log says where the lane's offsets were.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import select

from schemas.topics import Topic
from services.cli.group import Group, OffsetsError, PartnerOption, open_group, part_of, publish
from services.cli.serve import ServiceName
from services.common import guard
from services.common.columns import headers_of
from services.common.database import Database
from services.common.offsets import group_offsets
from services.common.positions import Place, unpublished
from services.common.producer import JournalRow
from services.common.settings import CommonSettings, settings_or_error
from services.common.tables import journal

READ_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Mend:
    """One lane's doubt and its end: `found` of `rows` journal rows are in the log, so its offsets are `offsets`."""

    lane: int
    rows: int
    found: int
    offsets: Mapping[str, int]

    def __str__(self) -> str:
        places = ", ".join(f"{topic} {offset}" for topic, offset in sorted(self.offsets.items()))
        return f"lane {self.lane}: {self.found} of {self.rows} rows in doubt are published; offsets: {places}"


def mend_command(
    service: Annotated[ServiceName, typer.Option("--service", help="Whose lanes refuse.", show_default=False)],
    partner: PartnerOption = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write the offsets; else only say what they would be.")
    ] = False,
) -> None:
    """Find the offsets of lanes that refuse with `offset_lost` or `offset_below_published`. Stop the service first.

    Looks for the journal rows in doubt at the end of the output topics, and with --apply sets the group's offsets to where
    they end. Every replica of the service must be stopped: a transaction still under way would make the answer wrong.

    Exit codes: 0 done or nothing to do, 2 refused, with one line why.
    """
    mends = asyncio.run(mend(settings_or_error(CommonSettings), part_of(service, partner), apply=apply))
    for one in mends:
        typer.echo(str(one))
    if not mends:
        typer.echo("no lane is in doubt")
    elif not apply:
        typer.echo("nothing was written: repeat with --apply")


async def mend(settings: CommonSettings, service: str, *, apply: bool) -> list[Mend]:
    """What `ipvi offsets mend` does. Nothing is written unless every lane's answer is certain.

    Raises `OffsetsError` (replicas are up; journal and log disagree) or what the start of a replica raises.
    """
    async with open_group(settings, service) as group:
        places = await group.places()
        topics = sorted({topic for at in places.values() for topic in at})
        if not topics:
            return []
        await guard.check(group.database, settings.kafka, group.admin, group.name, topics, settings.partitions)
        await group.refuse_if_worked()
        wanted = [TopicPartition(topic, lane) for lane, at in places.items() for topic in at]
        async with group.producers(places if apply else ()) as producers:
            committed = {tp: at.offset for tp, at in (await group_offsets(group.admin, group.name, wanted)).items()}
            mends: list[Mend] = []
            for lane, at in places.items():
                lost = [topic for topic in at if _in_doubt(at[topic], committed[TopicPartition(topic, lane)])]
                if lost:
                    mends.append(await _work_out(group, lane, at, lost))
            if apply:
                for one in mends:
                    await publish(producers[one.lane], one.lane, (), one.offsets)
    return mends


def _in_doubt(place: Place, committed: int) -> bool:
    """As `check_offsets` refuses it; -1 stands for none."""
    return committed < place.published and not (committed < 0 and place.published == place.next)


async def _work_out(group: Group, lane: int, at: Mapping[str, Place], lost: Iterable[str]) -> Mend:
    async with group.database.read() as conn:
        rows = await unpublished(conn, lane, {topic: place.published for topic, place in at.items()})
    said = await published(group, lane, rows)
    last = max((i for i, row in enumerate(rows) if row.seq in said), default=-1)
    missing = [row for row in rows[: last + 1] if row.seq not in said]
    if any(not Topic(row.topic).is_compacted for row in missing):
        raise OffsetsError(f"lane {lane}: the log holds later journal rows but not earlier ones; has its end been cut?")
    unpublished_rows = rows[last + 1 :]
    if last >= 0 and unpublished_rows and _cause(unpublished_rows[0]) == _cause(rows[last]):
        raise OffsetsError(f"lane {lane}: the log holds a part of what one record said; who else writes there?")
    ends = {topic: place.next for topic, place in at.items()}
    for row in unpublished_rows:
        ends[row.in_topic] = min(ends[row.in_topic], row.in_offset)
    return Mend(lane, len(rows), last + 1, {topic: ends[topic] for topic in lost})


def _cause(row: JournalRow) -> tuple[str, int]:
    return row.in_topic, row.in_offset


async def published(group: Group, lane: int, rows: Sequence[JournalRow]) -> set[int]:
    """Sequences of those of `rows` that a reader of committed records sees. Raises `OffsetsError` where that takes too long."""
    found: set[int] = set()
    for topic, partition in {(row.topic, row.partition) for row in rows}:
        ours = {_id(row.headers): row.seq for row in rows if (row.topic, row.partition) == (topic, partition)}
        anchor = await _anchor(group.database, lane, topic, partition, rows[0].seq)
        try:
            async with asyncio.timeout(READ_TIMEOUT_S):
                seen = await _ids_at_end(group.consumer, TopicPartition(topic, partition), ours.keys(), anchor)
        except TimeoutError:
            raise OffsetsError(f"lane {lane}: the end of {topic} was not read in {READ_TIMEOUT_S:.0f} s") from None
        found.update(ours[id_] for id_ in ours.keys() & seen)
    return found


async def _anchor(database: Database, lane: int, topic: str, partition: int, before: int) -> bytes | None:
    """Id of the last row for that partition which is known to be published: what is in doubt comes after it."""
    async with database.read() as conn:
        headers = await conn.scalar(
            select(journal.c.headers)
            .where(
                journal.c.lane == lane,
                journal.c.seq < before,
                journal.c.topic == topic,
                journal.c.partition == partition,
            )
            .order_by(journal.c.seq.desc())
            .limit(1)
        )
    return _id(headers_of(headers)) if headers else None


async def _ids_at_end(
    consumer: AIOKafkaConsumer, tp: TopicPartition, wanted: Iterable[bytes], anchor: bytes | None
) -> set[bytes]:
    """Ids at the end of a partition, back to the anchor, to all that is wanted, or to its start, whichever comes first."""
    missing, seen, window = set(wanted), set[bytes](), 1_000
    consumer.assign([tp])
    low, start = (await consumer.beginning_offsets([tp]))[tp], (await consumer.end_offsets([tp]))[tp]
    while start > low and missing - seen and anchor not in seen:
        start, stop = max(low, start - window), start
        consumer.seek(tp, start)
        while await consumer.position(tp) < stop:
            for records in (await consumer.getmany(tp, timeout_ms=500)).values():
                seen.update(_id(record.headers) for record in records)
        window *= 4
    return seen


def _id(headers: Iterable[tuple[str, bytes]]) -> bytes:
    return next((value for name, value in headers if name == "ce_id"), b"")
