"""Whether he is held, from what jails say one after the other."""

from __future__ import annotations

from schemas.incident import CustodyChange, CustodyChanged
from schemas.person import Custody


def custody_after(known: Custody | None, data: CustodyChanged) -> Custody | None:
    """A later booking replaces an earlier one; what concerns another booking than the latest changes nothing.

    Booked after he was released under the same number, he is held again.
    """
    if known is None:
        known = Custody(booking_id=data.booking_id)
    elif known.booking_id != data.booking_id:
        is_new = data.change is CustodyChange.BOOKED and (known.booked_at is None or data.at >= known.booked_at)
        if not is_new:
            return known
        known = Custody(booking_id=data.booking_id)
    moment = {
        CustodyChange.BOOKED: "booked_at",
        CustodyChange.HEARING_SET: "hearing_at",
        CustodyChange.RELEASED: "released_at",
    }[data.change]
    again = data.change is CustodyChange.BOOKED and known.released_at is not None and data.at > known.released_at
    update = {moment: data.at, "facility": data.facility or known.facility}
    return known.model_copy(update=update | ({"released_at": None} if again else {}))
