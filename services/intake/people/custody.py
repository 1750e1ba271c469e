"""Whether he is held, from what jails say, in whatever order it comes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from schemas.incident import CustodyChange, CustodyChanged
from schemas.person import Custody

_MOST_STAYS: Final = 20
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stay:
    """One booking, and the offender id under which the jail told of it (none: not known)."""

    custody: Custody
    told_of: str | None = None
    said: datetime | None = None
    """When the jail said last that he is booked."""

    def joined(self, other: Stay) -> Stay:
        """Told of under two ids of one man."""
        one, two = sorted((self.custody, other.custody), key=_moment)
        told = {name: value for name, value in two if value is not None}
        booked, released = _last(one.booked_at, two.booked_at), _last(one.released_at, two.released_at)
        said = _last(self.said, other.said)
        return replace(self, custody=one.model_copy(update=told | _ended(booked, released)), said=said)


Stays = Mapping[str, Stay]
"""By booking."""


def stay_after(known: Stay | None, data: CustodyChanged, said: datetime) -> Stay:
    """Of one booking. Booked after he was released under the same number, he is held again; a release from before he was
    booked ended an earlier part of the stay, unless the jail said so after it said that he is booked: then he is out.
    """
    stay = replace(known or Stay(Custody(booking_id=data.booking_id)), told_of=data.offender_id)
    before = stay.custody
    booked, released = before.booked_at, before.released_at
    changed: dict[str, datetime | None] = {"hearing_at": data.at}
    if data.change is CustodyChange.HEARING_SET:
        is_last = True
    elif data.change is CustodyChange.BOOKED:
        is_last, booked = booked is None or data.at >= booked, _last(booked, data.at)
        stay = replace(stay, said=said if is_last else stay.said)
        changed = _ended(booked, released)
    else:
        is_last = released is None or data.at >= released
        is_later = stay.said is not None and said > stay.said
        changed = _ended(booked, _last(released, data.at, booked if is_later else None))
    facility = (data.facility or before.facility) if is_last else (before.facility or data.facility)
    return replace(stay, custody=before.model_copy(update={"facility": facility, **changed}))


def shown(stays: Stays) -> Custody | None:
    """Held as long as one booking of his is open, in the last of these; else the last that he was in."""
    return max((stay.custody for stay in reversed(list(stays.values()))), key=_rank, default=None)


def newest(stays: Stays) -> dict[str, Stay]:
    """Without the oldest of those that have ended, where there are too many."""
    if len(stays) <= _MOST_STAYS:
        return dict(stays)
    last = sorted(stays, key=lambda name: _rank(stays[name].custody))[-_MOST_STAYS:]
    return {name: stay for name, stay in stays.items() if name in last}


def together(own: Stays, others: Stays) -> dict[str, Stay]:
    both = {name: own[name].joined(other) for name, other in others.items() if name in own}
    return newest({**others, **own, **both})


def parted(
    stays: Stays, names: Collection[str], incidents: Collection[str], now: str
) -> tuple[dict[str, Stay], dict[str, Stay]]:
    """Where one was two: bookings of who stays, and of who goes as `now` with what was told of under `names` and with
    `incidents`.

    Of whom a booking was told is not known: it is neither's, since more is allowed of one who is held.
    """
    goes = {
        key: replace(stay, told_of=now)
        for key, stay in stays.items()
        if stay.told_of in names or charges_of(key) in incidents
    }
    rest = {key: stay for key, stay in stays.items() if key not in goes and (stay.told_of or not names)}
    return rest, goes


def charges_of(booking_id: str) -> str:
    """The incident that a booking's charges are."""
    agency, _, number = booking_id.partition(":")
    return f"{agency}:booking-{number}"[:110]


def _rank(custody: Custody) -> tuple[bool, datetime, datetime]:
    return custody.held, _moment(custody), custody.released_at or _NEVER


def _moment(custody: Custody) -> datetime:
    return custody.booked_at or custody.released_at or _NEVER


def _last(*moments: datetime | None) -> datetime | None:
    return max((each for each in moments if each is not None), default=None)


def _ended(booked: datetime | None, released: datetime | None) -> dict[str, datetime | None]:
    is_over = released is not None and (booked is None or released >= booked)
    return {"booked_at": booked, "released_at": released if is_over else None}
