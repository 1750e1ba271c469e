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
    out_at: datetime | None = None
    """His last release, whether it ended the stay or an earlier part of it (none: what `custody` shows)."""
    out_said: datetime | None = None
    """When the jail said last that he is released."""

    @property
    def out(self) -> datetime | None:
        return self.out_at or self.custody.released_at

    def joined(self, other: Stay) -> Stay:
        """Told of under two ids of one man."""
        one, two = sorted((self, other), key=lambda stay: _moment(stay.custody))
        told = {name: value for name, value in two.custody if value is not None}
        booked = _last(one.custody.booked_at, two.custody.booked_at)
        both = replace(
            self,
            custody=one.custody.model_copy(update=told),
            said=_last(*(each.said for each in (one, two) if each.custody.booked_at == booked)),
            out_at=_last(one.out, two.out),
            out_said=_last(one.out_said, two.out_said),
        )
        return _settled(both, booked)


Stays = Mapping[str, Stay]
"""By booking."""


def stay_after(known: Stay | None, data: CustodyChanged, said: datetime) -> Stay:
    """Of one booking. Booked after he was released under the same number, he is held again; a release from before he was
    booked ended an earlier part of the stay, unless the jail said so after it said that he is booked: then he is out.
    """
    stay = replace(known or Stay(Custody(booking_id=data.booking_id)), told_of=data.offender_id)
    before = stay.custody
    if data.change is CustodyChange.HEARING_SET:
        told = {"facility": data.facility or before.facility, "hearing_at": data.at}
        return replace(stay, custody=before.model_copy(update=told))
    is_booked = data.change is CustodyChange.BOOKED
    last = before.booked_at if is_booked else stay.out
    is_last = last is None or data.at >= last
    facility = (data.facility or before.facility) if is_last else (before.facility or data.facility)
    stay = replace(stay, custody=before.model_copy(update={"facility": facility}), out_at=stay.out)
    if not is_booked:
        stay = replace(stay, out_at=_last(last, data.at), out_said=_last(stay.out_said, said))
        return _settled(stay, before.booked_at)
    if is_last:
        stay = replace(stay, said=_last(said, stay.said if data.at == last else None))
    return _settled(stay, _last(last, data.at))


def stay_as(known: Stay | None, custody: Custody, offender_id: str) -> Stay:
    """As a whole record of his has it, whatever the jail said before."""
    stay = known or Stay(custody, offender_id)
    return replace(stay, custody=custody, out_at=None, out_said=None)


def shown(stays: Stays) -> Custody | None:
    """Held as long as one booking of his is open, in the last of these; else the last that ended."""
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
    moment = _moment(custody)
    return custody.held, moment if custody.held else custody.released_at or moment, moment


def _moment(custody: Custody) -> datetime:
    return custody.booked_at or custody.released_at or _NEVER


def _last(*moments: datetime | None) -> datetime | None:
    return max((each for each in moments if each is not None), default=None)


def _settled(stay: Stay, booked: datetime | None) -> Stay:
    """Booked at this time, and out if his last release was no earlier or was said later."""
    is_later = stay.out_said is not None and stay.said is not None and stay.out_said > stay.said
    is_over = stay.out_at is not None and (booked is None or stay.out_at >= booked or is_later)
    released = _last(stay.out_at, booked) if is_over else None
    return replace(stay, custody=stay.custody.model_copy(update={"booked_at": booked, "released_at": released}))
