"""What came from each agency: when it was last heard, how much of what kind, what was refused, whether it is paused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.incident import IncidentReported
from services.common.sql import upsert
from services.intake.domain import Feed, RejectLimit, Unit
from services.intake.store.tables import feeds, volumes

_WEEK: Final = 7
_TRICKLE: Final = 4.0
"""Events a day, below which a day says nothing."""
NORMAL_DAYS: Final = 56
"""Eight weeks, over which an agency's own normal is taken."""

FeedKey = tuple[str, str]
"""ORI and name."""


@dataclass(slots=True)
class Counted:
    """What some units held."""

    units: int = 0
    events: int = 0
    rejected: int = 0
    bulk: int = 0
    victims: int = 0
    unrelated: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, unit: Unit) -> None:
        self.units += 1
        self.events += len(unit.events)
        if unit.reject:
            self.rejected += 1
            self.reasons[str(unit.reject.code)] += 1
        for event in unit.events:
            if isinstance(event.data, IncidentReported):
                self.bulk += event.data.bulk
                self.victims += len(event.data.victims)
                self.unrelated += sum(victim.relationship == "RU" for victim in event.data.victims)


EXPUNCTIONS: Final = "expunctions"
"""Why a feed is paused of which everything else is taken."""


async def paused(conn: AsyncConnection, keys: Iterable[FeedKey], *, expunges: bool = False) -> FeedKey | None:
    """One of these that is paused. `expunges`: for expunctions as well."""
    wanted = sorted(set(keys))
    if not wanted:
        return None
    any_of = or_(*(and_(feeds.c.agency == agency, feeds.c.feed == feed) for agency, feed in wanted))
    query = select(feeds.c.agency, feeds.c.feed).where(any_of, feeds.c.paused_at.is_not(None))
    if not expunges:
        query = query.where(feeds.c.paused_for.is_distinct_from(EXPUNCTIONS))
    found = (await conn.execute(query.limit(1))).first()
    return (found.agency, found.feed) if found else None


async def expunge(
    conn: AsyncConnection, more: Mapping[FeedKey, int], most: int | None, now: datetime
) -> FeedKey | None:
    """Count these expunctions to the day. One that would come over `most` is paused and named, and they are to wait; unless a
    person has said that this day's are right.
    """
    rows = {key: await _feed(conn, key) for key in sorted(more)}
    today = {key: row.window_expunged if row and row.window_day == now.date() else 0 for key, row in rows.items()}
    for key, row in rows.items():
        if most is not None and today[key] + more[key] > most and (row is None or row.expunges_on != now.date()):
            await _keep(conn, key, row, {"paused_at": now, "paused_for": EXPUNCTIONS, "last_heard": now}, now)
            return key
    for key, row in rows.items():
        same_day = row is None or row.window_day == now.date()
        anew = {} if same_day else {"window_units": 0, "window_rejected": 0, "window_day": now.date()}
        await _keep(conn, key, row, {"window_expunged": today[key] + more[key], **anew}, now)
    return None


async def _keep(conn: AsyncConnection, key: FeedKey, row: Any, values: Mapping[str, Any], now: datetime) -> None:
    if row is not None:
        await conn.execute(update(feeds).where(_is(key)).values(values))
        return
    new = {"agency": key[0], "feed": key[1], "first_heard": now, "last_heard": now, "accept_short": False}
    new |= {"window_units": 0, "window_rejected": 0, "window_day": now.date()}
    await conn.execute(insert(feeds).values({**new, **values}))


async def heard(
    conn: AsyncConnection,
    feed: Feed,
    units: Sequence[Unit],
    fresh: Sequence[Unit],
    limit: RejectLimit,
    now: datetime,
    read: int | None = None,
) -> None:
    """Count what is new in `units`, and pause whoever has had too much refused. An empty delivery counts as heard.

    Of a reject it is not known whose it is: it is counted with whoever delivers, and judged against all that was read (`read`
    rows, where those are not `units`), new or not: a row that is refused in every file is news in each, the good ones once.
    """
    whose = Counter(feed.agency_of(unit) for unit in units)
    counted = {agency: Counted() for agency in {feed.agency, *whose}}
    everything = Counted()
    for unit in fresh:
        counted[feed.agency_of(unit)].add(unit)
        everything.add(unit)
    for agency, more in sorted(counted.items()):
        own = agency == feed.agency
        judged = everything if own else more
        if judged.units or not units or whose[agency]:
            of = (len(units) if read is None else read) if own else whose[agency]
            await _heard(conn, (agency, feed.name), more, judged.rejected, of, limit, now)
        if more.units:
            await _volume(conn, (agency, feed.name), more, now.date())


async def _heard(
    conn: AsyncConnection, key: FeedKey, more: Counted, refused: int, read: int, limit: RejectLimit, now: datetime
) -> None:
    row = await _feed(conn, key)
    same_day = row is not None and row.window_day == now.date()
    units = read + (row.window_units if row and same_day else 0)
    rejected = refused + (row.window_rejected if row and same_day else 0)
    values: dict[str, Any] = {
        "last_heard": now,
        "window_units": units,
        "window_rejected": rejected,
        "window_day": now.date(),
    }
    if more.units:
        values["last_event"] = now
    if units >= limit.after and rejected > limit.ratio * units and refused:
        values |= {"paused_at": now, "paused_for": "rejects"}
    if row is not None and not same_day:
        values["window_expunged"] = 0
    await _keep(conn, key, row, values, now)


