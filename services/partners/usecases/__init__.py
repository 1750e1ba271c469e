"""One function per record type: what is kept of the offender, the record, how it came, the partner's terms; to an outcome."""

from services.partners.usecases.commands import clock, confirm
from services.partners.usecases.copying import decided, notified, passed_over, tier_changed, tier_ended

__all__ = [
    "clock",
    "confirm",
    "decided",
    "notified",
    "passed_over",
    "tier_changed",
    "tier_ended",
]
