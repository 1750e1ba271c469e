"""What the notifier keeps of one offender, and when a notice may go to him. Pure; times are record times in UTC."""

from services.notifier.domain.call_in import CallIn, Kept, Place
from services.notifier.domain.holds import TWO_PEOPLE, LaneView, demands, lifted, reasons_to_hold, waits_for_clock
from services.notifier.domain.notice import (
    FREE,
    GIVEN,
    LEAD,
    UNSERVED,
    Attempt,
    CallInSeat,
    Due,
    Lift,
    Notice,
    Printed,
    Wording,
)
from services.notifier.domain.offender import Gate, Merge, Offender, Pair, Past, Round
from services.notifier.domain.work import Deadline, Enforcement, Help

__all__ = [
    "FREE",
    "GIVEN",
    "LEAD",
    "TWO_PEOPLE",
    "UNSERVED",
    "Attempt",
    "CallIn",
    "CallInSeat",
    "Deadline",
    "Due",
    "Enforcement",
    "Gate",
    "Help",
    "Kept",
    "LaneView",
    "Lift",
    "Merge",
    "Notice",
    "Offender",
    "Pair",
    "Past",
    "Place",
    "Printed",
    "Round",
    "Wording",
    "demands",
    "lifted",
    "reasons_to_hold",
    "waits_for_clock",
]
