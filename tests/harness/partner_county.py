"""The partners' service as a process on a real broker, fed with decisions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from schemas.envelope import Classification, Data, Event, deterministic_id
from schemas.partner_file import Partner
from tests.harness.partners import START, decision
from tests.harness.pipeline import Pipeline, pipeline

LANES = 2


@contextmanager
def partner_county(partners: Sequence[Partner], url: str | None = None) -> Iterator[Pipeline]:
    """A broker, the topics, every partner's file and tables, and no other service; nothing is started yet."""
    with pipeline(url, lanes=LANES, services=(), partners=partners) as made:
        yield made


def charge(him: str, number: int) -> Event[Any]:
    """The `number`-th charge of `him`, in minute `number`: C, B, then A for good."""
    tier = "CBA"[min(number, 3) - 1]
    previous = None if number == 1 else "CBA"[min(number - 1, 3) - 1]
    evidence = [f"NC0990100:{n:03}" for n in range(1, number + 1)]
    return said(decision(number, tier, previous, him=him, evidence=evidence), him, number)


def said(data: Data, him: str, minute: int) -> Event[Any]:
    """As the classifier says it, in that minute of record time."""
    at = START + timedelta(minutes=minute)
    return Event(
        id=deterministic_id("test", him, minute, data.canonical()), source="/tests", subject=him, time=at,
        recordedtime=at, data=data, dataclassification=Classification.INTERNAL,
    )  # fmt: skip