async def _volume(conn: AsyncConnection, key: FeedKey, more: Counted, day: date) -> None:
    where = and_(volumes.c.agency == key[0], volumes.c.feed == key[1], volumes.c.day == day)
    row = (await conn.execute(select(volumes).where(where))).first()
    names = ("units", "events", "rejected", "bulk", "victims", "unrelated")
    total = {name: getattr(more, name) + (getattr(row, name) if row else 0) for name in names}
    reasons = dict(more.reasons + Counter(row.reasons if row else {}))
    values = {"agency": key[0], "feed": key[1], "day": day, **total, "reasons": reasons}
    await upsert(conn, volumes, [values], ["agency", "feed", "day"])


def _is(key: FeedKey) -> Any:
    return and_(feeds.c.agency == key[0], feeds.c.feed == key[1])


async def _feed(conn: AsyncConnection, key: FeedKey) -> Any:
    return (await conn.execute(select(feeds).where(_is(key)))).first()


async def resume(conn: AsyncConnection, key: FeedKey, now: datetime, *, accept_short: bool) -> bool:
    """Take from this feed again; `accept_short`: its next snapshot is right, however short. False where there is none.

    Where it was paused for its expunctions, those of today are right, however many.
    """
    values: dict[str, Any] = {"paused_at": None, "paused_for": None, "window_units": 0, "window_rejected": 0}
    row = await _feed(conn, key)
    if row is not None and row.paused_for == EXPUNCTIONS:
        values["expunges_on"] = now.date()
    if accept_short:
        values["accept_short"] = True
    return bool((await conn.execute(update(feeds).where(_is(key)).values(values))).rowcount)


@dataclass(frozen=True, slots=True)
class LastSnapshot:
    """When it was, how many were held when its fault began (None: it had none), and whether a short one is said to be right."""

    at: datetime | None = None
    held_at_fault: int | None = None
    accept_short: bool = False


async def last_snapshot(conn: AsyncConnection, key: FeedKey) -> LastSnapshot:
    row = await _feed(conn, key)
    return LastSnapshot(row.snapshot_at, row.held_at_fault, row.accept_short) if row else LastSnapshot()


async def snapshot_taken(
    conn: AsyncConnection, key: FeedKey, at: datetime, fault: str | None, held_at_fault: int | None, now: datetime
) -> None:
    values = {
        "snapshot_at": at,
        "fault": fault,
        "fault_at": now if fault else None,
        "held_at_fault": held_at_fault,
        "accept_short": False,
    }
    await conn.execute(update(feeds).where(_is(key)).values(values))


@dataclass(frozen=True, slots=True)
class AgencyFeed:
    """How one feed stands. Counts of today and of a normal day: the mean of the days before it, of at most eight weeks."""

    agency: str
    feed: str
    first_heard: datetime
    last_heard: datetime
    last_event: datetime | None
    paused_at: datetime | None
    paused_for: str | None
    fault: str | None
    today: Mapping[str, int]
    normal: float | None
    """Events of a normal day; None before there is one."""
    volume: str | None
    """`low` or `high`: yesterday was less than a quarter, or more than four times, of what is normal."""
    reasons: Mapping[str, int]
    """Rejects of the last seven days by code."""
    without_relationship: float | None
    """Share of the victims of the last 28 days whose relationship is unknown."""
    bulk: int
    """Events of history loads, of the last 28 days."""


async def agency_feeds(conn: AsyncConnection, now: datetime, agency: str | None = None) -> list[AgencyFeed]:
    """By agency and feed."""
    query = select(feeds).order_by(feeds.c.agency, feeds.c.feed)
    since = now.date() - timedelta(days=NORMAL_DAYS)
    days = select(volumes).where(volumes.c.day >= since)
    if agency is not None:
        query, days = query.where(feeds.c.agency == agency), days.where(volumes.c.agency == agency)
    by_feed: dict[FeedKey, list[Any]] = {}
    for day in await conn.execute(days):
        by_feed.setdefault((day.agency, day.feed), []).append(day)
    return [_agency_feed(row, by_feed.get((row.agency, row.feed), []), now.date()) for row in await conn.execute(query)]


def _agency_feed(row: Any, days: Sequence[Any], today: date) -> AgencyFeed:
    now = next((day for day in days if day.day == today), None)
    # History loads are no normal: what they brought is left out.
    before = min(NORMAL_DAYS, (today - row.first_heard.date()).days)
    live = sum(day.events - day.bulk for day in days if day.day < today)
    week = [day for day in days if day.day > today - timedelta(days=7)]
    month = [day for day in days if day.day > today - timedelta(days=28)]
    victims = sum(day.victims for day in month)
    return AgencyFeed(
        row.agency,
        row.feed,
        row.first_heard,
        row.last_heard,
        row.last_event,
        row.paused_at,
        row.paused_for,
        row.fault,
        {name: getattr(now, name) if now else 0 for name in ("units", "events", "rejected", "bulk")},
        live / before if before > 0 else None,
        _volume_of(days, today, live, before),
        dict(sum((Counter(day.reasons) for day in week), Counter())),
        sum(day.unrelated for day in month) / victims if victims else None,
        sum(day.bulk for day in month),
    )


def _volume_of(days: Sequence[Any], today: date, live: int, before: int) -> str | None:
    """Yesterday against the days before it; nothing is said before there is a week of them, or of a trickle."""
    yesterday = sum(day.events - day.bulk for day in days if day.day == today - timedelta(days=1))
    if before <= _WEEK:
        return None
    normal = (live - yesterday) / (before - 1)
    if normal < _TRICKLE:
        return None
    return "low" if yesterday < normal / 4 else "high" if yesterday > normal * 4 else None
