"""What of an event a partner may see: by its kind, its lists and its file. Pure; where in doubt, nothing."""

from services.partners.rules.terms import Terms, has_lapsed
from services.partners.rules.views import View, of_decision, of_notification, of_tier, of_tier_shown

__all__ = ["Terms", "View", "has_lapsed", "of_decision", "of_notification", "of_tier", "of_tier_shown"]
